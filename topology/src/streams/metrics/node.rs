//! What a step of the topology counts.

use std::sync::Arc;

use metrics::Counter;

use super::labels::Labels;
use crate::graph::Node;
use crate::policy::NodeStats;

/// What a step of the topology counts, in all tasks of the instance.
pub(super) struct NodeMetrics {
    stats: Arc<NodeStats>,
    processed: Counter,
    dropped: Counter,
    failed: Counter,
}

impl NodeMetrics {
    pub(super) fn new(labels: &Labels, node: &Node) -> Self {
        let labels = labels.with("node", node.name.to_string());
        NodeMetrics {
            stats: node.stats.clone(),
            processed: labels.counter("kafka_streams_processor_node_process_total"),
            dropped: labels.counter("kafka_streams_processor_node_dropped_total"),
            failed: labels.counter("kafka_streams_processor_node_failed_total"),
        }
    }

    /// Passes on what is known now.
    pub(super) fn tell(&self) {
        self.processed.absolute(self.stats.records());
        self.dropped.absolute(self.stats.dropped());
        self.failed.absolute(self.stats.failed());
    }
}
