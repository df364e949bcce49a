//! What the threads of an embedded topology share.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use crossbeam_channel::RecvTimeoutError;

use super::delivery::Outlet;
use super::meeting::Meeting;
use super::metrics::EmbeddedMetrics;
use super::options::EmbeddedOptions;
use crate::connector::{SinkRecord, Waker};
use crate::error::{Error, ErrorKind, Result};
use crate::graph::{Graph, NodeId, Plan};
use crate::processor::Output;
use crate::query::Pulse;
use crate::run::Stamp;
use crate::store::{Commit, State};
use crate::tasks::PostOffice;
use crate::time::Timestamp;

/// What the threads share.
pub(super) struct Shared {
    pub(super) graph: Arc<Graph>,
    pub(super) plan: Arc<Plan>,
    pub(super) state: State,
    pub(super) options: EmbeddedOptions,
    pub(super) office: Arc<PostOffice>,
    pub(super) wakers: Vec<Waker>,
    pub(super) meeting: Meeting,
    pub(super) outlets: Vec<Option<Arc<Outlet>>>,
    pub(super) pulse: Arc<Pulse>,
    pub(super) sources: Sources,
    /// True where anything changed since the last commit.
    dirty: AtomicBool,
    /// The number of rounds that were asked for.
    pub(super) requested: AtomicU64,
    pub(super) paused: AtomicBool,
    pub(super) stopping: AtomicBool,
    /// True where the end must not wait for what was fed.
    pub(super) hurry: AtomicBool,
    /// True while more output waits than is good, so that nothing more is read.
    pub(super) congested: AtomicBool,
    /// How many readers were not polled yet, so that nobody knows what they will give.
    pub(super) unknown: AtomicU64,
    /// How many records wait, by worker and connected part of the graph.
    pub(super) backlog: Vec<Vec<AtomicU64>>,
    round: Mutex<Round>,
    status: Mutex<Status>,
    changed: Condvar,
}

/// How many records may wait in a connected part of the graph before nothing more is read for it.
pub(super) const BACKLOG: u64 = 65_536;

fn is_full(waiting: &AtomicU64) -> bool {
    waiting.load(Ordering::Acquire) > BACKLOG
}

/// What is special about sources.
pub(super) struct Sources {
    /// Those whose content can be read again from the start.
    pub(super) rereadable: BTreeSet<NodeId>,
    /// Those that the program feeds.
    pub(super) fed: BTreeSet<NodeId>,
}

/// What the workers tell one another while all of them stand still.
pub(super) struct Round {
    pub(super) latest: Stamp,
    pub(super) positions: Vec<(NodeId, u32, i64, Timestamp)>,
    /// Sources of which something is still to be read or processed.
    pub(super) busy: BTreeSet<NodeId>,
    /// Sources that may still give something, whether now or later.
    pub(super) open: BTreeSet<NodeId>,
    /// The sources of each reader.
    pub(super) readings: Vec<BTreeSet<NodeId>>,
    /// Sources whose content was replaced.
    pub(super) replaced: BTreeSet<NodeId>,
    /// Tables that streams wait for: the part of the graph, and the sources.
    pub(super) loading: Vec<(usize, BTreeSet<NodeId>)>,
    /// Parts of the graph with tables that are not loaded yet.
    pub(super) unloaded: BTreeSet<usize>,
    pub(super) commit: Commit,
    pub(super) outputs: Vec<Output>,
    /// Groups of sources that are being read again from the start.
    pub(super) building: BTreeSet<usize>,
    /// Groups whose new state takes the place of the former in this round.
    pub(super) finishing: Vec<usize>,
    pub(super) rewrite: Rewrite,
    pub(super) frozen: Duration,
    /// True where the commit that is being made has anything to say.
    pub(super) any: bool,
    /// True where this is the last round.
    pub(super) last: bool,
}

