//! Writing to many topics without transactions.

use std::collections::BTreeMap;
use std::time::Duration;

use ferrisstreams_topology::Result;
use ferrisstreams_topology::cluster::{
    CommittedOffset, GroupMetadata, Producer, ProducerRecord, TopicPartition, TransactionError,
};

use super::super::cluster::Cluster;
use super::offsets::{Committers, list};
use super::writer::{Limits, Writer};

/// How long records that brokers may have already are waited for before a producer is given up: they must
/// not come behind those of the next one.
const LAST: Duration = Duration::from_secs(5);

/// Writes each record by itself.
pub(super) struct Idempotent {
    cluster: Cluster,
    limits: Limits,
    committers: Committers,
    /// None where a new one must be made.
    writer: Option<Writer>,
}

impl Idempotent {
    pub(super) fn new(cluster: &Cluster, limits: &Limits, committers: &Committers) -> Result<Self> {
        Ok(Idempotent {
            writer: Some(Writer::new(cluster, limits, &[])?),
            cluster: cluster.clone(),
            limits: limits.clone(),
            committers: committers.clone(),
        })
    }

    fn writer(&mut self) -> Result<&mut Writer, TransactionError> {
        if self.writer.is_none() {
            let made = Writer::new(&self.cluster, &self.limits, &[]);
            self.writer = Some(made.map_err(TransactionError::Fatal)?);
        }
        Ok(self.writer.as_mut().expect("it was made above"))
    }
}

impl Producer for Idempotent {
    fn begin(&mut self) -> Result<(), TransactionError> {
        self.writer()?.clear();
        Ok(())
    }

    fn send(
        &mut self,
        to: &TopicPartition,
        record: ProducerRecord<'_>,
    ) -> Result<(), TransactionError> {
        self.writer()?.send(to, record)
    }

    fn flush(&mut self) -> Result<BTreeMap<TopicPartition, i64>, TransactionError> {
        self.writer()?.flush()
    }

    fn send_offsets(
        &mut self,
        offsets: &[(TopicPartition, CommittedOffset)],
        group: &GroupMetadata,
    ) -> Result<(), TransactionError> {
        self.committers.commit(&list(offsets)?, group)
    }

    fn commit(&mut self) -> Result<(), TransactionError> {
        Ok(())
    }

    fn abort(&mut self) -> Result<(), TransactionError> {
        if let Some(writer) = self.writer.take() {
            writer.producer.give_up_queued();
            if let Err(e) = writer.producer.flush(LAST) {
                tracing::warn!("records under way to {} are given up: {e}", writer.brokers);
            }
        }
        Ok(())
    }
}
