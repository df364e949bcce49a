//! A worker reads its sources.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;

use super::Worker;
use crate::connector::Waker;
use crate::runtime::intake::Polled;
use crate::runtime::shared::{BACKLOG, panic_message};

/// How many records a poll takes, at most.
const POLL: usize = 16_384;

impl Worker {
    /// Polls the readers that may be read; true where records came.
    pub(super) fn read(&mut self) -> bool {
        if self.shared.is_held() || self.waits_for_memory() {
            return false;
        }
        let mut any = false;
        for at in 0..self.readings.len() {
            let reading = &mut self.readings[at];
            let full = self.shared.is_full_of(&reading.plan.components);
            let awaited = || reading.nodes().any(|node| self.set.holds_back(node));
            if full && !reading.unknown && !awaited() {
                continue;
            }
            if !reading.plan.bootstrap && !self.gates.is_disjoint(&reading.plan.components) {
                continue;
            }
            match self.poll(at) {
                Some(Polled::Something) => any = true,
                Some(Polled::Changed) => self.shared.request(self.rounds),
                Some(Polled::Nothing) | None => {}
            }
        }
        any
    }

    /// Polls a reader; a failure is noted, and none is returned.
    fn poll(&mut self, at: usize) -> Option<Polled> {
        let (reading, set) = (&mut self.readings[at], &mut self.set);
        let polled = catch_unwind(AssertUnwindSafe(|| reading.poll(POLL, set)));
        if std::mem::take(&mut reading.unknown) {
            self.shared.became_known();
        }
        match polled {
            Ok(Ok(polled)) => return Some(polled),
            Ok(Err(e)) => self.source_failed(at, &e.to_string()),
            Err(panic) => {
                let message = format!("panicked: {}", panic_message(&*panic));
                match self.set.at_work() {
                    // What was read could not be decoded for one of those that read it.
                    Some(_) => self.work_failed(&message),
                    None => self.source_failed(at, &message),
                }
            }
        }
        None
    }

    /// A source cannot be read any more: its queries end.
    pub(super) fn source_failed(&mut self, at: usize, message: &str) {
        let graph = self.shared.graph.clone();
        for node in self.readings[at].nodes() {
            let node = graph.node(node);
            self.shared
                .fail_query(&node.query, &format!("source {}: {message}", node.name));
        }
        for node in self.readings[at].nodes() {
            self.set.forget_behind(node);
        }
        self.readings[at].ended = true;
        self.shared.request(self.rounds);
    }

    /// Lets sources that have caught up share the reader of others that stand where they stand.
    pub(super) fn merge_readings(&mut self) {
        let mut at = 1;
        while at < self.readings.len() {
            let same = (0..at).find(|other| self.readings[*other].is_same(&self.readings[at]));
            match same {
                Some(other) => {
                    let joining = self.readings.remove(at);
                    self.readings[other].join(joining);
                }
                None => at += 1,
            }
        }
    }

    /// Tells the others how much waits here. Where that is much, they may wait for what somebody else
    /// has to read.
    pub(super) fn say_backlog(&mut self) {
        let backlog = &self.shared.backlog[self.index];
        let mut full = false;
        for (waits, said) in self.set.waiting().into_iter().zip(backlog) {
            said.store(waits, Ordering::Release);
            full |= waits > BACKLOG;
        }
        let news = std::mem::replace(&mut self.was_full, full) != full;
        // What was read last may be processed elsewhere, by a worker that rests since.
        if ((full || self.shared.is_full()) && self.set.say_processed()) || news {
            self.shared.wakers.iter().for_each(Waker::wake);
        }
    }
}
