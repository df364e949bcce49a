//! A worker: a thread that reads sources and runs tasks, and stands still with the others to commit.
//!
//! A round is what all workers do together. Nothing is read; what is under way between tasks is
//! processed, level by level; then everybody freezes what changed, and one of them hands it over to
//! be written as one. Processing goes on while it is written.

mod memory;
mod reading;
mod commit;
mod recovery;
mod round;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::intake::{Reading, ReadingPlan};
use super::shared::{Handed, Shared, is_of_query, panic_message};
use crate::error::{Error, ErrorKind, Result};
use crate::graph::NodeId;
use crate::run::Stamp;
use crate::store::Commit;
use crate::task::TaskOptions;
use crate::tasks::{Share, TaskSet};

/// How long a worker with nothing to do waits before it looks again.
const IDLE: Duration = Duration::from_secs(1);

/// How many runs are processed between looks at what else there is to do.
const RUNS: usize = 64;

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

    /// Takes what other workers sent, which may have to be decoded.
    fn receive(&mut self) {
        self.guard(|worker| {
            worker.set.receive();
            Ok(())
        });
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
