//! What an application counts, for whoever collects it through the `metrics` facade.
//!
//! Names are those of Kafka Streams with underscores: `kafka_streams_` and the group. Without a recorder
//! nothing is counted. One that is to hear of everything is installed before the application is prepared.
//!
//! | name | labels | what |
//! |---|---|---|
//! | `kafka_streams_state` | | as [`StreamsState`](super::StreamsState) orders it, from 0 |
//! | `kafka_streams_active_tasks`, `kafka_streams_standby_tasks` | | tasks of the instance |
//! | `kafka_streams_restore_remaining_records` | | offsets to be read before all tasks run |
//! | `kafka_streams_standby_remaining_records` | | offsets that the rows of standbys are behind |
//! | `kafka_streams_thread_poll_records_total` | `thread` | records that were read |
//! | `kafka_streams_thread_commit_total`, `_seconds` | `thread` | commits, and how long each took |
//! | `kafka_streams_thread_abort_total` | `thread` | what was done again since a commit |
//! | `kafka_streams_thread_restore_records_total` | `thread` | records of changelogs that were read |
//! | `kafka_streams_processor_node_process_total` | `node` | records that a step got |
//! | `kafka_streams_processor_node_dropped_total` | `node` | those without a key where one is needed |
//! | `kafka_streams_processor_node_failed_total` | `node` | those that could not be read, or failed |
//!
//! All have `application_id` and `instance`. What the clients of the cluster count is told beside it, where the
//! property `statistics.interval.ms` is set: `kafka_client_` and so on.

use std::sync::Arc;
use std::time::Duration;

use metrics::{
    Counter, Gauge, Histogram, Label, counter, describe_counter, describe_gauge,
    describe_histogram, gauge, histogram,
};

use super::env::Env;
use super::status::Status;
use crate::policy::NodeStats;

/// How often what others count is passed on.
pub(super) const EVERY: Duration = Duration::from_secs(1);

fn labels(env: &Env) -> Vec<Label> {
    vec![
        Label::new("application_id", env.application.clone()),
        Label::new("instance", env.instance.clone()),
    ]
}

/// What a thread counts.
pub(super) struct ThreadMetrics {
    pub(super) polled: Counter,
    pub(super) commits: Counter,
    pub(super) commit_seconds: Histogram,
    pub(super) aborts: Counter,
    pub(super) restored: Counter,
}

impl ThreadMetrics {
    pub(super) fn new(env: &Env, number: u16) -> Self {
        describe();
        let mut labels = labels(env);
        labels.push(Label::new("thread", number.to_string()));
        ThreadMetrics {
            polled: counter!("kafka_streams_thread_poll_records_total", labels.clone()),
            commits: counter!("kafka_streams_thread_commit_total", labels.clone()),
            commit_seconds: histogram!("kafka_streams_thread_commit_seconds", labels.clone()),
            aborts: counter!("kafka_streams_thread_abort_total", labels.clone()),
            restored: counter!("kafka_streams_thread_restore_records_total", labels),
        }
    }
}

/// What an instance counts as a whole.
pub(super) struct ClientMetrics {
    state: Gauge,
    active: Gauge,
    standby: Gauge,
    restore_lag: Gauge,
    standby_lag: Gauge,
    nodes: Vec<NodeMetrics>,
}

struct NodeMetrics {
    stats: Arc<NodeStats>,
    processed: Counter,
    dropped: Counter,
    failed: Counter,
}

impl ClientMetrics {
    pub(super) fn new(env: &Env) -> Self {
        let all = labels(env);
        let nodes = env.graph.nodes.iter().map(|node| {
            let mut labels = all.clone();
            labels.push(Label::new("node", node.name.to_string()));
            NodeMetrics {
                stats: node.stats.clone(),
                processed: counter!("kafka_streams_processor_node_process_total", labels.clone()),
                dropped: counter!("kafka_streams_processor_node_dropped_total", labels.clone()),
                failed: counter!("kafka_streams_processor_node_failed_total", labels),
            }
        });
        ClientMetrics {
            nodes: nodes.collect(),
            state: gauge!("kafka_streams_state", all.clone()),
            active: gauge!("kafka_streams_active_tasks", all.clone()),
            standby: gauge!("kafka_streams_standby_tasks", all.clone()),
            restore_lag: gauge!("kafka_streams_restore_remaining_records", all.clone()),
            standby_lag: gauge!("kafka_streams_standby_remaining_records", all),
        }
    }

    /// Passes on what is known now.
    pub(super) fn tell(&self, status: &Status) {
        let standbys = status.standbys();
        self.state.set(status.state() as u8);
        self.active.set(status.running().len() as f64);
        self.standby.set(standbys.len() as f64);
        self.restore_lag.set(status.lag() as f64);
        self.standby_lag.set(standbys.values().sum::<u64>() as f64);
        for node in &self.nodes {
            node.processed.absolute(node.stats.records());
            node.dropped.absolute(node.stats.dropped());
            node.failed.absolute(node.stats.failed());
        }
    }
}

fn describe() {
    describe_gauge!(
        "kafka_streams_state",
        "The state of the instance, from 0 (created) on"
    );
    describe_gauge!(
        "kafka_streams_active_tasks",
        "Tasks that run in the instance"
    );
    describe_gauge!(
        "kafka_streams_standby_tasks",
        "Tasks whose rows the instance keeps up to date"
    );
    describe_gauge!(
        "kafka_streams_restore_remaining_records",
        "Offsets of changelogs to be read before all tasks run"
    );
    describe_gauge!(
        "kafka_streams_standby_remaining_records",
        "Offsets of changelogs that the rows of standbys are behind"
    );
    describe_counter!(
        "kafka_streams_thread_poll_records_total",
        "Records that were read"
    );
    describe_counter!("kafka_streams_thread_commit_total", "Commits");
    describe_histogram!(
        "kafka_streams_thread_commit_seconds",
        "How long a commit took"
    );
    describe_counter!(
        "kafka_streams_thread_abort_total",
        "Times that what was done since a commit was done again"
    );
    describe_counter!(
        "kafka_streams_thread_restore_records_total",
        "Records of changelogs that were read"
    );
    describe_counter!(
        "kafka_streams_processor_node_process_total",
        "Records that a step got"
    );
    describe_counter!(
        "kafka_streams_processor_node_dropped_total",
        "Records without a key where a step needs one"
    );
    describe_counter!(
        "kafka_streams_processor_node_failed_total",
        "Records that could not be read, or for which a step failed"
    );
}
