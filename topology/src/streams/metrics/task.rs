//! What the tasks of a number count while they run.

use std::collections::BTreeMap;

use metrics::Counter;

use super::super::env::Env;
use super::labels::of_task;
use super::store::StoreMetrics;
use crate::cluster::TopicPartition;
use crate::graph::Graph;
use crate::meter::{Labels, Level, Total};
use crate::store::Commit;
use crate::tasks::TaskSet;
use crate::time::NO_TIMESTAMP;

/// What the tasks of a number count while they run in a thread.
pub(in super::super) struct TaskMetrics {
    labels: Labels,
    processed: Total,
    dropped: Total,
    failed: Total,
    enforced: Total,
    commits: Counter,
    buffered: Level,
    time_lag: Level,
    lags: BTreeMap<TopicPartition, Level>,
    stores: Vec<StoreMetrics>,
    /// True where the next commit has something of them.
    changed: bool,
}

impl TaskMetrics {
    pub(in super::super) fn new(
        thread: &Labels,
        task: u16,
        graph: &Graph,
        set: &mut TaskSet,
    ) -> Self {
        let labels = of_task(thread, task);
        let stores = set.stores();
        let total = |name| Total::new(labels.counter(name));
        TaskMetrics {
            processed: total("kafka_streams_task_process_total"),
            dropped: total("kafka_streams_task_dropped_records_total"),
            failed: total("kafka_streams_task_failed_records_total"),
            enforced: total("kafka_streams_task_enforced_processing_total"),
            commits: labels.counter("kafka_streams_task_commit_total"),
            buffered: labels.level("kafka_streams_task_active_buffer_count"),
            time_lag: labels.level("kafka_streams_task_stream_time_lag_seconds"),
            lags: BTreeMap::new(),
            stores: stores
                .map(|(id, _)| StoreMetrics::new(&labels, id, &graph.store(id).name))
                .collect(),
            changed: false,
            labels,
        }
    }

    /// Passes on what was counted so far.
    pub(in super::super) fn count(&mut self, set: &mut TaskSet) {
        let counts = set.counts();
        self.processed.tell(counts.processed);
        self.dropped.tell(counts.dropped);
        self.failed.tell(counts.failed);
        self.enforced.tell(counts.given_up);
        for (id, store) in set.stores() {
            let known = self.stores.iter_mut().find(|known| known.id == id);
            if let Some(known) = known {
                known.count(store);
            }
        }
    }

    /// Passes on how things are now: so many records of each partition are there that were not processed.
    pub(in super::super) fn tell(
        &mut self,
        env: &Env,
        set: &TaskSet,
        lags: impl IntoIterator<Item = (TopicPartition, u64)>,
    ) {
        self.buffered.set(set.waiting().iter().sum::<u64>() as f64);
        let time = set.stream_time();
        if time != NO_TIMESTAMP {
            let behind = env.clock.now().saturating_sub(time);
            self.time_lag.set(behind as f64 / 1_000.0);
        }
        for (partition, lag) in lags {
            let labels = &self.labels;
            let level = self.lags.entry(partition).or_insert_with_key(|partition| {
                let labels = labels.with("topic", partition.topic.to_string());
                labels.level("kafka_streams_task_consumer_lag")
            });
            level.set(lag as f64);
        }
    }

    /// The next commit has something of the tasks.
    pub(in super::super) fn changed(&mut self) {
        self.changed = true;
    }

    /// These are the rows that a commit is to write.
    pub(in super::super) fn froze(&mut self, commit: &Commit) {
        for writes in &commit.writes {
            let stores = self.stores.iter_mut();
            let mut of_family = stores.filter(|store| store.family == *writes.family());
            if let Some(store) = of_family.next() {
                store.froze(writes);
            }
        }
    }

    /// It is written; with offsets of the tasks' inputs, or without.
    pub(in super::super) fn committed(&mut self, offsets: bool) {
        if std::mem::take(&mut self.changed) || offsets {
            self.commits.increment(1);
        }
        self.stores.iter_mut().for_each(StoreMetrics::committed);
    }
}
