//! What a source is to the engine.
//!
//! A [`Source`] says what can be read; opened, it gives a [`SourceReader`] that a worker polls. A
//! reader never blocks: where it has nothing it says so, and wakes the worker when that changes.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use super::{RawBatch, Stats, TopicPlace};
use crate::error::Result;

/// Something that records can be read from.
pub trait Source: Send + Sync {
    /// What it is.
    fn describe(&self) -> SourceDescription;

    /// Begins to read.
    ///
    /// # Errors
    ///
    /// Where the source is not there, may not be read, or no longer has what stands at a position.
    fn open(&self, start: SourceStart) -> Result<Box<dyn SourceReader>>;

    /// The topic that an application on a cluster reads in place of this source, if it is one.
    ///
    /// # Errors
    ///
    /// Where it is one, and is to be read in a way in which no application reads.
    fn topic(&self) -> Result<Option<TopicPlace>> {
        Ok(None)
    }

    /// True where any process that can open the source can go on at a position that another one has
    /// stored: an application on a cluster reads such sources beside its topics.
    fn is_resumable(&self) -> bool {
        false
    }

    /// What is not there, in words, where this process cannot read the source now and another one may: a
    /// file that is on another machine. May look at the outside world, and take its time.
    fn missing(&self) -> Option<String> {
        None
    }
}

/// What a source is, for people and for the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceDescription {
    /// The kind of the source: `file`, `kafka`, `memory`.
    pub connector: String,
    /// Where it is, as a URI without secrets.
    pub location: String,
    /// What must be equal for two readers to read the same records: location, and how it is split
    /// into records.
    pub identity: String,
    /// True where the content can be read again from the start and may be replaced as a whole, as
    /// that of a file.
    pub rereadable: bool,
}

/// How a reader begins.
pub struct SourceStart {
    /// Where to go on, by partition, as [`SourceReader::position`] told; empty: at the beginning.
    pub positions: BTreeMap<u32, Vec<u8>>,
    /// True where reading ends at the end that is seen at the start.
    pub bounded: bool,
    /// To be called when there is something to poll for again.
    pub waker: Waker,
    /// Where the reader counts.
    pub stats: Arc<Stats>,
}

/// What a poll found.
#[derive(Debug)]
pub enum Poll {
    /// Records, which may be none where only the position moved.
    Records(RawBatch),
    /// Nothing for now. The end that was seen when the reader was opened has been reached.
    Idle,
    /// Nothing for now, though the end that was seen when the reader was opened is still ahead: a
    /// fetch is under way, or the other side is away.
    Waiting,
    /// Nothing more, ever: the reader is bounded.
    End,
    /// The content was replaced. The engine answers with [`SourceReader::restart`] when it is ready,
    /// and until then a poll may say the same again.
    Replaced,
}

/// A source that is being read.
pub trait SourceReader: Send {
    /// Takes what there is, up to about `limit` records.
    ///
    /// # Errors
    ///
    /// Only where reading cannot go on. What may pass (a broker that is away, a file that is gone)
    /// shows as the health in the stats, and is tried again.
    fn poll(&mut self, limit: usize) -> Result<Poll>;

    /// True where more is known to be there of a partition behind what was polled.
    fn is_behind(&self, partition: u32) -> bool;

    /// True where nothing could be asked of the other side since the reader was opened: what there is
    /// behind the stored positions is not known yet, and counts as something.
    fn is_away(&self) -> bool {
        false
    }

    /// What to store so that reading can go on at `offset` of `partition`.
    ///
    /// # Errors
    ///
    /// Where the source cannot be asked.
    fn position(&mut self, partition: u32, offset: i64) -> Result<Vec<u8>>;

    /// Goes back to stored positions; partitions that are not named start at the beginning.
    ///
    /// # Errors
    ///
    /// Where the source no longer has what stands there.
    fn seek(&mut self, positions: &BTreeMap<u32, Vec<u8>>) -> Result<()>;

    /// Begins again at the start of the content as it is now.
    ///
    /// # Errors
    ///
    /// Where the source cannot be read.
    fn restart(&mut self) -> Result<()> {
        self.seek(&BTreeMap::new())
    }

    /// A commit holds everything up to these offsets, by partition: the source need not keep it.
    fn committed(&mut self, _offsets: &BTreeMap<u32, i64>) {}
}

/// Wakes a worker that has nothing to do.
#[derive(Debug, Clone, Default)]
pub struct Waker {
    inner: Arc<(Mutex<bool>, Condvar)>,
}

impl Waker {
    /// A waker that wakes who waits on it.
    pub fn new() -> Self {
        Waker::default()
    }

    /// Wakes the worker, now or when it next waits.
    pub fn wake(&self) {
        let (woken, changed) = &*self.inner;
        *woken.lock().expect("no panic while locked") = true;
        changed.notify_one();
    }

    /// Waits until woken, or for `timeout`; true where woken.
    pub fn wait(&self, timeout: Duration) -> bool {
        let deadline = Instant::now() + timeout;
        let (woken, changed) = &*self.inner;
        let mut woken = woken.lock().expect("no panic while locked");
        while !*woken {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            woken = changed
                .wait_timeout(woken, left)
                .expect("no panic while locked")
                .0;
        }
        *woken = false;
        true
    }
}
