//! What reading a record costs.

use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

use ferrisstreams_topology::connector::Poll;

use super::harness::{Reads, mock, reading};

/// `cargo test --release -p ferrisstreams-connectors reading_costs -- --ignored --nocapture`
#[test]
#[ignore = "a bench"]
fn reading_costs() {
    const RECORDS: usize = 20_000;
    const PARTITIONS: i32 = 8;
    let mock = mock(PARTITIONS);
    let bootstrap = mock.bootstrap_servers();
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", &bootstrap)
        .set("queue.buffering.max.messages", "1000000")
        .create()
        .unwrap();
    let value = [b'v'; 150];
    for at in 0..RECORDS * PARTITIONS as usize {
        let key = at.to_be_bytes();
        let record = BaseRecord::<[u8], [u8]>::to("t")
            .partition(at as i32 % PARTITIONS)
            .key(&key)
            .payload(&value);
        producer.send(record).map_err(|(e, _)| e).unwrap();
    }
    producer.flush(Duration::from_secs(60)).unwrap();
    for _ in 0..3 {
        let mut reads = Reads::bounded(reading(&bootstrap, "t"));
        let (begun, mut polling, mut records) = (Instant::now(), Duration::ZERO, 0);
        loop {
            let poll = Instant::now();
            match reads.reader.poll(16_384).unwrap() {
                Poll::Records(batch) => {
                    polling += poll.elapsed();
                    records += batch.len();
                }
                Poll::End => break,
                _ => reads.wait(),
            }
        }
        let all = begun.elapsed();
        println!(
            "{records} records: {:?} a record in poll, {:?} in all",
            polling / records as u32,
            all / records as u32
        );
    }
}
