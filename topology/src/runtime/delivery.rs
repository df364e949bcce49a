//! Threads that hand committed output to sinks.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use super::outbox::{self, Delivered};
use super::shared::panic_message;
use crate::connector::{Health, Sink, SinkRecord, SinkStart, SinkWriter, Stats};
use crate::error::{Error, ErrorKind, Result};
use crate::store::{Commit, State};

/// How many records are delivered in one call, at most.
const AT_ONCE: usize = 10_000;

/// The first and the longest time to wait before a sink is tried again.
const RETRY: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(5));

/// A sink of a running topology.
pub(super) struct Outlet {
    pub(super) name: String,
    pub(super) location: String,
    pub(super) stats: Arc<Stats>,
    inner: Mutex<Inner>,
    changed: Condvar,
}

struct Inner {
    /// Committed records that the sink does not have, from number `delivered.count` on.
    waiting: VecDeque<SinkRecord>,
    delivered: Delivered,
    /// The number of the next record that is made.
    next: u64,
    /// What the last commit says of what was delivered.
    noted: Delivered,
    /// The number of the commit that says so, and of the last one that is written.
    noted_in: u64,
    written: u64,
    stopping: bool,
    /// True where the sink was away, and could not be asked what it has.
    unasked: bool,
    failure: Option<Error>,
}

impl Outlet {
    /// Opens a sink, and reads what the state still holds for it.
    pub(super) fn open(
        name: &str,
        sink: &dyn Sink,
        state: &State,
    ) -> Result<(Arc<Outlet>, Box<dyn SinkWriter>)> {
        let stats = Stats::new();
        let mut noted = outbox::read_delivered(state, name)?;
        let (first, records) = outbox::read(state, name)?;
        let mut writer = sink.open(SinkStart {
            name: name.to_owned(),
            memo: noted.memo.clone(),
            stats: stats.clone(),
        })?;
        let (count, away) = match writer.delivered(noted.count) {
            Ok(count) => (count.max(noted.count), None),
            // The numbers of records are known without it where it has taken some of this state.
            Err(e) if noted.memo.is_some() && e.kind() == ErrorKind::Unavailable => {
                (noted.count, Some(e))
            }
            Err(e) => return Err(e),
        };
        if let Some(e) = &away {
            tracing::warn!(sink = %name, "cannot deliver, trying again: {e}");
            stats.set_health(Health::Disconnected(e.to_string()));
        } else if let Some(memo) = writer.prepare()?
            && noted.memo.as_ref() != Some(&memo)
        {
            noted.memo = Some(memo);
            note(state, name, &noted)?;
        }
        let mut waiting: VecDeque<SinkRecord> = records.into();
        let next = if waiting.is_empty() {
            count
        } else {
            first + waiting.len() as u64
        };
        let had = (count.saturating_sub(first) as usize).min(waiting.len());
        waiting.drain(..had);
        let outlet = Outlet {
            name: name.to_owned(),
            location: sink.describe().location,
            stats,
            inner: Mutex::new(Inner {
                waiting,
                delivered: Delivered {
                    count,
                    memo: noted.memo.clone(),
                },
                next,
                noted,
                noted_in: 0,
                written: 0,
                stopping: false,
                unasked: away.is_some(),
                failure: None,
            }),
            changed: Condvar::new(),
        };
        Ok((Arc::new(outlet), writer))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().expect("no panic while locked")
    }

    /// Takes numbers for `count` records that a commit makes; the answer is the first.
    pub(super) fn number(&self, count: usize) -> u64 {
        let mut inner = self.lock();
        let first = inner.next;
        inner.next += count as u64;
        first
    }

    /// Records that were committed.
    pub(super) fn push(&self, records: Vec<SinkRecord>) {
        self.lock().waiting.extend(records);
        self.changed.notify_all();
    }

    /// What the sink has, if the state does not say so yet; commit number `commit` will.
    pub(super) fn news(&self, commit: u64) -> Option<Delivered> {
        let mut inner = self.lock();
        if inner.noted == inner.delivered {
            return None;
        }
        inner.noted = inner.delivered.clone();
        inner.noted_in = commit;
        Some(inner.delivered.clone())
    }

    /// Commit number `commit` is written.
    pub(super) fn written(&self, commit: u64) {
        self.lock().written = commit;
        self.changed.notify_all();
    }

    /// True where the state does not say yet what the sink has.
    pub(super) fn has_news(&self) -> bool {
        let inner = self.lock();
        inner.noted != inner.delivered
    }

    /// The number of committed records that the sink does not have.
    pub(super) fn backlog(&self) -> usize {
        self.lock().waiting.len()
    }

    /// Why the sink stopped, if it has.
    pub(super) fn failure(&self) -> Option<String> {
        self.lock().failure.as_ref().map(ToString::to_string)
    }

