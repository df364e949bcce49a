//! Where each sink writes, as the state remembers it.
//!
//! A sink that writes elsewhere than before is a new one. A query that is nothing but the way to it
//! begins anew, so that the new place gets all that an added query would write there; where the way is
//! part of something larger, the new place gets what comes from now on. What the state holds of sinks
//! that are in the program no more is told, and dropped where they are missing a second time.

use std::collections::{BTreeMap, BTreeSet};

use super::outbox;
use crate::connector::Sink;
use crate::error::{Error, Result};
use crate::graph::{Graph, Kind, SinkSpec};
use crate::identity::{self, Plans};
use crate::store::{Commit, State};

/// The version of what is remembered of a target.
const FORMAT: &str = "1";

const TARGETS: &str = "target/";
const MISSING: &str = "missing/";

/// What is remembered of a sink's place.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Target {
    /// The query whose rows are written.
    query: String,
    identity: String,
    location: String,
}

impl Target {
    fn of(sink: &dyn Sink, query: &str) -> Self {
        Target {
            query: query.to_owned(),
            identity: sink.identity(),
            location: sink.describe().location,
        }
    }

    fn to_bytes(&self) -> Vec<u8> {
        let Target {
            query,
            identity,
            location,
        } = self;
        [FORMAT, query, identity, location].join("\n").into_bytes()
    }

    fn from_bytes(sink: &str, bytes: &[u8]) -> Result<Self> {
        let text = String::from_utf8_lossy(bytes);
        let mut lines = text.splitn(4, '\n').map(str::to_owned);
        let format = lines.next();
        match (lines.next(), lines.next(), lines.next()) {
            (Some(query), Some(identity), Some(location)) if format.as_deref() == Some(FORMAT) => {
                Ok(Target {
                    query,
                    identity,
                    location,
                })
            }
            _ => Err(Error::state(format!(
                "where sink {sink} writes was noted in a form that is not known"
            ))),
        }
    }

    /// A place that was moved together with the program counts as the same, as does one that is told in
    /// other words.
    fn is_same(&self, other: &Target) -> bool {
        self.identity == other.identity || self.location == other.location
    }

    fn read(state: &State, sink: &str) -> Result<Option<Self>> {
        let bytes = state.meta(&format!("{TARGETS}{sink}"))?;
        bytes
            .map(|bytes| Target::from_bytes(sink, &bytes))
            .transpose()
    }
}

/// Compares where sinks write with what the state says, and notes it.
pub(super) fn settle<'a>(
    state: &State,
    graph: &'a Graph,
    plans: &Plans,
    bound: impl Fn(&'a SinkSpec) -> Option<&'a dyn Sink>,
) -> Result<()> {
    for spec in &graph.sinks {
        let Some(sink) = bound(spec) else {
            continue;
        };
        let now = Target::of(sink, query_of(graph, &spec.name));
        let before = Target::read(state, &spec.name)?;
        if before.as_ref() == Some(&now) && state.meta(&missing_key(&spec.name))?.is_none() {
            continue;
        }
        let mut commit = Commit::default();
        if let Some(before) = before.filter(|before| !before.is_same(&now)) {
            move_sink(state, graph, plans, spec, &before, &now, &mut commit)?;
        }
        commit.put_meta(&format!("{TARGETS}{}", spec.name), &now.to_bytes());
        commit.remove_meta(&missing_key(&spec.name));
        state.commit(commit, true)?;
    }
    let known = state.meta_with_prefix(TARGETS)?.into_iter();
    let mut known: BTreeSet<String> = known.map(|(name, _)| name).collect();
    known.extend(outbox::sinks(state)?);
    known.retain(|name| graph.sinks.iter().all(|spec| *spec.name != **name));
    for name in &known {
        tell_missing(state, graph, name)?;
    }
    Ok(())
}

/// The sinks that a state knows, with the identities of their places: a program that chooses names of
/// sinks itself can have each place keep its name. Sinks of which the state does not say where they
/// write are not among them.
///
/// # Errors
///
/// Where the state cannot be read.
pub fn known_sinks(state: &State) -> Result<BTreeMap<String, String>> {
    let known = state.meta_with_prefix(TARGETS)?.into_iter();
    known
        .map(|(name, bytes)| {
            let target = Target::from_bytes(&name, &bytes)?;
            Ok((name, target.identity))
        })
        .collect()
}

fn missing_key(sink: &str) -> String {
    format!("{MISSING}{sink}")
}

/// The query that a sink's node is part of.
fn query_of<'a>(graph: &'a Graph, sink: &str) -> &'a str {
    let is_it = |kind: &Kind| match kind {
        Kind::Sink(id) => &*graph.sinks[id.0 as usize].name == sink,
        _ => false,
    };
    let node = graph.nodes.iter().find(|node| is_it(&node.kind));
    node.map_or("", |node| &*node.query)
}

