//! Topics and the records in them.

use super::*;

#[test]
fn topics_are_made_once() {
    let (cluster, _) = cluster();
    let mut topic = NewTopic {
        name: "new".into(),
        partitions: 3,
        replication_factor: None,
        config: vec![("cleanup.policy".into(), "compact".into())],
    };
    assert_eq!(cluster.topic("new").unwrap(), None);
    cluster.create_topic(&topic).unwrap();
    topic.partitions = 5;
    let told = cluster.create_topic(&topic).unwrap();
    let known = cluster.topic("new").unwrap().unwrap();
    assert_eq!(told, known);
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
        (
            cluster.producer(&ProducerKind::transactional("")).map(drop),
            ErrorKind::Invalid,
        ),
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
