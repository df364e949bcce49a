//! What is known of the rows of all stores without a look at them.

use super::labels::{Labels, Level};
use crate::graph::Graph;
use crate::store::{Family, META, NUM_KEYS, State, store_family};

/// What is asked of each store, and the gauge that tells it.
const OF_STORES: [(&str, &str); 8] = [
    (NUM_KEYS, "kafka_streams_store_num_keys"),
    (
        "rocksdb.estimate-num-keys",
        "kafka_streams_store_estimate_num_keys",
    ),
    (
        "rocksdb.total-sst-files-size",
        "kafka_streams_store_total_sst_files_size",
    ),
    (
        "rocksdb.live-sst-files-size",
        "kafka_streams_store_live_sst_files_size",
    ),
    (
        "rocksdb.cur-size-all-mem-tables",
        "kafka_streams_store_cur_size_all_mem_tables",
    ),
    (
        "rocksdb.mem-table-flush-pending",
        "kafka_streams_store_mem_table_flush_pending",
    ),
    (
        "rocksdb.compaction-pending",
        "kafka_streams_store_compaction_pending",
    ),
    (
        "rocksdb.estimate-pending-compaction-bytes",
        "kafka_streams_store_estimate_pending_compaction_bytes",
    ),
];

/// What is asked of the database, of which every family says the same.
const OF_DATABASE: [(&str, &str); 8] = [
    (
        "rocksdb.block-cache-capacity",
        "kafka_streams_rocksdb_block_cache_capacity",
    ),
    (
        "rocksdb.block-cache-usage",
        "kafka_streams_rocksdb_block_cache_usage",
    ),
    (
        "rocksdb.block-cache-pinned-usage",
        "kafka_streams_rocksdb_block_cache_pinned_usage",
    ),
    (
        "rocksdb.num-running-flushes",
        "kafka_streams_rocksdb_num_running_flushes",
    ),
    (
        "rocksdb.num-running-compactions",
        "kafka_streams_rocksdb_num_running_compactions",
    ),
    (
        "rocksdb.actual-delayed-write-rate",
        "kafka_streams_rocksdb_actual_delayed_write_rate",
    ),
    (
        "rocksdb.is-write-stopped",
        "kafka_streams_rocksdb_is_write_stopped",
    ),
    (
        "rocksdb.background-errors",
        "kafka_streams_rocksdb_background_errors",
    ),
];

/// The stores of a process, and the database below them.
pub(crate) struct RowsMetrics(Vec<Property>);

/// A number that is known of a family.
struct Property {
    family: Family,
    name: &'static str,
    level: Level,
}

impl RowsMetrics {
    /// What is known of this state: not the same in memory and on disk.
    pub(crate) fn new(labels: &Labels, graph: &Graph, state: &State) -> Self {
        let mut properties = Vec::new();
        let mut add = |labels: &Labels, family: &Family, asked: &[(&'static str, &'static str)]| {
            for (name, gauge) in asked {
                if state.property(family, name).is_some() {
                    properties.push(Property {
                        family: family.clone(),
                        name,
                        level: labels.level(gauge),
                    });
                }
            }
        };
        for store in &graph.stores {
            let labels = labels.with("store", store.name.to_string());
            add(&labels, &store_family(&store.name), &OF_STORES);
        }
        add(labels, &Family::new(META), &OF_DATABASE);
        RowsMetrics(properties)
    }

    /// Passes on what is known now.
    pub(crate) fn tell(&self, state: &State) {
        for property in &self.0 {
            if let Some(value) = state.property(&property.family, property.name) {
                property.level.set(value as f64);
            }
        }
    }
}
