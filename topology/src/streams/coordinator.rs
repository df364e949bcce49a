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
    /// How many workers have ended.
    pub(super) ended: usize,
}

impl Coordinator {
    /// Takes part until told to stop, or until something is wrong.
    pub(super) fn run(mut self) {
        if let Err(e) = self.take_part() {
            tracing::error!("the application ends: {e}");
            self.status.fail(e.to_string());
        }
        self.end();
        self.member.leave();
        self.status.ended();
    }

    fn take_part(&mut self) -> Result<()> {
        while !self.stop.load(Ordering::Acquire) {
            while let Ok(report) = self.reports.try_recv() {
                self.note(report)?;
            }
            let event = self.member.poll(POLL)?;
            match event {
                None => self.env.standing.publish(self.member.metadata()),
                Some(GroupEvent::Assigned(numbers)) => {
                    self.env.standing.publish(self.member.metadata());
                    self.assign(&lanes(&numbers));
                }
                Some(GroupEvent::Revoked(numbers)) => {
                    self.revoke(&lanes(&numbers))?;
                    self.member.release();
                }
                Some(GroupEvent::Lost(numbers)) => self.lose(&lanes(&numbers)),
            }
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
            self.owners.insert(*lane, least);
            shares.entry(least).or_default().push(*lane);
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

    /// Has workers commit what goes to others, and waits until they have.
    fn revoke(&mut self, lanes: &[u16]) -> Result<()> {
        let (done, all) = channel();
        for (worker, lanes) in self.taken_from(lanes) {
            self.hands[worker].tell(Command::Revoke(lanes, done.clone()));
        }
        drop(done);
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match all.recv_timeout(left) {
                Ok(()) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
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
    }

    fn lose(&mut self, lanes: &[u16]) {
        self.env.standing.lose();
        tracing::warn!("tasks {lanes:?} went to others, as this process was not heard of in time");
        for (worker, lanes) in self.taken_from(lanes) {
            self.hands[worker].tell(Command::Lose(lanes));
        }
    }

    /// Has all workers commit and end.
    fn end(&mut self) {
        self.status.ending();
        for hand in &self.hands {
            hand.tell(Command::Close);
        }
        let deadline = Instant::now() + PATIENCE;
        while self.ended < self.hands.len() {
            let left = deadline.saturating_duration_since(Instant::now());
            // The group hears of the member as long as it commits.
            let _ = self.member.poll(Duration::ZERO);
            match self.reports.recv_timeout(POLL.min(left)) {
                Ok(report) => {
                    if let Err(e) = self.note(report) {
                        self.status.fail(e.to_string());
                    }
                }
                Err(RecvTimeoutError::Timeout) if !left.is_zero() => {}
                Err(_) => {
                    self.status
                        .fail(format!("tasks could not be ended within {PATIENCE:?}"));
                    return;
                }
            }
        }
    }
}

fn lanes(numbers: &[u32]) -> Vec<u16> {
    let numbers = numbers.iter();
    numbers
        .map(|number| u16::try_from(*number).expect("tasks are numbered by 16 bits"))
        .collect()
}
