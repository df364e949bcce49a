//! Sources and sinks that stand for topics.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::tests::{PARTITIONS, PATIENCE, config, refusal, start, wait_until};
use super::{Application, StreamsState};
use crate::cluster::memory::MemoryCluster;
use crate::cluster::{Cluster, Isolation, TopicPartition};
use crate::connector::{
    Rewrite, Sink, SinkDescription, SinkRecord, SinkStart, SinkWriter, Source, SourceDescription,
    SourceReader, SourceStart, TopicPlace,
};
use crate::dsl::{Consumed, Materialized, Produced, StreamsBuilder};
use crate::error::{Error, ErrorKind, Result};
use crate::graph::Topology;

/// A topic, or something else, as a connector gives it.
#[derive(Clone)]
struct Bound {
    place: Option<TopicPlace>,
    rewrites: bool,
}

fn topic(name: &str) -> Bound {
    Bound {
        place: Some(TopicPlace {
            topic: name.to_owned(),
            brokers: MemoryCluster::new().name(),
            skips_untimed: false,
        }),
        rewrites: false,
    }
}

const ELSEWHERE: Bound = Bound {
    place: None,
    rewrites: false,
};

fn unopened<T>() -> Result<T> {
    Err(Error::new(
        ErrorKind::Failed,
        "an application opens nothing",
    ))
}

impl Source for Bound {
    fn describe(&self) -> SourceDescription {
        SourceDescription {
            connector: "file".to_owned(),
            location: "file:///in.csv".to_owned(),
            identity: String::new(),
            rereadable: false,
        }
    }

    fn open(&self, _: SourceStart) -> Result<Box<dyn SourceReader>> {
        unopened()
    }

    fn topic(&self) -> Result<Option<TopicPlace>> {
        Ok(self.place.clone())
    }
}

/// Turns values around.
struct Backwards;

impl Rewrite for Backwards {
    fn rewrite(&self, mut record: SinkRecord) -> Result<SinkRecord> {
        if let Some(value) = &mut record.value {
            value.reverse();
        }
        Ok(record)
    }
}

impl Sink for Bound {
    fn describe(&self) -> SinkDescription {
        SinkDescription {
            connector: "file".to_owned(),
            location: "file:///out.csv".to_owned(),
            exactly_once: true,
        }
    }

    fn open(&self, _: SinkStart) -> Result<Box<dyn SinkWriter>> {
        unopened()
    }

    fn topic(&self) -> Result<Option<TopicPlace>> {
        Ok(self.place.clone())
    }

    fn rewrites(&self) -> Option<Arc<dyn Rewrite>> {
        self.rewrites
            .then(|| Arc::new(Backwards) as Arc<dyn Rewrite>)
    }
}

fn cluster() -> MemoryCluster {
    let cluster = MemoryCluster::new();
    for name in ["in", "one", "two"] {
        cluster.add_topic(name, PARTITIONS, &[]).unwrap();
    }
    cluster.set_patience(Duration::from_millis(500));
    cluster
}

/// Passes what the topic `in` has on to each of these topics, by a step of its own.
fn passing(to: &[&str]) -> Topology {
    let builder = StreamsBuilder::new();
    for name in to {
        let consumed = Consumed::<String, String>::plain().from(Arc::new(topic("in")));
        let sink = Bound {
            rewrites: *name == "two",
            ..topic(name)
        };
        let produced = Produced::plain().into(Arc::new(sink));
        builder
            .stream(&format!("{name}.source"), consumed)
            .to(&format!("to-{name}"), produced);
    }
    builder.build().unwrap()
}

fn write(cluster: &MemoryCluster, from: usize, to: usize) {
    for at in from..to {
        let text = format!("{at:03}");
        let bytes = Some(text.as_bytes());
        let partition = at as u32 % PARTITIONS;
        cluster
            .append("in", partition, bytes, bytes, at as i64)
            .unwrap();
    }
}

/// How often each value is in a topic.
fn values(cluster: &MemoryCluster, topic: &str) -> BTreeMap<String, usize> {
    let mut values = BTreeMap::new();
    for partition in 0..PARTITIONS {
        let records = cluster.records(topic, partition, Isolation::ReadCommitted);
        for record in records.unwrap() {
            let text = String::from_utf8(record.value.unwrap().to_vec()).unwrap();
            *values.entry(text).or_default() += 1;
        }
    }
    values
}

fn each(count: usize, turned: bool) -> BTreeMap<String, usize> {
    let text = |at: usize| {
        let text = format!("{at:03}");
        if turned {
            text.chars().rev().collect()
        } else {
            text
        }
    };
    (0..count).map(|at| (text(at), 1)).collect()
}

#[test]
fn steps_that_read_one_topic_go_on_where_each_was() {
    let cluster = cluster();
    write(&cluster, 0, 100);
    let app = start(&cluster, &passing(&["one"]), config());
    wait_until("one has all", || {
        values(&cluster, "one") == each(100, false)
    });
    app.close().unwrap();
    // A step that is new begins at the beginning.
    let both = passing(&["one", "two"]);
    let app = start(&cluster, &both, config().num_stream_threads(2));
    write(&cluster, 100, 200);
    wait_until("two has all", || values(&cluster, "two") == each(200, true));
    wait_until("one has all", || {
        values(&cluster, "one") == each(200, false)
    });
    app.close().unwrap();
    write(&cluster, 200, 300);
    let app = start(&cluster, &both, config());
    wait_until("two has all", || values(&cluster, "two") == each(300, true));
    wait_until("one has all", || {
        values(&cluster, "one") == each(300, false)
    });
    app.close().unwrap();
}

