//! The cluster through its port, call by call.

use std::sync::mpsc;
use std::time::Duration;

use super::*;
use crate::cluster::{
    Cluster, CommittedOffset, GroupEvent, GroupMetadata, Isolation, Member, MemberOptions,
    NewTopic, OffsetRange, ProducerRecord, TopicPartition, TransactionError, TransactionalProducer,
};
use crate::connector::Waker;
use crate::error::ErrorKind;
use crate::record::Headers;
use crate::time::{Clock, millis, seconds};

type Producer = Box<dyn TransactionalProducer>;

fn cluster() -> (MemoryCluster, Clock) {
    let clock = Clock::manual(1_000);
    let cluster = MemoryCluster::with_clock(clock.clone());
    cluster.add_topic("out", 2, &[]).unwrap();
    cluster.add_topic("coord", 1, &[]).unwrap();
    let config = [("cleanup.policy", "compact")];
    cluster.add_topic("changes", 1, &config).unwrap();
    cluster.set_patience(Duration::ZERO);
    (cluster, clock)
}

fn at(topic: &str, partition: u32) -> TopicPartition {
    TopicPartition::new(topic, partition)
}

fn send(producer: &mut Producer, to: &TopicPartition, value: &str) -> Result<(), TransactionError> {
    let record = ProducerRecord {
        key: Some(b"k"),
        value: Some(value.as_bytes()),
        timestamp: 7,
        headers: &Headers::default(),
    };
    producer.send(to, record)
}

/// A transaction that writes one value to partition 0 of `out`.
fn begun(producer: &mut Producer, value: &str) {
    producer.begin().unwrap();
    send(producer, &at("out", 0), value).unwrap();
}

fn values(cluster: &MemoryCluster, partition: u32, isolation: Isolation) -> String {
    let records = cluster.records("out", partition, isolation).unwrap();
    let values = records
        .into_iter()
        .map(|r| String::from_utf8(r.value.unwrap()).unwrap());
    values.collect::<Vec<_>>().join(" ")
}

fn committed(cluster: &MemoryCluster) -> String {
    values(cluster, 0, Isolation::ReadCommitted)
}

fn stable(cluster: &MemoryCluster, partition: u32) -> i64 {
    let offsets = cluster.offsets(&at("out", partition), Isolation::ReadCommitted);
    offsets.unwrap().end
}

fn options(instance: Option<&str>) -> MemberOptions {
    MemberOptions {
        group: "app".into(),
        topic: "coord".into(),
        instance: instance.map(str::to_owned),
        session_timeout: seconds(6),
    }
}

/// A member that has seen all news there are.
fn member(cluster: &MemoryCluster) -> Box<dyn Member> {
    let mut member = cluster.join(options(None)).unwrap();
    news(&mut member);
    member
}

fn news(member: &mut Box<dyn Member>) -> Vec<GroupEvent> {
    std::iter::from_fn(|| member.poll(Duration::ZERO).unwrap()).collect()
}

fn offset(offset: i64) -> Vec<(TopicPartition, CommittedOffset)> {
    let metadata = "words".to_owned();
    vec![(at("in", 0), CommittedOffset { offset, metadata })]
}

fn group_offset(cluster: &MemoryCluster) -> Option<i64> {
    let offsets = cluster.committed("app", &[at("in", 0)]).unwrap();
    offsets[0].as_ref().map(|committed| committed.offset)
}

#[track_caller]
fn fenced<T: std::fmt::Debug>(result: Result<T, TransactionError>, why: &str) {
    match result.unwrap_err() {
        TransactionError::Fenced(e) => assert!(e.to_string().contains(why), "{e}"),
        other => panic!("not fenced: {other}"),
    }
}

#[track_caller]
fn to_abort<T: std::fmt::Debug>(result: Result<T, TransactionError>, why: &str) {
    match result.unwrap_err() {
        TransactionError::Abort(e) => assert!(e.to_string().contains(why), "{e}"),
        other => panic!("not to be aborted: {other}"),
    }
}

#[track_caller]
fn unknown<T: std::fmt::Debug>(result: Result<T, TransactionError>) {
    match result.unwrap_err() {
        TransactionError::Unknown(e) => assert_eq!(e.kind(), ErrorKind::Unavailable),
        other => panic!("known: {other}"),
    }
}

