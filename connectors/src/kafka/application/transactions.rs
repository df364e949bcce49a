//! Transactions over many topics.

use std::collections::BTreeMap;
use std::ffi::CString;
use std::time::Duration;

use ferrisstreams_topology::Result;
use ferrisstreams_topology::cluster::{
    CommittedOffset, GroupMetadata, Producer, ProducerRecord, TopicPartition, TransactionError,
};

use super::super::cluster::Cluster;
use super::super::native::{GroupOffsets, MemberName};
use super::offsets::{invalid, list};
use super::writer::{Limits, Writer};

/// Writes in transactions.
pub(super) struct Transactions {
    writer: Writer,
}

impl Transactions {
    /// A producer of this id; an earlier one is fenced, its transaction aborted.
    pub(super) fn new(
        cluster: &Cluster,
        limits: &Limits,
        id: &str,
        timeout: Duration,
    ) -> Result<Self> {
        let timeout = timeout.as_millis().to_string();
        let fixed = [
            ("transactional.id", id),
            ("transaction.timeout.ms", &*timeout),
        ];
        let writer = Writer::new(cluster, limits, &fixed)?;
        writer
            .wait(|producer, limit| producer.init(limit))
            .map_err(TransactionError::into_error)?;
        Ok(Transactions { writer })
    }
}

impl Producer for Transactions {
    fn begin(&mut self) -> Result<(), TransactionError> {
        self.writer.clear();
        let begun = self.writer.producer.begin();
        begun.map_err(|e| self.writer.triage(&e))
    }

    fn send(
        &mut self,
        to: &TopicPartition,
        record: ProducerRecord<'_>,
    ) -> Result<(), TransactionError> {
        self.writer.send(to, record)
    }

    fn flush(&mut self) -> Result<BTreeMap<TopicPartition, i64>, TransactionError> {
        self.writer.flush()
    }

    fn send_offsets(
        &mut self,
        offsets: &[(TopicPartition, CommittedOffset)],
        group: &GroupMetadata,
    ) -> Result<(), TransactionError> {
        let text = |text: &str| CString::new(text).map_err(|_| invalid("a name with a zero byte"));
        let member = MemberName {
            generation: group.generation(),
            id: text(group.member())?,
            instance: group.instance().map(text).transpose()?,
        };
        let offsets = GroupOffsets {
            offsets: list(offsets)?,
            group: text(group.group())?,
            member: Some(member),
        };
        self.writer
            .wait(|producer, limit| producer.send_offsets(&offsets, limit))
    }

    fn commit(&mut self) -> Result<(), TransactionError> {
        let committed = self.writer.wait(|producer, limit| producer.commit(limit));
        committed.map_err(|e| match e {
            // Whether the brokers have it is not known.
            TransactionError::Fenced(e) => TransactionError::Unknown(e),
            e => e,
        })
    }

    fn abort(&mut self) -> Result<(), TransactionError> {
        self.writer.wait(|producer, limit| producer.abort(limit))?;
        self.writer.producer.listener().take_undelivered();
        Ok(())
    }
}
