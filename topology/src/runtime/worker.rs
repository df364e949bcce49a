//! A worker: a thread that reads sources and runs tasks, and stands still with the others to commit.
//!
//! A round is what all workers do together. Nothing is read; what is under way between tasks is
//! processed, level by level; then everybody freezes what changed, and one of them hands it over to
//! be written as one. Processing goes on while it is written.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::intake::{Polled, Reading, ReadingPlan};
use super::outbox;
use super::shared::{
    BACKLOG, Handed, Rewrite, Round, Shared, dependents, is_of_query, panic_message,
};
use crate::connector::{SinkRecord, Waker};
use crate::error::{Error, ErrorKind, Result};
use crate::graph::NodeId;
use crate::processor::in_order;
use crate::run::Stamp;
use crate::store::Commit;
use crate::task::TaskOptions;
use crate::tasks::{Share, TaskSet};

/// How many records a poll takes, at most.
const POLL: usize = 16_384;

/// How many records may wait for sinks before nothing more is read.
const CONGESTION: usize = 200_000;

/// How long a worker with nothing to do waits before it looks again.
const IDLE: Duration = Duration::from_secs(1);

/// How many runs are processed between looks at what else there is to do.
const RUNS: usize = 64;

/// Between commits passes at least so many times what one takes, while a backlog is read.
const COMMIT_SHARE: u32 = 9;

pub(super) struct Worker {
    index: usize,
    shared: Arc<Shared>,
    set: TaskSet,
    readings: Vec<Reading>,
    commits: crossbeam_channel::Sender<Handed>,
    /// What this worker adds to the next commit.
    pending: Commit,
    rounds: u64,
    /// The number of written commits that the stores know of.
    acknowledged: u64,
    next_commit: Instant,
    handed_at: Instant,
    /// Parts of the graph whose streams wait for tables.
    gates: BTreeSet<usize>,
    /// True where too much waited here when it was last looked at.
    was_full: bool,
}

/// Another worker is gone, and there is nobody to go on with.
struct CalledOff;

/// Whether to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    On,
    End,
}

impl Worker {
    pub(super) fn new(
        index: usize,
        shared: &Arc<Shared>,
        commits: &crossbeam_channel::Sender<Handed>,
        plans: Vec<ReadingPlan>,
        gates: BTreeSet<usize>,
    ) -> Result<Self> {
        let mut set = open(index, shared, &Arc::default())?;
        let mut readings = Vec::new();
        for plan in plans {
            let waker = &shared.wakers[index];
            let waits = !plan.bootstrap && !gates.is_disjoint(&plan.components);
            let mut reading = Reading::open(plan, &mut set, shared.options.bounded, waker)?;
            if !waits {
                reading.unknown = true;
                shared.unknown.fetch_add(1, Ordering::AcqRel);
            }
            readings.push(reading);
        }
        Ok(Worker {
            index,
            shared: shared.clone(),
            set,
            readings,
            commits: commits.clone(),
            pending: Commit::default(),
            rounds: 0,
            acknowledged: 0,
            next_commit: Instant::now(),
            handed_at: Instant::now(),
            gates,
            was_full: false,
        })
    }

    fn leads(&self) -> bool {
        self.index == 0
    }