#[track_caller]
fn misused<T: std::fmt::Debug>(result: Result<T, TransactionError>) {
    match result.unwrap_err() {
        TransactionError::Fatal(e) => assert_eq!(e.kind(), ErrorKind::Invalid),
        other => panic!("not wrong in itself: {other}"),
    }
}

#[test]
fn topics_are_made_once() {
    let (cluster, _) = cluster();
    let mut topic = NewTopic {
        name: "new".into(),
        partitions: 3,
        config: vec![("cleanup.policy".into(), "compact".into())],
    };
    assert_eq!(cluster.topic("new").unwrap(), None);
    cluster.create_topic(&topic).unwrap();
    topic.partitions = 5;
    cluster.create_topic(&topic).unwrap();
    let known = cluster.topic("new").unwrap().unwrap();
    assert_eq!(
        (known.partitions, known.get("cleanup.policy")),
        (3, Some("compact"))
    );
    assert!(cluster.add_topic("new", 3, &[]).is_err());
    topic.name = "a/b".into();
    let error = cluster.create_topic(&topic).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
}

#[test]
fn records_are_written_and_deleted() {
    let (cluster, _) = cluster();
    let headers = Headers::default().with("h", *b"1");
    let record = ProducerRecord {
        key: None,
        value: Some(b"a"),
        timestamp: 3,
        headers: &headers,
    };
    assert_eq!(cluster.append_record(&at("out", 1), record).unwrap(), 0);
    assert_eq!(cluster.append("out", 1, None, Some(b"b"), 4).unwrap(), 1);
    let records = cluster.records("out", 1, Isolation::ReadCommitted).unwrap();
    let first = LoggedRecord {
        offset: 0,
        key: None,
        value: Some(b"a".to_vec()),
        timestamp: 3,
        headers,
    };
    assert_eq!((&records[0], records.len()), (&first, 2));
    cluster.delete_records(&[(at("out", 1), 1)]).unwrap();
    assert_eq!(values(&cluster, 1, Isolation::ReadUncommitted), "b");
    let offsets = cluster.offsets(&at("out", 1), Isolation::ReadUncommitted);
    assert_eq!(offsets.unwrap(), OffsetRange { first: 1, end: 2 });
}

#[test]
fn what_is_not_there_is_told() {
    let (cluster, _) = cluster();
    let kind = |result: crate::Result<()>| result.unwrap_err().kind();
    let nowhere = at("out", 2);
    for (result, expected) in [
        (
            cluster.delete_records(&[(nowhere.clone(), 0)]),
            ErrorKind::NotFound,
        ),
        (
            cluster.delete_records(&[(at("out", 0), 1)]),
            ErrorKind::Invalid,
        ),
        (
            cluster.delete_records(&[(at("changes", 0), 0)]),
            ErrorKind::Invalid,
        ),
        (cluster.compact("out"), ErrorKind::Invalid),
        (cluster.compact("none"), ErrorKind::NotFound),
        (
            cluster.append("none", 0, None, None, 0).map(drop),
            ErrorKind::NotFound,
        ),
        (
            cluster.append("changes", 0, None, None, 0).map(drop),
            ErrorKind::BadRecord,
        ),
        (
            cluster
                .offsets(&nowhere, Isolation::ReadCommitted)
                .map(drop),
            ErrorKind::NotFound,
        ),
        (
            cluster
                .records("out", 2, Isolation::ReadCommitted)
                .map(drop),
            ErrorKind::NotFound,
        ),
        (cluster.producer("").map(drop), ErrorKind::Invalid),
    ] {
        assert_eq!(kind(result), expected);
    }
    let mut elsewhere = options(None);
    elsewhere.topic = "none".into();
    assert_eq!(
        kind(cluster.join(elsewhere.clone()).map(drop)),
        ErrorKind::NotFound
    );
    let _member = member(&cluster);
    elsewhere.topic = "out".into();
    assert_eq!(kind(cluster.join(elsewhere).map(drop)), ErrorKind::Invalid);
    let mut reader = cluster.reader(Waker::new()).unwrap();
    assert_eq!(kind(reader.assign(&nowhere, 0)), ErrorKind::NotFound);
    assert_eq!(kind(reader.assign(&at("out", 0), -1)), ErrorKind::Invalid);
}

