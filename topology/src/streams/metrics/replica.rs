//! What is counted while the rows of tasks are brought up to date.

use metrics::Counter;

use super::labels::of_task;
use crate::meter::{Labels, Level};
use crate::store::{Family, store_of};

/// What is counted while the rows of the tasks of a number are brought up to date.
#[derive(Debug)]
pub(in super::super) struct ReplicaMetrics {
    labels: Labels,
    pub(in super::super) read: Counter,
    remaining: Level,
}

impl ReplicaMetrics {
    /// Of tasks that are to run in this thread.
    pub(in super::super) fn of_restore(thread: &Labels, task: u16) -> Self {
        let labels = of_task(thread, task);
        ReplicaMetrics {
            read: labels.counter("kafka_streams_task_restore_total"),
            remaining: labels.level("kafka_streams_task_restore_remaining_records"),
            labels,
        }
    }

    /// Of tasks that run elsewhere.
    pub(in super::super) fn of_standby(thread: &Labels, task: u16) -> Self {
        let labels = of_task(thread, task);
        ReplicaMetrics {
            read: labels.counter("kafka_streams_task_update_total"),
            remaining: labels.level("kafka_streams_task_update_remaining_records"),
            labels,
        }
    }

    /// What counts the records that were read for a family, which may be none of a store.
    pub(in super::super) fn of_family(&self, family: &Family) -> Counter {
        match store_of(family) {
            Some(store) => (self.labels)
                .with("store", store.to_owned())
                .counter("kafka_streams_store_restore_total"),
            None => Counter::noop(),
        }
    }

    /// So many offsets are still to be read.
    pub(in super::super) fn remain(&self, offsets: u64) {
        self.remaining.set(offsets as f64);
    }
}
