//! What each name stands for, in words for whoever collects.

use metrics::{describe_counter, describe_gauge, describe_histogram};

use self::Kind::{Counter, Gauge, Histogram};

/// What a name is that of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Counter,
    Gauge,
    Histogram,
}

/// All names, and what each is.
const NAMES: &[(Kind, &str, &str)] = &[
    (
        Gauge,
        "kafka_streams_state",
        "The state of the instance, from 0 (created) on",
    ),
    (
        Gauge,
        "kafka_streams_active_tasks",
        "Tasks that run in the instance",
    ),
    (
        Gauge,
        "kafka_streams_standby_tasks",
        "Tasks whose rows the instance keeps up to date",
    ),
    (
        Gauge,
        "kafka_streams_restore_remaining_records",
        "Offsets of changelogs to be read before all tasks run",
    ),
    (
        Gauge,
        "kafka_streams_standby_remaining_records",
        "Offsets of changelogs that the rows of standbys are behind",
    ),
    (
        Counter,
        "kafka_streams_thread_poll_records_total",
        "Records that were read",
    ),
    (Counter, "kafka_streams_thread_commit_total", "Commits"),
    (
        Histogram,
        "kafka_streams_thread_commit_seconds",
        "How long a commit took",
    ),
    (
        Histogram,
        "kafka_streams_thread_flush_seconds",
        "How long it took of a commit to write the rows of all stores to the state",
    ),
    (
        Counter,
        "kafka_streams_thread_abort_total",
        "Times that what was done since a commit was done again",
    ),
    (
        Counter,
        "kafka_streams_thread_restore_records_total",
        "Records of changelogs that were read",
    ),
    (
        Counter,
        "kafka_streams_task_process_total",
        "Records that the task took from its inputs",
    ),
    (
        Counter,
        "kafka_streams_task_dropped_records_total",
        "Records of the task without a key where a step needs one",
    ),
    (
        Counter,
        "kafka_streams_task_failed_records_total",
        "Records of the task that could not be read, or for which a step failed",
    ),
    (
        Counter,
        "kafka_streams_task_commit_total",
        "Commits that had offsets or rows of the task",
    ),
    (
        Counter,
        "kafka_streams_task_enforced_processing_total",
        "Times that one who feeds the task and said nothing was waited for no longer",
    ),
    (
        Gauge,
        "kafka_streams_task_active_buffer_count",
        "Records of the task that were read and wait to be processed",
    ),
    (
        Gauge,
        "kafka_streams_task_stream_time_lag_seconds",
        "How far the time of the task's records is behind the clock",
    ),
    (
        Gauge,
        "kafka_streams_task_consumer_lag",
        "Offsets of an input that are there and were not processed",
    ),
    (
        Counter,
        "kafka_streams_task_restore_total",
        "Records of changelogs that were read before the task ran",
    ),
    (
        Gauge,
        "kafka_streams_task_restore_remaining_records",
        "Offsets of changelogs to be read before the task runs",
    ),
    (
        Counter,
        "kafka_streams_task_update_total",
        "Records of changelogs that were read for a standby of the task",
    ),
    (
        Gauge,
        "kafka_streams_task_update_remaining_records",
        "Offsets of changelogs that a standby of the task is behind",
    ),
    (
        Counter,
        "kafka_streams_store_put_total",
        "Rows that commits wrote",
    ),
    (
        Counter,
        "kafka_streams_store_delete_total",
        "Rows that commits removed",
    ),
    (
        Counter,
        "kafka_streams_store_flush_total",
        "Commits that had rows of the store",
    ),
    (
        Counter,
        "kafka_streams_store_flush_bytes_total",
        "Bytes of the keys and values that commits wrote",
    ),
    (
        Counter,
        "kafka_streams_store_cache_miss_total",
        "Rows that were looked for below those in memory",
    ),
    (
        Gauge,
        "kafka_streams_store_cache_bytes",
        "About how many bytes the rows in memory take",
    ),
    (
        Gauge,
        "kafka_streams_store_uncommitted_entries",
        "Rows that were changed since the last commit",
    ),
    (
        Counter,
        "kafka_streams_store_restore_total",
        "Records of the store's changelog that were read",
    ),
    (
        Gauge,
        "kafka_streams_store_num_keys",
        "Rows of the store, of all tasks whose rows are here",
    ),
    (
        Gauge,
        "kafka_streams_store_estimate_num_keys",
        "About how many rows the store has, of all tasks whose rows are here",
    ),
    (
        Gauge,
        "kafka_streams_store_total_sst_files_size",
        "Bytes of the store on disk, with those that readers still see",
    ),
    (
        Gauge,
        "kafka_streams_store_live_sst_files_size",
        "Bytes of the store on disk",
    ),
    (
        Gauge,
        "kafka_streams_store_cur_size_all_mem_tables",
        "Bytes of the store that are written and not in files yet",
    ),
    (
        Gauge,
        "kafka_streams_store_mem_table_flush_pending",
        "1 where these are to be written to a file",
    ),
    (
        Gauge,
        "kafka_streams_store_compaction_pending",
        "1 where files of the store are to be merged",
    ),
    (
        Gauge,
        "kafka_streams_store_estimate_pending_compaction_bytes",
        "About how many bytes are to be rewritten to merge them",
    ),
    (
        Gauge,
        "kafka_streams_rocksdb_block_cache_capacity",
        "Bytes that the database may cache, with those not in files yet",
    ),
    (
        Gauge,
        "kafka_streams_rocksdb_block_cache_usage",
        "Bytes that it caches",
    ),
    (
        Gauge,
        "kafka_streams_rocksdb_block_cache_pinned_usage",
        "Those of them that are in use",
    ),
    (
        Gauge,
        "kafka_streams_rocksdb_num_running_flushes",
        "Files that are being written of what is in memory",
    ),
    (
        Gauge,
        "kafka_streams_rocksdb_num_running_compactions",
        "Merges of files that are under way",
    ),
    (
        Gauge,
        "kafka_streams_rocksdb_actual_delayed_write_rate",
        "Bytes a second to which writing is slowed down, 0 where it is not",
    ),
    (
        Gauge,
        "kafka_streams_rocksdb_is_write_stopped",
        "1 where writing waits until files are merged",
    ),
    (
        Gauge,
        "kafka_streams_rocksdb_background_errors",
        "Errors of flushes and merges so far",
    ),
    (
        Counter,
        "kafka_streams_processor_node_process_total",
        "Records that a step got",
    ),
    (
        Counter,
        "kafka_streams_processor_node_dropped_total",
        "Records without a key where a step needs one",
    ),
    (
        Counter,
        "kafka_streams_processor_node_failed_total",
        "Records that could not be read, or for which a step failed",
    ),
];

/// Says what each name stands for.
pub(crate) fn describe() {
    for (kind, name, what) in NAMES.iter().copied() {
        match kind {
            Counter => describe_counter!(name, what),
            Gauge => describe_gauge!(name, what),
            Histogram => describe_histogram!(name, what),
        }
    }
}

/// All names.
#[cfg(test)]
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    NAMES.iter().map(|(_, name, _)| *name)
}