/// True where nothing but sinks comes of a query, so that it may begin anew.
fn only_writes(graph: &Graph, plans: &Plans, query: &str) -> bool {
    let is_read = graph.stores.iter().any(|store| *store.name == *query);
    plans.contains_key(query) && !is_read
}

fn move_sink(
    state: &State,
    graph: &Graph,
    plans: &Plans,
    spec: &SinkSpec,
    before: &Target,
    now: &Target,
    commit: &mut Commit,
) -> Result<()> {
    let (name, from, to) = (&spec.name, &before.location, &now.location);
    if !only_writes(graph, plans, &now.query) {
        tracing::warn!(
            "sink {name} wrote to {from} before, and now writes to {to}: that gets what comes from now \
             on, and what was on its way"
        );
        return outbox::move_on(state, name, commit);
    }
    let waiting = outbox::waiting(state, name)?;
    let left = match waiting {
        0 => String::new(),
        count => format!("; {count} records that {from} did not get yet are dropped"),
    };
    tracing::warn!(
        "sink {name} wrote to {from} before, and now writes to {to}: that is written from the beginning \
         of the tables and sources that query {} reads, as far as these still have it{left}",
        now.query
    );
    identity::forget(state, graph, std::slice::from_ref(&now.query))?;
    outbox::forget(name, commit);
    Ok(())
}

/// A sink is in the state and not in the program.
fn tell_missing(state: &State, graph: &Graph, name: &str) -> Result<()> {
    let target = Target::read(state, name)?;
    let (place, query) = match &target {
        Some(target) => (format!(" to {}", target.location), &*target.query),
        None => (String::new(), name),
    };
    let waiting = outbox::waiting(state, name)?;
    let outlives = target
        .as_ref()
        .is_none_or(|target| !target.identity.is_empty());
    let mut commit = Commit::default();
    if outlives && state.meta(&missing_key(name))?.is_none() {
        let left = match waiting {
            0 => String::new(),
            count => format!(", with {count} records that were not delivered"),
        };
        tracing::warn!(
            "sink {name}{place} is no longer in the program: its state is kept until the next start{left}, \
             and dropped then if it is not back"
        );
        commit.put_meta(&missing_key(name), &[1]);
    } else {
        if outlives || waiting > 0 {
            tracing::warn!(
                "sink {name}{place} is no longer in the program: its state is dropped, with {waiting} \
                 records that were not delivered"
            );
        }
        identity::forget_gone(state, graph, query, &mut commit)?;
        outbox::forget(name, &mut commit);
        commit.remove_meta(&missing_key(name));
        commit.remove_meta(&format!("{TARGETS}{name}"));
    }
    state.commit(commit, true)
}

#[cfg(test)]
mod tests {
    use super::super::outbox::Delivered;
    use super::*;
    use crate::connector::{SinkDescription, SinkRecord, SinkStart, SinkWriter};
    use crate::dsl::{Consumed, Produced, StreamsBuilder};
    use crate::graph::Topology;
    use crate::policy::ErrorPolicy;
    use crate::record::Headers;
    use crate::store::StateOptions;

