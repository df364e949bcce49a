//! Writing without transactions.

use super::*;

fn producer(cluster: &MemoryCluster) -> Producer {
    cluster.producer(&ProducerKind::Idempotent).unwrap()
}

#[test]
fn records_count_once_they_are_flushed_and_an_abort_takes_back_no_more() {
    let (cluster, _) = cluster();
    let mut one = producer(&cluster);
    begun(&mut one, "a");
    assert_eq!(committed(&cluster), "");
    assert_eq!(one.flush().unwrap(), [(at("out", 0), 1)].into());
    assert_eq!(committed(&cluster), "a");
    send(&mut one, &at("out", 0), "b").unwrap();
    one.abort().unwrap();
    begun(&mut one, "c");
    one.flush().unwrap();
    one.commit().unwrap();
    assert_eq!(committed(&cluster), "a c");
    // Another producer fences nobody.
    begun(&mut producer(&cluster), "lost with its producer");
    begun(&mut one, "d");
    one.flush().unwrap();
    assert_eq!(committed(&cluster), "a c d");
}

#[test]
fn offsets_are_taken_from_members_alone() {
    let (cluster, clock) = cluster();
    let mut member = member(&cluster);
    let metadata = member.metadata().unwrap();
    let mut one = producer(&cluster);
    one.begin().unwrap();
    one.send_offsets(&offset(5), &metadata).unwrap();
    let told = |cluster: &MemoryCluster| cluster.peek_committed("app", &at("in", 0)).unwrap();
    assert_eq!(told(&cluster), offset(5)[0].1);
    one.commit().unwrap();

    // Who is a member still has heard of the new generation when it commits.
    let mut other = cluster.join(options(None)).unwrap();
    news(&mut other);
    one.begin().unwrap();
    one.send_offsets(&offset(7), &metadata).unwrap();
    one.commit().unwrap();
    assert_eq!(told(&cluster), offset(7)[0].1);
    clock.advance(seconds(600));
    news(&mut member);
    one.begin().unwrap();
    to_abort(one.send_offsets(&offset(9), &metadata), "UNKNOWN_MEMBER_ID");
    assert_eq!(told(&cluster), offset(7)[0].1);
}

#[test]
fn failures_leave_what_was_written() {
    let (cluster, _) = cluster();
    let metadata = member(&cluster).metadata().unwrap();
    let mut one = producer(&cluster);
    begun(&mut one, "a");
    send(&mut one, &at("out", 0), "b").unwrap();
    cluster.fail_next(Fault::Flush, 1);
    to_abort(one.flush().map(drop), "do not answer");
    to_abort(one.commit(), "after a failure");
    one.abort().unwrap();
    assert_eq!(committed(&cluster), "a");
    for (fault, is_there) in [(Fault::CommitLost, false), (Fault::AnswerLost, true)] {
        one.begin().unwrap();
        cluster.fail_next(fault, 1);
        unknown(one.send_offsets(&offset(7), &metadata));
        one.abort().unwrap();
        let at = cluster.peek_committed("app", &at("in", 0));
        assert_eq!(at.is_some(), is_there, "{fault:?}");
    }
}

#[test]
fn records_that_are_refused_are_told_with_the_topic_and_their_size() {
    let (cluster, _) = cluster();
    cluster.set_max_record_bytes(3);
    cluster.set_max_request_bytes(6);
    for kind in [ProducerKind::Idempotent, ProducerKind::transactional("p")] {
        let mut one = cluster.producer(&kind).unwrap();
        begun(&mut one, "a");
        let unsendable = send(&mut one, &at("out", 0), "much too large");
        assert!(
            matches!(unsendable, Err(TransactionError::Unsendable(_))),
            "{unsendable:?}"
        );
        send(&mut one, &at("out", 1), "large").unwrap();
        match one.flush() {
            Err(TransactionError::Refused(refusal)) => {
                assert_eq!((&*refusal.topic, refusal.bytes), ("out", 6));
            }
            other => panic!("{other:?}"),
        }
        assert!(one.commit().is_err());
        one.abort().unwrap();
        begun(&mut one, "b");
        one.flush().unwrap();
        one.abort().unwrap();
    }
}