    /// Works until everything ends. Where that is a panic of the engine itself, it ends for all.
    pub(super) fn run(self) {
        let shared = self.shared.clone();
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| self.work())) {
            let message = panic_message(&*panic);
            if panic.is::<CalledOff>() {
                tracing::debug!("a worker ends, as another is gone");
            } else {
                shared.lost(message);
            }
        }
    }

    fn work(mut self) {
        self.set.say_all();
        loop {
            if self.shared.requested.load(Ordering::Acquire) > self.rounds {
                if self.round() == Flow::End {
                    return;
                }
                continue;
            }
            let worked = self.turn();
            if self.leads() && self.wants_round() {
                self.shared.request(self.rounds);
            } else if !worked {
                self.rest();
            }
        }
    }

    /// Reads and processes for a while; true where anything was done.
    fn turn(&mut self) -> bool {
        self.acknowledge();
        let read = self.read();
        // Before every source has said what there is, nobody knows which record comes first.
        let may_work = self.shared.unknown.load(Ordering::Acquire) == 0;
        let worked = self.guard(|worker| {
            let worked = may_work && worker.set.work(Stamp::MAX, RUNS)?;
            worker.set.tick()?;
            Ok(worked)
        });
        let worked = worked.unwrap_or(true) || self.set.has_outputs();
        self.say_backlog();
        if worked || read {
            self.shared.soil();
            self.limit_memory();
        }
        worked || read
    }

    /// Tells the others how much waits here. Where that is much, they may wait for what somebody else
    /// has to read.
    fn say_backlog(&mut self) {
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

    /// Has everybody commit where rows take too much memory here: what is not written cannot be
    /// forgotten. While a commit is being written its rows count as well, and the next one waits.
    fn limit_memory(&mut self) {
        if self.takes_eighths_of_budget(9) && !self.is_writing() {
            self.shared.request(self.rounds);
        }
    }

    /// True where rows take so much memory here that no more are to come before those are known to be written
    /// that the disk is busy with.
    fn waits_for_memory(&mut self) -> bool {
        self.takes_eighths_of_budget(10) && self.is_writing()
    }

    /// True where rows, and what it takes to write them, need more memory than so many eighths of what they may.
    fn takes_eighths_of_budget(&mut self, eighths: usize) -> bool {
        let limit = (self.budget() / 8).saturating_mul(eighths);
        self.set.memory() + self.set.write_memory() > limit
    }

    /// True while a commit is on its way to the disk.
    fn is_writing(&self) -> bool {
        self.shared.status().handed != self.acknowledged
    }

    /// Polls the readers that may be read; true where records came.
    fn read(&mut self) -> bool {
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
    fn source_failed(&mut self, at: usize, message: &str) {
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

    /// True where it is time to commit, or something waits for a round.
    fn wants_round(&self) -> bool {
        let status = self.shared.status();
        if status.fresh || status.fatal.is_some() || self.shared.stopping.load(Ordering::Acquire) {
            return true;
        }
        if status.handed > status.written {
            return false;
        }
        drop(status);
        let news = || {
            let mut outlets = self.shared.outlets.iter().flatten();
            outlets.any(|outlet| outlet.has_news())
        };
        Instant::now() >= self.next_commit && (self.shared.is_dirty() || news())
    }

    fn rest(&self) {
        let timeout = if self.leads() && self.shared.is_dirty() {
            self.next_commit.saturating_duration_since(Instant::now())
        } else {
            IDLE
        };
        let tick = self.set.next_tick().map(|at| {
            let wait = (at - self.shared.options.clock.now()).max(0);
            Duration::from_millis(wait as u64)
        });
        let timeout = tick.map_or(timeout, |tick| tick.min(timeout));
        self.shared.wakers[self.index].wait(timeout.max(Duration::from_millis(1)));
    }

    /// Runs something of the tasks; a failure or a panic is noted, and none is returned.
    fn guard<R>(&mut self, f: impl FnOnce(&mut Worker) -> Result<R>) -> Option<R> {
        let failed = match catch_unwind(AssertUnwindSafe(|| f(self))) {
            Ok(Ok(result)) => return Some(result),
            Ok(Err(e)) if is_of_query(&e) => e.to_string(),
            Ok(Err(e)) => {
                self.shared.fatal(e);
                self.shared.request(self.rounds);
                return None;
            }
            Err(panic) => format!("panicked: {}", panic_message(&*panic)),
        };
        self.work_failed(&failed);
        None
    }

    /// The query of the node that is at work failed.
    fn work_failed(&mut self, message: &str) {
        match self.set.at_work() {
            Some(node) => {
                let query = self.shared.graph.node(node).query.clone();
                self.shared.fail_query(&query, message);
            }
            None => self.shared.fatal(Error::new(ErrorKind::Failed, message)),
        }
        self.shared.request(self.rounds);
    }

    /// Learns that the commit that was handed over last is written.
    fn acknowledge(&mut self) {
        let written = self.shared.status().written;
        if written > self.acknowledged {
            self.acknowledged = written;
            if self.shared.status().fatal.is_none() {
                self.set.committed();
                for reading in &mut self.readings {
                    reading.committed();
                }
                self.shrink();
            }
        }
    }

    fn meet(&self) {
        if !self.shared.meeting.wait() {
            resume_unwind(Box::new(CalledOff));
        }
    }

    fn round(&mut self) -> Flow {
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

    /// Takes what other workers sent, which may have to be decoded.
    fn receive(&mut self) {
        self.guard(|worker| {
            worker.set.receive();
            Ok(())
        });
    }

    fn builders(&self, group: usize) -> Vec<NodeId> {
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

    /// Adds what changed here to the commit, and has the leader hand it over.
    fn commit(&mut self) {
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

    /// Bytes that the rows of this worker may take in memory.
    fn budget(&self) -> usize {
        self.shared.state.rows_budget() / self.shared.workers()
    }

    /// Keeps rows in memory within their budget.
    fn shrink(&mut self) {
        let budget = self.budget();
        if self.set.memory() > budget {
            self.set.evict(budget / 8 * 7);
        }
    }

    /// Lets sources that have caught up share the reader of others that stand where they stand.
    fn merge_readings(&mut self) {
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

    /// Goes back to the last commit, without the queries that failed.
    fn recover(&mut self) -> Flow {
        if self.leads() {
            self.shared.office.clear();
            let graph = self.shared.graph.clone();
            self.shared.change(|status| {
                let failed: BTreeSet<&str> = status.failed.iter().map(|(q, _)| &q[..]).collect();
                status.disabled = Arc::new(dependents(&graph, &failed));
                status.fresh = false;
            });
        }
        self.meet();
        let disabled = self.shared.status().disabled.clone();
        self.pending = Commit::default();
        match self.reopen(&disabled) {
            Ok(()) => self.set.say_all(),
            Err(e) => self
                .shared
                .fatal(e.context("cannot go back to the last commit")),
        }
        self.meet();
        self.shared.soil();
        // Everything may have ended with the queries that failed.
        self.shared.request(self.rounds);
        Flow::On
    }

    fn reopen(&mut self, disabled: &Arc<BTreeSet<NodeId>>) -> Result<()> {
        self.set = open(self.index, &self.shared, disabled)?;
        let shared = self.shared.clone();
        self.readings.retain_mut(|reading| {
            let gone = reading.drop_nodes(disabled);
            if gone && reading.unknown {
                shared.became_known();
            }
            !gone
        });
        for reading in &mut self.readings {
            reading.seek(&shared.graph, &shared.state, &mut self.set)?;
        }
        Ok(())
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

fn open(index: usize, shared: &Arc<Shared>, disabled: &Arc<BTreeSet<NodeId>>) -> Result<TaskSet> {
    let options = TaskOptions {
        clock: shared.options.clock.clone(),
        max_run: shared.options.max_run,
        collapse: shared.options.emit == super::Emit::AtCommit,
        over_topics: false,
        feeders: Arc::default(),
        disabled: disabled.clone(),
    };
    let share = Share::Residue {
        index,
        of: shared.workers(),
    };
    TaskSet::new(
        &shared.graph,
        &shared.plan,
        share,
        &shared.office,
        &shared.state,
        &options,
    )
}

/// The key under which it is remembered that a group of sources is being read again.
pub(super) fn building_key(shared: &Shared, group: usize) -> String {
    let first = shared.plan.rebuilds[group].sources.first();
    let name = first.map_or("", |node| &*shared.graph.node(*node).name);
    format!("rebuild/{name}/")
}
