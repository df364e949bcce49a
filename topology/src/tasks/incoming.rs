//! What comes in: batches of sources, and what other sets send.

use std::sync::Arc;

use super::TaskSet;
use super::post::Mail;
use crate::connector::RawBatch;
use crate::graph::NodeId;
use crate::run::Run;
use crate::task::{Said, Task};
use crate::time::Timestamp;

impl TaskSet {
    /// The lane of a partition of a source.
    pub(super) fn lane_of(&self, node: NodeId, partition: u32) -> u16 {
        (partition % u32::from(self.lanes[&node])) as u16
    }

    pub(super) fn task_of(&mut self, node: NodeId, lane: u16) -> &mut Task {
        let at = self.entry[&(node, lane)];
        &mut self.tasks[at]
    }

    /// Queues a batch of a source. `rank` orders the partition among all of the process.
    pub(crate) fn enqueue(&mut self, node: NodeId, rank: u32, batch: &Arc<RawBatch>) {
        let lane = self.lane_of(node, batch.partition);
        self.task_of(node, lane).enqueue(node, rank, batch);
    }

    /// Queues records of a source whose types are the source's own.
    pub(crate) fn enqueue_run(&mut self, node: NodeId, rank: u32, batch: &Arc<RawBatch>, run: Run) {
        let lane = self.lane_of(node, batch.partition);
        self.task_of(node, lane)
            .enqueue_decoded(node, rank, batch, run);
    }

    /// Queues a batch of a source, here or at the set that has its task, and notes whether more is
    /// known to be there.
    pub(crate) fn feed(&mut self, node: NodeId, rank: u32, batch: &Arc<RawBatch>, behind: bool) {
        let lane = self.lane_of(node, batch.partition);
        let mail = Mail::Batch {
            node,
            rank,
            batch: batch.clone(),
        };
        let component = self.components[node.index()];
        let horizon = &self.office.horizon;
        horizon.set_waits(component, node, batch.partition);
        // Mail may be taken between the two, and nobody must think then that nothing is to come.
        if behind {
            self.tell_behind(node, batch.partition, true);
            self.post(lane, mail);
        } else {
            self.post(lane, mail);
            self.tell_behind(node, batch.partition, false);
        }
    }

    /// Notes whether more is known to be there of a partition of a source.
    pub(crate) fn tell_behind(&mut self, node: NodeId, partition: u32, behind: bool) {
        let component = self.components[node.index()];
        self.office
            .horizon
            .set_behind(component, node, partition, behind);
        let mail = Mail::Behind {
            node,
            partition,
            behind,
        };
        self.post(self.lane_of(node, partition), mail);
    }

    /// Notes what was said of their time by tasks that feed one of these through a topic, each before the
    /// record of that index in the batch that is fed next.
    pub(crate) fn note_said(&mut self, node: NodeId, partition: u32, said: Vec<(u32, Said)>) {
        let lane = self.lane_of(node, partition);
        self.task_of(node, lane).note_said(node, partition, said);
    }

    /// Goes on behind what an earlier run of the process committed.
    pub(crate) fn resume(&mut self, node: NodeId, partition: u32, reached: Timestamp) {
        let lane = self.lane_of(node, partition);
        if self.share.has(lane) {
            self.task_of(node, lane).resume(node, partition, reached);
            self.say_reached(node, partition);
        }
    }

    /// Forgets what waits of a source, and where reading it goes on.
    pub(crate) fn clear_source(&mut self, node: NodeId) {
        self.forget_behind(node);
        for task in &mut self.tasks {
            task.clear_source(node);
        }
    }

    /// Takes what other sets sent.
    pub(crate) fn receive(&mut self) {
        for mail in self.office.take(self.share.own()) {
            self.deliver(mail);
        }
    }

    fn deliver(&mut self, mail: Mail) {
        match mail {
            Mail::Run {
                node,
                from,
                lane,
                run,
                origin,
            } => self
                .task_of(node, lane)
                .enqueue_run(node, from, run, origin),
            Mail::Frontier {
                node,
                from,
                lane,
                frontier,
            } => self
                .task_of(node, lane)
                .set_frontier(node, u32::from(from), frontier),
            Mail::Time { node, lane, time } => self.task_of(node, lane).hear_time(time),
            Mail::Batch { node, rank, batch } => {
                let lane = self.lane_of(node, batch.partition);
                self.task_of(node, lane).enqueue(node, rank, &batch);
                self.say_reached(node, batch.partition);
            }
            Mail::Behind {
                node,
                partition,
                behind,
            } => {
                let lane = self.lane_of(node, partition);
                self.task_of(node, lane).set_behind(node, partition, behind);
            }
        }
    }

    pub(super) fn post(&mut self, lane: u16, mail: Mail) {
        if self.share.has(lane) {
            self.deliver(mail);
        } else {
            self.office.send(self.share.owner(lane), mail);
        }
    }
}
