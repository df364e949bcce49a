//! Writing in transactions.

use std::collections::BTreeMap;
use std::sync::{Arc, MutexGuard};

use super::faults::Fault;
use super::state::{Shared, State, unavailable};
use super::transactions::Ongoing;
use crate::cluster::{
    CommittedOffset, GroupMetadata, Producer, ProducerRecord, Refusal, TopicPartition,
    TransactionError,
};
use crate::error::{Error, ErrorKind};

/// A producer of a transactional id. One that is dropped is as one whose process has died: its
/// transaction stays open.
pub(super) struct TransactionalProducer {
    shared: Arc<Shared>,
    id: String,
    epoch: u64,
    /// What was asked for without an answer, after which nothing can be done.
    lost: Option<&'static str>,
}

impl TransactionalProducer {
    pub(super) fn new(shared: Arc<Shared>, id: &str, epoch: u64) -> Self {
        TransactionalProducer {
            shared,
            id: id.to_owned(),
            epoch,
            lost: None,
        }
    }

    fn check(&self) -> Result<(), TransactionError> {
        let Some(what) = self.lost else {
            return Ok(());
        };
        let message = format!(
            "the producer of {} got no answer to its {what}: a new one must be made",
            self.id
        );
        let error = Error::new(ErrorKind::Closed, message);
        Err(TransactionError::Fenced(error))
    }

    /// Nobody knows whether it was done.
    fn unknown(&mut self, what: &'static str) -> TransactionError {
        self.lost = Some(what);
        TransactionError::Unknown(unavailable(format!(
            "the brokers did not answer to the {what} of a transaction of {}",
            self.id
        )))
    }

    /// The transaction that something is added to. The first time the brokers hear of it, those
    /// before must be over, markers and all.
    fn adding<'a>(
        &self,
        state: &'a mut MutexGuard<'_, State>,
        doing: &str,
    ) -> Result<&'a mut Ongoing, TransactionError> {
        let ongoing = state.transactions.ongoing(&self.id, self.epoch, doing)?;
        if ongoing.since.is_none() {
            ongoing.since = Some(self.shared.now());
            state.settle(&self.id);
            self.shared.notify();
        }
        state.transactions.ongoing(&self.id, self.epoch, doing)
    }

    /// Fails the transaction where the brokers do not answer, or a test wants it.
    fn answered(
        &self,
        state: &mut MutexGuard<'_, State>,
        fault: Fault,
        doing: &str,
    ) -> Result<(), TransactionError> {
        let hit = state.faults.hits(fault) | !state.available;
        let ongoing = state.transactions.ongoing(&self.id, self.epoch, doing)?;
        if !hit {
            return Ok(());
        }
        let message = format!("cannot {doing}: the brokers do not answer");
        Err(ongoing.fail(unavailable(message)))
    }
}

impl Producer for TransactionalProducer {
    fn begin(&mut self) -> Result<(), TransactionError> {
        self.check()?;
        let mut state = self.shared.call();
        state.transactions.begin(&self.id, self.epoch)
    }

    fn send(
        &mut self,
        to: &TopicPartition,
        record: ProducerRecord<'_>,
    ) -> Result<(), TransactionError> {
        self.check()?;
        let mut state = self.shared.lock();
        if state.pass() {
            self.shared.notify();
        }
        self.answered(&mut state, Fault::Send, "send")?;
        if let Some(e) = state.unsendable(size(&record)) {
            return Err(TransactionError::Unsendable(e));
        }
        let refusal = state.refusal(to, record.key, size(&record));
        let missing = state.log(to).err();
        let ongoing = self.adding(&mut state, "send")?;
        if let Some(missing) = missing {
            return Err(ongoing.fail(missing.context("cannot send")));
        }
        if let Some(refusal) = refusal {
            // The broker has yet to be asked: the producer hears of it when it waits for answers.
            ongoing.refuse(refused(to, &record, refusal));
            return Ok(());
        }
        let number = ongoing.number;
        let offset = state
            .log_mut(to)
            .expect("the partition is there")
            .append(record, Some(number));
        let ongoing = self.adding(&mut state, "send")?;
        match ongoing.ends.get_mut(to) {
            Some(end) => *end = offset + 1,
            None => _ = ongoing.ends.insert(to.clone(), offset + 1),
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<BTreeMap<TopicPartition, i64>, TransactionError> {
        self.check()?;
        let mut state = self.shared.call();
        self.answered(&mut state, Fault::Flush, "flush")?;
        let ongoing = state.transactions.ongoing(&self.id, self.epoch, "flush")?;
        ongoing.take_refusal()?;
        Ok(ongoing.ends.clone())
    }

    fn send_offsets(
        &mut self,
        offsets: &[(TopicPartition, CommittedOffset)],
        group: &GroupMetadata,
    ) -> Result<(), TransactionError> {
        self.check()?;
        let mut state = self.shared.call();
        self.answered(&mut state, Fault::SendOffsets, "send offsets")?;
        let refusal = state.stranger(group);
        let ongoing = self.adding(&mut state, "send offsets")?;
        ongoing.take_refusal()?;
        if let Some(refusal) = refusal {
            return Err(ongoing.fail(refusal));
        }
        let number = ongoing.number;
        ongoing.groups.insert(group.group().to_owned());
        let of_group = state.offsets.entry(group.group().to_owned()).or_default();
        of_group.add(number, offsets);
        Ok(())
    }

    fn commit(&mut self) -> Result<(), TransactionError> {
        self.check()?;
        let shared = Arc::clone(&self.shared);
        let mut state = shared.call();
        let ongoing = state.transactions.ongoing(&self.id, self.epoch, "commit")?;
        ongoing.take_refusal()?;
        if state.faults.hits(Fault::Commit) {
            let ongoing = state.transactions.ongoing(&self.id, self.epoch, "commit")?;
            let message = "cannot commit: the brokers refuse";
            return Err(ongoing.fail(Error::new(ErrorKind::Failed, message)));
        }
        if state.faults.hits(Fault::CommitLost) || !state.available {
            return Err(self.unknown("commit"));
        }
        state.end_transaction(&self.id, true);
        shared.notify();
        match state.faults.hits(Fault::AnswerLost) {
            true => Err(self.unknown("commit")),
            false => Ok(()),
        }
    }

    fn abort(&mut self) -> Result<(), TransactionError> {
        self.check()?;
        let shared = Arc::clone(&self.shared);
        let mut state = shared.call();
        if state.transactions.open(&self.id, self.epoch)?.is_none() {
            return Ok(());
        }
        if !state.available {
            return Err(self.unknown("abort"));
        }
        state.end_transaction(&self.id, false);
        shared.notify();
        match state.faults.hits(Fault::AbortAnswerLost) {
            true => Err(self.unknown("abort")),
            false => Ok(()),
        }
    }
}

/// What is told of a record that is refused.
pub(super) fn refused(to: &TopicPartition, record: &ProducerRecord<'_>, why: String) -> Refusal {
    let of = |bytes: Option<&[u8]>| bytes.map_or(0, <[u8]>::len);
    Refusal {
        topic: to.topic.clone(),
        bytes: of(record.key) + of(record.value),
        error: Error::new(ErrorKind::BadRecord, why),
    }
}

/// How many bytes a record counts as.
pub(super) fn size(record: &ProducerRecord<'_>) -> usize {
    let headers = record.headers.iter().map(|header| {
        let value = header.value.as_ref().map_or(0, Vec::len);
        header.name.len() + value
    });
    let of = |bytes: Option<&[u8]>| bytes.map_or(0, <[u8]>::len);
    of(record.key) + of(record.value) + headers.sum::<usize>()
}
