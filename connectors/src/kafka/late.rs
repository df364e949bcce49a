//! Reading on in a topic whose brokers are away when it is opened again.
//!
//! What was read before is known, so nothing need be asked before the engine starts: brokers are tried on
//! a thread of their own until they answer, while the health says that they are away.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use ferrisstreams_topology::connector::{Health, Poll, SourceReader, SourceStart, Stats, Waker};
use ferrisstreams_topology::{Error, ErrorKind, Result};

use super::reader::Reader;
use super::reading::Reading;
use super::trying::GLANCE;

/// The pause between tries.
const RETRY: Duration = Duration::from_millis(500);

/// Reads a topic once its brokers answer.
pub(super) struct LateReader {
    reading: Arc<Reading>,
    bounded: bool,
    waker: Waker,
    stats: Arc<Stats>,
    stage: Stage,
}

enum Stage {
    Opening(Arc<Attempt>),
    Open(Box<Reader>),
}

/// What the thread that tries and the reader share.
#[derive(Default)]
struct Attempt {
    stopped: AtomicBool,
    answer: Mutex<Option<Result<Reader>>>,
}

impl LateReader {
    /// Goes on at stored positions, now or as soon as brokers answer.
    ///
    /// # Errors
    ///
    /// Where they answer, and the topic cannot be gone on with.
    pub(super) fn open(
        reading: &Arc<Reading>,
        start: SourceStart,
    ) -> Result<Box<dyn SourceReader>> {
        // The start of everything waits for the first try.
        let patience = reading.cluster.patience.min(GLANCE);
        let hasty = Reading {
            cluster: reading.cluster.with_patience(patience),
            ..Reading::clone(reading)
        };
        match Reader::open(Arc::new(hasty), again(&start)) {
            Ok(reader) => Ok(Box::new(reader)),
            Err(e) if e.kind() == ErrorKind::Unavailable => {
                let mut late = LateReader {
                    reading: reading.clone(),
                    bounded: start.bounded,
                    waker: start.waker.clone(),
                    stats: start.stats.clone(),
                    stage: Stage::Opening(Arc::default()),
                };
                late.tell(&e);
                late.begin(&start.positions)?;
                Ok(Box::new(late))
            }
            Err(e) => Err(e),
        }
    }

    fn tell(&self, e: &Error) {
        let (location, limit) = (self.reading.location(), self.reading.restart_timeout);
        tracing::warn!("{location} cannot be read, trying again for {limit:?}: {e}");
        self.stats.set_health(Health::Disconnected(e.to_string()));
    }

    /// Begins to try on a thread.
    fn begin(&mut self, positions: &BTreeMap<u32, Vec<u8>>) -> Result<()> {
        let attempt = Arc::new(Attempt::default());
        let (shared, reading) = (attempt.clone(), self.reading.clone());
        let start = SourceStart {
            positions: positions.clone(),
            bounded: self.bounded,
            waker: self.waker.clone(),
            stats: self.stats.clone(),
        };
        thread::Builder::new()
            .name(format!("kafka-{}", reading.topic))
            .spawn(move || shared.run(&reading, &start))
            .map_err(|e| {
                let message = format!("cannot start a thread for {}", self.reading.location());
                Error::new(ErrorKind::Unavailable, message).with_source(e)
            })?;
        self.stage = Stage::Opening(attempt);
        Ok(())
    }

    /// The reader, once there is one.
    fn reader(&mut self) -> Result<Option<&mut Reader>> {
        if let Stage::Opening(attempt) = &self.stage {
            let answer = attempt.answer.lock().expect("no panic while locked").take();
            let Some(answer) = answer else {
                return Ok(None);
            };
            self.stage = Stage::Open(Box::new(answer?));
            tracing::info!("{} can be read again", self.reading.location());
        }
        match &mut self.stage {
            Stage::Open(reader) => Ok(Some(reader)),
            Stage::Opening(_) => Ok(None),
        }
    }
}

/// The same start once more.
fn again(start: &SourceStart) -> SourceStart {
    SourceStart {
        positions: start.positions.clone(),
        bounded: start.bounded,
        waker: start.waker.clone(),
        stats: start.stats.clone(),
    }
}

impl Attempt {
    fn run(&self, reading: &Arc<Reading>, start: &SourceStart) {
        let deadline = Instant::now() + reading.restart_timeout;
        while !self.stopped.load(Ordering::Acquire) {
            let answer = match Reader::open(reading.clone(), again(start)) {
                Err(e) if e.kind() == ErrorKind::Unavailable && Instant::now() < deadline => {
                    start.stats.set_health(Health::Disconnected(e.to_string()));
                    thread::sleep(RETRY);
                    continue;
                }
                Err(e) if e.kind() == ErrorKind::Unavailable => {
                    let limit = reading.restart_timeout;
                    let message =
                        format!("{e}; it was tried since the start (restart_timeout = {limit:?})");
                    Err(Error::new(ErrorKind::Unavailable, message))
                }
                Err(e) => Err(e),
                Ok(reader) => {
                    start.stats.set_health(Health::Healthy);
                    Ok(reader)
                }
            };
            *self.answer.lock().expect("no panic while locked") = Some(answer);
            start.waker.wake();
            return;
        }
    }
}

impl Drop for LateReader {
    fn drop(&mut self) {
        if let Stage::Opening(attempt) = &self.stage {
            attempt.stopped.store(true, Ordering::Release);
        }
    }
}

impl SourceReader for LateReader {
    fn poll(&mut self, limit: usize) -> Result<Poll> {
        match self.reader()? {
            Some(reader) => reader.poll(limit),
            None => Ok(Poll::Waiting),
        }
    }

    fn is_behind(&self, partition: u32) -> bool {
        match &self.stage {
            Stage::Open(reader) => reader.is_behind(partition),
            Stage::Opening(_) => true,
        }
    }

    fn is_away(&self) -> bool {
        matches!(self.stage, Stage::Opening(_))
    }

    fn position(&mut self, partition: u32, offset: i64) -> Result<Vec<u8>> {
        let location = self.reading.location();
        match self.reader()? {
            Some(reader) => reader.position(partition, offset),
            None => {
                let message = format!("nothing of {location} was read yet");
                Err(Error::new(ErrorKind::Unavailable, message))
            }
        }
    }

    fn seek(&mut self, positions: &BTreeMap<u32, Vec<u8>>) -> Result<()> {
        match &mut self.stage {
            Stage::Open(reader) => reader.seek(positions),
            Stage::Opening(attempt) => {
                attempt.stopped.store(true, Ordering::Release);
                self.begin(positions)
            }
        }
    }
}
