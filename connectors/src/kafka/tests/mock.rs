//! Reading, against the mock of a cluster.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use ferrisstreams_topology::ErrorKind;
use ferrisstreams_topology::cluster::{Cluster as _, TopicPartition};
use ferrisstreams_topology::connector::{Health, Poll, Sink, SinkRecord, SinkStart, Stats, Waker};

use super::harness::{LIMIT, Reads, cluster, mock, reading, write};
use crate::kafka::KafkaCluster;
use crate::kafka::reading::{Beginning, Reading, Untimed};
use crate::kafka::sink::KafkaSink;
use crate::kafka::writing::{Guarantee, Writing};

#[test]
fn all_partitions_are_read_to_the_end() {
    let mock = mock(3);
    let bootstrap = mock.bootstrap_servers();
    write(&bootstrap, "t", "0/a=1@10 0/b=-@20 2/=3@30 0/a=@40");
    let mut reads = Reads::open(reading(&bootstrap, "t"));
    let read = reads.read_to_end().unwrap();
    assert_eq!(read, "0/a=1@10#0 0/b=-@20#1 0/a=@40#2 2/-=3@30#0");
    assert_eq!(reads.ends, BTreeMap::from([(0, 3), (1, 0), (2, 1)]));
    assert_eq!(reads.stats.records(), 4);
    assert_eq!(reads.stats.progress(), Some((4, 4)));
    assert_eq!(reads.stats.health(), Health::Healthy);
    for partition in 0..3 {
        assert!(!reads.reader.is_behind(partition));
    }
    write(&bootstrap, "t", "1/c=5@50");
    assert_eq!(reads.records(1), "1/c=5@50#0");
}

#[test]
fn reading_goes_on_where_it_stopped() {
    let mock = mock(2);
    let bootstrap = mock.bootstrap_servers();
    write(&bootstrap, "t", "0/a=1@1 1/b=2@2");
    let mut reads = Reads::open(reading(&bootstrap, "t"));
    reads.read_to_end().unwrap();
    let stored = reads.positions.clone();
    drop(reads);
    write(&bootstrap, "t", "0/a=3@3 1/b=4@4");
    let mut again = Reads::try_open(reading(&bootstrap, "t"), stored.clone(), true).unwrap();
    assert_eq!(again.read_to_end().unwrap(), "0/a=3@3#1 1/b=4@4#1");
    again.reader.seek(&stored).unwrap();
    assert_eq!(again.read_to_end().unwrap(), "0/a=3@3#1 1/b=4@4#1");
    again.reader.seek(&BTreeMap::new()).unwrap();
    let all = again.read_to_end().unwrap();
    assert_eq!(
        all, "0/a=3@3#1 1/b=4@4#1",
        "that is where this reader began"
    );
}

#[test]
fn a_bounded_reader_ends_at_the_end_that_it_saw() {
    let mock = mock(2);
    let bootstrap = mock.bootstrap_servers();
    write(&bootstrap, "t", "0/a=1@1 0/a=2@2");
    let mut reads = Reads::bounded(reading(&bootstrap, "t"));
    write(&bootstrap, "t", "0/a=3@3 1/b=4@4");
    assert_eq!(reads.read_to_end().unwrap(), "0/a=1@1#0 0/a=2@2#1");
    assert!(matches!(reads.reader.poll(10), Ok(Poll::End)));
    assert_eq!(reads.ends, BTreeMap::from([(0, 2), (1, 0)]));
}

#[test]
fn a_topic_without_records_is_at_its_end() {
    let mock = mock(1);
    let mut reads = Reads::bounded(reading(&mock.bootstrap_servers(), "t"));
    assert_eq!(reads.read_to_end().unwrap(), "");
}

#[test]
fn reading_begins_where_it_is_told_to() {
    let mock = mock(1);
    let bootstrap = mock.bootstrap_servers();
    write(&bootstrap, "t", "0/a=1@10 0/a=2@20");
    let mut latest = Reads::open(Reading {
        from: Beginning::Latest,
        ..reading(&bootstrap, "t")
    });
    assert_eq!(latest.read_to_end().unwrap(), "");
    let stored = latest.positions.clone();
    assert_eq!(
        latest.ends,
        BTreeMap::from([(0, 2)]),
        "it is known before anything comes"
    );
    drop(latest);
    write(&bootstrap, "t", "0/a=3@30");
    let mut again = Reads::try_open(reading(&bootstrap, "t"), stored, false).unwrap();
    assert_eq!(again.read_to_end().unwrap(), "0/a=3@30#2");
}

