//! What every source and sink tells of itself.

use std::fmt;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use crate::time::{NO_TIMESTAMP, Timestamp};

/// How a source or sink is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Health {
    /// It works.
    #[default]
    Healthy,
    /// Its other side cannot be reached; it is tried again.
    Disconnected(String),
    /// The file that it reads is not there; what was read stays.
    FileNotFound,
    /// It works, but something was lost or is wrong.
    Degraded(String),
    /// It has stopped for good.
    Failed(String),
}

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Health::Healthy => f.write_str("healthy"),
            Health::Disconnected(why) => write!(f, "disconnected ({why})"),
            Health::FileNotFound => f.write_str("file not found"),
            Health::Degraded(why) => write!(f, "degraded ({why})"),
            Health::Failed(why) => write!(f, "failed ({why})"),
        }
    }
}

/// Counters of a source or sink, shared between who works and who looks.
#[derive(Debug, Default)]
pub struct Stats {
    records: AtomicU64,
    bytes: AtomicU64,
    bad: AtomicU64,
    lost_bytes: AtomicU64,
    total: AtomicU64,
    position: AtomicU64,
    updated: AtomicI64,
    health: Mutex<Health>,
}

impl Stats {
    /// Counters that stand at nothing.
    pub fn new() -> Arc<Self> {
        Arc::new(Stats {
            updated: AtomicI64::new(NO_TIMESTAMP),
            ..Stats::default()
        })
    }

    /// Counts records and bytes that came or went at `now`.
    pub fn count(&self, records: usize, bytes: usize, now: Timestamp) {
        self.records.fetch_add(records as u64, Ordering::Relaxed);
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        self.updated.store(now, Ordering::Relaxed);
    }

    /// Counts records that could not be read.
    pub fn count_bad(&self, records: u64) {
        self.bad.fetch_add(records, Ordering::Relaxed);
    }

    /// Counts bytes that went away before they were read.
    pub fn count_lost(&self, bytes: u64) {
        self.lost_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Notes how far reading has come, in units of `total` (bytes, records) that are the source's own.
    pub fn set_progress(&self, position: u64, total: u64) {
        self.position.store(position, Ordering::Relaxed);
        self.total.store(total, Ordering::Relaxed);
    }

    /// Notes how the source or sink is.
    pub fn set_health(&self, health: Health) {
        *self.health.lock().expect("no panic while locked") = health;
    }

    /// How the source or sink is.
    pub fn health(&self) -> Health {
        self.health.lock().expect("no panic while locked").clone()
    }

    /// The number of records that came or went.
    pub fn records(&self) -> u64 {
        self.records.load(Ordering::Relaxed)
    }

    /// The number of bytes that came or went.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// The number of records that could not be read.
    pub fn bad_records(&self) -> u64 {
        self.bad.load(Ordering::Relaxed)
    }

    /// The number of bytes that went away before they were read.
    pub fn lost_bytes(&self) -> u64 {
        self.lost_bytes.load(Ordering::Relaxed)
    }

    /// How far reading has come, and how far there is to go, where the source knows.
    pub fn progress(&self) -> Option<(u64, u64)> {
        let total = self.total.load(Ordering::Relaxed);
        (total > 0).then(|| (self.position.load(Ordering::Relaxed).min(total), total))
    }

    /// When something last came or went.
    pub fn last_updated(&self) -> Option<Timestamp> {
        let updated = self.updated.load(Ordering::Relaxed);
        (updated != NO_TIMESTAMP).then_some(updated)
    }
}
