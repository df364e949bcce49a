//! What an instance counts as a whole.

use metrics::Gauge;

use super::super::env::Env;
use super::super::status::Status;
use super::labels::of_instance;
use crate::meter::{Level, NodeMetrics, RowsMetrics};

/// What an instance counts as a whole.
pub(in super::super) struct ClientMetrics {
    state: Gauge,
    active: Level,
    standby: Level,
    restore_lag: Level,
    standby_lag: Level,
    nodes: Vec<NodeMetrics>,
    rows: RowsMetrics,
}

impl ClientMetrics {
    pub(in super::super) fn new(env: &Env) -> Self {
        let labels = of_instance(env);
        let nodes = env.graph.nodes.iter();
        ClientMetrics {
            nodes: nodes.map(|node| NodeMetrics::new(&labels, node)).collect(),
            rows: RowsMetrics::new(&labels, &env.graph, &env.state),
            state: labels.gauge("kafka_streams_state"),
            active: labels.level("kafka_streams_active_tasks"),
            standby: labels.level("kafka_streams_standby_tasks"),
            restore_lag: labels.level("kafka_streams_restore_remaining_records"),
            standby_lag: labels.level("kafka_streams_standby_remaining_records"),
        }
    }

    /// Passes on what is known now.
    pub(in super::super) fn tell(&mut self, env: &Env, status: &Status) {
        let standbys = status.standbys();
        self.state.set(status.state() as u8);
        self.active.set(status.running().len() as f64);
        self.standby.set(standbys.len() as f64);
        self.restore_lag.set(status.lag() as f64);
        self.standby_lag.set(standbys.values().sum::<u64>() as f64);
        self.nodes.iter_mut().for_each(NodeMetrics::tell);
        self.rows.tell(&env.state);
    }
}
