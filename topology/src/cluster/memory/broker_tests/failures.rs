//! Failures on demand.

use super::*;

#[test]
fn failures_come_when_they_are_asked_for() {
    let (cluster, _) = cluster();
    let metadata = member(&cluster).metadata().unwrap();
    let mut producer = cluster.producer(&ProducerKind::transactional("p")).unwrap();
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
        let mut producer = cluster.producer(&ProducerKind::transactional("p")).unwrap();
        begun(&mut producer, "a");
        cluster.fail_next(fault, 1);
        match fault {
            Fault::AbortAnswerLost => unknown(producer.abort()),
            _ => unknown(producer.commit()),
        }
        fenced(producer.begin(), "got no answer");
        fenced(producer.abort(), "got no answer");
        let _producer = cluster.producer(&ProducerKind::transactional("p")).unwrap();
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
    let mut producers =
        ["p", "q", "r"].map(|id| cluster.producer(&ProducerKind::transactional(id)).unwrap());
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
    assert!(
        cluster.producer(&ProducerKind::transactional("p")).is_err()
            && cluster.join(options(None)).is_err()
    );
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
    let _producers =
        ["q", "r"].map(|id| cluster.producer(&ProducerKind::transactional(id)).unwrap());
    assert_eq!((committed(&cluster).as_str(), stable(&cluster, 0)), ("", 6));
}
