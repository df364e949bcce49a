//! The time of a task, and what happens when it comes.

use super::Task;
use super::channels::Said;
use crate::error::Result;
use crate::graph::NodeId;
use crate::processor::NextPunctuation;
use crate::run::Origin;
use crate::time::Timestamp;

impl Task {
    /// The time of the task: the greatest timestamp that it processed, or of one that others feed through
    /// topics the least of their times.
    pub(crate) fn stream_time(&self) -> Timestamp {
        self.shared.stream_time
    }

    pub(super) fn next_of(&self, id: NodeId) -> NextPunctuation {
        self.nodes[id.index()]
            .as_ref()
            .and_then(|node| node.processor.as_ref())
            .map(|processor| processor.next_punctuation())
            .unwrap_or_default()
    }

    pub(super) fn next_stream_punctuation(&self) -> Option<Timestamp> {
        self.punctuates
            .iter()
            .filter_map(|id| self.next_of(*id).stream_time)
            .min()
    }

    /// Calls the processors whose time has come.
    pub(crate) fn punctuate(&mut self) -> Result<()> {
        for i in 0..self.punctuates.len() {
            let id = self.punctuates[i];
            let next = self.next_of(id);
            let due = |next: Option<Timestamp>, now: Timestamp| next.is_some_and(|at| at <= now);
            if due(next.stream_time, self.shared.stream_time)
                || due(next.wall_clock, self.shared.now)
            {
                self.with_processor(id, &Origin::Engine, |processor, cx| processor.punctuate(cx))?;
            }
        }
        Ok(())
    }

    /// Lets wall-clock time pass.
    pub(crate) fn tick(&mut self) -> Result<()> {
        self.shared.now = self.options.clock.now();
        if let Some(channels) = &mut self.channels {
            channels.pass(self.shared.now);
            for input in self.inputs.iter().filter(|input| input.is_caught_up()) {
                channels.caught_up(input.node);
            }
            self.shared.stream_time = self.shared.stream_time.max(channels.time());
        }
        self.punctuate()
    }

    /// When wall-clock time next matters.
    pub(crate) fn next_tick(&self) -> Option<Timestamp> {
        self.punctuates
            .iter()
            .filter_map(|id| self.next_of(*id).wall_clock)
            .min()
    }

    /// Notes what the time of a task is that feeds this one in memory. All that it sent was queued before.
    pub(crate) fn hear_time(&mut self, time: Timestamp) {
        self.heard = self.heard.max(time);
    }

    /// Has the time come that was heard: when all that was sent is processed.
    pub(crate) fn go_by_heard_time(&mut self) -> Result<()> {
        if self.heard <= self.shared.stream_time {
            return Ok(());
        }
        self.shared.working = true;
        self.shared.stream_time = self.heard;
        self.punctuate()?;
        self.shared.working = false;
        Ok(())
    }

    /// The time of the task, and the exchanges through which it is to be said now to those that it feeds.
    /// It counts as said.
    pub(crate) fn time_to_say(&mut self) -> (&[NodeId], Said) {
        let said = Said {
            from: self.lane,
            time: self.shared.stream_time,
        };
        let now = self.options.clock.now();
        (self.herald.call(said.time, now), said)
    }
}
