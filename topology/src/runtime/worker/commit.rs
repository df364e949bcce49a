//! What changed is frozen, and handed over to be written.

use std::sync::atomic::Ordering;
use std::time::Instant;

use super::Worker;
use crate::connector::SinkRecord;
use crate::error::{Error, ErrorKind};
use crate::processor::in_order;
use crate::runtime::outbox;
use crate::runtime::shared::{Handed, Rewrite};

/// How many records may wait for sinks before nothing more is read.
const CONGESTION: usize = 200_000;

/// Between commits passes at least so many times what one takes, while a backlog is read.
const COMMIT_SHARE: u32 = 9;

impl Worker {
    /// Adds what changed here to the commit, and has the leader hand it over.
    pub(super) fn commit(&mut self) {
        let rewrite = self.shared.round().rewrite.clone();
        let begun = Instant::now();
        self.begin_rewrite(&rewrite);
        let positions: Vec<_> = {
            let round = self.shared.round();
            let kept = round.positions.iter();
            kept.filter(|(node, ..)| !rewrite.restart.contains(node))
                .copied()
                .collect()
        };
        let frozen = self.guard(|worker| {
            let Worker {
                set,
                readings,
                pending,
                shared,
                ..
            } = worker;
            set.freeze(pending)?;
            for reading in readings {
                reading.write_positions(&shared.graph, &positions, pending)?;
            }
            Ok(())
        });
        let outputs = self.set.outputs();
        if frozen.is_some() {
            let mut round = self.shared.round();
            round.commit.merge(std::mem::take(&mut self.pending));
            round.outputs.extend(outputs);
            round.frozen = round.frozen.max(begun.elapsed());
        }
        self.gates = self.shared.round().unloaded.clone();
        self.meet();
        if self.leads() {
            self.hand_over();
        }
        self.set.rearm();
        self.set.say_all();
        self.meet();
    }

    fn begin_rewrite(&mut self, rewrite: &Rewrite) {
        if rewrite.restart.is_empty() {
            return;
        }
        self.receive();
        for node in &rewrite.restart {
            self.set.clear_source(*node);
        }
        for at in &rewrite.begin {
            let builders = self.builders(*at);
            self.guard(|worker| {
                let Worker { set, pending, .. } = worker;
                set.for_nodes(&builders, |task, mine| task.begin_generation(mine, pending))
            });
        }
        for at in 0..self.readings.len() {
            if self.readings[at]
                .nodes()
                .any(|node| rewrite.restart.contains(&node))
            {
                let shared = self.shared.clone();
                let restarted =
                    self.readings[at].restart(&shared.graph, &shared.state, &mut self.pending);
                if let Err(e) = restarted {
                    self.source_failed(at, &e.to_string());
                }
            }
        }
    }

    fn hand_over(&mut self) {
        let mut round = self.shared.round();
        let mut commit = std::mem::take(&mut round.commit);
        let mut by_sink: Vec<Vec<SinkRecord>> = Vec::new();
        by_sink.resize_with(self.shared.outlets.len(), Vec::new);
        in_order(&mut round.outputs);
        for output in round.outputs.drain(..) {
            by_sink[output.sink.0 as usize].push(output.record);
        }
        let mut outputs = Vec::new();
        let mut backlog = 0;
        let number = self.shared.status().handed + 1;
        for (sink, records) in by_sink.into_iter().enumerate() {
            let Some(outlet) = &self.shared.outlets[sink] else {
                continue;
            };
            if let Some(delivered) = outlet.news(number) {
                outbox::write_delivered(&mut commit, &outlet.name, &delivered);
            }
            backlog += outlet.backlog() + records.len();
            if !records.is_empty() {
                let first = outlet.number(records.len());
                outbox::write(&mut commit, &outlet.name, first, &records);
                outputs.push((sink, records));
            }
        }
        self.shared
            .congested
            .store(backlog > CONGESTION, Ordering::Release);
        let (frozen, last) = (round.frozen, round.last);
        let any = round.any || !outputs.is_empty() || !commit.is_empty();
        let done = round.open.is_empty() && round.busy.is_empty() && round.finishing.is_empty();
        drop(round);
        self.handed_at = Instant::now();
        if any {
            let sync = last;
            let now = self.shared.options.clock.now();
            self.shared.pulse.last_update.store(now, Ordering::Release);
            self.shared.change(|status| status.handed += 1);
            let handed = Handed {
                commit,
                outputs,
                sync,
            };
            if self.commits.send(handed).is_err() {
                self.shared.fatal(Error::new(
                    ErrorKind::Closed,
                    "nobody writes commits any more",
                ));
            }
        }
        let cost = frozen + self.shared.status().write_time;
        let pause = self.shared.options.commit_interval.max(cost * COMMIT_SHARE);
        self.next_commit = Instant::now() + pause;
        if done {
            self.shared.change(|status| status.finished = true);
        }
    }
}
