//! Transactions, and who may write them.

use super::*;

#[test]
fn transactions_write_all_or_nothing() {
    let (cluster, _) = cluster();
    let mut producer = cluster.producer(&ProducerKind::transactional("p")).unwrap();
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
    let mut producer = cluster.producer(&ProducerKind::transactional("p")).unwrap();
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
    let mut former = cluster.producer(&ProducerKind::transactional("p")).unwrap();
    begun(&mut former, "a");
    let mut producer = cluster.producer(&ProducerKind::transactional("p")).unwrap();
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
    let mut producer = cluster.producer(&ProducerKind::transactional("p")).unwrap();
    producer.begin().unwrap();
    clock.advance(seconds(20));
    send(&mut producer, &at("out", 0), "a").unwrap();
    clock.advance(seconds(10));
    assert_eq!(stable(&cluster, 0), 0, "it is open since its first record");
    clock.advance(millis(1));
    assert_eq!(stable(&cluster, 0), 2);
    fenced(producer.commit(), "longer than the transaction timeout");
    let mut producer = cluster.producer(&ProducerKind::transactional("p")).unwrap();
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
    let mut producer = cluster.producer(&ProducerKind::transactional("p")).unwrap();
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
    ] {
        begun(&mut producer, "a");
        send(&mut producer, &to, value).unwrap();
        send(&mut producer, &at("out", 0), "b").unwrap();
        refused(producer.flush(), why);
        to_abort(send(&mut producer, &at("out", 0), "b"), why);
        to_abort(producer.commit(), why);
        producer.abort().unwrap();
        begun(&mut producer, "a");
        send(&mut producer, &to, value).unwrap();
        refused(producer.commit(), why);
        producer.abort().unwrap();
    }
    begun(&mut producer, "a");
    let why = "there is no partition out-2";
    to_abort(send(&mut producer, &at("out", 2), "1"), why);
    to_abort(producer.flush(), why);
    producer.abort().unwrap();
    producer.begin().unwrap();
    let record = ProducerRecord {
        key: None,
        value: None,
        timestamp: 0,
        headers: &Headers::default(),
    };
    producer.send(&at("changes", 0), record).unwrap();
    refused(producer.flush(), "without a key");
    producer.abort().unwrap();
    assert_eq!(committed(&cluster), "");
}
