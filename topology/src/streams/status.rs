//! What an application says of itself.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use super::membership::Assignment;
use super::progress::{RestoreProgress, Restores};

/// What an application is about, in the words of Kafka Streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StreamsState {
    /// It was not started yet.
    Created,
    /// It joins its group, or takes tasks over.
    Rebalancing,
    /// All tasks that it has run.
    Running,
    /// It was told to end, and commits.
    PendingShutdown,
    /// It has ended as it was told to.
    NotRunning,
    /// It has ended because something was wrong.
    Error,
}

/// Called with the state that was and the one that is.
pub(super) type Listener = Box<dyn Fn(StreamsState, StreamsState) + Send + Sync>;

/// Called with how far a task is that is taken over.
pub(super) type RestoreListener = Box<dyn Fn(RestoreProgress) + Send + Sync>;

/// What is known of an application, told to whoever asks.
pub(super) struct Status {
    now: Mutex<Now>,
    changed: Condvar,
    listeners: Mutex<Vec<Arc<Listener>>>,
    restore_listeners: Mutex<Vec<Arc<RestoreListener>>>,
}

#[derive(Debug)]
struct Now {
    state: StreamsState,
    assigned: BTreeSet<u16>,
    running: BTreeSet<u16>,
    lags: BTreeMap<u16, u64>,
    joined: bool,
    /// How far rows are behind that are kept for others.
    standbys: BTreeMap<u16, u64>,
    restores: Restores,
    /// Who has which tasks, as far as it is known.
    assignment: Option<Arc<Assignment>>,
    error: Option<String>,
    /// What is not there that tasks would need, in words, by task.
    missing: BTreeMap<u16, String>,
    /// Why tasks do not run yet that this instance has.
    waiting: BTreeMap<u16, String>,
}

impl Default for Status {
    fn default() -> Self {
        Status {
            now: Mutex::new(Now {
                state: StreamsState::Created,
                assigned: BTreeSet::new(),
                running: BTreeSet::new(),
                lags: BTreeMap::new(),
                joined: false,
                standbys: BTreeMap::new(),
                restores: Restores::default(),
                assignment: None,
                error: None,
                missing: BTreeMap::new(),
                waiting: BTreeMap::new(),
            }),
            changed: Condvar::new(),
            listeners: Mutex::default(),
            restore_listeners: Mutex::default(),
        }
    }
}

