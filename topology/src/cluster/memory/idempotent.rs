//! Writing each record by itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::faults::Fault;
use super::log::LoggedRecord;
use super::producer::{refused, size};
use super::state::{Shared, State, unavailable};
use crate::cluster::{
    CommittedOffset, GroupMetadata, Producer, ProducerRecord, Refusal, TopicPartition,
    TransactionError,
};
use crate::error::{Error, ErrorKind};

/// A producer without transactions. What it was given waits in it until it is flushed, and is gone with it.
pub(super) struct IdempotentProducer {
    shared: Arc<Shared>,
    queued: Vec<(TopicPartition, LoggedRecord)>,
    refused: Option<Refusal>,
    /// Why nothing more can be done before an abort.
    failed: Option<String>,
    ends: BTreeMap<TopicPartition, i64>,
}

impl IdempotentProducer {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        IdempotentProducer {
            shared,
            queued: Vec::new(),
            refused: None,
            failed: None,
            ends: BTreeMap::new(),
        }
    }

    fn check(&self, doing: &str) -> Result<(), TransactionError> {
        match &self.failed {
            None => Ok(()),
            Some(failed) => Err(TransactionError::Abort(Error::new(
                ErrorKind::Failed,
                format!("cannot {doing} after a failure: {failed}"),
            ))),
        }
    }

    fn fail(&mut self, error: Error) -> TransactionError {
        self.failed = Some(error.to_string());
        TransactionError::Abort(error)
    }

    /// Writes the first records that wait.
    fn write(&mut self, state: &mut State, count: usize) {
        for (to, record) in self.queued.drain(..count) {
            let log = state.log_mut(&to).expect("the partition was there");
            let record = ProducerRecord {
                key: record.key.as_deref(),
                value: record.value.as_deref(),
                timestamp: record.timestamp,
                headers: &record.headers,
            };
            let offset = log.append(record, None);
            self.ends.insert(to, offset + 1);
        }
    }
}

impl Producer for IdempotentProducer {
    fn begin(&mut self) -> Result<(), TransactionError> {
        self.check("begin")?;
        self.ends.clear();
        Ok(())
    }

    fn send(
        &mut self,
        to: &TopicPartition,
        record: ProducerRecord<'_>,
    ) -> Result<(), TransactionError> {
        self.check("send")?;
        let mut state = self.shared.lock();
        let hit = state.faults.hits(Fault::Send) | !state.available;
        let unsendable = state.unsendable(size(&record));
        let missing = state.log(to).err();
        let refusal = state.refusal(to, record.key, size(&record));
        drop(state);
        if hit {
            return Err(self.fail(unavailable("cannot send: the brokers do not answer")));
        }
        if let Some(e) = unsendable {
            return Err(TransactionError::Unsendable(e));
        }
        if let Some(missing) = missing {
            return Err(self.fail(missing.context("cannot send")));
        }
        if let Some(why) = refusal {
            self.refused.get_or_insert(refused(to, &record, why));
            return Ok(());
        }
        let record = LoggedRecord {
            offset: 0,
            key: record.key.map(<[u8]>::to_vec),
            value: record.value.map(<[u8]>::to_vec),
            timestamp: record.timestamp,
            headers: record.headers.clone(),
        };
        self.queued.push((to.clone(), record));
        Ok(())
    }

    fn flush(&mut self) -> Result<BTreeMap<TopicPartition, i64>, TransactionError> {
        self.check("flush")?;
        let shared = Arc::clone(&self.shared);
        let mut state = shared.call();
        if !state.available {
            return Err(self.fail(unavailable("cannot flush: the brokers do not answer")));
        }
        if state.faults.hits(Fault::Flush) {
            // Some are there, and nobody knows which.
            self.write(&mut state, self.queued.len() / 2);
            return Err(self.fail(unavailable("cannot flush: the brokers do not answer")));
        }
        self.write(&mut state, self.queued.len());
        if let Some(refusal) = self.refused.take() {
            self.failed = Some(refusal.error.to_string());
            return Err(TransactionError::Refused(refusal));
        }
        Ok(self.ends.clone())
    }

    fn send_offsets(
        &mut self,
        offsets: &[(TopicPartition, CommittedOffset)],
        group: &GroupMetadata,
    ) -> Result<(), TransactionError> {
        self.check("send offsets")?;
        let shared = Arc::clone(&self.shared);
        let mut state = shared.call();
        let lost = state.faults.hits(Fault::CommitLost) | !state.available;
        if state.faults.hits(Fault::SendOffsets) | state.faults.hits(Fault::Commit) {
            return Err(self.fail(unavailable("cannot send offsets: the brokers refuse")));
        }
        let unknown =
            || TransactionError::Unknown(unavailable("the brokers did not answer to offsets"));
        if lost {
            self.failed = Some("offsets got no answer".to_owned());
            return Err(unknown());
        }
        if let Some(refusal) = state.stranger_in_any_generation(group) {
            return Err(self.fail(refusal));
        }
        let of_group = state.offsets.entry(group.group().to_owned()).or_default();
        of_group.set(offsets);
        shared.notify();
        if state.faults.hits(Fault::AnswerLost) {
            self.failed = Some("offsets got no answer".to_owned());
            return Err(unknown());
        }
        Ok(())
    }

    fn commit(&mut self) -> Result<(), TransactionError> {
        self.check("commit")
    }

    fn abort(&mut self) -> Result<(), TransactionError> {
        self.queued.clear();
        self.ends.clear();
        self.refused = None;
        self.failed = None;
        Ok(())
    }
}
