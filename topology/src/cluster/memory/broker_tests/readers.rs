//! Readers of what is committed.

use super::*;

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
    let mut producer = cluster.producer(&ProducerKind::transactional("p")).unwrap();
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