#[test]
fn topics_are_compacted_on_demand() {
    let (cluster, _) = cluster();
    for (key, value) in [(b"a", Some(&b"1"[..])), (b"b", Some(b"1")), (b"a", None)] {
        cluster.append("changes", 0, Some(key), value, 0).unwrap();
    }
    let offsets = || {
        let records = cluster.records("changes", 0, Isolation::ReadCommitted);
        records
            .unwrap()
            .iter()
            .map(|r| r.offset)
            .collect::<Vec<_>>()
    };
    cluster.compact("changes").unwrap();
    assert_eq!(offsets(), [1, 2]);
    cluster.drop_tombstones("changes").unwrap();
    assert_eq!(offsets(), [1]);
}

#[test]
fn transactions_write_all_or_nothing() {
    let (cluster, _) = cluster();
    let mut producer = cluster.producer("p").unwrap();
    begun(&mut producer, "a");
    send(&mut producer, &at("out", 1), "b").unwrap();
    let ends: Vec<_> = producer.flush().unwrap().into_iter().collect();
    assert_eq!(ends, [(at("out", 0), 1), (at("out", 1), 1)]);
    assert_eq!((committed(&cluster).as_str(), stable(&cluster, 0)), ("", 0));
    producer.commit().unwrap();
    assert_eq!(
        (committed(&cluster).as_str(), stable(&cluster, 0)),
        ("a", 2)
    );
    begun(&mut producer, "c");
    producer.abort().unwrap();
    begun(&mut producer, "d");
    assert_eq!(producer.flush().unwrap()[&at("out", 0)], 5);
    producer.commit().unwrap();
    assert_eq!(committed(&cluster), "a d");
    assert_eq!(values(&cluster, 0, Isolation::ReadUncommitted), "a c d");
    producer.begin().unwrap();
    producer.commit().unwrap();
    assert_eq!(stable(&cluster, 0), 6);
}

#[test]
fn calls_out_of_turn_are_misuse() {
    let (cluster, _) = cluster();
    let mut producer = cluster.producer("p").unwrap();
    misused(send(&mut producer, &at("out", 0), "a"));
    misused(producer.flush());
    misused(producer.commit());
    producer.abort().unwrap();
    producer.begin().unwrap();
    misused(producer.begin());
}

#[test]
fn a_new_producer_fences_the_former() {
    let (cluster, _) = cluster();
    let mut former = cluster.producer("p").unwrap();
    begun(&mut former, "a");
    let mut producer = cluster.producer("p").unwrap();
    assert_eq!(stable(&cluster, 0), 2);
    let metadata = GroupMetadata::new("app", 1, "m", None).unwrap();
    let why = "another producer";
    fenced(send(&mut former, &at("out", 0), "b"), why);
    fenced(former.flush(), why);
    fenced(former.send_offsets(&[], &metadata), why);
    fenced(former.commit(), why);
    fenced(former.abort(), why);
    fenced(former.begin(), why);
    begun(&mut producer, "c");
    producer.commit().unwrap();
    assert_eq!(values(&cluster, 0, Isolation::ReadUncommitted), "a c");
    assert_eq!(committed(&cluster), "c");
}

#[test]
fn transactions_time_out() {
    let (cluster, clock) = cluster();
    cluster.set_transaction_timeout(seconds(10));
    let mut producer = cluster.producer("p").unwrap();
    producer.begin().unwrap();
    clock.advance(seconds(20));
    send(&mut producer, &at("out", 0), "a").unwrap();
    clock.advance(seconds(10));
    assert_eq!(stable(&cluster, 0), 0, "it is open since its first record");
    clock.advance(millis(1));
    assert_eq!(stable(&cluster, 0), 2);
    fenced(producer.commit(), "longer than the transaction timeout");
    let mut producer = cluster.producer("p").unwrap();
    begun(&mut producer, "b");
    assert_eq!(cluster.expire_transactions(), 1);
    assert_eq!(cluster.expire_transactions(), 0);
    fenced(producer.commit(), "longer than the transaction timeout");
    assert_eq!(committed(&cluster), "");
}