/// What is done about sources whose content was replaced.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Rewrite {
    /// Groups whose state is built anew.
    pub(super) begin: Vec<usize>,
    /// Sources that are read again.
    pub(super) restart: BTreeSet<NodeId>,
}

/// How the process is, for those who wait.
#[derive(Default)]
pub(super) struct Status {
    /// The number of commits that were handed over for writing, and that are written.
    pub(super) handed: u64,
    pub(super) written: u64,
    /// How long the last commit took to write.
    pub(super) write_time: Duration,
    /// The end of everything.
    pub(super) fatal: Option<Error>,
    /// Queries that failed, with what they said.
    pub(super) failed: Vec<(String, String)>,
    /// Failures that were not acted upon yet.
    pub(super) fresh: bool,
    /// Nodes that are given nothing any more.
    pub(super) disabled: Arc<BTreeSet<NodeId>>,
    /// True when every source has ended and everything is committed.
    pub(super) finished: bool,
    pub(super) stopped: bool,
    pub(super) running: bool,
}

impl Shared {
    pub(super) fn new(
        graph: Arc<Graph>,
        plan: Arc<Plan>,
        state: State,
        options: EmbeddedOptions,
        outlets: Vec<Option<Arc<Outlet>>>,
        sources: Sources,
    ) -> Self {
        let workers = usize::from(options.workers.min(plan.lanes));
        let wakers: Vec<Waker> = (0..workers).map(|_| Waker::new()).collect();
        Shared {
            office: PostOffice::new(wakers.clone()),
            wakers,
            meeting: Meeting::new(workers),
            outlets,
            pulse: Arc::default(),
            sources,
            dirty: AtomicBool::new(true),
            requested: AtomicU64::new(0),
            paused: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
            hurry: AtomicBool::new(false),
            congested: AtomicBool::new(false),
            unknown: AtomicU64::new(0),
            backlog: (0..workers)
                .map(|_| (0..graph.nodes.len()).map(|_| AtomicU64::new(0)).collect())
                .collect(),
            round: Mutex::new(Round::new()),
            status: Mutex::default(),
            changed: Condvar::new(),
            graph,
            plan,
            state,
            options,
        }
    }

    pub(super) fn workers(&self) -> usize {
        self.wakers.len()
    }

    /// True where so many records wait in some part of the graph that it should be given no more.
    pub(super) fn is_full(&self) -> bool {
        self.backlog.iter().flatten().any(is_full)
    }

    /// The same of some parts of the graph.
    pub(super) fn is_full_of(&self, components: &BTreeSet<usize>) -> bool {
        let mut workers = self.backlog.iter();
        workers.any(|backlog| components.iter().any(|at| is_full(&backlog[*at])))
    }

