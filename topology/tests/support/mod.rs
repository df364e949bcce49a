//! A source and a sink that tests hold in their hands.

#![allow(dead_code, reason = "each test uses a part of it")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use ferrisstreams_topology::connector::{
    Poll, RawBatch, RawRecord, Sink, SinkDescription, SinkRecord, SinkStart, SinkWriter, Source,
    SourceDescription, SourceReader, SourceStart, Waker,
};
use ferrisstreams_topology::{Error, ErrorKind, Result};

/// Waits until something holds; fails after a minute.
pub fn wait_until(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(Instant::now() < deadline, "waited too long until {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Lines in partitions, that can be added to and replaced.
#[derive(Clone)]
pub struct Lines {
    name: String,
    inner: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    generation: u64,
    partitions: BTreeMap<u32, Vec<String>>,
    wakers: Vec<Waker>,
}

impl Lines {
    pub fn new(name: &str) -> Self {
        Lines {
            name: name.to_owned(),
            inner: Arc::default(),
        }
    }

    pub fn append(&self, partition: u32, line: &str) {
        let mut inner = self.inner.lock().unwrap();
        inner
            .partitions
            .entry(partition)
            .or_default()
            .push(line.to_owned());
        inner.wakers.iter().for_each(Waker::wake);
    }

    pub fn replace(&self, lines: &[String]) {
        let mut inner = self.inner.lock().unwrap();
        inner.generation += 1;
        inner.partitions = BTreeMap::from([(0, lines.to_vec())]);
        inner.wakers.iter().for_each(Waker::wake);
    }
}

impl Source for Lines {
    fn describe(&self) -> SourceDescription {
        SourceDescription {
            connector: "lines".to_owned(),
            location: self.name.clone(),
            identity: format!("lines:{}", self.name),
            rereadable: true,
        }
    }

    fn open(&self, start: SourceStart) -> Result<Box<dyn SourceReader>> {
        let mut inner = self.inner.lock().unwrap();
        inner.wakers.push(start.waker);
        let generation = inner.generation;
        drop(inner);
        let mut reader = LinesReader {
            lines: self.clone(),
            generation,
            next: BTreeMap::new(),
            bounded: start.bounded,
        };
        reader.seek(&start.positions)?;
        Ok(Box::new(reader))
    }
}

struct LinesReader {
    lines: Lines,
    generation: u64,
    next: BTreeMap<u32, usize>,
    bounded: bool,
}

impl SourceReader for LinesReader {
    fn poll(&mut self, limit: usize) -> Result<Poll> {
        let inner = self.lines.inner.lock().unwrap();
        if inner.generation != self.generation {
            return Ok(Poll::Replaced);
        }
        for (partition, lines) in &inner.partitions {
            let next = self.next.entry(*partition).or_insert(0);
            if *next < lines.len() {
                let mut batch = RawBatch::empty(*partition, *next as i64);
                let end = lines.len().min(*next + limit.min(700));
                for (at, line) in lines[..end].iter().enumerate().skip(*next) {
                    batch.push(RawRecord {
                        value: Some(line.as_bytes()),
                        timestamp: at as i64,
                        offset: at as i64,
                        ..RawRecord::default()
                    });
                }
                *next = end;
                return Ok(Poll::Records(batch));
            }
        }
        Ok(if self.bounded { Poll::End } else { Poll::Idle })
    }

    fn is_behind(&self, partition: u32) -> bool {
        let inner = self.lines.inner.lock().unwrap();
        let next = self.next.get(&partition).copied().unwrap_or(0);
        inner
            .partitions
            .get(&partition)
            .is_some_and(|lines| next < lines.len())
    }

    fn position(&mut self, _partition: u32, offset: i64) -> Result<Vec<u8>> {
        Ok([self.generation.to_be_bytes(), offset.to_be_bytes()].concat())
    }

    fn seek(&mut self, positions: &BTreeMap<u32, Vec<u8>>) -> Result<()> {
        self.next.clear();
        self.generation = self.lines.inner.lock().unwrap().generation;
        for (partition, position) in positions {
            let word = |at: usize| u64::from_be_bytes(position[at..at + 8].try_into().unwrap());
            self.generation = word(0);
            self.next.insert(*partition, word(8) as usize);
        }
        Ok(())
    }

    fn restart(&mut self) -> Result<()> {
        self.next.clear();
        self.generation = self.lines.inner.lock().unwrap().generation;
        Ok(())
    }
}

/// A sink that remembers how much it has, and can be made to fail after it took something.
#[derive(Clone)]
pub struct Ledger {
    inner: Arc<Mutex<(Vec<SinkRecord>, bool)>>,
}

impl Ledger {
    pub fn new() -> Self {
        Ledger {
            inner: Arc::default(),
        }
    }

    /// Has the next delivery fail after half of it was taken.
    pub fn fail_next(&self) {
        self.inner.lock().unwrap().1 = true;
    }

    pub fn values(&self) -> Vec<String> {
        let inner = self.inner.lock().unwrap();
        let values = inner.0.iter().map(|r| r.value.clone().unwrap_or_default());
        values.map(|v| String::from_utf8(v).unwrap()).collect()
    }
}

impl Sink for Ledger {
    fn describe(&self) -> SinkDescription {
        SinkDescription {
            connector: "ledger".to_owned(),
            location: "ledger".to_owned(),
            exactly_once: true,
        }
    }

    fn open(&self, _start: SinkStart) -> Result<Box<dyn SinkWriter>> {
        Ok(Box::new(self.clone()))
    }
}

impl SinkWriter for Ledger {
    fn delivered(&mut self, recorded: u64) -> Result<u64> {
        let has = self.inner.lock().unwrap().0.len() as u64;
        assert!(
            has >= recorded,
            "the state says that the sink has more than it has"
        );
        Ok(has)
    }

    fn deliver(&mut self, first: u64, records: &[SinkRecord]) -> Result<Vec<u8>> {
        let mut inner = self.inner.lock().unwrap();
        assert_eq!(
            first,
            inner.0.len() as u64,
            "records are delivered in order"
        );
        if std::mem::take(&mut inner.1) {
            inner.0.extend_from_slice(&records[..records.len() / 2]);
            return Err(Error::new(ErrorKind::Unavailable, "the ledger is shut"));
        }
        inner.0.extend_from_slice(records);
        Ok(Vec::new())
    }
}