#[test]
fn refused_records_spoil_their_transaction() {
    let (cluster, _) = cluster();
    cluster.set_max_record_bytes(4);
    let limit = [("max.message.bytes", "3")];
    cluster.add_topic("narrow", 1, &limit).unwrap();
    let mut producer = cluster.producer("p").unwrap();
    for (to, value, why) in [
        (
            at("out", 0),
            "1234",
            "takes no record of 5 bytes: its limit is 4",
        ),
        (
            at("narrow", 0),
            "123",
            "takes no record of 4 bytes: its limit is 3",
        ),
        (at("out", 2), "1", "there is no partition out-2"),
    ] {
        begun(&mut producer, "a");
        to_abort(send(&mut producer, &to, value), why);
        to_abort(send(&mut producer, &at("out", 0), "b"), why);
        to_abort(producer.flush(), why);
        to_abort(producer.commit(), why);
        producer.abort().unwrap();
    }
    producer.begin().unwrap();
    let record = ProducerRecord {
        key: None,
        value: None,
        timestamp: 0,
        headers: &Headers::default(),
    };
    to_abort(producer.send(&at("changes", 0), record), "without a key");
    producer.abort().unwrap();
    assert_eq!(committed(&cluster), "");
}

#[test]
fn offsets_count_once_they_are_committed() {
    let (cluster, _) = cluster();
    let member = member(&cluster);
    let metadata = member.metadata().unwrap();
    let mut producer = cluster.producer("p").unwrap();
    producer.begin().unwrap();
    producer.send_offsets(&offset(5), &metadata).unwrap();
    let waiting = cluster.committed("app", &[at("in", 0)]).unwrap_err();
    assert_eq!(waiting.kind(), ErrorKind::Unavailable, "{waiting}");
    let others = cluster.committed("app", &[at("in", 1), at("other", 0)]);
    assert_eq!(others.unwrap(), [None, None]);
    producer.commit().unwrap();
    let stored = cluster.committed("app", &[at("in", 0)]).unwrap();
    assert_eq!(stored, [Some(offset(5)[0].1.clone())]);
    producer.begin().unwrap();
    producer.send_offsets(&offset(6), &metadata).unwrap();
    producer.abort().unwrap();
    assert_eq!(group_offset(&cluster), Some(5));
}

#[test]
fn who_asks_for_offsets_waits_for_the_transaction() {
    let (cluster, _) = cluster();
    cluster.set_patience(seconds(60));
    let metadata = member(&cluster).metadata().unwrap();
    let mut producer = cluster.producer("p").unwrap();
    producer.begin().unwrap();
    producer.send_offsets(&offset(5), &metadata).unwrap();
    let (told, answers) = mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(|| told.send(group_offset(&cluster)).unwrap());
        assert!(answers.recv_timeout(millis(20)).is_err());
        producer.commit().unwrap();
        assert_eq!(answers.recv().unwrap(), Some(5));
    });
}

#[test]
fn offsets_are_taken_from_members_only() {
    let (cluster, clock) = cluster();
    let mut first = member(&cluster);
    let metadata = first.metadata().unwrap();
    let mut second = member(&cluster);
    let mut producer = cluster.producer("p").unwrap();
    producer.begin().unwrap();
    to_abort(
        producer.send_offsets(&offset(1), &metadata),
        "ILLEGAL_GENERATION",
    );
    to_abort(producer.commit(), "ILLEGAL_GENERATION");
    producer.abort().unwrap();
    assert_eq!(
        first.metadata(),
        Some(metadata),
        "it has not seen the news yet"
    );
    assert_eq!(news(&mut first), [GroupEvent::Assigned(vec![])]);
    producer.begin().unwrap();
    let metadata = first.metadata().unwrap();
    producer.send_offsets(&offset(1), &metadata).unwrap();
    producer.commit().unwrap();
    clock.advance(seconds(5));
    news(&mut second);
    clock.advance(seconds(2));
    producer.begin().unwrap();
    to_abort(
        producer.send_offsets(&offset(2), &metadata),
        "UNKNOWN_MEMBER_ID",
    );
    producer.abort().unwrap();
    producer.begin().unwrap();
    let stranger = GroupMetadata::new("other", 1, "m", None).unwrap();
    to_abort(
        producer.send_offsets(&offset(2), &stranger),
        "UNKNOWN_MEMBER_ID",
    );
    producer.abort().unwrap();
    assert_eq!(group_offset(&cluster), Some(1));
}