impl Status {
    fn lock(&self) -> MutexGuard<'_, Now> {
        self.now.lock().expect("no panic while locked")
    }

    pub(super) fn state(&self) -> StreamsState {
        self.lock().state
    }

    pub(super) fn error(&self) -> Option<String> {
        self.lock().error.clone()
    }

    pub(super) fn running(&self) -> BTreeSet<u16> {
        self.lock().running.clone()
    }

    pub(super) fn lag(&self) -> u64 {
        self.lock().lags.values().sum()
    }

    pub(super) fn listen(&self, listener: Listener) {
        let mut listeners = self.listeners.lock().expect("no panic while locked");
        listeners.push(Arc::new(listener));
    }

    pub(super) fn listen_to_restores(&self, listener: RestoreListener) {
        let mut listeners = self.restore_listeners.lock();
        let listeners = listeners.as_mut().expect("no panic while locked");
        listeners.push(Arc::new(listener));
    }

    /// The tasks that are taken over.
    pub(super) fn restores(&self) -> Vec<RestoreProgress> {
        self.lock().restores.all()
    }

    /// The tasks of which it is not known yet what they miss.
    pub(super) fn unmeasured(&self) -> BTreeSet<u16> {
        let now = self.lock();
        let known = |lane: &u16| now.running.contains(lane) || now.lags.contains_key(lane);
        now.assigned
            .iter()
            .copied()
            .filter(|lane| !known(lane))
            .collect()
    }

    fn tell_restore(&self, progress: Option<RestoreProgress>) {
        let Some(progress) = progress else {
            return;
        };
        let listeners = self.restore_listeners.lock();
        let listeners = listeners.expect("no panic while locked").clone();
        listeners.iter().for_each(|listener| listener(progress));
    }

    fn change(&self, change: impl FnOnce(&mut Now)) {
        let (before, after) = {
            let mut now = self.lock();
            let before = now.state;
            change(&mut now);
            if matches!(now.state, StreamsState::Rebalancing | StreamsState::Running) {
                now.state = if now.joined && now.running == now.assigned {
                    StreamsState::Running
                } else {
                    StreamsState::Rebalancing
                };
            }
            (before, now.state)
        };
        self.changed.notify_all();
        if before != after {
            let listeners = self
                .listeners
                .lock()
                .expect("no panic while locked")
                .clone();
            listeners
                .iter()
                .for_each(|listener| listener(before, after));
        }
    }

    pub(super) fn started(&self) {
        self.change(|now| now.state = StreamsState::Rebalancing);
    }

    pub(super) fn assigned(&self, lanes: &[u16]) {
        self.change(|now| {
            now.joined = true;
            now.assigned.extend(lanes);
        });
    }

    pub(super) fn gone(&self, lanes: &[u16]) {
        self.change(|now| {
            for lane in lanes {
                now.assigned.remove(lane);
                now.running.remove(lane);
                now.lags.remove(lane);
                now.restores.forget(*lane);
                now.waiting.remove(lane);
            }
        });
    }

    /// The tasks go to others, as the process is no member of the group any more.
    pub(super) fn lost(&self, lanes: &[u16]) {
        self.gone(lanes);
        self.change(|now| now.joined = false);
    }

    /// So many offsets of changelogs are behind of tasks whose rows are kept up to date.
    pub(super) fn keeps(&self, lane: u16, lag: u64) {
        self.change(|now| {
            now.standbys.insert(lane, lag);
        });
    }

    /// Rows of these tasks, and no others, are kept up to date.
    pub(super) fn stands_by(&self, lanes: &BTreeSet<u16>) {
        self.change(|now| now.standbys.retain(|lane, _| lanes.contains(lane)));
    }

    /// The tasks whose rows are kept up to date, with how many offsets they are behind.
    pub(super) fn standbys(&self) -> BTreeMap<u16, u64> {
        self.lock().standbys.clone()
    }

    /// Who has which tasks.
    pub(super) fn knows(&self, assignment: &Assignment) {
        let known = self.assignment().is_some_and(|known| *known == *assignment);
        if !known {
            self.lock().assignment = Some(Arc::new(assignment.clone()));
        }
    }

    /// Who has which tasks, as far as it is known.
    pub(super) fn assignment(&self) -> Option<Arc<Assignment>> {
        self.lock().assignment.clone()
    }

    /// So many offsets are missing of a task before it runs, or it is not known yet how many.
    pub(super) fn restoring(&self, lane: u16, lag: Option<u64>) {
        let mut progress = None;
        self.change(|now| {
            now.running.remove(&lane);
            now.lags.remove(&lane);
            match lag {
                Some(lag) if now.assigned.contains(&lane) => {
                    now.lags.insert(lane, lag);
                    progress = Some(now.restores.note(lane, lag));
                }
                _ => now.restores.forget(lane),
            }
        });
        self.tell_restore(progress);
    }

    pub(super) fn runs(&self, lane: u16) {
        let mut progress = None;
        self.change(|now| {
            now.lags.remove(&lane);
            now.waiting.remove(&lane);
            if now.assigned.contains(&lane) {
                now.running.insert(lane);
                progress = now.restores.end(lane);
            }
        });
        self.tell_restore(progress);
    }

    /// A task cannot run here yet, and why.
    pub(super) fn waits(&self, lane: u16, why: String) {
        let told = self.lock().waiting.insert(lane, why.clone());
        if told.as_ref() != Some(&why) {
            tracing::warn!("tasks {lane} do not run yet: {why}");
        }
    }

    /// What is not there that this instance would need to run tasks.
    pub(super) fn lacks(&self, missing: &BTreeMap<u16, String>) {
        let known = std::mem::replace(&mut self.lock().missing, missing.clone());
        for (lane, what) in missing {
            if known.get(lane) != Some(what) {
                tracing::warn!("tasks {lane} cannot run in this instance: {what}");
            }
        }
    }

    /// The tasks that run nowhere, as far as it is known, and those of this instance that wait; with why.
    pub(super) fn unplaced(&self) -> BTreeMap<u16, String> {
        let now = self.lock();
        let mut unplaced = now.waiting.clone();
        if let (Some(known), true) = (&now.assignment, now.joined) {
            let missing = now.missing.iter();
            let nobodys = missing.filter(|(lane, _)| !known.owners.contains_key(lane));
            unplaced.extend(nobodys.map(|(lane, why)| (*lane, why.clone())));
        }
        unplaced
    }

    pub(super) fn ending(&self) {
        self.change(|now| {
            if now.state != StreamsState::Error {
                now.state = StreamsState::PendingShutdown;
            }
        });
    }

    pub(super) fn fail(&self, error: String) {
        self.change(|now| {
            now.state = StreamsState::Error;
            now.error.get_or_insert(error);
        });
    }

    pub(super) fn ended(&self) {
        self.change(|now| {
            now.running.clear();
            now.assigned.clear();
            if now.state != StreamsState::Error {
                now.state = StreamsState::NotRunning;
            }
        });
    }

    /// Waits until the state is one that `wanted` takes, for so long; true where it is.
    pub(super) fn wait(&self, timeout: Duration, wanted: impl Fn(StreamsState) -> bool) -> bool {
        let deadline = Instant::now() + timeout;
        let mut now = self.lock();
        while !wanted(now.state) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let waited = self.changed.wait_timeout(now, left);
            now = waited.expect("no panic while locked").0;
        }
        true
    }
}
