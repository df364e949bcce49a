//! The cluster through its port, call by call.

mod topics;
mod transactions;
mod offsets;
mod members;
mod readers;
mod markers;
mod failures;
mod idempotence;

use std::sync::mpsc;
use std::time::Duration;

use super::*;
use crate::cluster::{
    Cluster, CommittedOffset, GroupEvent, GroupMetadata, Isolation, Member, MemberOptions,
    NewTopic, OffsetRange, ProducerKind, ProducerRecord, TopicPartition, TransactionError,
};
use crate::connector::Waker;
use crate::error::ErrorKind;
use crate::record::Headers;
use crate::time::{Clock, millis, seconds};

type Producer = Box<dyn crate::cluster::Producer>;

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
fn refused<T: std::fmt::Debug>(result: Result<T, TransactionError>, why: &str) {
    match result.unwrap_err() {
        TransactionError::Refused(refusal) => {
            let told = refusal.error.to_string();
            assert!(told.contains(why), "{told}");
        }
        other => panic!("not refused: {other}"),
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