    struct At(&'static str);

    impl Sink for At {
        fn describe(&self) -> SinkDescription {
            SinkDescription {
                connector: "test".to_owned(),
                location: self.0.to_owned(),
                exactly_once: true,
            }
        }

        fn open(&self, _start: SinkStart) -> Result<Box<dyn SinkWriter>> {
            Err(Error::invalid("it is never opened"))
        }
    }

    /// A query that writes what it reads, to sinks of these names.
    fn graph(sinks: &[&str]) -> Topology {
        let builder = StreamsBuilder::new();
        for sink in sinks {
            builder.query(sink, ErrorPolicy::Skip);
            builder
                .stream::<(), String>(&format!("{sink}.source"), Consumed::plain())
                .to(sink, Produced::plain());
        }
        builder.build().unwrap()
    }

    fn start(state: &State, sinks: &[&str], at: &dyn Sink) {
        let topology = graph(sinks);
        let plans = sinks
            .iter()
            .map(|sink| ((*sink).to_owned(), "p".to_owned()));
        settle(state, &topology.graph, &plans.collect(), |_| Some(at)).unwrap();
    }

    /// A state of two sinks that have something, of which nothing says where they write.
    fn old_state() -> State {
        let state = State::in_memory(StateOptions::default());
        outbox::prepare(&state).unwrap();
        let record = SinkRecord {
            key: None,
            value: None,
            timestamp: 0,
            headers: Headers::default(),
        };
        let mut commit = Commit::default();
        for sink in ["a", "ab"] {
            let delivered = Delivered {
                count: 3,
                memo: Some(vec![7]),
            };
            outbox::write(&mut commit, sink, 2, &vec![record.clone(); 2]);
            outbox::write_delivered(&mut commit, sink, &delivered);
            commit.put_meta(&format!("position/{sink}.source/0"), &[1]);
            commit.put_meta(&format!("time/0/{sink}.source"), &[1]);
            commit.put_meta(&format!("plan/{sink}"), b"p");
        }
        state.commit(commit, true).unwrap();
        state
    }

    /// What the state holds of a sink: how much it has, how it stood, what waits, and its position.
    fn holds(state: &State, sink: &str) -> (u64, bool, u64, bool) {
        let delivered = outbox::read_delivered(state, sink).unwrap();
        let waiting = outbox::waiting(state, sink).unwrap();
        let position = state.meta(&format!("position/{sink}.source/0")).unwrap();
        let has_memo = delivered.memo.is_some();
        (delivered.count, has_memo, waiting, position.is_some())
    }

    const WHOLE: (u64, bool, u64, bool) = (3, true, 1, true);
    const GONE: (u64, bool, u64, bool) = (0, false, 0, false);

    #[test]
    fn a_state_that_does_not_know_its_targets_is_gone_on_with() {
        let state = old_state();
        for _ in 0..2 {
            start(&state, &["a", "ab"], &At("x"));
            assert_eq!(holds(&state, "a"), WHOLE);
            assert_eq!(holds(&state, "ab"), WHOLE);
        }
    }

    #[test]
    fn a_query_that_only_writes_begins_anew_at_another_target() {
        let state = old_state();
        start(&state, &["a", "ab"], &At("x"));
        let topology = graph(&["a", "ab"]);
        let (x, y) = (At("x"), At("y"));
        let at = |spec: &SinkSpec| -> Option<&dyn Sink> {
            Some(if &*spec.name == "a" { &y } else { &x })
        };
        let plans = Plans::from([("a".to_owned(), "p".to_owned())]);
        settle(&state, &topology.graph, &plans, at).unwrap();
        assert_eq!(holds(&state, "a"), GONE);
        assert_eq!(holds(&state, "ab"), WHOLE);
        // Of this one nobody says that nothing else comes of it.
        settle(&state, &topology.graph, &plans, |_| Some(&y)).unwrap();
        assert_eq!(holds(&state, "ab"), (3, false, 1, true));
    }

    #[test]
    fn a_sink_that_is_missing_twice_is_dropped() {
        for is_known in [true, false] {
            let state = old_state();
            if is_known {
                start(&state, &["a", "ab"], &At("x"));
            }
            start(&state, &["ab"], &At("x"));
            assert_eq!(holds(&state, "a"), WHOLE, "kept once");
            start(&state, &["a", "ab"], &At("x"));
            start(&state, &["ab"], &At("x"));
            assert_eq!(holds(&state, "a"), WHOLE, "it was back in between");
            start(&state, &["ab"], &At("x"));
            assert_eq!(holds(&state, "a"), GONE);
            assert_eq!(holds(&state, "ab"), WHOLE);
            let left = state.meta_with_prefix("").unwrap();
            let of_a = left
                .iter()
                .filter(|(key, _)| key.ends_with("/a") || key.contains("/a."));
            assert_eq!(of_a.count(), 0, "{left:?}");
        }
    }

    #[test]
    fn what_has_no_place_of_its_own_is_dropped_at_once() {
        struct Nowhere;
        impl Sink for Nowhere {
            fn describe(&self) -> SinkDescription {
                At("here").describe()
            }
            fn identity(&self) -> String {
                String::new()
            }
            fn open(&self, start: SinkStart) -> Result<Box<dyn SinkWriter>> {
                At("here").open(start)
            }
        }
        let state = old_state();
        start(&state, &["a", "ab"], &Nowhere);
        start(&state, &["ab"], &Nowhere);
        assert_eq!(holds(&state, "a"), GONE);
    }

    #[test]
    fn targets_are_read_as_they_were_written() {
        let target = Target {
            query: "insert_1".to_owned(),
            identity: "file://a b".to_owned(),
            location: "file:///dir/a\nb".to_owned(),
        };
        let bytes = target.to_bytes();
        assert_eq!(Target::from_bytes("s", &bytes).unwrap(), target);
        for wrong in [&bytes[..10], b"2\na\nb\nc", b""] {
            assert!(Target::from_bytes("s", wrong).is_err());
        }
        let moved = Target {
            location: "file:///other/a b".to_owned(),
            ..target.clone()
        };
        assert!(target.is_same(&moved));
        let renamed = Target {
            identity: "file://c".to_owned(),
            ..moved.clone()
        };
        assert!(!target.is_same(&renamed) && moved.is_same(&renamed));
    }
}