    pub(super) fn round(&self) -> MutexGuard<'_, Round> {
        self.round.lock().expect("no panic while locked")
    }

    pub(super) fn status(&self) -> MutexGuard<'_, Status> {
        self.status.lock().expect("no panic while locked")
    }

    /// Changes the status and tells who waits.
    pub(super) fn change<R>(&self, change: impl FnOnce(&mut Status) -> R) -> R {
        let result = change(&mut self.status());
        self.changed.notify_all();
        result
    }

    /// Waits until the status is as wanted; false where the time is over first.
    pub(super) fn wait(&self, deadline: Option<Instant>, wanted: impl Fn(&Status) -> bool) -> bool {
        let mut status = self.status();
        while !wanted(&status) {
            match deadline {
                None => status = self.changed.wait(status).expect("no panic while locked"),
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return false;
                    }
                    let waited = self.changed.wait_timeout(status, left);
                    status = waited.expect("no panic while locked").0;
                }
            }
        }
        true
    }

    /// Asks all workers to stand still for a round; `done` is the number of rounds that were.
    pub(super) fn request(&self, done: u64) {
        self.requested.fetch_max(done + 1, Ordering::AcqRel);
        self.wake_all();
    }

    pub(super) fn wake_all(&self) {
        for waker in &self.wakers {
            waker.wake();
        }
    }

    /// Notes that something changed, and tells the leader if it does not know.
    pub(super) fn soil(&self) {
        if !self.dirty.swap(true, Ordering::AcqRel) {
            self.wakers[0].wake();
        }
    }

    pub(super) fn is_dirty(&self) -> bool {
        self.dirty.load(Ordering::Acquire)
    }

    /// Everything that changed is about to be committed; true where anything had.
    pub(super) fn clean(&self) -> bool {
        self.dirty.swap(false, Ordering::AcqRel)
    }

    /// Ends everything.
    pub(super) fn fatal(&self, error: Error) {
        self.change(|status| {
            if status.fatal.is_none() {
                status.fatal = Some(error);
            }
        });
    }

    /// A query failed: it is to be stopped at the next round.
    pub(super) fn fail_query(&self, query: &str, message: &str) {
        tracing::error!(query, "the query failed: {message}");
        self.change(|status| {
            if status.failed.iter().all(|(failed, _)| failed != query) {
                status.failed.push((query.to_owned(), message.to_owned()));
            }
            status.fresh = true;
        });
    }

    /// True where nothing is read for now.
    pub(super) fn is_held(&self) -> bool {
        // What was fed would be lost if the end did not wait for it, and it may wait for other sources.
        let fed = !self.sources.fed.is_empty() && !self.hurry.load(Ordering::Acquire);
        let paused = if self.stopping.load(Ordering::Acquire) {
            !fed
        } else {
            self.paused.load(Ordering::Acquire)
        };
        paused || self.congested.load(Ordering::Acquire)
    }

    /// A reader was polled for the first time.
    pub(super) fn became_known(&self) {
        if self.unknown.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.wake_all();
        }
    }

    /// A worker is gone: everything ends.
    pub(super) fn lost(&self, message: &str) {
        self.fatal(Error::new(
            ErrorKind::Failed,
            format!("a worker panicked: {message}"),
        ));
        self.meeting.call_off();
        self.pulse.running.store(false, Ordering::Release);
        self.change(|status| {
            status.stopped = true;
            status.running = false;
        });
    }

    /// The error that ended everything.
    pub(super) fn fatal_error(&self) -> Result<()> {
        match &self.status().fatal {
            Some(error) => Err(Error::new(error.kind(), error.to_string())),
            None => Ok(()),
        }
    }

    /// A commit is written, or cannot be.
    fn written(&self, change: impl FnOnce(&mut Status)) {
        let written = self.change(|status| {
            change(status);
            status.written += 1;
            status.written
        });
        for outlet in self.outlets.iter().flatten() {
            outlet.written(written);
        }
    }

    /// Writes the commits that are handed over until the sender is gone; in between it tells how things are.
    pub(super) fn write_commits(
        &self,
        commits: &crossbeam_channel::Receiver<Handed>,
        mut metrics: EmbeddedMetrics,
    ) {
        let mut synced = Instant::now();
        loop {
            match commits.recv_timeout(metrics.until_due()) {
                Ok(handed) => self.write_commit(handed, &mut synced),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            metrics.tell_if_due(&self.state);
        }
        metrics.tell(&self.state);
    }

    fn write_commit(&self, handed: Handed, synced: &mut Instant) {
        let started = Instant::now();
        let overdue = started.duration_since(*synced) >= SYNC_EVERY;
        let sync = !handed.outputs.is_empty() || handed.sync || overdue;
        let Handed {
            commit, outputs, ..
        } = handed;
        let write = || self.state.commit(commit, sync);
        let written = catch_unwind(AssertUnwindSafe(write)).unwrap_or_else(|panic| {
            let message = format!("panicked: {}", panic_message(&*panic));
            Err(Error::new(ErrorKind::Storage, message))
        });
        match written {
            Ok(()) => {
                if sync {
                    *synced = Instant::now();
                }
                for (sink, records) in outputs {
                    if let Some(Some(outlet)) = self.outlets.get(sink) {
                        outlet.push(records);
                    }
                }
                self.written(|status| status.write_time = started.elapsed());
            }
            Err(e) => {
                self.written(|_| {});
                self.fatal(e.context("cannot commit; what was committed before is safe"));
            }
        }
        self.wake_all();
    }
}