#[test]
fn members_are_told_of_generations_and_of_what_they_lost() {
    let (cluster, clock) = cluster();
    let mut first = cluster.join(options(None)).unwrap();
    assert_eq!(first.metadata(), None);
    assert_eq!(news(&mut first), [GroupEvent::Assigned(vec![0])]);
    let before = first.metadata().unwrap();
    assert_eq!((before.group(), before.generation()), ("app", 1));
    let mut second = cluster.join(options(None)).unwrap();
    assert_eq!(news(&mut second), [GroupEvent::Assigned(vec![])]);
    assert_eq!(cluster.members("app").len(), 2);
    clock.advance(seconds(4));
    assert_eq!(news(&mut second), []);
    clock.advance(seconds(4));
    assert_eq!(news(&mut second), [GroupEvent::Assigned(vec![0])]);
    assert_eq!(
        first.poll(Duration::ZERO).unwrap(),
        Some(GroupEvent::Lost(vec![0]))
    );
    assert_eq!(first.metadata(), None);
    assert_eq!(news(&mut first), [GroupEvent::Assigned(vec![])]);
    let after = first.metadata().unwrap();
    assert!(after.member() != before.member() && after.generation() == 4);
    second.leave();
    second.leave();
    assert_eq!(
        second.poll(Duration::ZERO).unwrap_err().kind(),
        ErrorKind::Closed
    );
    assert_eq!(news(&mut first), [GroupEvent::Assigned(vec![0])]);
    assert_eq!(cluster.members("app"), [after.member()]);
}

#[test]
fn what_is_revoked_goes_to_others_when_it_is_released() {
    let (cluster, _) = cluster();
    let join = || {
        let topic = "out".to_owned();
        cluster
            .join(MemberOptions {
                topic,
                ..options(None)
            })
            .unwrap()
    };
    let mut first = join();
    assert_eq!(news(&mut first), [GroupEvent::Assigned(vec![0, 1])]);
    let mut second = join();
    assert_eq!(news(&mut second), [GroupEvent::Assigned(vec![])]);
    first.release();
    let revoked = [GroupEvent::Assigned(vec![]), GroupEvent::Revoked(vec![1])];
    assert_eq!(news(&mut first), revoked);
    assert_eq!(news(&mut second), []);
    first.release();
    assert_eq!(news(&mut first), [GroupEvent::Assigned(vec![])]);
    assert_eq!(news(&mut second), [GroupEvent::Assigned(vec![1])]);
}

#[test]
fn an_instance_is_one_process() {
    let (cluster, clock) = cluster();
    let mut first = cluster.join(options(Some("a"))).unwrap();
    assert_eq!(news(&mut first), [GroupEvent::Assigned(vec![0])]);
    let mut second = cluster.join(options(Some("a"))).unwrap();
    assert_eq!(news(&mut second), [GroupEvent::Assigned(vec![0])]);
    assert_eq!(second.metadata().unwrap().instance(), Some("a"));
    let error = first.poll(Duration::ZERO).unwrap_err();
    assert!(error.to_string().contains("FENCED_INSTANCE_ID"), "{error}");
    first.release();
    first.leave();
    assert_eq!(news(&mut second), []);
    clock.advance(seconds(7));
    let mut third = cluster.join(options(Some("a"))).unwrap();
    assert_eq!(news(&mut third), [GroupEvent::Assigned(vec![0])]);
    let error = second.poll(Duration::ZERO).unwrap_err();
    assert!(error.to_string().contains("FENCED_INSTANCE_ID"), "{error}");
}

#[test]
fn who_polls_a_group_is_woken_by_news() {
    let (cluster, _) = cluster();
    let mut first = member(&cluster);
    std::thread::scope(|scope| {
        let woken = scope.spawn(|| first.poll(seconds(60)).unwrap());
        let _second = member(&cluster);
        assert_eq!(woken.join().unwrap(), Some(GroupEvent::Assigned(vec![])));
    });
}

#[test]
fn sessions_end_while_others_wait() {
    let cluster = MemoryCluster::new();
    cluster.add_topic("coord", 1, &[]).unwrap();
    let session_timeout = millis(30);
    let short = MemberOptions {
        session_timeout,
        ..options(None)
    };
    let _silent = cluster.join(short).unwrap();
    let mut second = cluster.join(options(None)).unwrap();
    let end = GroupEvent::Assigned(vec![0]);
    while second
        .poll(seconds(60))
        .unwrap()
        .expect("the other is given up")
        != end
    {}
    assert_eq!(cluster.members("app").len(), 1);
}

