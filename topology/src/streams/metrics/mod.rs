//! What an application counts, for whoever collects it through the `metrics` facade.
//!
//! Names are those of Kafka Streams with underscores: `kafka_streams_` and the group. Without a recorder
//! nothing is counted. One that is to hear of everything is installed before the application is prepared.
//!
//! All have `application_id` and `instance`.
//!
//! # The instance
//!
//! | name | what |
//! |---|---|
//! | `kafka_streams_state` | as [`StreamsState`](super::StreamsState) orders it, from 0 |
//! | `kafka_streams_active_tasks`, `kafka_streams_standby_tasks` | tasks of the instance |
//! | `kafka_streams_restore_remaining_records` | offsets to be read before all tasks run |
//! | `kafka_streams_standby_remaining_records` | offsets that the rows of standbys are behind |
//!
//! # Threads
//!
//! With `thread`, a number.
//!
//! | name | what |
//! |---|---|
//! | `kafka_streams_thread_poll_records_total` | records that were read |
//! | `kafka_streams_thread_commit_total`, `kafka_streams_thread_commit_seconds` | commits, and how long each took |
//! | `kafka_streams_thread_flush_seconds` | how long it took of that to write the rows of all stores here |
//! | `kafka_streams_thread_abort_total` | what was done again since a commit |
//! | `kafka_streams_thread_restore_records_total` | records of changelogs that were read, of tasks that run by now |
//!
//! # Tasks
//!
//! With `thread` and `task`, the number of the task: it is that of the partitions that it reads. Parts of the topology
//! between which records travel through topics are counted together.
//!
//! | name | what |
//! |---|---|
//! | `kafka_streams_task_process_total` | records that were taken from inputs |
//! | `kafka_streams_task_dropped_records_total` | those without a key where one is needed |
//! | `kafka_streams_task_failed_records_total` | those that could not be read, or failed |
//! | `kafka_streams_task_commit_total` | commits that had offsets or rows of it; how long they took is the thread's |
//! | `kafka_streams_task_enforced_processing_total` | how often a task that feeds it through a topic was waited for no longer, as it said nothing for `max_task_idle` |
//! | `kafka_streams_task_active_buffer_count` | records that were read and wait |
//! | `kafka_streams_task_stream_time_lag_seconds` | how far the greatest timestamp that was processed is behind the clock; 0 before the first |
//! | `kafka_streams_task_consumer_lag` | with `topic`: offsets of the partition that are there and were not processed |
//! | `kafka_streams_task_restore_total`, `kafka_streams_task_restore_remaining_records` | records of changelogs that were read before it ran, and offsets that are still to be read |
//! | `kafka_streams_task_update_total`, `kafka_streams_task_update_remaining_records` | the same where its rows are kept up to date while it runs elsewhere |
//!
//! # Stores
//!
//! With `thread`, `task` and `store`:
//!
//! | name | what |
//! |---|---|
//! | `kafka_streams_store_put_total`, `kafka_streams_store_delete_total` | rows that commits wrote, and removed: a row that changes several times between two commits is one |
//! | `kafka_streams_store_flush_total`, `kafka_streams_store_flush_bytes_total` | commits that had rows of it, and the bytes of their keys and values |
//! | `kafka_streams_store_cache_miss_total` | rows that had to be looked for below those in memory |
//! | `kafka_streams_store_cache_bytes` | about how many bytes the rows in memory take |
//! | `kafka_streams_store_uncommitted_entries` | rows that were changed since the last commit |
//! | `kafka_streams_store_restore_total` | records of its changelog that were read, for a task that is to run or one that runs elsewhere |
//!
//! With `store`, of the rows of all tasks that are here, also of such as ran here once or are kept for others:
//!
//! | name | what |
//! |---|---|
//! | `kafka_streams_store_num_keys` | rows, where they are in memory |
//! | `kafka_streams_store_estimate_num_keys` | RocksDB's estimate of that, where they are on disk, for which all that follow are; a row that is written again counts again until files are merged |
//! | `kafka_streams_store_total_sst_files_size`, `kafka_streams_store_live_sst_files_size` | bytes of all its files, and of those that are not only there for readers that began before |
//! | `kafka_streams_store_cur_size_all_mem_tables` | bytes that are not in files yet |
//! | `kafka_streams_store_mem_table_flush_pending` | 1 where these are to be written |
//! | `kafka_streams_store_compaction_pending`, `kafka_streams_store_estimate_pending_compaction_bytes` | 1 where files are to be merged, and about how many bytes that are |
//!
//! Of the one database of the instance:
//!
//! | name | what |
//! |---|---|
//! | `kafka_streams_rocksdb_block_cache_capacity`, `kafka_streams_rocksdb_block_cache_usage`, `kafka_streams_rocksdb_block_cache_pinned_usage` | bytes that it may cache, caches, and has in use, all with those that are not in files yet |
//! | `kafka_streams_rocksdb_num_running_flushes`, `kafka_streams_rocksdb_num_running_compactions` | files that are being written, and merged |
//! | `kafka_streams_rocksdb_actual_delayed_write_rate`, `kafka_streams_rocksdb_is_write_stopped` | bytes a second to which writing is slowed down, and 1 where it waits |
//! | `kafka_streams_rocksdb_background_errors` | errors while files were written or merged |
//!
//! # Steps
//!
//! With `node`, in all tasks of the instance:
//!
//! | name | what |
//! |---|---|
//! | `kafka_streams_processor_node_process_total` | records that a step got |
//! | `kafka_streams_processor_node_dropped_total` | those without a key where one is needed |
//! | `kafka_streams_processor_node_failed_total` | those that could not be read, or failed |
//!
//! # When it is told
//!
//! Tasks count for themselves and are asked once a second, and before they go elsewhere; what commits write is counted
//! once they are done. So a recorder costs nothing for a record.
//!
//! The facade has no means to say that something is not there any more. Where a task goes elsewhere or an
//! instance ends, gauges of the task, its stores or the instance become 0 and stay there (but
//! `kafka_streams_state`); counters stand still. What is done again after a failure counts again.
//!
//! What the clients of the cluster count is told beside it, where the property `statistics.interval.ms` is set:
//! `kafka_client_` and so on.

mod labels;
mod store;
mod client;
mod replica;
mod task;
mod thread;

pub(super) use self::client::ClientMetrics;
#[cfg(test)]
pub(super) use self::labels::of_instance;
pub(super) use self::replica::ReplicaMetrics;
pub(super) use self::task::TaskMetrics;
pub(super) use self::thread::ThreadMetrics;
