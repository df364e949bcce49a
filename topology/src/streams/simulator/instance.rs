//! A process that runs the application, or does not: its state outlives it.

use std::collections::{BTreeSet, VecDeque};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::cluster::memory::MemoryCluster;
use crate::error::Result;
use crate::graph::Topology;
use crate::store::{Commit, State, StateOptions};
use crate::streams::coordinator::{Coordinator, Phase};
use crate::streams::env::Planted;
use crate::streams::topics::Topics;
use crate::streams::worker::Worker;
use crate::streams::{Application, StreamsConfig, prepare};
use crate::task::Feeders;

type Errand = Box<dyn FnOnce() + Send>;
type Errands = Arc<Mutex<VecDeque<Errand>>>;

/// A place where the application may run.
pub(super) struct Instance {
    pub(super) number: usize,
    state: State,
    pub(super) process: Option<Process>,
}

/// The application at work.
pub(super) struct Process {
    pub(super) app: Application,
    coordinator: Coordinator,
    workers: Vec<Worker>,
    errands: Errands,
    /// Which tasks it has: as after an upgrade, when the one changes to the other.
    pub(super) version: u64,
    /// Until when nothing of it has a turn, by the steps of the run.
    pub(super) paused_until: u64,
    pub(super) closing: bool,
}

impl Instance {
    pub(super) fn new(number: usize) -> Result<Instance> {
        Ok(Instance {
            number,
            state: empty_state(number)?,
            process: None,
        })
    }

    /// Starts the application on the state as it is.
    pub(super) fn start(
        &mut self,
        topology: &Topology,
        cluster: &MemoryCluster,
        config: StreamsConfig,
        version: u64,
        planted: Option<Planted>,
    ) -> Result<()> {
        let cluster = Arc::new(cluster.clone());
        let errands: Errands = Arc::default();
        let later = errands.clone();
        let graph = topology.graph.clone();
        let mut topics = Topics::prepare(&graph, &*cluster, &config)?;
        if planted != Some(Planted::AnyMap) {
            topics.map = format!("version {version}");
        }
        let idle = config.max_task_idle;
        let aside = Arc::new(move |errand| later.lock().unwrap().push_back(errand));
        let state = self.state.clone();
        let mut env = prepare(graph, cluster, topics, &config, state, aside)?;
        env.planted = planted;
        if planted == Some(Planted::GreatestTime) {
            let mut feeders = Feeders::new(env.topics.senders.clone(), idle);
            feeders.takes_greatest = true;
            env.tasks.feeders = Arc::new(feeders);
        }
        let app = Application::of(env, config);
        let (coordinator, workers) = app.join()?;
        self.process = Some(Process {
            app,
            coordinator,
            workers,
            errands,
            version,
            paused_until: 0,
            closing: false,
        });
        Ok(())
    }

    /// Whether a process runs that was not told to end.
    pub(super) fn lives_on(&self) -> bool {
        self.process.as_ref().is_some_and(|p| !p.closing)
    }

    /// Loses everything that the state has.
    pub(super) fn lose_state(&mut self) -> Result<()> {
        self.state = empty_state(self.number)?;
        Ok(())
    }

    /// Loses the rows of a table, and not the places in its changelog that go with them, as no state
    /// may.
    pub(super) fn lose_rows(&mut self) -> Result<()> {
        let mut commit = Commit::default();
        let family = crate::store::store_family("counts");
        for lane in 0..super::query::PARTITIONS as u16 {
            let part = crate::store::Part {
                lane,
                generation: 0,
            };
            commit.clear_part(&family, part);
        }
        self.state.commit(commit, false)
    }
}

impl Process {
    /// Who can have a turn: the coordinator, workers, and what is done beside them.
    pub(super) fn parts(&self) -> usize {
        let errands = self.errands.lock().unwrap().len();
        1 + self.workers.len() + errands.min(1)
    }

    /// A turn of one of the parts; what it was in words.
    pub(super) fn turn(&mut self, part: usize) -> String {
        if part == 0 {
            let goes_on = self.coordinator.turn(Duration::ZERO);
            self.closing |= !goes_on;
            return format!("coordinator, {:?}", self.app.state());
        }
        if let Some(worker) = self.workers.get_mut(part - 1) {
            let shown = format!("worker {} {:?}", part - 1, worker.next);
            if worker.step().is_none() {
                self.workers.remove(part - 1);
                return format!("{shown}: ends");
            }
            return shown;
        }
        let errand = self.errands.lock().unwrap().pop_front();
        if let Some(errand) = errand {
            errand();
        }
        "errand".to_owned()
    }

    /// Its name in the group, and the tasks that it may commit.
    pub(super) fn holds(&self) -> Option<(String, BTreeSet<u16>)> {
        let metadata = self.coordinator.member.metadata()?;
        let lanes = self.coordinator.owners.keys().copied().collect();
        Some((metadata.member().to_owned(), lanes))
    }

    /// Tells the application to end.
    pub(super) fn close(&mut self) {
        self.app.stop.store(true, Ordering::Release);
        self.closing = true;
    }

    pub(super) fn has_ended(&self) -> bool {
        matches!(self.coordinator.phase, Phase::Ended)
    }
}

/// A state that has nothing but a name, which no random number may choose.
fn empty_state(number: usize) -> Result<State> {
    let state = State::bytes_in_memory(StateOptions::default());
    let mut commit = Commit::default();
    commit.put_meta("instance", format!("instance{number}").as_bytes());
    state.commit(commit, false)?;
    Ok(state)
}
