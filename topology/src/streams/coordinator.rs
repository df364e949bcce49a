//! The thread that is the process's member of the group: it takes tasks, gives them away, and tells the
//! workers.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use super::env::Env;
use super::status::Status;
use super::worker::{Command, Report};
use crate::cluster::{GroupEvent, Member};
use crate::connector::Waker;
use crate::error::{Error, ErrorKind, Result};

/// How long the group is asked for news at a time.
const POLL: Duration = Duration::from_millis(50);

/// How long workers may take to commit what goes to others, or at the end.
const PATIENCE: Duration = Duration::from_secs(60);

/// A worker, as others see it.
pub(super) struct Hand {
    pub(super) commands: Sender<Command>,
    pub(super) waker: Waker,
}

impl Hand {
    fn tell(&self, command: Command) {
        // A worker that has ended is known by its report.
        let _ = self.commands.send(command);
        self.waker.wake();
    }
}

/// The process's member of the group.
pub(super) struct Coordinator {
    pub(super) env: Arc<Env>,
    pub(super) member: Box<dyn Member>,
    pub(super) hands: Vec<Hand>,
    pub(super) reports: Receiver<Report>,
    pub(super) status: Arc<Status>,
    pub(super) stop: Arc<AtomicBool>,
    /// The worker of each number of tasks.
    pub(super) owners: BTreeMap<u16, usize>,
    /// The worker of each number of tasks that was not given away in order. It gets them again when they
    /// come back: what it still does with them, not having heard of their loss, is done before.
    pub(super) homes: BTreeMap<u16, usize>,
    /// How many workers have ended.
    pub(super) ended: usize,
    pub(super) phase: Phase,
}

/// What a coordinator is about.
pub(super) enum Phase {
    /// It takes tasks, and hears which go to others.
    Taking,
    /// Workers commit what goes to others; the sender of each is gone once it has.
    Revoking {
        lanes: Vec<u16>,
        all: Receiver<()>,
        deadline: Instant,
    },
    /// Workers commit and end.
    Ending(Instant),
    /// It has left the group.
    Ended,
}

impl Coordinator {
    /// Takes part until told to stop, or until something is wrong.
    pub(super) fn run(mut self) {
        while self.turn(POLL) {}
    }

    /// Waits for news for a while, and does what they ask for; false where all is over.
    pub(super) fn turn(&mut self, wait: Duration) -> bool {
        match self.phase {
            Phase::Ended => {}
            Phase::Ending(deadline) => self.await_ends(deadline, wait),
            _ if self.stop.load(Ordering::Acquire) => self.end(),
            _ => {
                if let Err(e) = self.take_part(wait) {
                    tracing::error!("the application ends: {e}");
                    self.status.fail(e.to_string());
                    self.end();
                }
            }
        }
        self.env.standing.is_at_work();
        !matches!(self.phase, Phase::Ended)
    }

    fn take_part(&mut self, wait: Duration) -> Result<()> {
        while let Ok(report) = self.reports.try_recv() {
            self.note(report)?;
        }
        if matches!(self.phase, Phase::Revoking { .. }) {
            return self.await_revoked(wait);
        }
        match self.member.poll(wait)? {
            None => self.env.standing.publish(self.member.metadata()),
            Some(GroupEvent::Assigned(numbers)) => {
                self.env.standing.publish(self.member.metadata());
                self.assign(&lanes(&numbers));
            }
            Some(GroupEvent::Revoked(numbers)) => self.revoke(lanes(&numbers)),
            Some(GroupEvent::Lost(numbers)) => self.lose(&lanes(&numbers)),
        }
        Ok(())
    }

    fn note(&mut self, report: Report) -> Result<()> {
        match report {
            Report::Running(lane) => self.status.runs(lane),
            Report::Restoring(lane, lag) => self.status.restoring(lane, lag),
            Report::Ended(error) => {
                self.ended += 1;
                if let Some(error) = error {
                    return Err(Error::new(ErrorKind::Failed, error));
                }
            }
        }
        Ok(())
    }

