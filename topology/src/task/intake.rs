//! What comes in: batches of sources, runs of other tasks, and what is known of what is still to come.

use std::sync::Arc;

use super::Task;
use super::channels::{Channels, Said};
use super::input::Input;
use crate::connector::RawBatch;
use crate::error::Error;
use crate::graph::{Decoded, Kind, NodeId};
use crate::policy::ErrorPolicy;
use crate::processor::NodeFacts;
use crate::run::{Origin, Run, Stamp};
use crate::time::Timestamp;

impl Task {
    /// The input of a partition, made if it is new.
    fn input(&mut self, node: NodeId, partition: u32) -> &mut Input {
        let at = self
            .inputs
            .iter()
            .position(|input| input.node == node && input.partition == partition);
        let at = at.unwrap_or_else(|| {
            // Inputs stand in the order of their nodes and partitions, whenever they came.
            let at = self
                .inputs
                .partition_point(|input| (input.node, input.partition) < (node, partition));
            self.inputs.insert(at, Input::new(node, partition));
            at
        });
        &mut self.inputs[at]
    }

    /// Goes on behind what an earlier run of the process committed.
    pub(crate) fn resume(&mut self, node: NodeId, partition: u32, reached: Timestamp) {
        self.input(node, partition).resume(reached);
        if let Some(channels) = &mut self.channels {
            channels.processed(reached);
        }
    }

    /// Notes what was said of their time by tasks that feed this one, each before the record of that
    /// index in the batch that is queued next.
    pub(crate) fn note_said(&mut self, node: NodeId, partition: u32, said: Vec<(u32, Said)>) {
        self.input(node, partition).note_said(said);
    }

    /// Queues a batch of a source. `rank` orders the partition among all of the process.
    pub(crate) fn enqueue(&mut self, node: NodeId, rank: u32, batch: &Arc<RawBatch>) {
        let decoder = self
            .decoders
            .get_mut(&node)
            .expect("the source belongs to the task");
        self.shared.at_work = node;
        self.shared.working = true;
        let mut decoded = decoder.decode(batch);
        self.shared.working = false;
        let facts = &self.nodes[node.index()]
            .as_ref()
            .expect("it is there")
            .facts;
        if decoded.rounded > 0 {
            facts.stats.count_rounded(decoded.rounded);
            tell_rounded(facts);
        }
        if facts.policy == ErrorPolicy::Fail {
            cut_at_first_bad(&mut decoded.bad, &mut decoded.run);
        }
        let source = facts.name.clone();
        let came = self.channels.as_ref().map_or(0, Channels::elapsed);
        self.input(node, batch.partition)
            .push_source(source, rank, batch.clone(), decoded, came);
    }

    /// Queues records of a source whose types are the source's own; each is its own cause.
    pub(crate) fn enqueue_decoded(
        &mut self,
        node: NodeId,
        rank: u32,
        batch: &Arc<RawBatch>,
        mut run: Run,
    ) {
        run.set_causes();
        let decoded = Decoded {
            run,
            bad: Vec::new(),
            times: None,
            rounded: 0,
        };
        let source = self.graph.node(node).name.clone();
        self.input(node, batch.partition)
            .push_source(source, rank, batch.clone(), decoded, 0);
    }

    /// Queues a run that the task of lane `from` sent through exchange `node`.
    pub(crate) fn enqueue_run(&mut self, node: NodeId, from: u16, run: Run, origin: Origin) {
        self.input(node, u32::from(from)).push_exchange(run, origin);
    }

    /// Notes that nothing before `frontier` is still to come from an input.
    pub(crate) fn set_frontier(&mut self, node: NodeId, partition: u32, frontier: Stamp) {
        self.input(node, partition).frontier = frontier;
    }

    /// Notes whether more is known to be there of a partition, so that others wait for it.
    pub(crate) fn set_behind(&mut self, node: NodeId, partition: u32, behind: bool) {
        self.input(node, partition).behind = behind;
    }

    /// Has the task wait for nothing that is not there: neither for what other tasks may still send,
    /// nor for what is still to be read.
    pub(crate) fn release(&mut self) {
        for input in &mut self.inputs {
            input.released = true;
            input.frontier = Stamp::MAX;
        }
    }

    /// Has the task wait again for what other tasks may still send and for what is to be read, after
    /// it was released.
    pub(crate) fn await_again(&mut self) {
        for input in &mut self.inputs {
            input.released = false;
            if matches!(self.graph.node(input.node).kind, Kind::Exchange) {
                input.frontier = Stamp::MIN;
            }
        }
    }

    /// Forgets what waits of a source, and where reading it goes on.
    pub(crate) fn clear_source(&mut self, node: NodeId) {
        self.inputs.retain(|input| input.node != node);
    }

    /// The place up to which a partition was read.
    pub(crate) fn reached(&mut self, node: NodeId, partition: u32) -> Stamp {
        self.input(node, partition).reached()
    }

    /// The partitions of sources of which nothing waits.
    pub(crate) fn processed_sources(&self) -> impl Iterator<Item = (NodeId, u32)> {
        let processed = self.inputs.iter().filter(|input| input.is_empty());
        processed
            .map(|input| (input.node, input.partition))
            .filter(|(id, _)| matches!(self.graph.node(*id).kind, Kind::Source(_)))
    }

    /// True where something waits of a node that records come in through.
    pub(crate) fn waits_for(&self, node: NodeId) -> bool {
        let mut of_node = self.inputs.iter().filter(|input| input.node == node);
        of_node.any(|input| !input.is_empty())
    }

    /// True where something waits that other tasks sent.
    pub(crate) fn has_been_sent(&self) -> bool {
        let mut waiting = self.inputs.iter().filter(|input| !input.is_empty());
        waiting.any(|input| matches!(self.graph.node(input.node).kind, Kind::Exchange))
    }

    /// How many records wait, of all inputs.
    pub(crate) fn waiting(&self) -> usize {
        self.inputs.iter().map(Input::len).sum()
    }

    /// The sources of which something waits.
    pub(crate) fn waiting_sources(&self) -> impl Iterator<Item = NodeId> {
        let waiting = self.inputs.iter().filter(|input| !input.is_empty());
        waiting
            .map(|input| input.node)
            .filter(|id| matches!(self.graph.node(*id).kind, Kind::Source(_)))
    }

    /// Nothing that the task will still send stands before this place.
    pub(crate) fn frontier(&self) -> Stamp {
        self.inputs
            .iter()
            .map(Input::next)
            .min()
            .unwrap_or(Stamp::MAX)
    }
}

#[cold]
fn tell_rounded(facts: &NodeFacts) {
    if facts.stats.may_tell() {
        tracing::warn!(
            node = %facts.name,
            rounded_so_far = facts.stats.rounded(),
            "numbers have more digits behind the point than their columns keep, and are rounded"
        );
    }
}

/// With the policy to stop, nothing behind a record that cannot be read is processed.
fn cut_at_first_bad(bad: &mut Vec<(u32, Error)>, run: &mut Run) {
    if let Some((first, _)) = bad.first() {
        let keep = (0..run.len())
            .take_while(|i| run.cause(*i) < *first)
            .count();
        run.split_off(keep);
        bad.truncate(1);
    }
}
