//! Reading partitions that the engine has assigned.

use std::sync::Arc;

use ferrisstreams_topology::cluster::{Cluster as _, Isolation, LogReader, TopicPartition};
use ferrisstreams_topology::connector::{RawBatch, Waker};
use ferrisstreams_topology::{Error, ErrorKind, Result};

use super::super::failure::engine_error;
use super::super::native::{Consumer, Fetch, Messages};
use super::super::partition::{Notice, Partition};
use super::super::reading::Untimed;
use super::super::start::Start;
use super::{KafkaCluster, number};

/// Reads what is committed of partitions.
pub(super) struct Reader {
    cluster: KafkaCluster,
    waker: Waker,
    /// Dropped before the consumer that they belong to.
    partitions: Vec<(TopicPartition, Partition)>,
    messages: Messages,
    consumer: Arc<Consumer>,
}

impl Reader {
    pub(super) fn new(cluster: KafkaCluster, waker: Waker) -> Result<Self> {
        Ok(Reader {
            consumer: cluster.cluster.consumer().map_err(engine_error)?,
            cluster,
            waker,
            partitions: Vec::new(),
            messages: Messages::default(),
        })
    }

    /// The partition to be read next: of those that may have something, the one furthest back in time.
    fn choose(&self) -> Option<usize> {
        let ready = self
            .partitions
            .iter()
            .enumerate()
            .filter(|(_, (_, partition))| partition.fetch.is_ready());
        ready
            .min_by_key(|(_, (_, partition))| partition.reached)
            .map(|(at, _)| at)
    }
}

impl LogReader for Reader {
    fn assign(&mut self, of: &TopicPartition, offset: i64) -> Result<()> {
        self.unassign(of);
        // The end decides whether others wait for what is still to be read.
        let there = self.cluster.offsets(of, Isolation::ReadCommitted)?;
        if offset < there.first || offset > there.end {
            return Err(Error::new(
                ErrorKind::NotFound,
                format!(
                    "{of} was to be read from offset {offset}, and has {} to {}: what was there is deleted, \
                     or the topic was made anew",
                    there.first, there.end
                ),
            ));
        }
        let start = Start {
            partition: number(of.partition),
            offset,
            end: there.end,
            lost: 0,
        };
        let waker = self.waker.clone();
        let fetch = Fetch::start(&self.consumer, &of.topic, start.partition, offset, waker);
        let fetch = fetch.map_err(|e| {
            Error::new(
                ErrorKind::Failed,
                format!("{of} cannot be read: {}", e.message),
            )
        })?;
        self.partitions
            .push((of.clone(), Partition::new(fetch, &start, false)));
        Ok(())
    }

    fn unassign(&mut self, of: &TopicPartition) {
        self.partitions.retain(|(known, _)| known != of);
    }

    fn poll(&mut self, limit: usize) -> Result<Option<(TopicPartition, RawBatch)>> {
        while let Some(at) = self.choose() {
            let (of, partition) = &mut self.partitions[at];
            let found = partition.take(limit, &mut self.messages, Untimed::Keep);
            match found.notice {
                None => {}
                Some(Notice::OutOfRange) => {
                    return Err(Error::new(
                        ErrorKind::NotFound,
                        format!("what stood at offset {} of {of} is deleted", partition.next),
                    ));
                }
                Some(Notice::Doubt(why)) => {
                    tracing::warn!("{of} cannot be read at the moment: {why}")
                }
                Some(Notice::Failed(why)) => {
                    return Err(Error::new(
                        ErrorKind::Failed,
                        format!("{of} cannot be read: {why}"),
                    ));
                }
            }
            if let Some(batch) = found.batch {
                return Ok(Some((of.clone(), batch)));
            }
        }
        // Troubles with brokers are told to who polls.
        while self.consumer.poll(std::time::Duration::ZERO).is_some() {}
        Ok(None)
    }

    fn is_behind(&self, of: &TopicPartition) -> bool {
        let found = self.partitions.iter().find(|(known, _)| known == of);
        found.is_some_and(|(_, partition)| partition.behind)
    }

    fn known_end(&self, of: &TopicPartition) -> Option<i64> {
        let found = self.partitions.iter().find(|(known, _)| known == of);
        found.map(|(_, partition)| partition.known_end())
    }
}
