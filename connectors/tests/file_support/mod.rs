//! A reader of files that tests hold in their hands.

#![allow(dead_code, reason = "each test uses a part of it")]

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ferrisstreams_connectors::file::{FileOptions, FileSource, Framing, Target, Watch};
use ferrisstreams_topology::connector::{
    Health, Poll, RawBatch, Source, SourceReader, SourceStart, Stats, Waker,
};

/// Longer than anything should take.
pub const LONG: Duration = Duration::from_secs(15);

pub type Positions = BTreeMap<u32, Vec<u8>>;

/// Options that wait for little.
pub fn quick() -> FileOptions {
    FileOptions {
        poll_interval: Duration::from_millis(5),
        debounce: Duration::from_millis(20),
        ..FileOptions::default()
    }
}

pub fn csv() -> FileOptions {
    FileOptions {
        framing: Framing::Quoted {
            delimiter: b',',
            quote: b'"',
        },
        ..quick()
    }
}

/// A directory whose files are written and read.
pub struct Folder {
    dir: tempfile::TempDir,
}

impl Folder {
    pub fn new() -> Self {
        Folder {
            dir: tempfile::tempdir().unwrap(),
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.path(name), text).unwrap();
    }

    pub fn append(&self, name: &str, text: &str) {
        let mut file = OpenOptions::new()
            .append(true)
            .create(true)
            .open(self.path(name))
            .unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    /// Puts a new file in the place of another at one blow.
    pub fn replace(&self, name: &str, text: &str) {
        let beside = self.path("beside");
        fs::write(&beside, text).unwrap();
        fs::rename(beside, self.path(name)).unwrap();
    }

    pub fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).unwrap();
    }

    pub fn remove(&self, name: &str) {
        fs::remove_file(self.path(name)).unwrap();
    }

    pub fn read(&self, name: &str, options: &FileOptions) -> Reading {
        self.read_from(name, options, Positions::new())
    }

    pub fn read_from(&self, name: &str, options: &FileOptions, positions: Positions) -> Reading {
        Reading::open(&self.path(name), options, positions, false)
    }

    pub fn read_all(&self, name: &str, options: &FileOptions) -> Reading {
        Reading::open(&self.path(name), options, Positions::new(), true)
    }
}

/// A record that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub partition: u32,
    pub offset: i64,
    /// Where reading goes on behind it.
    pub end: i64,
    pub text: String,
}

/// A reader, and what it has read.
pub struct Reading {
    pub reader: Box<dyn SourceReader>,
    pub waker: Waker,
    pub stats: Arc<Stats>,
    /// What was read since the content was last replaced.
    pub lines: Vec<Line>,
    /// How often it was replaced.
    pub replaced: usize,
    pub limit: usize,
    pub ended: bool,
}

impl Reading {
    pub fn open(path: &Path, options: &FileOptions, positions: Positions, bounded: bool) -> Self {
        let (waker, stats) = (Waker::new(), Stats::new());
        let source = FileSource::new(Target::of(path), options.clone(), &Watch::default());
        let reader = source.open(SourceStart {
            positions,
            bounded,
            waker: waker.clone(),
            stats: stats.clone(),
        });
        Reading {
            reader: reader.unwrap(),
            waker,
            stats,
            lines: Vec::new(),
            replaced: 0,
            limit: 1000,
            ended: false,
        }
    }

    /// Polls once, and answers a replacement as the engine does.
    pub fn poll(&mut self) -> Poll {
        let poll = self.reader.poll(self.limit).unwrap();
        match &poll {
            Poll::Records(batch) => self.note(batch),
            Poll::Replaced => {
                self.replaced += 1;
                self.lines.clear();
                self.reader.restart().unwrap();
            }
            Poll::End => self.ended = true,
            Poll::Idle | Poll::Waiting => {}
        }
        poll
    }

    fn note(&mut self, batch: &RawBatch) {
        for index in 0..batch.len() {
            let end = if index + 1 < batch.len() {
                batch.offset(index + 1)
            } else {
                batch.end
            };
            self.lines.push(Line {
                partition: batch.partition,
                offset: batch.offset(index),
                end,
                text: String::from_utf8(batch.value(index).unwrap().to_vec()).unwrap(),
            });
        }
    }

    /// Polls until something holds.
    pub fn until(&mut self, what: &str, holds: impl Fn(&Reading) -> bool) {
        let deadline = Instant::now() + LONG;
        while !holds(self) {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "waited too long until {what}: {self:?}");
            if !matches!(self.poll(), Poll::Records(_) | Poll::Replaced) {
                if holds(self) {
                    return;
                }
                assert!(!self.ended, "ended before {what}: {self:?}");
                self.waker.wait(left);
            }
        }
    }

    pub fn texts(&self) -> Vec<&str> {
        self.lines.iter().map(|line| &line.text[..]).collect()
    }

    /// Polls until these lines and no others were read.
    pub fn expect(&mut self, texts: &[&str]) {
        self.until(&format!("{texts:?} are read"), |reading| {
            reading.texts() == texts
        });
    }

    /// The same, of each partition on its own.
    pub fn expect_in(&mut self, partitions: &[(u32, &[&str])]) {
        self.until(&format!("{partitions:?} are read"), |reading| {
            let of = |number: u32| -> Vec<&str> {
                let mine = reading.lines.iter().filter(|line| line.partition == number);
                mine.map(|line| &line.text[..]).collect()
            };
            let count: usize = partitions.iter().map(|(_, texts)| texts.len()).sum();
            reading.lines.len() == count
                && partitions
                    .iter()
                    .all(|(number, texts)| of(*number) == *texts)
        });
    }

    /// Polls until there is nothing for now.
    pub fn idle(&mut self) {
        loop {
            match self.poll() {
                Poll::Idle => return,
                Poll::Waiting => assert!(self.waker.wait(LONG)),
                _ => {}
            }
        }
    }

    /// Polls until there is nothing more.
    pub fn end(&mut self) -> Vec<&str> {
        while !self.ended {
            if matches!(self.poll(), Poll::Waiting) {
                assert!(self.waker.wait(LONG));
            }
        }
        self.texts()
    }

    pub fn health(&mut self, holds: impl Fn(&Health) -> bool) -> Health {
        self.until("the health is as it should be", |reading| {
            holds(&reading.stats.health())
        });
        self.stats.health()
    }

    /// What to store to go on behind the last line of each partition.
    pub fn positions(&mut self) -> Positions {
        let ends: BTreeMap<u32, i64> = self
            .lines
            .iter()
            .map(|line| (line.partition, line.end))
            .collect();
        self.positions_at(&ends)
    }

    pub fn positions_at(&mut self, ends: &BTreeMap<u32, i64>) -> Positions {
        let at = |(partition, end): (&u32, &i64)| {
            (*partition, self.reader.position(*partition, *end).unwrap())
        };
        ends.iter().map(at).collect()
    }
}

impl std::fmt::Debug for Reading {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let texts = self.texts();
        let last = &texts[texts.len().saturating_sub(5)..];
        let health = self.stats.health();
        write!(
            f,
            "{} lines, {last:?}, replaced {} times, {health}",
            texts.len(),
            self.replaced
        )
    }
}
