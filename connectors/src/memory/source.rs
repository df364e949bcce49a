//! Reading a topic.

use std::collections::BTreeMap;
use std::sync::Arc;

use ferrisstreams_topology::connector::{
    Poll, RawBatch, RawRecord, Source, SourceDescription, SourceReader, SourceStart, Stats,
};
use ferrisstreams_topology::{Error, ErrorKind, Result};

use super::topic::{MemoryRecord, MemoryTopic};
use crate::clock::now;

/// A topic that is read: one partition, in which a record's offset is its place.
pub(super) struct MemorySource(pub(super) MemoryTopic);

impl Source for MemorySource {
    fn describe(&self) -> SourceDescription {
        SourceDescription {
            connector: "memory".to_owned(),
            location: format!("memory://{}", self.0.name()),
            identity: self.0.identity(),
            rereadable: false,
        }
    }

    fn open(&self, start: SourceStart) -> Result<Box<dyn SourceReader>> {
        let mut reader = MemoryReader {
            next: 0,
            end: start.bounded.then(|| self.0.len()),
            waker: self.0.wake(start.waker),
            stats: start.stats,
            topic: self.0.clone(),
        };
        reader.seek(&start.positions)?;
        Ok(Box::new(reader))
    }
}

struct MemoryReader {
    topic: MemoryTopic,
    /// The place of the next record.
    next: usize,
    /// Where a bounded reader ends.
    end: Option<usize>,
    waker: u64,
    stats: Arc<Stats>,
}

impl MemoryReader {
    fn end(&self) -> usize {
        self.end.unwrap_or_else(|| self.topic.len())
    }

    fn batch(&self, records: &[MemoryRecord]) -> RawBatch {
        let mut batch = RawBatch::empty(0, self.next as i64);
        for (at, record) in records.iter().enumerate() {
            batch.push(RawRecord {
                key: record.key.as_deref(),
                value: record.value.as_deref(),
                timestamp: record.timestamp,
                offset: (self.next + at) as i64,
                headers: record.headers.clone(),
            });
        }
        batch
    }
}

impl Drop for MemoryReader {
    fn drop(&mut self) {
        self.topic.forget(self.waker);
    }
}

impl SourceReader for MemoryReader {
    fn poll(&mut self, limit: usize) -> Result<Poll> {
        let end = self.end().min(self.next + limit.max(1));
        let batch = self
            .topic
            .read(self.next, end, |records| self.batch(records));
        if batch.is_empty() {
            return Ok(if self.end.is_some() {
                Poll::End
            } else {
                Poll::Idle
            });
        }
        self.next += batch.len();
        self.stats.count(batch.len(), batch.bytes.len(), now());
        self.stats.set_progress(self.next as u64, self.end() as u64);
        Ok(Poll::Records(batch))
    }

    fn is_behind(&self, _partition: u32) -> bool {
        self.next < self.end()
    }

    fn position(&mut self, _partition: u32, offset: i64) -> Result<Vec<u8>> {
        Ok(offset.to_le_bytes().to_vec())
    }

    fn seek(&mut self, positions: &BTreeMap<u32, Vec<u8>>) -> Result<()> {
        let place = positions.get(&0).map_or(Some(0), |bytes| place(bytes));
        let (name, len) = (self.topic.name(), self.topic.len());
        let Some(place) = place else {
            let message = format!("what is stored of memory://{name} is no position in it");
            return Err(Error::new(ErrorKind::State, message));
        };
        if place > len {
            let message = format!(
                "memory://{name} was read up to record {place} and has {len}: it went with the process that wrote it"
            );
            return Err(Error::new(ErrorKind::State, message));
        }
        self.next = place;
        Ok(())
    }
}

/// A stored position.
fn place(bytes: &[u8]) -> Option<usize> {
    let bytes = bytes.try_into().ok()?;
    usize::try_from(i64::from_le_bytes(bytes)).ok()
}
