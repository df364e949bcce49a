//! What happens to a record that cannot be handled, and how it is counted and told.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::error::{Error, ErrorKind, Result};
use crate::record::Headers;

/// What to do with a record that cannot be read, or for which an expression fails.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ErrorPolicy {
    /// Count it, say so in the log, and go on.
    #[default]
    Skip,
    /// Do so, and send the record as it came to the sink of this name.
    DeadLetter(String),
    /// Stop the query.
    Fail,
}

/// What an operator counts, shared between its tasks.
#[derive(Debug, Default)]
pub struct NodeStats {
    records: AtomicU64,
    dropped: AtomicU64,
    failed: AtomicU64,
    missing: AtomicU64,
    rounded: AtomicU64,
    told: AtomicI64,
}

/// The least time between two lines that an operator logs, in milliseconds.
const QUIET_MS: i64 = 1_000;

impl NodeStats {
    /// Records that came in.
    pub fn records(&self) -> u64 {
        self.records.load(Ordering::Relaxed)
    }

    /// Records that were dropped as they had no key where one is needed.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Records that could not be read, or for which an expression failed.
    pub fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }

    /// Records of a stream for which a join found no row in the table.
    pub fn missing(&self) -> u64 {
        self.missing.load(Ordering::Relaxed)
    }

    /// Numbers of a source that had more digits behind the point than their columns keep.
    pub fn rounded(&self) -> u64 {
        self.rounded.load(Ordering::Relaxed)
    }

    pub(crate) fn count_rounded(&self, n: u64) {
        self.rounded.fetch_add(n, Ordering::Relaxed);
    }

    pub(crate) fn count_records(&self, n: usize) {
        self.records.fetch_add(n as u64, Ordering::Relaxed);
    }

    pub(crate) fn count_dropped(&self, n: u64) {
        self.dropped.fetch_add(n, Ordering::Relaxed);
    }

    pub(crate) fn count_failed(&self, n: u64) {
        self.failed.fetch_add(n, Ordering::Relaxed);
    }

    pub(crate) fn count_missing(&self, n: u64) {
        self.missing.fetch_add(n, Ordering::Relaxed);
    }

    /// True where a line may be logged now, which is at most once a second.
    pub(crate) fn may_tell(&self) -> bool {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |elapsed| elapsed.as_millis() as i64);
        let told = self.told.load(Ordering::Relaxed);
        now - told >= QUIET_MS
            && self
                .told
                .compare_exchange(told, now, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }
}

/// What the headers of a dead letter say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// What failed.
    pub message: String,
    /// The step of the topology that read the record.
    pub source: String,
    /// The partition in which it stood.
    pub partition: u32,
    /// Where it stood there.
    pub offset: i64,
}

impl DeadLetter {
    /// What the headers of a record that came to a sink of dead letters say.
    ///
    /// # Errors
    ///
    /// Where it is no dead letter.
    pub fn of(headers: &Headers) -> Result<DeadLetter> {
        let text = |name: &str| {
            let header = headers.last(name);
            let value = header.and_then(|header| header.value.as_deref());
            let text = value.and_then(|value| std::str::from_utf8(value).ok());
            text.ok_or_else(|| {
                let message = format!("a record without the header {name} is no dead letter");
                Error::new(ErrorKind::BadRecord, message)
            })
        };
        let number = |name: &str| -> Result<i64> {
            let text = text(name)?;
            text.parse().map_err(|e| {
                let message = format!("cannot read the header {name} of a dead letter: `{text}`");
                Error::new(ErrorKind::BadRecord, message).with_source(e)
            })
        };
        Ok(DeadLetter {
            message: text(MESSAGE)?.to_owned(),
            source: text(SOURCE)?.to_owned(),
            partition: number(PARTITION)? as u32,
            offset: number(OFFSET)?,
        })
    }
}

const MESSAGE: &str = "__streams.errors.message";
const SOURCE: &str = "__streams.errors.topic";
const PARTITION: &str = "__streams.errors.partition";
const OFFSET: &str = "__streams.errors.offset";

/// The topic that a record was for, which it was refused by.
pub(crate) const SINK: &str = "__streams.errors.sink";
/// How long a key or a value was that was cut.
pub(crate) const KEY_BYTES: &str = "__streams.errors.key.bytes";
pub(crate) const VALUE_BYTES: &str = "__streams.errors.value.bytes";

/// The headers of a dead letter that no single record is behind.
pub(crate) fn error_message(headers: &Headers, message: &str) -> Headers {
    headers.with(MESSAGE, message)
}

/// The headers of a dead letter say what failed, and where the record stood.
pub(crate) fn dead_letter_headers(
    headers: &Headers,
    message: &str,
    source: &str,
    partition: u32,
    offset: i64,
) -> Headers {
    error_message(headers, message)
        .with(SOURCE, source)
        .with(PARTITION, partition.to_string())
        .with(OFFSET, offset.to_string())
}
