//! Reading what is committed.

use std::sync::Arc;

use super::faults::Fault;
use super::state::Shared;
use crate::cluster::{Isolation, LogReader, TopicPartition};
use crate::connector::{RawBatch, Waker};
use crate::error::{Error, ErrorKind, Result};

/// A reader of partitions, each in its turn.
pub(super) struct MemoryReader {
    shared: Arc<Shared>,
    number: u64,
    waker: Waker,
    partitions: Vec<(TopicPartition, i64)>,
    /// Whose turn it is.
    next: usize,
}

impl MemoryReader {
    pub(super) fn new(shared: Arc<Shared>, number: u64, waker: Waker) -> Self {
        MemoryReader {
            shared,
            number,
            waker,
            partitions: Vec::new(),
            next: 0,
        }
    }

    fn index(&self, partition: &TopicPartition) -> Option<usize> {
        self.partitions.iter().position(|(p, _)| p == partition)
    }
}

impl LogReader for MemoryReader {
    fn assign(&mut self, partition: &TopicPartition, offset: i64) -> Result<()> {
        if offset < 0 {
            return Err(Error::invalid(format!(
                "cannot read {partition} from offset {offset}"
            )));
        }
        let mut state = self.shared.call();
        let log = state.log_mut(partition)?;
        log.listen(self.number, self.waker.clone());
        drop(state);
        match self.index(partition) {
            Some(index) => self.partitions[index].1 = offset,
            None => self.partitions.push((partition.clone(), offset)),
        }
        self.waker.wake();
        Ok(())
    }

    fn unassign(&mut self, partition: &TopicPartition) {
        if let Some(index) = self.index(partition) {
            self.partitions.remove(index);
            if let Ok(log) = self.shared.call().log_mut(partition) {
                log.unlisten(self.number);
            }
        }
    }

    fn poll(&mut self, limit: usize) -> Result<Option<(TopicPartition, RawBatch)>> {
        let mut state = self.shared.call();
        if !state.available {
            return Ok(None);
        }
        if state.faults.hits(Fault::Read) {
            return Err(Error::new(
                ErrorKind::Failed,
                "cannot read: the brokers refuse",
            ));
        }
        for _ in 0..self.partitions.len() {
            let turn = self.next % self.partitions.len();
            self.next = turn + 1;
            let (partition, offset) = &mut self.partitions[turn];
            let log = state.log(partition)?;
            let batch = log.read(partition.partition, *offset, limit);
            let batch = batch.map_err(|e| e.context(format!("cannot read {partition}")))?;
            if let Some(batch) = batch {
                *offset = batch.end;
                return Ok(Some((partition.clone(), batch)));
            }
        }
        Ok(None)
    }

    fn is_behind(&self, partition: &TopicPartition) -> bool {
        let Some(index) = self.index(partition) else {
            return false;
        };
        let state = self.shared.lock();
        let offsets = state
            .log(partition)
            .map(|log| log.offsets(Isolation::ReadCommitted));
        offsets.is_ok_and(|offsets| self.partitions[index].1 < offsets.end)
    }

    fn known_end(&self, partition: &TopicPartition) -> Option<i64> {
        self.index(partition)?;
        let state = self.shared.lock();
        let log = state.log(partition).ok()?;
        Some(log.offsets(Isolation::ReadCommitted).end)
    }
}

impl Drop for MemoryReader {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        for (partition, _) in &self.partitions {
            if let Ok(log) = state.log_mut(partition) {
                log.unlisten(self.number);
            }
        }
    }
}