#[test]
fn readers_take_turns_and_are_woken() {
    let (cluster, _) = cluster();
    let waker = Waker::new();
    let mut reader = cluster.reader(waker.clone()).unwrap();
    assert!(reader.poll(10).unwrap().is_none());
    for partition in 0..2 {
        for value in [b"a", b"b"] {
            cluster
                .append("out", partition, None, Some(value), 1)
                .unwrap();
        }
        reader.assign(&at("out", partition), 0).unwrap();
    }
    assert!(waker.wait(Duration::ZERO));
    let mut read = Vec::new();
    while let Some((partition, batch)) = reader.poll(1).unwrap() {
        let value = batch.value(0).unwrap()[0] as char;
        read.push(format!(
            "{partition} {value} {}",
            reader.is_behind(&partition)
        ));
    }
    let expected = [
        "out-0 a true",
        "out-1 a true",
        "out-0 b false",
        "out-1 b false",
    ];
    assert_eq!(read, expected);
    assert!(!waker.wait(Duration::ZERO));
    reader.unassign(&at("out", 1));
    cluster.append("out", 1, None, None, 1).unwrap();
    assert!(!waker.wait(Duration::ZERO) && !reader.is_behind(&at("out", 1)));
    let mut producer = cluster.producer("p").unwrap();
    begun(&mut producer, "c");
    assert!(!waker.wait(Duration::ZERO) && !reader.is_behind(&at("out", 0)));
    producer.commit().unwrap();
    assert!(waker.wait(Duration::ZERO) && reader.is_behind(&at("out", 0)));
    reader.assign(&at("out", 0), 1).unwrap();
    let (_, batch) = reader.poll(10).unwrap().unwrap();
    assert_eq!((batch.offset(0), batch.len(), batch.end), (1, 2, 4));
    cluster.delete_records(&[(at("out", 0), 4)]).unwrap();
    assert!(reader.poll(10).unwrap().is_none());
    reader.assign(&at("out", 0), 1).unwrap();
    assert_eq!(reader.poll(10).unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn markers_may_come_late() {
    let (cluster, _) = cluster();
    cluster.set_markers(Markers::Held);
    let metadata = member(&cluster).metadata().unwrap();
    let mut producer = cluster.producer("p").unwrap();
    begun(&mut producer, "a");
    send(&mut producer, &at("out", 1), "b").unwrap();
    producer.send_offsets(&offset(5), &metadata).unwrap();
    producer.commit().unwrap();
    assert_eq!(stable(&cluster, 0), 0);
    let in_flight = cluster.markers_in_flight();
    let shown: Vec<_> = in_flight.iter().map(ToString::to_string).collect();
    assert_eq!(shown, ["group app", "out-0", "out-1"]);
    assert!(cluster.committed("app", &[at("in", 0)]).is_err());
    assert_eq!(cluster.write_markers_to(&in_flight[0]), 1);
    assert_eq!(group_offset(&cluster), Some(5));
    assert_eq!((stable(&cluster, 0), stable(&cluster, 1)), (0, 0));
    cluster.write_markers_to(&in_flight[2]);
    assert_eq!((stable(&cluster, 0), stable(&cluster, 1)), (0, 2));
    begun(&mut producer, "c");
    assert_eq!(
        committed(&cluster),
        "a",
        "the next transaction waits for them"
    );
    producer.abort().unwrap();
    let _producer = cluster.producer("p").unwrap();
    assert_eq!((cluster.write_markers(), stable(&cluster, 0)), (0, 4));
}

#[test]
fn markers_may_wait_for_calls() {
    let (cluster, _) = cluster();
    cluster.set_markers(Markers::After(2));
    let metadata = member(&cluster).metadata().unwrap();
    let mut producer = cluster.producer("p").unwrap();
    begun(&mut producer, "a");
    producer.send_offsets(&offset(5), &metadata).unwrap();
    producer.commit().unwrap();
    let ends: Vec<i64> = (0..5).map(|_| stable(&cluster, 0)).collect();
    assert_eq!(ends, [0, 0, 0, 2, 2]);
    producer.begin().unwrap();
    producer.send_offsets(&offset(6), &metadata).unwrap();
    producer.commit().unwrap();
    assert_eq!(group_offset(&cluster), Some(6), "who waits lets time go by");
}

#[test]
fn failures_come_when_they_are_asked_for() {
    let (cluster, _) = cluster();
    let metadata = member(&cluster).metadata().unwrap();
    let mut producer = cluster.producer("p").unwrap();
    type Step = fn(&mut Producer, &GroupMetadata) -> Result<(), TransactionError>;
    let steps: [(Fault, Step); 4] = [
        (Fault::Send, |p, _| send(p, &at("out", 0), "b")),
        (Fault::Flush, |p, _| p.flush().map(drop)),
        (Fault::SendOffsets, |p, m| p.send_offsets(&offset(1), m)),
        (Fault::Commit, |p, _| p.commit()),
    ];
    for (fault, step) in steps {
        begun(&mut producer, "a");
        cluster.fail_next(fault, 1);
        to_abort(step(&mut producer, &metadata), "the brokers");
        to_abort(producer.commit(), "the brokers");
        producer.abort().unwrap();
        begun(&mut producer, "a");
        step(&mut producer, &metadata).unwrap();
        producer.abort().unwrap();
    }
    cluster.fail_after(Fault::Call, 1, 2);
    assert!(cluster.topic("out").is_ok());
    assert_eq!(
        cluster.topic("out").unwrap_err().kind(),
        ErrorKind::Unavailable
    );
    assert!(cluster.reader(Waker::new()).is_err());
    assert!(cluster.topic("out").is_ok());
    let mut reader = cluster.reader(Waker::new()).unwrap();
    cluster.fail_next(Fault::Read, 1);
    assert_eq!(reader.poll(1).unwrap_err().kind(), ErrorKind::Failed);
    assert!(reader.poll(1).is_ok());
    cluster.fail_next(Fault::Read, 1);
    cluster.clear_faults();
    assert!(reader.poll(1).is_ok());
}

#[test]
fn nobody_knows_how_a_commit_without_an_answer_ended() {
    let cases = [
        (Fault::CommitLost, ""),
        (Fault::AnswerLost, "a"),
        (Fault::AbortAnswerLost, ""),
    ];
    for (fault, outcome) in cases {
        let (cluster, _) = cluster();
        let mut producer = cluster.producer("p").unwrap();
        begun(&mut producer, "a");
        cluster.fail_next(fault, 1);
        match fault {
            Fault::AbortAnswerLost => unknown(producer.abort()),
            _ => unknown(producer.commit()),
        }
        fenced(producer.begin(), "got no answer");
        fenced(producer.abort(), "got no answer");
        let _producer = cluster.producer("p").unwrap();
        assert_eq!(committed(&cluster), outcome);
        assert_eq!(stable(&cluster, 0), 2);
    }
}

#[test]
fn brokers_may_be_away_for_a_while() {
    let (cluster, clock) = cluster();
    let waker = Waker::new();
    let mut reader = cluster.reader(waker.clone()).unwrap();
    reader.assign(&at("out", 0), 0).unwrap();
    let mut member = member(&cluster);
    let mut producers = ["p", "q", "r"].map(|id| cluster.producer(id).unwrap());
    for producer in &mut producers {
        begun(producer, "a");
    }
    assert!(waker.wait(Duration::ZERO));
    cluster.append("out", 1, None, Some(b"x"), 1).unwrap();
    cluster.set_available(false);
    assert_eq!(
        cluster.topic("out").unwrap_err().kind(),
        ErrorKind::Unavailable
    );
    assert!(cluster.producer("p").is_err() && cluster.join(options(None)).is_err());
    assert!(cluster.committed("app", &[at("in", 0)]).is_err());
    assert!(reader.poll(10).unwrap().is_none());
    assert_eq!(member.poll(millis(1)).unwrap(), None);
    to_abort(producers[0].flush(), "do not answer");
    unknown(producers[1].commit());
    unknown(producers[2].abort());
    clock.advance(seconds(30));
    cluster.set_available(true);
    assert!(waker.wait(Duration::ZERO));
    assert_eq!(news(&mut member), []);
    producers[0].abort().unwrap();
    let _producers = ["q", "r"].map(|id| cluster.producer(id).unwrap());
    assert_eq!((committed(&cluster).as_str(), stable(&cluster, 0)), ("", 6));
}
