//! What leaves tasks, and what others are told of how far they have come.

use super::TaskSet;
use super::post::Mail;
use super::share::Share;
use crate::graph::NodeId;
use crate::processor::{Departure, Output};
use crate::run::{Run, Stamp};
use crate::task::Said;

impl TaskSet {
    /// Sends on what left a task, and how far it has come.
    pub(super) fn send(&mut self, at: usize) {
        let from = self.tasks[at].lane;
        let exits = self.tasks[at].exits();
        self.outputs.append(&mut exits.sinks);
        if matches!(self.share, Share::Lane(_)) {
            self.departures.append(&mut exits.exchange);
            return;
        }
        let departures = std::mem::take(&mut exits.exchange);
        for Departure {
            node,
            lane,
            run,
            origin,
        } in departures
        {
            let mail = Mail::Run {
                node: NodeId(node),
                from,
                lane,
                run,
                origin,
            };
            self.post(lane, mail);
        }
        let frontier = self.tasks[at].frontier();
        if frontier != self.said[at] {
            self.said[at] = frontier;
            self.say_frontier(at, frontier);
        }
    }

    fn say_frontier(&mut self, at: usize, frontier: Stamp) {
        let plan = self.plan.clone();
        let part = &plan.parts[self.tasks[at].part];
        let from = self.tasks[at].lane;
        for &node in &part.exits {
            for lane in 0..part.lanes {
                let mail = Mail::Frontier {
                    node,
                    from,
                    lane,
                    frontier,
                };
                self.post(lane, mail);
            }
        }
    }

    /// Says to those that a task feeds what its time is, if anybody goes by it: all know then what is known
    /// of time, as a task of one lane would that has everything.
    pub(super) fn say_time(&mut self, at: usize) {
        let time = self.tasks[at].stream_time();
        let Some(said) = &mut self.said_times else {
            return;
        };
        if std::mem::replace(&mut said[at], time) == time {
            return;
        }
        let plan = self.plan.clone();
        let part = &plan.parts[self.tasks[at].part];
        for &node in &part.exits {
            for lane in 0..part.lanes {
                self.post(lane, Mail::Time { node, lane, time });
            }
        }
    }

    /// Says anew how far every task has come.
    pub(crate) fn say_all(&mut self) {
        for at in 0..self.tasks.len() {
            self.send(at);
        }
    }

    /// Has all tasks wait again for one another, after a drain.
    pub(crate) fn rearm(&mut self) {
        for task in &mut self.tasks {
            task.await_again();
        }
        self.said.fill(Stamp::MIN);
    }

    /// Records that left for sinks since this was asked last; see [`in_order`](crate::processor::in_order).
    pub(crate) fn outputs(&mut self) -> Vec<Output> {
        std::mem::take(&mut self.outputs)
    }

    /// True where records have left for sinks since they were asked for.
    pub(crate) fn has_outputs(&self) -> bool {
        !self.outputs.is_empty()
    }

    /// What left for other tasks through topics since this was asked last: the exchange, and a run.
    pub(crate) fn departures(&mut self) -> impl Iterator<Item = (NodeId, Run)> {
        let departures = std::mem::take(&mut self.departures).into_iter();
        departures.map(|departure| (NodeId(departure.node), departure.run))
    }

    /// What is to be said now to those that are fed through topics, and through which exchange.
    pub(crate) fn times_to_say(&mut self) -> Vec<(NodeId, Said)> {
        let mut all = Vec::new();
        for task in &mut self.tasks {
            let (exits, said) = task.time_to_say();
            all.extend(exits.iter().map(|exit| (*exit, said)));
        }
        all
    }
}
