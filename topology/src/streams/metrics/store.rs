//! What the store of a task counts.

use metrics::Counter;

use crate::meter::{Labels, Level, Total};
use crate::processor::StoreId;
use crate::store::{AnyStore, Family, FamilyWrites, store_family};

/// What the store of a task counts while the task runs.
pub(super) struct StoreMetrics {
    pub(super) id: StoreId,
    pub(super) family: Family,
    puts: Counter,
    deletes: Counter,
    flushes: Counter,
    flushed_bytes: Counter,
    misses: Total,
    cache_bytes: Level,
    uncommitted: Level,
    /// What the next commit writes.
    frozen: Frozen,
}

/// Rows that are to be written.
#[derive(Debug, Default)]
struct Frozen {
    puts: u64,
    deletes: u64,
    bytes: u64,
}

impl StoreMetrics {
    /// Of a store of a task that has these labels.
    pub(super) fn new(task: &Labels, id: StoreId, name: &str) -> Self {
        let labels = task.with("store", name.to_owned());
        StoreMetrics {
            id,
            family: store_family(name),
            puts: labels.counter("kafka_streams_store_put_total"),
            deletes: labels.counter("kafka_streams_store_delete_total"),
            flushes: labels.counter("kafka_streams_store_flush_total"),
            flushed_bytes: labels.counter("kafka_streams_store_flush_bytes_total"),
            misses: Total::new(labels.counter("kafka_streams_store_cache_miss_total")),
            cache_bytes: labels.level("kafka_streams_store_cache_bytes"),
            uncommitted: labels.level("kafka_streams_store_uncommitted_entries"),
            frozen: Frozen::default(),
        }
    }

    /// Passes on what was counted so far, and what is in memory now.
    pub(super) fn count(&mut self, store: &dyn AnyStore) {
        self.misses.tell(store.misses());
        self.cache_bytes.set(store.memory() as f64);
        self.uncommitted.set(store.uncommitted() as f64);
    }

    /// A commit is to write these rows.
    pub(super) fn froze(&mut self, writes: &FamilyWrites) {
        self.frozen.puts += (writes.len() - writes.removed()) as u64;
        self.frozen.deletes += writes.removed() as u64;
        self.frozen.bytes += writes.size() as u64;
    }

    /// What was to be written is.
    pub(super) fn committed(&mut self) {
        let frozen = std::mem::take(&mut self.frozen);
        if frozen.puts + frozen.deletes > 0 {
            self.puts.increment(frozen.puts);
            self.deletes.increment(frozen.deletes);
            self.flushes.increment(1);
            self.flushed_bytes.increment(frozen.bytes);
        }
    }
}