    /// Waits until the sink has everything, failed, or the time is over.
    pub(super) fn wait(&self, deadline: Instant) {
        let mut inner = self.lock();
        while !inner.waiting.is_empty() && inner.failure.is_none() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            inner = self
                .changed
                .wait_timeout(inner, left)
                .expect("no panic while locked")
                .0;
        }
    }

    /// Ends the thread; what it has not delivered stays in the state.
    pub(super) fn stop(&self) {
        self.lock().stopping = true;
        self.changed.notify_all();
    }

    /// Delivers until stopped. `told` is called whenever something was delivered or failed.
    pub(super) fn run(&self, mut writer: Box<dyn SinkWriter>, state: &State, told: impl Fn()) {
        let mut pause = RETRY.0;
        if !self.ask(&mut *writer) {
            told();
            return;
        }
        while let Some((first, records)) = self.next_batch() {
            let ready = contained(|| writer.prepare()).and_then(|memo| self.note(memo, state));
            match ready.and_then(|()| contained(|| writer.deliver(first, &records))) {
                Ok(memo) => {
                    pause = RETRY.0;
                    self.stats.set_health(Health::Healthy);
                    self.delivered(first + records.len() as u64, memo, records.len());
                }
                Err(e) if e.kind() == ErrorKind::Unavailable => {
                    self.stats.set_health(Health::Disconnected(e.to_string()));
                    tracing::warn!(sink = %self.name, "cannot deliver, trying again: {e}");
                    self.rest(pause);
                    pause = (pause * 2).min(RETRY.1);
                    if let Ok(count) = writer.delivered(first) {
                        self.skip_to(count);
                    }
                }
                Err(e) => {
                    self.fail(e);
                    told();
                    return;
                }
            }
            told();
        }
    }

    /// Asks a sink that was away what it has, until it answers or the end; false where it refuses.
    fn ask(&self, writer: &mut dyn SinkWriter) -> bool {
        let mut pause = RETRY.0;
        loop {
            let inner = self.lock();
            if !inner.unasked || inner.stopping {
                return true;
            }
            let count = inner.delivered.count;
            drop(inner);
            match contained(|| writer.delivered(count)) {
                Ok(count) => {
                    self.skip_to(count);
                    self.lock().unasked = false;
                    self.stats.set_health(Health::Healthy);
                    tracing::info!(sink = %self.name, "can deliver again");
                    self.changed.notify_all();
                }
                Err(e) if e.kind() == ErrorKind::Unavailable => {
                    self.stats.set_health(Health::Disconnected(e.to_string()));
                    self.rest(pause);
                    pause = (pause * 2).min(RETRY.1);
                }
                Err(e) => {
                    self.fail(e);
                    return false;
                }
            }
        }
    }

    fn fail(&self, e: Error) {
        self.stats.set_health(Health::Failed(e.to_string()));
        self.lock().failure = Some(e.context(format!("sink {}", self.name)));
        self.changed.notify_all();
    }

    /// Has the state remember how a sink was taken, before anything is delivered to it.
    fn note(&self, memo: Option<Vec<u8>>, state: &State) -> Result<()> {
        let mut inner = self.lock();
        if memo.is_none() || inner.delivered.memo == memo {
            return Ok(());
        }
        let before = (inner.delivered.clone(), inner.noted.clone());
        inner.delivered.memo = memo;
        inner.noted = inner.delivered.clone();
        // What a commit that is being written says must not come over it.
        while inner.written < inner.noted_in && !inner.stopping {
            inner = self.changed.wait(inner).expect("no panic while locked");
        }
        let delivered = inner.delivered.clone();
        let noted = if inner.written < inner.noted_in {
            Err(Error::new(ErrorKind::Closed, "the topology was closed"))
        } else {
            drop(inner);
            note(state, &self.name, &delivered)
        };
        noted.map_err(|e| {
            // It is tried again like a sink that is away.
            let mut inner = self.lock();
            (inner.delivered, inner.noted) = before;
            Error::new(ErrorKind::Unavailable, e.to_string())
        })
    }

    fn next_batch(&self) -> Option<(u64, Vec<SinkRecord>)> {
        let mut inner = self.lock();
        loop {
            if inner.stopping {
                return None;
            }
            if !inner.waiting.is_empty() {
                let records = inner.waiting.iter().take(AT_ONCE).cloned().collect();
                return Some((inner.delivered.count, records));
            }
            inner = self.changed.wait(inner).expect("no panic while locked");
        }
    }

    fn delivered(&self, count: u64, memo: Vec<u8>, records: usize) {
        let mut inner = self.lock();
        inner.waiting.drain(..records);
        inner.delivered = Delivered {
            count,
            memo: Some(memo),
        };
        drop(inner);
        self.changed.notify_all();
    }

    /// The sink turned out to have more than was known.
    fn skip_to(&self, count: u64) {
        let mut inner = self.lock();
        let had = count.saturating_sub(inner.delivered.count) as usize;
        let had = had.min(inner.waiting.len());
        inner.waiting.drain(..had);
        inner.delivered.count += had as u64;
    }

    fn rest(&self, pause: Duration) {
        let deadline = Instant::now() + pause;
        let mut inner = self.lock();
        while !inner.stopping {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            inner = self
                .changed
                .wait_timeout(inner, left)
                .expect("no panic while locked")
                .0;
        }
    }
}

/// Writes what a sink has to the state at once.
fn note(state: &State, sink: &str, delivered: &Delivered) -> Result<()> {
    let mut commit = Commit::default();
    outbox::write_delivered(&mut commit, sink, delivered);
    state.commit(commit, true)
}

/// Asks a writer for something; a panic is an error like others that stay.
fn contained<R>(ask: impl FnOnce() -> Result<R>) -> Result<R> {
    let answer = catch_unwind(AssertUnwindSafe(ask));
    answer.unwrap_or_else(|panic| {
        let message = format!("panicked: {}", panic_message(&*panic));
        Err(Error::new(ErrorKind::Failed, message))
    })
}
