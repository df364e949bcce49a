//! Sources that the program itself feeds.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use crate::codec::SharedCodec;
use crate::connector::{
    Poll, RawBatch, RawRecord, Source, SourceDescription, SourceReader, SourceStart, Stats, Waker,
};
use crate::error::{Error, ErrorKind, Result};
use crate::record::{Data, Headers, Record};

/// The records that were fed to a source and are not committed yet.
#[derive(Default)]
struct Queue {
    records: VecDeque<Fed>,
    /// The offset of the first record in the queue.
    first: i64,
    /// How many of the queue's records were read.
    read: usize,
    closed: bool,
    waker: Option<Waker>,
    /// True once the reader has said where an earlier run of the process ended.
    placed: bool,
}

struct Fed {
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
    timestamp: i64,
    headers: Headers,
}

/// The source behind [`Feeder`]s of one name. It keeps what it was fed until a commit holds it.
#[derive(Clone, Default)]
pub(crate) struct FeedSource {
    name: String,
    queue: Arc<Mutex<Queue>>,
}

impl FeedSource {
    pub(crate) fn new(name: &str) -> Self {
        FeedSource {
            name: name.to_owned(),
            queue: Arc::default(),
        }
    }

    fn push(&self, fed: Fed) -> Result<()> {
        let mut queue = self.queue.lock().expect("no panic while locked");
        if queue.closed {
            return Err(Error::new(
                ErrorKind::Closed,
                format!("cannot feed {}: it was ended", self.name),
            ));
        }
        queue.records.push_back(fed);
        if let Some(waker) = &queue.waker {
            waker.wake();
        }
        Ok(())
    }

    pub(super) fn end(&self) {
        let mut queue = self.queue.lock().expect("no panic while locked");
        queue.closed = true;
        if let Some(waker) = &queue.waker {
            waker.wake();
        }
    }
}

/// Feeds records to a source of a running topology. Cheap to clone.
pub struct Feeder<K: Data, V: Data> {
    source: FeedSource,
    key: SharedCodec<K>,
    value: SharedCodec<V>,
}

impl<K: Data, V: Data> Clone for Feeder<K, V> {
    fn clone(&self) -> Self {
        Feeder {
            source: self.source.clone(),
            key: self.key.clone(),
            value: self.value.clone(),
        }
    }
}

impl<K: Data, V: Data> Feeder<K, V> {
    pub(crate) fn new(source: FeedSource, key: SharedCodec<K>, value: SharedCodec<V>) -> Self {
        Feeder { source, key, value }
    }

    /// Feeds a record. It is processed in the background; what was fed and is not committed when the
    /// process ends is lost.
    ///
    /// # Errors
    ///
    /// Where the record cannot be encoded, or the source was ended.
    pub fn send(&self, record: Record<K, V>) -> Result<()> {
        let (mut key, mut value) = (Vec::new(), Vec::new());
        let has_key = self.key.encode_payload(&record.key, &mut key)?;
        let has_value = self.value.encode_payload(&record.value, &mut value)?;
        self.source.push(Fed {
            key: has_key.then_some(key),
            value: has_value.then_some(value),
            timestamp: record.timestamp,
            headers: record.headers,
        })
    }

    /// Ends the source: nothing more is fed.
    pub fn end(&self) {
        self.source.end();
    }
}

impl Source for FeedSource {
    fn describe(&self) -> SourceDescription {
        SourceDescription {
            connector: "feed".to_owned(),
            location: format!("feed {}", self.name),
            identity: format!("feed:{}", self.name),
            rereadable: false,
        }
    }

    fn open(&self, start: SourceStart) -> Result<Box<dyn SourceReader>> {
        let mut reader = FeedReader {
            source: self.clone(),
            stats: start.stats,
        };
        reader.seek(&start.positions)?;
        let mut queue = self.queue.lock().expect("no panic while locked");
        queue.waker = Some(start.waker);
        drop(queue);
        Ok(Box::new(reader))
    }
}

struct FeedReader {
    source: FeedSource,
    stats: Arc<Stats>,
}

impl SourceReader for FeedReader {
    fn poll(&mut self, limit: usize) -> Result<Poll> {
        let mut queue = self.source.queue.lock().expect("no panic while locked");
        let start = queue.read;
        let end = queue.records.len().min(start + limit);
        if start == end {
            return Ok(if queue.closed { Poll::End } else { Poll::Idle });
        }
        let mut batch = RawBatch::empty(0, queue.first + start as i64);
        for (at, fed) in queue.records.range(start..end).enumerate() {
            batch.push(RawRecord {
                key: fed.key.as_deref(),
                value: fed.value.as_deref(),
                timestamp: fed.timestamp,
                offset: queue.first + (start + at) as i64,
                headers: fed.headers.clone(),
            });
        }
        queue.read = end;
        let now = crate::time::Clock::system().now();
        self.stats.count(batch.len(), batch.bytes.len(), now);
        Ok(Poll::Records(batch))
    }

    fn is_behind(&self, _partition: u32) -> bool {
        let queue = self.source.queue.lock().expect("no panic while locked");
        queue.read < queue.records.len()
    }

    fn position(&mut self, _partition: u32, offset: i64) -> Result<Vec<u8>> {
        Ok(offset.to_be_bytes().to_vec())
    }

    fn seek(&mut self, positions: &BTreeMap<u32, Vec<u8>>) -> Result<()> {
        let offset = positions
            .get(&0)
            .and_then(|bytes| bytes[..].try_into().ok())
            .map_or(0, i64::from_be_bytes);
        let mut queue = self.source.queue.lock().expect("no panic while locked");
        if !queue.placed {
            // What is in the queue was fed to this process, behind everything that was committed.
            queue.placed = true;
            queue.first = offset;
        }
        let ahead = offset - queue.first;
        queue.read = usize::try_from(ahead).map_err(|_| {
            Error::state(format!(
                "{} no longer has offset {offset}",
                self.source.name
            ))
        })?;
        Ok(())
    }

    fn committed(&mut self, offsets: &BTreeMap<u32, i64>) {
        let Some(offset) = offsets.get(&0) else {
            return;
        };
        let mut queue = self.source.queue.lock().expect("no panic while locked");
        while queue.first < *offset && queue.read > 0 {
            queue.records.pop_front();
            queue.first += 1;
            queue.read -= 1;
        }
    }
}
