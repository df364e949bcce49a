//! A topic as a sink.

use std::sync::Arc;

use ferrisstreams_topology::Result;
use ferrisstreams_topology::connector::{Sink, SinkDescription, SinkStart, SinkWriter};

use super::at_least_once::AtLeastOnce;
use super::exactly_once::ExactlyOnce;
use super::failure::engine_error;
use super::writing::{Guarantee, Writing};

/// Writes a topic.
pub(super) struct KafkaSink {
    writing: Arc<Writing>,
    /// As the user wrote it, without secrets.
    location: String,
}

impl KafkaSink {
    pub(super) fn new(writing: Writing, location: String) -> Self {
        KafkaSink {
            writing: Arc::new(writing),
            location,
        }
    }
}

impl Sink for KafkaSink {
    fn describe(&self) -> SinkDescription {
        SinkDescription {
            connector: "kafka".to_owned(),
            location: self.location.clone(),
            exactly_once: self.writing.guarantee == Guarantee::ExactlyOnce,
        }
    }

    fn open(&self, start: SinkStart) -> Result<Box<dyn SinkWriter>> {
        let consumer = self.writing.cluster.consumer().map_err(engine_error)?;
        self.writing.prepare(&consumer).map_err(engine_error)?;
        let (writing, stats) = (self.writing.clone(), start.stats);
        Ok(match self.writing.guarantee {
            Guarantee::ExactlyOnce => Box::new(ExactlyOnce::new(writing, &start.name, stats)),
            Guarantee::AtLeastOnce => Box::new(AtLeastOnce::new(writing, stats)),
        })
    }
}
