//! What became of what former leaders had.

use std::time::Duration;

use ferrisstreams_topology::ErrorKind;
use ferrisstreams_topology::cluster::{Cluster as _, Cut, LogPoint, TopicPartition};

use super::harness::{mock, write};
use crate::kafka::KafkaCluster;

fn cluster(bootstrap: &str, patience: Duration) -> KafkaCluster {
    let cluster = KafkaCluster::new([("bootstrap.servers", bootstrap)]);
    cluster.unwrap().patience(patience)
}

#[test]
fn places_are_held_against_what_the_leader_has() {
    let mock = mock(3);
    let bootstrap = mock.bootstrap_servers();
    write(&bootstrap, "t", "0/a=1@1 0/a=2@1 0/a=3@1 1/b=1@1");
    for partition in 0..2 {
        mock.partition_leader("t", partition, Some(1)).unwrap();
    }
    write(&bootstrap, "t", "0/a=4@1 0/a=5@1 1/b=2@1");
    let cluster = cluster(&bootstrap, Duration::from_secs(3));
    let had = |partition, offset, epoch| {
        let of = TopicPartition::new("t", partition);
        (of, LogPoint { offset, epoch })
    };
    let told = |had: &[(TopicPartition, LogPoint)]| cluster.cuts(had).unwrap();
    let cut = Some(Cut { end: Some(3) });
    let places = [had(0, 5, 0), had(1, 1, 0), had(2, 0, 0)];
    assert_eq!(told(&places), [cut, None, None]);
    assert_eq!(told(&[had(0, 3, 0), had(1, 2, 1)]), [None, None]);
    assert_eq!(told(&[had(0, 5, 7)]), [Some(Cut { end: None })]);
    assert_eq!(told(&[]), []);
}

#[test]
fn brokers_that_do_not_answer_are_told() {
    let mock = mock(1);
    let bootstrap = mock.bootstrap_servers();
    write(&bootstrap, "t", "0/a=1@1");
    mock.broker_down(1).unwrap();
    let cluster = cluster(&bootstrap, Duration::from_millis(300));
    let point = LogPoint {
        offset: 1,
        epoch: 0,
    };
    let had = [(TopicPartition::new("t", 0), point)];
    let told = cluster.cuts(&had).unwrap_err();
    assert_eq!(told.kind(), ErrorKind::Unavailable, "{told}");
    assert!(told.to_string().contains("t-0 does not tell"), "{told}");
}
