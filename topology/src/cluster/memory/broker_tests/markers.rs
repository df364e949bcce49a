//! Markers that are written late.

use super::*;

#[test]
fn markers_may_come_late() {
    let (cluster, _) = cluster();
    cluster.set_markers(Markers::Held);
    let metadata = member(&cluster).metadata().unwrap();
    let mut producer = cluster.producer(&ProducerKind::transactional("p")).unwrap();
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
    let _producer = cluster.producer(&ProducerKind::transactional("p")).unwrap();
    assert_eq!((cluster.write_markers(), stable(&cluster, 0)), (0, 4));
}

#[test]
fn markers_may_wait_for_calls() {
    let (cluster, _) = cluster();
    cluster.set_markers(Markers::After(2));
    let metadata = member(&cluster).metadata().unwrap();
    let mut producer = cluster.producer(&ProducerKind::transactional("p")).unwrap();
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
