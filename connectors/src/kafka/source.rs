//! A topic as a source.

use std::sync::Arc;

use ferrisstreams_topology::Result;
use ferrisstreams_topology::connector::{Source, SourceDescription, SourceReader, SourceStart};

use super::late::LateReader;
use super::reader::Reader;
use super::reading::Reading;

/// Reads a topic from all its partitions; the engine keeps how far it has come.
pub(super) struct KafkaSource {
    reading: Arc<Reading>,
    /// As the user wrote it, without secrets.
    location: String,
}

impl KafkaSource {
    pub(super) fn new(reading: Reading, location: String) -> Self {
        KafkaSource {
            reading: Arc::new(reading),
            location,
        }
    }
}

impl Source for KafkaSource {
    fn describe(&self) -> SourceDescription {
        let Reading {
            cluster,
            topic,
            from,
            on_lost,
            untimed,
            ..
        } = &*self.reading;
        // Secrets among the properties are not shown in their debug form.
        let properties = &cluster.properties;
        SourceDescription {
            connector: "kafka".to_owned(),
            location: self.location.clone(),
            identity: format!("kafka {topic} {from:?} {on_lost:?} {untimed:?} {properties:?}"),
            rereadable: false,
        }
    }

    fn open(&self, start: SourceStart) -> Result<Box<dyn SourceReader>> {
        if start.positions.is_empty() {
            return Ok(Box::new(Reader::open(self.reading.clone(), start)?));
        }
        LateReader::open(&self.reading, start)
    }
}
