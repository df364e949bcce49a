//! Offsets of groups in transactions.

use super::*;

#[test]
fn offsets_count_once_they_are_committed() {
    let (cluster, _) = cluster();
    let member = member(&cluster);
    let metadata = member.metadata().unwrap();
    let mut producer = cluster.producer(&ProducerKind::transactional("p")).unwrap();
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
    let mut producer = cluster.producer(&ProducerKind::transactional("p")).unwrap();
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
    let mut producer = cluster.producer(&ProducerKind::transactional("p")).unwrap();
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
