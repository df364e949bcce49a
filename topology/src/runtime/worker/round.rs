//! A round: all workers stand still, process what is under way between them, and decide what is committed.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use super::{Flow, RUNS, Worker, building_key};
use crate::graph::NodeId;
use crate::runtime::shared::{Rewrite, Round};

impl Worker {
    pub(super) fn round(&mut self) -> Flow {
        self.meet();
        if self.leads() {
            self.shared
                .wait(None, |status| status.written == status.handed);
            self.shared.round().clear();
        }
        self.meet();
        self.acknowledge();
        self.rounds += 1;
        if self.shared.status().fatal.is_some() {
            return self.end();
        }
        self.drain();
        self.meet();
        let (fresh, fatal) = {
            let status = self.shared.status();
            (status.fresh, status.fatal.is_some())
        };
        self.meet();
        if fatal {
            return self.end();
        }
        if fresh {
            return self.recover();
        }
        self.report();
        self.meet();
        if self.leads() {
            self.decide();
        }
        self.meet();
        self.commit();
        self.after_commit()
    }

    /// Processes what is under way, so that all tables reflect the same prefix of the inputs.
    fn drain(&mut self) {
        let finishing = self.shared.round().finishing.clone();
        for at in finishing {
            let builders: Vec<NodeId> = self.builders(at);
            self.guard(|worker| {
                let Worker { set, pending, .. } = worker;
                set.for_nodes(&builders, |task, mine| task.end_generation(mine, pending))
            });
        }
        self.receive();
        {
            let mut round = self.shared.round();
            round.latest = round.latest.max(self.set.latest());
        }
        self.meet();
        let bound = self.shared.round().latest.last_caused();
        self.guard(|worker| {
            while worker.set.work(bound, RUNS)? {}
            Ok(())
        });
        for level in 0..self.set.levels() {
            self.meet();
            self.guard(|worker| worker.set.drain_level(level, bound));
        }
    }

    pub(super) fn builders(&self, group: usize) -> Vec<NodeId> {
        self.shared.plan.rebuilds[group]
            .builders
            .iter()
            .copied()
            .collect()
    }

    /// Tells the others what is read and what is not.
    fn report(&mut self) {
        let mut round = self.shared.round();
        round.positions.extend(self.set.positions());
        round.busy.extend(self.set.waiting_sources());
        for reading in &self.readings {
            round.readings.push(reading.nodes().collect());
            if reading.replaced {
                round.replaced.extend(reading.nodes());
            }
            if !reading.caught_up {
                round.busy.extend(reading.nodes());
            }
            if !reading.ended {
                round.open.extend(reading.nodes());
            }
            if !reading.loaded {
                let nodes: BTreeSet<NodeId> = reading.nodes().collect();
                for component in &reading.plan.components {
                    round.loading.push((*component, nodes.clone()));
                }
            }
        }
    }

    /// Decides, for all, what is done about sources that were read to the end or replaced.
    fn decide(&mut self) {
        let mut round = self.shared.round();
        let finished: Vec<usize> = std::mem::take(&mut round.finishing);
        for at in &finished {
            round.building.remove(at);
        }
        let loading = std::mem::take(&mut round.loading);
        let unloaded = loading
            .iter()
            .filter(|(_, nodes)| !nodes.is_disjoint(&round.busy));
        round.unloaded = unloaded.map(|(component, _)| *component).collect();
        let rewrite = round.plan_rewrite(&self.shared.plan, &self.shared.sources.rereadable);
        self.tell_added(&rewrite);
        round.building.extend(&rewrite.begin);
        let done: Vec<usize> = round
            .building
            .iter()
            .copied()
            .filter(|at| !rewrite.begin.contains(at))
            .filter(|at| {
                self.shared.plan.rebuilds[*at]
                    .sources
                    .is_disjoint(&round.busy)
            })
            .collect();
        if !done.is_empty() {
            // What was built is complete; it is committed now, and compared in a round right behind.
            round.finishing = done;
            self.shared.request(self.rounds);
        }
        for at in finished {
            round.commit.remove_meta(&building_key(&self.shared, at));
        }
        for at in &rewrite.begin {
            round
                .commit
                .put_meta(&building_key(&self.shared, *at), &[1]);
        }
        round.any = self.shared.clean() || rewrite != Rewrite::default();
        round.rewrite = rewrite;
        round.last = self.shared.stopping.load(Ordering::Acquire)
            && round.finishing.is_empty()
            && (self.shared.hurry.load(Ordering::Acquire) || !self.awaits_fed(&round));
    }

    /// Says where rows of replaced content come beside those of the content before, as not all that
    /// their tables are made of can be read again.
    fn tell_added(&self, rewrite: &Rewrite) {
        let rereadable = &self.shared.sources.rereadable;
        let names = |nodes: &mut dyn Iterator<Item = &NodeId>| {
            let names = nodes.map(|id| &*self.shared.graph.node(*id).name);
            names.collect::<Vec<&str>>().join(", ")
        };
        for group in &self.shared.plan.rebuilds {
            let touched = !group.sources.is_disjoint(&rewrite.restart);
            if touched && !group.sources.is_subset(rereadable) && !group.builders.is_empty() {
                let replaced = names(&mut group.sources.intersection(&rewrite.restart));
                let others = names(&mut group.sources.difference(rereadable));
                let built = names(&mut group.builders.iter());
                tracing::warn!(
                    "the content of {replaced} was replaced, and {built} cannot be built anew, since \
                     {others} cannot be read again: the new content is added to the rows that are there"
                );
            }
        }
    }

    /// True where something that was fed is not processed.
    fn awaits_fed(&self, round: &Round) -> bool {
        let fed = &self.shared.sources.fed;
        !fed.is_disjoint(&round.busy) || !fed.is_disjoint(&round.open)
    }

    fn after_commit(&mut self) -> Flow {
        self.shrink();
        self.merge_readings();
        let round = self.shared.round();
        for reading in &mut self.readings {
            let busy = reading.nodes().any(|node| round.busy.contains(&node));
            reading.loaded |= !busy;
        }
        drop(round);
        if self.shared.round().last {
            return self.end();
        }
        Flow::On
    }

    fn end(&mut self) -> Flow {
        self.meet();
        if self.leads() {
            self.shared
                .wait(None, |status| status.written == status.handed);
            self.shared.pulse.running.store(false, Ordering::Release);
            self.shared.change(|status| {
                status.stopped = true;
                status.running = false;
            });
        }
        Flow::End
    }
}
