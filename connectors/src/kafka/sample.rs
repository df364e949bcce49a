//! The last records of a topic, from which its columns are found out.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ferrisstreams_topology::connector::{ConnectorError, ConnectorErrorKind, RawBatch, Waker};

use super::native::{Consumer, Fetch, Messages};
use super::partition::{Notice, Partition};
use super::place::Place;
use super::reading::Untimed;
use super::start::Start;
use super::topic::{Moment, Topic};

/// The most records, and bytes, of a sample.
const MOST: (usize, usize) = (10_000, 1 << 20);

/// How many records are taken at once.
const AT_ONCE: usize = 500;

/// Reads the last records of all partitions, up to the end as it is now.
///
/// # Errors
///
/// Where the brokers do not answer in time, or a record cannot be fetched.
pub(super) fn sample(
    place: &Place,
    consumer: &Arc<Consumer>,
    topic: &Topic,
) -> Result<Vec<RawBatch>, ConnectorError> {
    let numbers: Vec<i32> = (0..topic.partitions).collect();
    let ask = |moment| {
        place
            .cluster
            .offsets(consumer, &place.topic, &numbers, moment)
    };
    let (first, end) = (ask(Moment::Beginning)?, ask(Moment::End)?);
    let share = (MOST.0 / numbers.len().max(1)).max(1) as i64;
    let waker = Waker::new();
    let mut partitions = Vec::new();
    for number in numbers {
        let end = end[&number];
        let start = Start {
            partition: number,
            offset: first[&number].max(end - share),
            end,
            lost: 0,
        };
        if start.offset < end {
            let fetch = Fetch::start(consumer, &place.topic, number, start.offset, waker.clone());
            let fetch = fetch.map_err(|e| unreadable(place, number, &e.message))?;
            partitions.push(Partition::new(fetch, &start, true));
        }
    }
    gather(place, &mut partitions, &waker)
}

/// Reads until every partition is at its end, there is enough, or it takes too long.
fn gather(
    place: &Place,
    partitions: &mut [Partition],
    waker: &Waker,
) -> Result<Vec<RawBatch>, ConnectorError> {
    let deadline = Instant::now() + place.cluster.patience;
    let mut messages = Messages::default();
    let (mut batches, mut records, mut bytes) = (Vec::new(), 0, 0);
    loop {
        let mut any = false;
        for partition in partitions
            .iter_mut()
            .filter(|partition| !partition.is_done())
        {
            let number = partition.number;
            let found = partition.take(AT_ONCE, &mut messages, Untimed::Keep);
            if let Some(Notice::Failed(why)) = found.notice {
                return Err(unreadable(place, number, &why));
            }
            if let Some(batch) = found.batch {
                any = true;
                records += batch.len();
                bytes += batch.bytes.len();
                batches.push(batch);
            }
        }
        let full = records >= MOST.0 || bytes >= MOST.1;
        if full || partitions.iter().all(Partition::is_done) {
            return Ok(batches);
        }
        if Instant::now() >= deadline {
            // What there is may well tell.
            return Ok(batches);
        }
        if !any {
            waker.wait(Duration::from_millis(100));
        }
    }
}

fn unreadable(place: &Place, partition: i32, why: &str) -> ConnectorError {
    let (topic, cluster) = (&place.topic, &place.cluster.name);
    let message =
        format!("cannot read partition {partition} of topic `{topic}` on {cluster}: {why}");
    ConnectorError::new(ConnectorErrorKind::Unreadable, message)
}
