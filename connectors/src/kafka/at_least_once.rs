//! Writing so that no record is lost, though after a crash some may come again.

use std::sync::Arc;

use ferrisstreams_topology::connector::{SinkRecord, SinkWriter, Stats};
use ferrisstreams_topology::time::Clock;
use ferrisstreams_topology::{Error, ErrorKind, Result};

use super::delivery::{Failure, hopeless, send_all, wait};
use super::failure::engine_error;
use super::listener::Listener;
use super::native::Producer;
use super::writing::Writing;

/// Writes a topic without transactions.
pub(super) struct AtLeastOnce {
    writing: Arc<Writing>,
    /// None where a new one must be made.
    producer: Option<Producer>,
    stats: Arc<Stats>,
}

impl AtLeastOnce {
    pub(super) fn new(writing: Arc<Writing>, stats: Arc<Stats>) -> Self {
        AtLeastOnce {
            writing,
            producer: None,
            stats,
        }
    }

    fn write(&mut self, records: &[SinkRecord]) -> Result<usize, Failure> {
        let (writing, stats) = (&*self.writing, &*self.stats);
        let producer = match self.producer.take() {
            Some(producer) => producer,
            None => {
                let (config, topic) = (writing.config(None), &writing.topic);
                let made = Producer::to_topic(&config, Listener::default(), topic);
                let made = writing.cluster.producer(made);
                made.map_err(|e| Failure::Final(engine_error(e)))?
            }
        };
        // On the way out by an error the producer is dropped, and with it what it still has queued.
        let bytes = send_all(writing, &producer, records)?;
        wait(writing, &producer, stats, |limit| producer.flush(limit))?;
        producer.serve(std::time::Duration::ZERO);
        if let Some(undelivered) = producer.listener().take_undelivered() {
            let location = writing.location();
            let e = hopeless(&location, undelivered.code, Some(undelivered.size));
            let message = format!("cannot write {location}: {}", undelivered.code);
            let e = e.unwrap_or_else(|| Error::new(ErrorKind::Unavailable, message));
            return Err(Failure::Anew(e));
        }
        self.producer = Some(producer);
        Ok(bytes)
    }
}

impl SinkWriter for AtLeastOnce {
    fn delivered(&mut self, recorded: u64) -> Result<u64> {
        Ok(recorded)
    }

    fn deliver(&mut self, _first: u64, records: &[SinkRecord]) -> Result<Vec<u8>> {
        let bytes = self.write(records).map_err(Failure::into_error)?;
        self.stats
            .count(records.len(), bytes, Clock::system().now());
        Ok(Vec::new())
    }
}
