//! Writing a topic.

use std::sync::Arc;

use ferrisstreams_topology::Result;
use ferrisstreams_topology::connector::{
    Sink, SinkDescription, SinkRecord, SinkStart, SinkWriter, Stats,
};

use super::topic::{MemoryRecord, MemoryTopic};
use crate::clock::now;

/// A topic that is written. It remembers what each sink wrote, as long as it lives.
pub(super) struct MemorySink(pub(super) MemoryTopic);

impl Sink for MemorySink {
    fn describe(&self) -> SinkDescription {
        SinkDescription {
            connector: "memory".to_owned(),
            location: format!("memory://{}", self.0.name()),
            exactly_once: true,
        }
    }

    fn open(&self, start: SinkStart) -> Result<Box<dyn SinkWriter>> {
        Ok(Box::new(MemoryWriter {
            topic: self.0.clone(),
            name: start.name,
            stats: start.stats,
        }))
    }
}

struct MemoryWriter {
    topic: MemoryTopic,
    name: String,
    stats: Arc<Stats>,
}

impl SinkWriter for MemoryWriter {
    fn delivered(&mut self, recorded: u64) -> Result<u64> {
        let delivered = self.topic.delivered(&self.name);
        if delivered < recorded {
            let topic = self.topic.name();
            tracing::warn!(
                topic,
                sink = self.name,
                "{recorded} records were written to memory, and {delivered} are there: the others went with a process"
            );
        }
        Ok(delivered)
    }

    fn deliver(&mut self, first: u64, records: &[SinkRecord]) -> Result<Vec<u8>> {
        let record = |record: &SinkRecord| MemoryRecord {
            key: record.key.clone(),
            value: record.value.clone(),
            timestamp: record.timestamp,
            headers: record.headers.clone(),
        };
        let len = |part: &Option<Vec<u8>>| part.as_ref().map_or(0, Vec::len);
        let bytes = records
            .iter()
            .map(|record| len(&record.key) + len(&record.value))
            .sum();
        let copies = records.iter().map(record).collect();
        self.topic.deliver(&self.name, first, copies);
        self.stats.count(records.len(), bytes, now());
        Ok(Vec::new())
    }
}
