//! A topic as a sink.

use std::sync::Arc;

use ferrisstreams_topology::connector::{
    Sink, SinkDescription, SinkRecord, SinkStart, SinkWriter, TopicPlace,
};
use ferrisstreams_topology::{Error, ErrorKind, Result};

use super::at_least_once::AtLeastOnce;
use super::exactly_once::ExactlyOnce;
use super::failure::engine_error;
use super::trying::GLANCE;
use super::writing::{Guarantee, Writing};

/// Writes a topic.
pub(super) struct KafkaSink {
    writing: Arc<Writing>,
    /// As the user wrote it, without secrets.
    location: String,
    /// A property of the clients that those of the default cluster do not have so.
    own_property: Option<String>,
}

impl KafkaSink {
    pub(super) fn new(writing: Writing, location: String) -> Self {
        KafkaSink {
            writing: Arc::new(writing),
            location,
            own_property: None,
        }
    }

    /// Notes a property of the clients that those of the default cluster do not have so.
    pub(super) fn own_property(self, own_property: Option<String>) -> Self {
        KafkaSink {
            own_property,
            ..self
        }
    }
}

impl KafkaSink {
    /// Sees to it that the topic is there. Where it was written before, brokers may be away for now; the
    /// answer is the error that says so.
    fn look(&self, was_written: bool) -> Result<Option<Error>> {
        let cluster = &self.writing.cluster;
        let patience = match self.writing.restart_timeout {
            _ if was_written => cluster.patience.min(GLANCE),
            Some(long) => long,
            None => cluster.patience,
        };
        let cluster = cluster.with_patience(patience);
        let consumer = cluster.consumer().map_err(engine_error)?;
        let writing = Writing {
            cluster,
            ..Writing::clone(&self.writing)
        };
        match writing.prepare(&consumer).map_err(engine_error) {
            Ok(()) => Ok(None),
            Err(e) if was_written && e.kind() == ErrorKind::Unavailable => Ok(Some(e)),
            Err(e) => Err(e),
        }
    }
}

/// A writer of a topic whose brokers are away, which says so at once when it is first asked.
struct Away {
    why: Option<Error>,
    writer: Box<dyn SinkWriter>,
}

impl SinkWriter for Away {
    fn delivered(&mut self, recorded: u64) -> Result<u64> {
        match self.why.take() {
            Some(why) => Err(why),
            None => self.writer.delivered(recorded),
        }
    }

    fn prepare(&mut self) -> Result<Option<Vec<u8>>> {
        self.writer.prepare()
    }

    fn deliver(&mut self, first: u64, records: &[SinkRecord]) -> Result<Vec<u8>> {
        self.writer.deliver(first, records)
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
        let away = self.look(start.memo.is_some())?;
        let (writing, stats) = (self.writing.clone(), start.stats);
        let writer: Box<dyn SinkWriter> = match self.writing.guarantee {
            Guarantee::ExactlyOnce => Box::new(ExactlyOnce::new(writing, &start.name, stats)),
            Guarantee::AtLeastOnce => Box::new(AtLeastOnce::new(writing, stats)),
        };
        Ok(match away {
            None => writer,
            Some(away) => Box::new(Away {
                why: Some(away),
                writer,
            }),
        })
    }

    /// An application writes in transactions of its own, so that every record is there once whatever the
    /// guarantee asks for.
    fn topic(&self) -> Result<Option<TopicPlace>> {
        let Writing { cluster, topic, .. } = &*self.writing;
        let place = cluster.place_of(topic, self.own_property.as_deref())?;
        self.look(false)?;
        Ok(Some(place))
    }
}