#[test]
fn earlier_partitions_are_read_first() {
    let mock = mock(2);
    let bootstrap = mock.bootstrap_servers();
    write(&bootstrap, "t", "1/b=1@1 0/a=5@5 0/a=6@6");
    let mut reads = Reads::open(reading(&bootstrap, "t"));
    // Both are said to have more before any record comes.
    for _ in 0..2 {
        let Poll::Records(batch) = reads.reader.poll(1).unwrap() else {
            panic!("where reading begins is told at once");
        };
        assert!(batch.is_empty());
        assert!(reads.reader.is_behind(batch.partition));
    }
    assert_eq!(
        reads.read_to_end().unwrap(),
        "0/a=5@5#0 0/a=6@6#1 1/b=1@1#0"
    );
}

#[test]
fn records_without_a_time_are_counted() {
    let mock = mock(1);
    let bootstrap = mock.bootstrap_servers();
    write(&bootstrap, "t", "0/a=1@-5 0/a=2@20");
    let mut reads = Reads::open(reading(&bootstrap, "t"));
    assert_eq!(reads.read_to_end().unwrap(), "0/a=2@20#1");
    assert_eq!(reads.stats.bad_records(), 1);
    let with = |untimed| Reading {
        untimed,
        ..reading(&bootstrap, "t")
    };
    let mut kept = Reads::open(with(Untimed::Keep));
    assert_eq!(kept.read_to_end().unwrap(), "0/a=1@-5#0 0/a=2@20#1");
    let told = Reads::open(with(Untimed::Fail)).error();
    assert_eq!(
        told,
        "1 records of partition 0 of topic `t` on Kafka have no time, or one before 1970"
    );
}

#[test]
fn a_broker_that_goes_and_comes_back_is_waited_for() {
    let mock = mock(1);
    let bootstrap = mock.bootstrap_servers();
    write(&bootstrap, "t", "0/a=1@1");
    let mut reads = Reads::open(reading(&bootstrap, "t"));
    reads.read_to_end().unwrap();
    mock.broker_down(-1).unwrap();
    let health = reads.wait_for_health(|health| *health != Health::Healthy);
    assert!(matches!(health, Health::Disconnected(_)), "{health}");
    mock.broker_up(-1).unwrap();
    reads.wait_for_health(|health| *health == Health::Healthy);
    write(&bootstrap, "t", "0/a=2@2");
    assert_eq!(reads.records(1), "0/a=2@2#1");
}

#[test]
fn what_is_not_there_is_told_when_it_is_opened() {
    let mock = mock(1);
    let bootstrap = mock.bootstrap_servers();
    mock.broker_down(-1).unwrap();
    let mut hasty = reading(&bootstrap, "t");
    hasty.cluster.patience = Duration::from_millis(300);
    let e = Reads::try_open(hasty, BTreeMap::new(), false)
        .err()
        .unwrap();
    assert_eq!(e.kind(), ErrorKind::Unavailable);
    let told = e.to_string();
    let begin = format!("Kafka did not answer at {bootstrap} within 300ms: ");
    assert!(told.starts_with(&begin), "{told}");
    assert!(
        told.ends_with("(is bootstrap.servers right, and is the broker running?)"),
        "{told}"
    );
}

#[test]
fn positions_that_do_not_fit_are_refused() {
    let mock = mock(1);
    let bootstrap = mock.bootstrap_servers();
    write(&bootstrap, "t", "0/a=1@1");
    let mut reads = Reads::open(reading(&bootstrap, "t"));
    reads.read_to_end().unwrap();
    let good = reads.positions[&0].clone();
    let at = |partition, offset| {
        let mut bytes = good.clone();
        bytes[8] = offset;
        BTreeMap::from([(partition, bytes)])
    };
    for (positions, told) in [
        (
            at(0, 9),
            "topic `t` on Kafka was deleted and made again, or cut off: its partition 0 was read up to \
             offset 9, and it ends at offset 1 now (make the query anew to read the topic as it is now \
             from its beginning)",
        ),
        (
            at(4, 1),
            "topic `t` on Kafka was deleted and made again, or cut off: its partition 4 was read up to \
             offset 1, and it has 1 partitions now (make the query anew to read the topic as it is now \
             from its beginning)",
        ),
        (
            BTreeMap::from([(0, vec![1, 2])]),
            "the position in partition 0 of topic `t` on Kafka cannot be read",
        ),
    ] {
        let opened = Reads::try_open(reading(&bootstrap, "t"), positions, false);
        assert_eq!(opened.err().unwrap().to_string(), told);
    }
}

