//! What tasks say of their time to those that they feed through topics: who does, and in which form.
//!
//! It is a record without key and value and with one header, behind what the task has sent and in the same
//! transaction, one in each partition. The header is named `ferris.time`, and has in this order, the highest
//! byte first:
//!
//! | bytes | what |
//! |---|---|
//! | 1 | the version of the form |
//! | 2 | the number of the task |
//! | 8 | its time |

use std::collections::BTreeMap;

use super::bound::SourceTopic;
use crate::connector::{Offsets, RawBatch, Times};
use crate::graph::{Graph, Kind, NodeId, Plan, SubTopology};
use crate::record::{Header, Headers};
use crate::task::Said;
use crate::time::Timestamp;

/// The version of the form.
pub(super) const VERSION: u8 = 1;

const NAME: &str = "ferris.time";

/// The headers of a record that says a time.
pub(super) fn headers(said: Said) -> Headers {
    let mut value = vec![VERSION];
    value.extend(said.from.to_be_bytes());
    value.extend(said.time.to_be_bytes());
    Headers::new(vec![Header {
        name: NAME.to_owned(),
        value: Some(value),
    }])
}

/// Takes out of a batch what says times: what it was, and before which of the other records it stood. What
/// another version says is left out.
pub(super) fn take_out(batch: &mut RawBatch) -> Vec<(u32, Said)> {
    if batch.headers.is_empty() {
        return Vec::new();
    }
    let is_said = |index: &usize| says_time(batch, *index);
    let places: Vec<usize> = (0..batch.len()).filter(is_said).collect();
    let mut said = Vec::new();
    for (before, &place) in places.iter().enumerate() {
        let index = u32::try_from(place - before).expect("a batch has less than 4 GiB");
        said.extend(read(&batch.headers[place]).map(|said| (index, said)));
    }
    if !places.is_empty() {
        without(batch, &places);
    }
    said
}

fn says_time(batch: &RawBatch, index: usize) -> bool {
    let is_empty = batch.key(index).is_none() && batch.value(index).is_none();
    let headers = batch.headers.get(index).filter(|_| is_empty);
    headers.is_some_and(|headers| headers.last(NAME).is_some())
}

fn read(headers: &Headers) -> Option<Said> {
    let value = headers.last(NAME)?.value.as_deref()?;
    let (version, rest) = value.split_first()?;
    let (from, time) = rest.split_first_chunk::<2>()?;
    let said = Said {
        from: u16::from_be_bytes(*from),
        time: Timestamp::from_be_bytes(time.try_into().ok()?),
    };
    (*version == VERSION).then_some(said)
}

/// Takes records out, whose bytes stay, unused.
fn without(batch: &mut RawBatch, places: &[usize]) {
    keep_others(&mut batch.values, places);
    keep_others(&mut batch.keys, places);
    keep_others(&mut batch.headers, places);
    if let Times::Each(times) = &mut batch.times {
        keep_others(times, places);
    }
    if let Offsets::Each(offsets) = &mut batch.offsets {
        keep_others(offsets, places);
    }
}

fn keep_others<T>(all: &mut Vec<T>, places: &[usize]) {
    let (mut at, mut places) = (0, places.iter().peekable());
    all.retain(|_| {
        at += 1;
        places.next_if(|place| **place + 1 == at).is_none()
    });
}

/// The exchanges by whose time somebody waits, and the numbers of the tasks that send through each.
///
/// A part of the topology waits where it has a step that does something when time has come, and where it
/// feeds one that waits. Of parts that feed one another in a circle none waits for another: each would stand
/// until the other goes on.
pub(super) fn senders(
    graph: &Graph,
    plan: &Plan,
    sources: &BTreeMap<NodeId, SourceTopic>,
) -> BTreeMap<NodeId, Vec<u16>> {
    let mut senders = BTreeMap::new();
    for part in plan.parts.iter().filter(|part| waits(graph, plan, part)) {
        for exchange in part.inputs.iter().copied() {
            let Some(from) = plan.parts.iter().find(|it| it.exits.contains(&exchange)) else {
                continue;
            };
            if fed_by(plan, part).any(|fed| std::ptr::eq(fed, from)) {
                continue;
            }
            let lanes = (0..plan.lanes).filter(|lane| has_input(graph, from, *lane, sources));
            senders.insert(exchange, lanes.collect());
        }
    }
    senders
}