#[test]
fn records_without_a_time_are_left_out_where_that_is_wanted() {
    let builder = StreamsBuilder::new();
    let mut timed = topic("in");
    timed.place.as_mut().unwrap().skips_untimed = true;
    let consumed = Consumed::<String, String>::plain().from(Arc::new(timed));
    let stream = builder.stream("source", consumed);
    stream.to("one", Produced::plain());
    let topology = builder.build().unwrap();
    let cluster = cluster();
    for (value, time) in [(b"a", 1), (b"b", -1), (b"c", 2), (b"d", -1)] {
        cluster
            .append("in", 0, Some(value), Some(value), time)
            .unwrap();
    }
    let app = start(&cluster, &topology, config());
    let expected = BTreeMap::from([("a".to_owned(), 1), ("c".to_owned(), 1)]);
    wait_until("those with a time", || values(&cluster, "one") == expected);
    let partition = TopicPartition::new("in", 0);
    wait_until("all is done", || {
        let committed = cluster
            .committed("app", std::slice::from_ref(&partition))
            .unwrap();
        committed[0].as_ref().is_some_and(|at| at.offset == 4)
    });
    app.close().unwrap();
}

#[test]
fn what_is_no_topic_of_the_cluster_is_refused_by_its_name() {
    let cluster = cluster();
    let reading = |bound: Bound| {
        let builder = StreamsBuilder::new();
        let consumed = Consumed::<String, String>::plain().from(Arc::new(bound));
        builder
            .stream("lines", consumed)
            .to("one", Produced::plain());
        builder.build().unwrap()
    };
    let told = refusal(&reading(ELSEWHERE), &cluster, config());
    let expected =
        "source lines is file:///in.csv; an application on a cluster reads topics, and what";
    assert!(told.contains(expected), "{told}");
    let mut far = topic("in");
    far.place.as_mut().unwrap().brokers = "far:9092".to_owned();
    let told = refusal(&reading(far), &cluster, config());
    assert!(
        told.contains("source lines is topic in on far:9092"),
        "{told}"
    );
    let told = refusal(&reading(topic("none")), &cluster, config());
    assert!(told.contains("there is no topic none to read"), "{told}");

    let builder = StreamsBuilder::new();
    let lines = builder.stream::<String, String>("in", Consumed::plain());
    lines.to("out", Produced::plain().into(Arc::new(ELSEWHERE)));
    let told = refusal(&builder.build().unwrap(), &cluster, config());
    let expected = "sink out is file:///out.csv; an application on a cluster writes topics alone";
    assert!(told.contains(expected), "{told}");

    let builder = StreamsBuilder::new();
    let consumed = Consumed::<String, String>::plain().from(Arc::new(topic("in")));
    let kept = Materialized::named("kept");
    builder.table("lines", consumed.load_first(), kept);
    let told = refusal(&builder.build().unwrap(), &cluster, config());
    assert!(told.contains("source lines has load_first"), "{told}");
}

#[test]
fn a_query_that_computes_something_else_is_refused() {
    let cluster = cluster();
    let state = tempfile::tempdir().unwrap();
    let open = |words: &str| {
        let plans = BTreeMap::from([("q".to_owned(), words.to_owned())]);
        let config = config().state_dir(state.path());
        let cluster = Arc::new(cluster.clone());
        Application::with_plans(&passing(&["one"]), cluster, config, &plans)
    };
    let mut app = open("a sum").unwrap();
    app.start().unwrap();
    app.wait_until_running(PATIENCE).unwrap();
    app.close().unwrap();
    let told = open("a count").unwrap_err().to_string();
    assert!(
        told.contains("it was: a sum") && told.contains("a count"),
        "{told}"
    );
    open("a sum").unwrap();
}

#[test]
fn rows_are_known_by_what_made_them_wherever_they_are_taken_over() {
    let cluster = cluster();
    let begin = |words: &str| {
        let plans = BTreeMap::from([("q".to_owned(), words.to_owned())]);
        let cluster = Arc::new(cluster.clone());
        let mut app =
            Application::with_plans(&passing(&["one"]), cluster, config(), &plans).unwrap();
        app.start().unwrap();
        app
    };
    write(&cluster, 0, 10);
    let app = begin("a sum");
    wait_until("one has all", || values(&cluster, "one") == each(10, false));
    app.close().unwrap();
    // Nothing is left of the process, and all that it knew is on the cluster.
    let app = begin("a count");
    wait_until("it has failed", || app.state() == StreamsState::Error);
    let told = app.error().unwrap();
    assert!(
        told.contains("query q were made by another program"),
        "{told}"
    );
    assert!(
        told.contains("it was: a sum") && told.contains("it is:  a count"),
        "{told}"
    );
    drop(app);
    write(&cluster, 10, 20);
    let app = begin("a sum");
    wait_until("one has all", || values(&cluster, "one") == each(20, false));
    app.close().unwrap();
}
