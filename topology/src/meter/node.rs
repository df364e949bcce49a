//! What a step of a topology counts.

use std::sync::Arc;

use super::labels::{Labels, Total};
use crate::graph::Node;
use crate::policy::NodeStats;

/// What a step of a topology counts, in all tasks of the process.
pub(crate) struct NodeMetrics {
    stats: Arc<NodeStats>,
    processed: Total,
    dropped: Total,
    failed: Total,
}

impl NodeMetrics {
    /// Counts from now on: the topology may have run before.
    pub(crate) fn new(labels: &Labels, node: &Node) -> Self {
        let labels = labels.with("node", node.name.to_string());
        let stats = node.stats.clone();
        let since = |name, count| Total::since(labels.counter(name), count);
        NodeMetrics {
            processed: since(
                "kafka_streams_processor_node_process_total",
                stats.records(),
            ),
            dropped: since(
                "kafka_streams_processor_node_dropped_total",
                stats.dropped(),
            ),
            failed: since("kafka_streams_processor_node_failed_total", stats.failed()),
            stats,
        }
    }

    /// Passes on what is known now.
    pub(crate) fn tell(&mut self) {
        self.processed.tell(self.stats.records());
        self.dropped.tell(self.stats.dropped());
        self.failed.tell(self.stats.failed());
    }
}