fn waits(graph: &Graph, plan: &Plan, part: &SubTopology) -> bool {
    let by_time = |part: &SubTopology| part.nodes.iter().any(|id| graph.node(*id).goes_by_time);
    by_time(part) || fed_by(plan, part).any(by_time)
}

/// The parts that are fed by one, by itself or through others.
fn fed_by<'a>(plan: &'a Plan, part: &'a SubTopology) -> impl Iterator<Item = &'a SubTopology> {
    let mut open = vec![part];
    let mut fed: Vec<&SubTopology> = Vec::new();
    while let Some(at) = open.pop() {
        for other in &plan.parts {
            let feeds = at.exits.iter().any(|exit| other.inputs.contains(exit));
            if feeds && !fed.iter().any(|known| std::ptr::eq(*known, other)) {
                fed.push(other);
                open.push(other);
            }
        }
    }
    fed.into_iter()
}

/// True where a task reads anything: topics may have fewer partitions than there are tasks.
fn has_input(
    graph: &Graph,
    part: &SubTopology,
    lane: u16,
    sources: &BTreeMap<NodeId, SourceTopic>,
) -> bool {
    part.inputs.iter().any(|id| match &graph.node(*id).kind {
        Kind::Source(_) => (sources.get(id)).is_some_and(|it| u32::from(lane) < it.partitions),
        _ => true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connector::RawRecord;
    use crate::dsl::{Consumed, Grouped, Joined, KStream, Materialized, StreamsBuilder};
    use crate::ticker::Ticker;

    fn said(from: u16, time: Timestamp) -> Said {
        Said { from, time }
    }

    #[test]
    fn the_form_is_the_documented_one() {
        let headers = headers(said(258, 3));
        let bytes = headers.last("ferris.time").unwrap().value.clone().unwrap();
        assert_eq!(bytes, *b"\x01\x01\x02\0\0\0\0\0\0\0\x03");
        assert_eq!(read(&headers), Some(said(258, 3)));
    }

    /// A batch of data, by one letter each, and of times that are said, by numbers.
    fn batch(script: &str) -> RawBatch {
        let mut batch = RawBatch::empty(0, 0);
        for (offset, word) in script.split(' ').enumerate() {
            let time = word.parse::<Timestamp>().ok();
            batch.push(RawRecord {
                key: time.is_none().then_some(word.as_bytes()),
                offset: offset as i64,
                timestamp: offset as i64,
                headers: time.map_or_else(Headers::default, |time| headers(said(1, time))),
                value: None,
            });
        }
        batch
    }

    #[test]
    fn what_is_said_is_no_data() {
        for (script, data, times) in [
            ("a b", "a0 b1", ""),
            ("a 7 b", "a0 b2", "7<1"),
            ("7 8 a b 9", "a2 b3", "7<0 8<0 9<2"),
            ("7", "", "7<0"),
        ] {
            let mut batch = batch(script);
            let end = batch.end;
            let found = take_out(&mut batch);
            let found: Vec<String> = found
                .iter()
                .map(|(index, said)| format!("{}<{index}", said.time))
                .collect();
            let left: Vec<String> = (0..batch.len())
                .map(|at| {
                    let key = std::str::from_utf8(batch.key(at).unwrap()).unwrap();
                    assert_eq!(batch.offset(at), batch.times.at(at));
                    assert!(batch.headers(at).is_empty());
                    format!("{key}{}", batch.offset(at))
                })
                .collect();
            assert_eq!(
                (left.join(" "), found.join(" ")),
                (data.into(), times.into())
            );
            assert_eq!(batch.end, end);
        }
    }

    #[test]
    fn other_versions_are_left_out_and_data_is_not() {
        let named = |value: &[u8]| Headers::default().with(NAME, value);
        let mut batch = RawBatch::empty(0, 0);
        for (offset, (key, header)) in [
            (None, &b"\x02\0\x01\0\0\0\0\0\0\0\x03"[..]),
            (None, b"\x01\0"),
            (Some(&b"k"[..]), b"\x01\0\x01\0\0\0\0\0\0\0\x03"),
        ]
        .into_iter()
        .enumerate()
        {
            batch.push(RawRecord {
                key,
                headers: named(header),
                offset: offset as i64,
                ..RawRecord::default()
            });
        }
        assert_eq!(take_out(&mut batch), []);
        assert_eq!((batch.len(), batch.offset(0)), (1, 2));
    }

    /// Who sends through which exchange, where four partitions are read of `words` and two of `few`.
    fn told(build: impl FnOnce(&StreamsBuilder)) -> Vec<String> {
        let builder = StreamsBuilder::new();
        build(&builder);
        let graph = builder.build().unwrap().graph;
        let sources = graph.sources().map(|(node, _)| {
            let name = graph.node(node).name.clone();
            let partitions = if *name == *"few" { 2 } else { 4 };
            let topic = SourceTopic {
                name,
                partitions,
                id: None,
                skips_untimed: false,
                shared: false,
            };
            (node, topic)
        });
        let senders = senders(&graph, &Plan::of_topics(&graph, 4), &sources.collect());
        let told = senders.iter();
        told.map(|(node, lanes)| format!("{} {lanes:?}", graph.node(*node).name))
            .collect()
    }

    fn stream(builder: &StreamsBuilder, name: &str) -> KStream<String, String> {
        builder.stream(name, Consumed::plain())
    }

    fn timed(stream: &KStream<String, String>, name: &str) -> KStream<String, String> {
        let moved = stream.select_key(|_, word| word.clone());
        moved.moved_by_time(name, || Box::new(Ticker::new(1)))
    }

    #[test]
    fn who_sends_is_known_and_whether_anybody_waits() {
        let few = told(|builder| drop(timed(&stream(builder, "few"), "moved")));
        let nobody: [&str; 0] = [];
        // The other two tasks have nothing to read.
        assert_eq!(few, ["moved [0, 1]"]);
        let both = told(|builder| {
            let few = timed(&stream(builder, "few"), "first");
            timed(&few.filter(|_, _| true), "second");
            timed(&stream(builder, "words"), "third");
        });
        assert_eq!(
            both,
            ["first [0, 1]", "second [0, 1, 2, 3]", "third [0, 1, 2, 3]"]
        );
        let before = told(|builder| {
            let words = stream(builder, "words");
            let grouped = words.group_by(|_, word| word.clone(), Grouped::named("before"));
            let counts = grouped.count(Materialized::named("counts")).to_stream();
            timed(
                &counts
                    .map(|key, _| (key.clone(), key.clone()))
                    .values_as(crate::codec::plain()),
                "behind",
            );
            words
                .group_by(|_, word| word.clone(), Grouped::named("beside"))
                .count(Materialized::named("others"));
        });
        assert_eq!(before, ["before [0, 1, 2, 3]", "behind [0, 1, 2, 3]"]);
        let circle = told(|builder| {
            let users = Materialized::named("users-by-id");
            let users = builder.table::<String, String>("users", Consumed::plain(), users);
            let name = |_: &String, user: &String| user.clone();
            let words = stream(builder, "words").join(&users, name, Joined::named("once"));
            timed(&words.values_as(crate::codec::plain()), "moved").join(
                &users,
                name,
                Joined::named("again"),
            );
        });
        assert_eq!(circle, nobody);
    }
}
