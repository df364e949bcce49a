//! Lines in memory that tests add to and replace, as a file on several machines: each handle may have it or
//! not. A line is a key and a value with a blank between.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use crate::connector::{
    Poll, RawBatch, RawRecord, Source, SourceDescription, SourceReader, SourceStart, Waker,
};
use crate::error::{Error, Result};

/// Lines, as one machine has them.
#[derive(Clone)]
pub(in crate::streams) struct Lines {
    name: &'static str,
    content: Arc<Mutex<Content>>,
    here: Arc<AtomicBool>,
}

#[derive(Default)]
struct Content {
    generation: u64,
    lines: Vec<String>,
    wakers: Vec<Waker>,
}

impl Lines {
    pub(in crate::streams) fn new(name: &'static str) -> Self {
        Lines {
            name,
            content: Arc::default(),
            here: Arc::new(AtomicBool::new(true)),
        }
    }

    /// The same lines on another machine, if it has them.
    pub(in crate::streams) fn elsewhere(&self, here: bool) -> Self {
        Lines {
            here: Arc::new(AtomicBool::new(here)),
            ..self.clone()
        }
    }

    /// Has the lines appear or go away on this machine.
    pub(in crate::streams) fn set_here(&self, here: bool) {
        self.here.store(here, Ordering::Release);
    }

    pub(in crate::streams) fn append(&self, line: &str) {
        let mut content = self.content.lock().unwrap();
        content.lines.push(line.to_owned());
        content.wakers.iter().for_each(Waker::wake);
    }

    pub(in crate::streams) fn replace(&self, lines: Vec<String>) {
        let mut content = self.content.lock().unwrap();
        content.generation += 1;
        content.lines = lines;
        content.wakers.iter().for_each(Waker::wake);
    }

    /// All lines.
    pub(in crate::streams) fn all(&self) -> Vec<String> {
        self.content.lock().unwrap().lines.clone()
    }
}

impl Source for Lines {
    fn describe(&self) -> SourceDescription {
        SourceDescription {
            connector: "lines".to_owned(),
            location: format!("lines://{}", self.name),
            identity: format!("lines:{}", self.name),
            rereadable: true,
        }
    }

    fn open(&self, start: SourceStart) -> Result<Box<dyn SourceReader>> {
        assert!(
            self.here.load(Ordering::Acquire),
            "what is not here is not opened"
        );
        let mut content = self.content.lock().unwrap();
        content.wakers.push(start.waker);
        let mut reader = LinesReader {
            lines: self.clone(),
            generation: content.generation,
            next: 0,
        };
        drop(content);
        reader.seek(&start.positions)?;
        Ok(Box::new(reader))
    }

    fn is_resumable(&self) -> bool {
        true
    }

    fn missing(&self) -> Option<String> {
        let here = self.here.load(Ordering::Acquire);
        (!here).then(|| format!("there is no {}", self.name))
    }
}

struct LinesReader {
    lines: Lines,
    generation: u64,
    next: usize,
}

impl SourceReader for LinesReader {
    fn poll(&mut self, limit: usize) -> Result<Poll> {
        let content = self.lines.content.lock().unwrap();
        if content.generation != self.generation {
            return Ok(Poll::Replaced);
        }
        let end = content.lines.len().min(self.next + limit.min(7));
        if self.next == end {
            return Ok(Poll::Idle);
        }
        let mut batch = RawBatch::empty(0, self.next as i64);
        for at in self.next..end {
            let (key, value) = content.lines[at].split_once(' ').unwrap();
            batch.push(RawRecord {
                key: Some(key.as_bytes()),
                value: Some(value.as_bytes()),
                timestamp: 0,
                offset: at as i64,
                ..RawRecord::default()
            });
        }
        self.next = end;
        Ok(Poll::Records(batch))
    }

    fn is_behind(&self, _: u32) -> bool {
        let content = self.lines.content.lock().unwrap();
        content.generation == self.generation && self.next < content.lines.len()
    }

    fn position(&mut self, _: u32, offset: i64) -> Result<Vec<u8>> {
        Ok([self.generation.to_be_bytes(), offset.to_be_bytes()].concat())
    }

    fn seek(&mut self, positions: &BTreeMap<u32, Vec<u8>>) -> Result<()> {
        self.next = 0;
        self.generation = self.lines.content.lock().unwrap().generation;
        if let Some(position) = positions.get(&0) {
            let (generation, rest) = position.split_first_chunk().ok_or_else(cut)?;
            self.generation = u64::from_be_bytes(*generation);
            let offset = rest.try_into().map_err(|_| cut())?;
            self.next = u64::from_be_bytes(offset) as usize;
        }
        Ok(())
    }
}

fn cut() -> Error {
    Error::state("a position is cut off")
}
