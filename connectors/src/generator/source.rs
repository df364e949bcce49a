//! Reading rows that are made up.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use ferrisstreams_topology::connector::{
    Offsets, Poll, RawBatch, Source, SourceDescription, SourceReader, SourceStart, Span, Stats,
    Times, Waker,
};
use ferrisstreams_topology::data::{RowBuffer, RowLayout, Schema};
use ferrisstreams_topology::{Error, ErrorKind, Result};

use super::field::Generated;
use crate::clock::now;

/// The most rows of a batch.
const AT_ONCE: u64 = 4_096;

/// The least time between two batches where rows come at a rate.
const TICK: Duration = Duration::from_millis(10);

/// What rows are made of.
pub(super) struct GeneratorSource {
    pub(super) location: String,
    pub(super) seed: u64,
    /// How many there are; none for no end.
    pub(super) rows: Option<u64>,
    /// How many come in a second; none for as many as are taken.
    pub(super) rate: Option<u64>,
    pub(super) schema: Schema,
    pub(super) fields: Vec<Generated>,
    /// All options as one text, which tells sources apart that give different rows.
    pub(super) identity: String,
}

/// A handle that readers share.
pub(super) struct Shared(pub(super) Arc<GeneratorSource>);

impl Source for Shared {
    fn describe(&self) -> SourceDescription {
        SourceDescription {
            connector: "generator".to_owned(),
            location: self.0.location.clone(),
            identity: self.0.identity.clone(),
            rereadable: false,
        }
    }

    fn open(&self, start: SourceStart) -> Result<Box<dyn SourceReader>> {
        if start.bounded && self.0.rows.is_none() {
            let message = format!(
                "{} never ends; the option rows says how many rows there are",
                self.0.location
            );
            return Err(Error::new(ErrorKind::Invalid, message));
        }
        let mut reader = GeneratorReader {
            layout: RowLayout::new(&self.0.schema),
            buffer: RowBuffer::new(),
            next: 0,
            pace: self.0.rate.map(|rate| Pace::new(rate, start.waker)),
            bounded: start.bounded,
            stats: start.stats,
            source: self.0.clone(),
        };
        reader.seek(&start.positions)?;
        Ok(Box::new(reader))
    }

    fn is_resumable(&self) -> bool {
        true
    }
}

struct GeneratorReader {
    source: Arc<GeneratorSource>,
    layout: RowLayout,
    buffer: RowBuffer,
    /// The number of the next row.
    next: u64,
    pace: Option<Pace>,
    bounded: bool,
    stats: Arc<Stats>,
}

impl GeneratorReader {
    fn left(&self) -> u64 {
        self.source
            .rows
            .map_or(u64::MAX, |rows| rows.saturating_sub(self.next))
    }

    fn batch(&mut self, count: u64) -> RawBatch {
        let end = self.next + count;
        let mut batch = RawBatch::empty(0, end as i64);
        for row in self.next..end {
            self.buffer.clear();
            let mut writer = self.buffer.begin(&self.layout);
            for (index, field) in self.source.fields.iter().enumerate() {
                field.write(self.source.seed, row, &mut writer, index);
            }
            let span = writer.finish();
            let start = batch.bytes.len();
            batch.bytes.extend_from_slice(self.buffer.get(span));
            batch.values.push(Span::new(start, batch.bytes.len()));
        }
        batch.times = Times::Same(now());
        batch.offsets = Offsets::Each((self.next as i64..end as i64).collect());
        self.next = end;
        batch
    }
}

impl SourceReader for GeneratorReader {
    fn poll(&mut self, limit: usize) -> Result<Poll> {
        let left = self.left();
        if left == 0 {
            return Ok(if self.bounded { Poll::End } else { Poll::Idle });
        }
        let mut count = left.min(limit.max(1) as u64).min(AT_ONCE);
        if let Some(pace) = &mut self.pace {
            count = count.min(pace.due());
            if count == 0 {
                // A bounded reader has its end ahead; another has always given all there is.
                return Ok(if self.bounded {
                    Poll::Waiting
                } else {
                    Poll::Idle
                });
            }
            pace.given += count;
        }
        let batch = self.batch(count);
        self.stats.count(batch.len(), batch.bytes.len(), now());
        if let Some(rows) = self.source.rows {
            self.stats.set_progress(self.next, rows);
        }
        Ok(Poll::Records(batch))
    }

    fn is_behind(&self, _partition: u32) -> bool {
        self.pace.is_none() && self.left() > 0
    }

    fn position(&mut self, _partition: u32, offset: i64) -> Result<Vec<u8>> {
        Ok(offset.to_le_bytes().to_vec())
    }

    fn seek(&mut self, positions: &BTreeMap<u32, Vec<u8>>) -> Result<()> {
        let place = |bytes: &Vec<u8>| {
            let bytes = bytes.as_slice().try_into().ok()?;
            u64::try_from(i64::from_le_bytes(bytes)).ok()
        };
        self.next = match positions.get(&0) {
            None => 0,
            Some(bytes) => place(bytes).ok_or_else(|| {
                let message = format!(
                    "what is stored of {} is no position in it",
                    self.source.location
                );
                Error::new(ErrorKind::State, message)
            })?,
        };
        if let Some(pace) = &mut self.pace {
            pace.restart();
        }
        Ok(())
    }
}

/// Rows at a rate, and a thread that wakes whoever waits for them.
struct Pace {
    rate: u64,
    since: Instant,
    /// How many rows were given since then.
    given: u64,
    /// Ends the thread when it goes.
    _end: Sender<()>,
}

impl Pace {
    fn new(rate: u64, waker: Waker) -> Self {
        let (end, ended) = channel::<()>();
        let tick =
            TICK.max(Duration::from_secs(1) / u32::try_from(rate).unwrap_or(u32::MAX).max(1));
        std::thread::spawn(move || {
            while ended.recv_timeout(tick) == Err(RecvTimeoutError::Timeout) {
                waker.wake();
            }
        });
        Pace {
            rate,
            since: Instant::now(),
            given: 0,
            _end: end,
        }
    }

    fn restart(&mut self) {
        self.since = Instant::now();
        self.given = 0;
    }

    /// How many rows are due.
    fn due(&self) -> u64 {
        let micros = self.since.elapsed().as_micros();
        let due = micros * u128::from(self.rate) / 1_000_000;
        // The first row is due at once.
        (due as u64 + 1).saturating_sub(self.given)
    }
}