#[test]
fn a_topic_that_was_read_is_read_on_once_its_brokers_answer() {
    let mock = mock(1);
    let bootstrap = mock.bootstrap_servers();
    write(&bootstrap, "t", "0/a=1@1 0/b=2@2");
    let mut before = Reads::open(reading(&bootstrap, "t"));
    assert_eq!(before.records(2), "0/a=1@1#0 0/b=2@2#1");
    let positions = before.positions.clone();
    drop(before);
    write(&bootstrap, "t", "0/c=3@3");
    mock.broker_down(-1).unwrap();
    let mut hasty = reading(&bootstrap, "t");
    hasty.cluster.patience = Duration::from_millis(300);
    let mut late = Reads::try_open(hasty, positions.clone(), false).unwrap();
    assert!(late.reader.is_away() && late.reader.is_behind(0));
    late.wait_for_health(|health| matches!(health, Health::Disconnected(_)));
    assert!(matches!(late.reader.poll(10).unwrap(), Poll::Waiting));
    // It may be sent back before it has begun.
    late.reader.seek(&positions).unwrap();
    mock.broker_up(-1).unwrap();
    assert_eq!(late.records(1), "0/c=3@3#2");
    assert!(!late.reader.is_away());
    late.wait_for_health(|health| *health == Health::Healthy);
}

#[test]
fn brokers_that_stay_away_end_reading_after_a_while() {
    let mock = mock(1);
    let bootstrap = mock.bootstrap_servers();
    write(&bootstrap, "t", "0/a=1@1");
    let mut before = Reads::open(reading(&bootstrap, "t"));
    before.records(1);
    mock.broker_down(-1).unwrap();
    let mut hasty = reading(&bootstrap, "t");
    hasty.cluster.patience = Duration::from_millis(100);
    hasty.restart_timeout = Duration::from_millis(300);
    let positions = before.positions.clone();
    let e = Reads::try_open(hasty, positions, false).unwrap().error();
    assert!(e.starts_with("Kafka did not answer at"), "{e}");
    assert!(e.ends_with("(restart_timeout = 300ms)"), "{e}");
}

#[test]
fn a_sink_that_was_written_is_written_on_once_its_brokers_answer() {
    let mock = mock(1);
    let bootstrap = mock.bootstrap_servers();
    mock.broker_down(-1).unwrap();
    let open = |memo: Option<Vec<u8>>| {
        let writing = Writing {
            cluster: cluster(&bootstrap).with_patience(Duration::from_millis(300)),
            topic: "t".to_owned(),
            guarantee: Guarantee::AtLeastOnce,
            prefix: String::new(),
            create: None,
            restart_timeout: None,
        };
        KafkaSink::new(writing, "kafka://t".to_owned()).open(SinkStart {
            name: "s".to_owned(),
            memo,
            stats: Stats::new(),
        })
    };
    let e = open(None).err().unwrap();
    assert_eq!(e.kind(), ErrorKind::Unavailable, "{e}");
    assert!(e.to_string().contains("did not answer"), "{e}");
    let mut late = open(Some(Vec::new())).unwrap();
    let e = late.delivered(3).unwrap_err();
    assert_eq!(e.kind(), ErrorKind::Unavailable, "{e}");
    mock.broker_up(-1).unwrap();
    assert_eq!(late.delivered(3).unwrap(), 3);
    let record = SinkRecord {
        key: None,
        value: Some(b"4".to_vec()),
        timestamp: 4,
        headers: Default::default(),
    };
    late.deliver(3, &[record]).unwrap();
}

#[test]
fn where_a_partition_ends_is_known_though_nothing_is_taken() {
    let mock = mock(2);
    let bootstrap = mock.bootstrap_servers();
    let cluster = KafkaCluster::new([("bootstrap.servers", bootstrap.as_str())]).unwrap();
    write(&bootstrap, "t", "0/a=1@1 0/a=2@2 0/a=3@3");
    let waker = Waker::new();
    let mut reader = cluster.reader(waker.clone()).unwrap();
    let of = TopicPartition::new("t", 0);
    assert_eq!(reader.known_end(&of), None, "nobody reads it");
    reader.assign(&of, 0).unwrap();
    assert_eq!(reader.known_end(&of), Some(3));
    let deadline = Instant::now() + LIMIT;
    let mut reached = 0;
    while reached < 3 || reader.is_behind(&of) {
        assert!(Instant::now() < deadline, "{reached} of 3 were read");
        match reader.poll(10).unwrap() {
            Some((_, batch)) => reached = batch.end,
            None => drop(waker.wait(Duration::from_millis(100))),
        }
    }
    assert_eq!(reader.known_end(&of), Some(3));
    write(&bootstrap, "t", "0/a=4@4 0/a=5@5");
    while reader.known_end(&of) != Some(5) {
        assert!(Instant::now() < deadline, "what has come is not known");
        waker.wait(Duration::from_millis(10));
    }
}
