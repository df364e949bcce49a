//! What became of what former leaders had.

use std::time::{Duration, Instant};

use ferrisstreams_tests::{Kafka, KafkaBrokers, Record};
use ferrisstreams_topology::ErrorKind;
use ferrisstreams_topology::cluster::{Cluster as _, Cut, LogPoint, NewTopic, TopicPartition};
use rdkafka::consumer::{BaseConsumer, Consumer as _};

use super::harness::{LIMIT, mock, write};
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

/// The brokers that lead and follow a partition that two have.
fn leader_and_follower(kafka: &Kafka, of: &TopicPartition) -> (usize, usize) {
    let consumer: BaseConsumer = kafka.client().create().unwrap();
    let metadata = consumer.fetch_metadata(Some(&of.topic), LIMIT).unwrap();
    let partition = &metadata.topics()[0].partitions()[0];
    let leader = partition.leader();
    let mut replicas = partition.replicas().iter();
    let follower = *replicas.find(|id| **id != leader).unwrap();
    let node = |id| usize::try_from(id).unwrap() - 1;
    (node(leader), node(follower))
}

fn records(count: usize) -> Vec<Record> {
    (0..count)
        .map(|at| Record::new("k", at.to_string()))
        .collect()
}

/// Where a partition ends by a leader that was elected after another.
fn end_after(cluster: &KafkaCluster, of: &TopicPartition, before: Option<LogPoint>) -> LogPoint {
    let deadline = Instant::now() + 2 * LIMIT;
    loop {
        let told = cluster.leader_ends(std::slice::from_ref(of));
        match (told, before) {
            (Ok(ends), None) => return ends[0].unwrap(),
            (Ok(ends), Some(before)) if ends[0].unwrap().epoch > before.epoch => {
                return ends[0].unwrap();
            }
            (told, _) => assert!(Instant::now() < deadline, "{told:?} after {before:?}"),
        }
        // Only asking tells whether there is another leader.
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn only_elections_of_leaders_that_lack_records_cut_them_off() {
    let Some(mut brokers) = KafkaBrokers::start(3) else {
        return;
    };
    let cluster = cluster(brokers.kafka().bootstrap(), LIMIT);
    let option = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let made = cluster.create_topic(&NewTopic {
        name: "elected".to_owned(),
        partitions: 1,
        replication_factor: Some(2),
        config: vec![
            option("unclean.leader.election.enable", "true"),
            option("min.insync.replicas", "1"),
        ],
    });
    made.unwrap();
    let of = TopicPartition::new("elected", 0);
    let cut = |point| cluster.cuts(&[(of.clone(), point)]).unwrap()[0];
    brokers.kafka().produce("elected", records(10));
    let first = end_after(&cluster, &of, None);
    assert_eq!(first.offset, 10);
    assert_eq!(cut(first), None);

    let (killed, _) = leader_and_follower(brokers.kafka(), &of);
    brokers.kill(killed);
    let second = end_after(&cluster, &of, Some(first));
    assert_eq!(second.offset, 10);
    assert_eq!(cut(first), None, "the other has everything");
    brokers.restart(killed);
    brokers.kafka().wait_until_in_sync(2 * LIMIT);

    let (leader, follower) = leader_and_follower(brokers.kafka(), &of);
    brokers.kill(follower);
    brokers.kafka().produce("elected", records(10));
    let third = end_after(&cluster, &of, None);
    assert_eq!(third.offset, 20);
    assert_eq!(cut(second), None);
    brokers.kill(leader);
    brokers.restart(follower);
    let fourth = end_after(&cluster, &of, Some(third));
    assert_eq!(fourth.offset, 10);
    brokers.kafka().produce("elected", records(30));
    assert_eq!(end_after(&cluster, &of, None).offset, 40);
    assert_eq!(cut(third), Some(Cut { end: Some(10) }));
    assert_eq!((cut(first), cut(second)), (None, None));
}