/// The longest time that a commit may lie in the machine's memory alone.
const SYNC_EVERY: Duration = Duration::from_secs(1);

/// A commit that is to be written.
pub(super) struct Handed {
    pub(super) commit: Commit,
    /// Records for each sink, to be delivered once the commit is written.
    pub(super) outputs: Vec<(usize, Vec<SinkRecord>)>,
    pub(super) sync: bool,
}

impl Round {
    fn new() -> Self {
        Round {
            latest: Stamp::MIN,
            positions: Vec::new(),
            busy: BTreeSet::new(),
            open: BTreeSet::new(),
            readings: Vec::new(),
            replaced: BTreeSet::new(),
            loading: Vec::new(),
            unloaded: BTreeSet::new(),
            commit: Commit::default(),
            outputs: Vec::new(),
            building: BTreeSet::new(),
            finishing: Vec::new(),
            rewrite: Rewrite::default(),
            frozen: Duration::ZERO,
            any: false,
            last: false,
        }
    }

    /// Forgets what was told in the round before; what is being built stays.
    pub(super) fn clear(&mut self) {
        let building = std::mem::take(&mut self.building);
        let finishing = std::mem::take(&mut self.finishing);
        *self = Round {
            building,
            finishing,
            ..Round::new()
        };
    }

    /// What is to be done about sources whose content was replaced: everything that is built from any
    /// of them is built anew, from all of its sources, and so on.
    pub(super) fn plan_rewrite(&self, plan: &Plan, rereadable: &BTreeSet<NodeId>) -> Rewrite {
        let mut rewrite = Rewrite {
            begin: Vec::new(),
            restart: self.replaced.clone(),
        };
        loop {
            let before = rewrite.clone();
            for reading in &self.readings {
                if !reading.is_disjoint(&rewrite.restart) {
                    rewrite.restart.extend(reading);
                }
            }
            for (at, group) in plan.rebuilds.iter().enumerate() {
                let whole = group.sources.is_subset(rereadable);
                let touched = !group.sources.is_disjoint(&rewrite.restart);
                if touched && whole && !group.builders.is_empty() && !rewrite.begin.contains(&at) {
                    rewrite.begin.push(at);
                    rewrite.restart.extend(&group.sources);
                }
            }
            if rewrite == before {
                return rewrite;
            }
        }
    }
}

/// Queries that cannot go on when these fail: their nodes, and all that depend on them.
pub(super) fn dependents(graph: &Graph, queries: &BTreeSet<&str>) -> BTreeSet<NodeId> {
    let mut gone: BTreeSet<NodeId> = BTreeSet::new();
    let failed = |id: &NodeId| queries.contains(&*graph.node(*id).query);
    let mut open: Vec<NodeId> = graph.ids().filter(failed).collect();
    while let Some(at) = open.pop() {
        if !gone.insert(at) {
            continue;
        }
        open.extend(graph.children[at.index()].iter().map(|(child, _)| *child));
        for store in &graph.node(at).writes {
            let readers = graph
                .ids()
                .filter(|id| graph.node(*id).reads.contains(store));
            open.extend(readers);
        }
    }
    gone
}

/// True where an error is that of a query and not of the process.
pub(super) fn is_of_query(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Failed | ErrorKind::BadRecord | ErrorKind::Invalid
    )
}

/// What a panic said.
pub(super) fn panic_message(panic: &(dyn std::any::Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without a message")
}
