//! What a sink is to the engine.
//!
//! Output is part of the commit: it lies in the state until the sink has it. A sink remembers how
//! much it has, together with what it has, so that after a crash nothing is delivered twice; one
//! that cannot do so says it, and delivers at least once.

use std::sync::Arc;

use super::{Stats, TopicPlace};
use crate::error::Result;
use crate::record::Headers;
use crate::time::Timestamp;

/// Something that records can be written to.
pub trait Sink: Send + Sync {
    /// What it is.
    fn describe(&self) -> SinkDescription;

    /// What tells the place from all others: where a program's sink has another identity and another
    /// location than at the start before, it is a new sink. Empty where there is no place that outlives
    /// the program.
    fn identity(&self) -> String {
        self.describe().location
    }

    /// Begins to write.
    ///
    /// # Errors
    ///
    /// Where the sink is not there or may not be written.
    fn open(&self, start: SinkStart) -> Result<Box<dyn SinkWriter>>;

    /// True where whatever comes is thrown away, so that records need not be encoded, kept and
    /// delivered. Such a sink is never opened.
    fn discards(&self) -> bool {
        false
    }

    /// The topic that an application on a cluster writes in place of this sink, if it is one. It is made
    /// if it is to be made.
    ///
    /// # Errors
    ///
    /// Where it is one, and is to be written in a way in which no application writes, or cannot be made.
    fn topic(&self) -> Result<Option<TopicPlace>> {
        Ok(None)
    }

    /// What an application makes of a record before it writes it to the topic; none where records are
    /// written as they come.
    fn rewrites(&self) -> Option<Arc<dyn Rewrite>> {
        None
    }
}

/// Makes other records of those that go to a sink.
pub trait Rewrite: Send + Sync {
    /// The record that is written in place of another.
    ///
    /// # Errors
    ///
    /// Where there is none.
    fn rewrite(&self, record: SinkRecord) -> Result<SinkRecord>;
}

/// What a sink is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SinkDescription {
    /// The kind of the sink: `file`, `kafka`, `memory`, `console`.
    pub connector: String,
    /// Where it is, as a URI without secrets.
    pub location: String,
    /// True where the sink remembers what it has, so that every record arrives once.
    pub exactly_once: bool,
}

/// How a writer begins.
pub struct SinkStart {
    /// A name for this use of the sink, the same at every start and unlike that of any other.
    pub name: String,
    /// What [`SinkWriter::deliver`] returned last and the state holds; it may be older than what was
    /// delivered last.
    pub memo: Option<Vec<u8>>,
    /// Where the writer counts.
    pub stats: Arc<Stats>,
}

/// A record on its way out.
#[derive(Debug, Clone, PartialEq)]
pub struct SinkRecord {
    /// The key, encoded.
    pub key: Option<Vec<u8>>,
    /// The value, encoded; none deletes the key where the sink knows deletion.
    pub value: Option<Vec<u8>>,
    /// When it happened.
    pub timestamp: Timestamp,
    /// What travels along.
    pub headers: Headers,
}

/// A sink that is being written.
pub trait SinkWriter: Send {
    /// The number of records that the sink has for certain, under this name, since ever; what it has
    /// beyond `recorded` is dropped or told, whichever it can.
    ///
    /// # Errors
    ///
    /// Where the sink cannot be asked.
    fn delivered(&mut self, recorded: u64) -> Result<u64>;

    /// Gets ready for records that come next. Where the sink is not as it was left, it is taken as it is,
    /// and what is to be remembered of that is returned: the state has it before anything is delivered,
    /// so that a crash thereafter finds what it must know.
    ///
    /// It is called before every [`deliver`](SinkWriter::deliver), and may return the same again.
    ///
    /// # Errors
    ///
    /// As those of [`deliver`](SinkWriter::deliver).
    fn prepare(&mut self) -> Result<Option<Vec<u8>>> {
        Ok(None)
    }

    /// Writes records `first`, `first + 1`, ... and returns what to remember, once they are safe.
    ///
    /// It may block. After an error the same records are delivered again, after
    /// [`delivered`](SinkWriter::delivered) was asked.
    ///
    /// # Errors
    ///
    /// Of kind [`ErrorKind::Unavailable`](crate::ErrorKind::Unavailable) where it may work later;
    /// any other stops the query.
    fn deliver(&mut self, first: u64, records: &[SinkRecord]) -> Result<Vec<u8>>;
}