    fn assign(&mut self, lanes: &[u16]) {
        self.status.assigned(lanes);
        let mut shares: BTreeMap<usize, Vec<u16>> = BTreeMap::new();
        for lane in lanes {
            let count = |at: &usize| self.owners.values().filter(|owner| *owner == at).count();
            let least = (0..self.hands.len()).min_by_key(count).unwrap_or(0);
            let worker = *self.homes.entry(*lane).or_insert(least);
            self.owners.insert(*lane, worker);
            shares.entry(worker).or_default().push(*lane);
        }
        for (worker, lanes) in shares {
            self.hands[worker].tell(Command::Assign(lanes));
        }
    }

    /// The lanes by the workers that have them, which have them no more.
    fn taken_from(&mut self, lanes: &[u16]) -> BTreeMap<usize, Vec<u16>> {
        self.status.gone(lanes);
        let mut shares: BTreeMap<usize, Vec<u16>> = BTreeMap::new();
        for lane in lanes {
            if let Some(worker) = self.owners.remove(lane) {
                shares.entry(worker).or_default().push(*lane);
            }
        }
        shares
    }

    /// Has workers commit what goes to others.
    fn revoke(&mut self, lanes: Vec<u16>) {
        let (done, all) = channel();
        for (worker, lanes) in self.taken_from(&lanes) {
            for lane in &lanes {
                self.homes.remove(lane);
            }
            self.hands[worker].tell(Command::Revoke(lanes, done.clone()));
        }
        self.phase = Phase::Revoking {
            lanes,
            all,
            deadline: Instant::now() + PATIENCE,
        };
    }

    /// Gives away what goes to others, once workers have committed it.
    fn await_revoked(&mut self, wait: Duration) -> Result<()> {
        let Phase::Revoking {
            lanes,
            all,
            deadline,
        } = &self.phase
        else {
            return Ok(());
        };
        loop {
            match all.recv_timeout(wait) {
                Ok(()) => {}
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) if Instant::now() < *deadline => return Ok(()),
                Err(RecvTimeoutError::Timeout) => {
                    self.env.standing.lose();
                    return Err(Error::new(
                        ErrorKind::Failed,
                        format!(
                            "tasks {lanes:?} were to go to others and could not be stopped within {PATIENCE:?}"
                        ),
                    ));
                }
            }
        }
        self.phase = Phase::Taking;
        self.member.release();
        Ok(())
    }

    fn lose(&mut self, lanes: &[u16]) {
        let losses = self.env.standing.lose();
        tracing::warn!("tasks {lanes:?} went to others, as this process was not heard of in time");
        let mut shares = self.taken_from(lanes);
        for (worker, hand) in self.hands.iter().enumerate() {
            let lanes = shares.remove(&worker).unwrap_or_default();
            hand.tell(Command::Lose(lanes, losses));
        }
    }

    /// Has all workers commit and end.
    fn end(&mut self) {
        self.status.ending();
        for hand in &self.hands {
            hand.tell(Command::Close);
        }
        self.phase = Phase::Ending(Instant::now() + PATIENCE);
    }

    /// Leaves the group once all workers have ended.
    fn await_ends(&mut self, deadline: Instant, wait: Duration) {
        if self.ended < self.hands.len() {
            // The group hears of the member as long as it commits.
            let _ = self.member.poll(Duration::ZERO);
            match self.reports.recv_timeout(wait) {
                Ok(report) => {
                    if let Err(e) = self.note(report) {
                        self.status.fail(e.to_string());
                    }
                    return;
                }
                Err(RecvTimeoutError::Timeout) if Instant::now() < deadline => return,
                Err(_) => self
                    .status
                    .fail(format!("tasks could not be ended within {PATIENCE:?}")),
            }
        }
        self.member.leave();
        self.status.ended();
        self.phase = Phase::Ended;
    }
}

fn lanes(numbers: &[u32]) -> Vec<u16> {
    let numbers = numbers.iter();
    numbers
        .map(|number| u16::try_from(*number).expect("tasks are numbered by 16 bits"))
        .collect()
}
