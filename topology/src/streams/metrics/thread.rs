//! What a thread counts.

use metrics::{Counter, Histogram};

use super::super::env::Env;
use super::labels::of_instance;
use crate::meter::{Labels, describe};

/// What a thread counts.
pub(in super::super) struct ThreadMetrics {
    pub(in super::super) labels: Labels,
    pub(in super::super) polled: Counter,
    pub(in super::super) commits: Counter,
    pub(in super::super) commit_seconds: Histogram,
    pub(in super::super) flush_seconds: Histogram,
    pub(in super::super) aborts: Counter,
    pub(in super::super) restored: Counter,
}

impl ThreadMetrics {
    pub(in super::super) fn new(env: &Env, number: u16) -> Self {
        describe();
        let labels = of_instance(env).with("thread", number.to_string());
        ThreadMetrics {
            polled: labels.counter("kafka_streams_thread_poll_records_total"),
            commits: labels.counter("kafka_streams_thread_commit_total"),
            commit_seconds: labels.histogram("kafka_streams_thread_commit_seconds"),
            flush_seconds: labels.histogram("kafka_streams_thread_flush_seconds"),
            aborts: labels.counter("kafka_streams_thread_abort_total"),
            restored: labels.counter("kafka_streams_thread_restore_records_total"),
            labels,
        }
    }
}
