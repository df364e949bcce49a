//! Rows that are brought up to date: those of tasks that are to run here, and of tasks that run elsewhere.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;

use super::env::Env;
use super::local::{self, Reading as LocalReading};
use super::messages::{Command, Report, Stop};
use super::metrics::ReplicaMetrics;
use super::restore::Restore;
use super::standby::{Progress, Standby};
use crate::cluster::{LogReader, TopicPartition};
use crate::connector::{RawBatch, Waker};
use crate::error::{ErrorKind, Result};
use crate::meter::Labels;
use crate::time::Timestamp;

/// How many records are taken from the reader at a time.
const BATCH: usize = 4_096;

/// How long a worker waits before it asks again for what was not to be had.
const AGAIN: Duration = Duration::from_millis(200);

/// How long it waits before it looks again for a file that is not there.
const LOOK: Duration = Duration::from_millis(500);

/// Brings the rows of a worker's tasks up to date.
pub(super) struct Keeper {
    env: Arc<Env>,
    reader: Box<dyn LogReader>,
    restoring: BTreeMap<u16, Restoring>,
    standbys: BTreeMap<u16, Standby>,
    /// Counts questions, so that an answer to an earlier one is known as such.
    questions: u64,
    answers: Sender<Command>,
    reports: Sender<Report>,
    waker: Waker,
    /// Those of the worker.
    labels: Labels,
}

/// How far the taking over of tasks is.
enum Restoring {
    /// The cluster is asked, beside the worker.
    Asking(u64),
    /// To be asked again, so long after this.
    Waiting(Timestamp, Duration),
    Reading(Restore),
    /// The sources that are no topics are opened, beside the worker.
    Opening(u64, Restore),
    Opened(Restore, Vec<LocalReading>),
}

impl Keeper {
    /// Of a worker that takes `answers` among its commands.
    ///
    /// # Errors
    ///
    /// Where nothing can be read from the cluster.
    pub(super) fn new(
        env: &Arc<Env>,
        answers: Sender<Command>,
        reports: Sender<Report>,
        waker: Waker,
        labels: Labels,
    ) -> Result<Self> {
        Ok(Keeper {
            env: env.clone(),
            reader: env.cluster.reader(waker.clone())?,
            restoring: BTreeMap::new(),
            standbys: BTreeMap::new(),
            questions: 0,
            answers,
            reports,
            waker,
            labels,
        })
    }

    /// Tasks are to run here: has someone find out where they go on, as the cluster may take its time.
    pub(super) fn take_over(&mut self, lane: u16) {
        self.questions += 1;
        let asked = self.questions;
        self.restoring.insert(lane, Restoring::Asking(asked));
        // It may have run before: it does not now, and its rows may not be the last ones.
        let _ = self.reports.send(Report::Restoring(lane, None));
        let (env, answer, waker) = (self.env.clone(), self.answers.clone(), self.waker.clone());
        let find = move || {
            let found = Restore::prepare(&env, lane);
            let _ = answer.send(Command::Restore(lane, asked, found));
            waker.wake();
        };
        (self.env.aside)(Box::new(find));
    }

    /// Tasks are to run here, a while from now.
    pub(super) fn take_over_after(&mut self, lane: u16, rest: Duration) {
        let now = self.env.clock.now();
        let _ = self.reports.send(Report::Restoring(lane, None));
        self.restoring.insert(lane, Restoring::Waiting(now, rest));
    }

    /// The tasks that are to run here and do not yet.
    pub(super) fn taken_over(&self) -> Vec<u16> {
        self.restoring.keys().copied().collect()
    }

    /// It was found out where tasks go on.
    ///
    /// # Errors
    ///
    /// Where it was not and never will be, or the state cannot be read or written.
    pub(super) fn restore_from(
        &mut self,
        lane: u16,
        asked: u64,
        found: Result<Restore>,
    ) -> Result<(), Stop> {
        let Some(Restoring::Asking(latest)) = self.restoring.get(&lane) else {
            return Ok(());
        };
        if *latest != asked {
            return Ok(());
        }
        let begun = found.and_then(|mut restore| {
            let metrics = ReplicaMetrics::of_restore(&self.labels, lane);
            let begun = restore.begin(&self.env, &mut *self.reader, metrics);
            if begun.is_err() {
                restore.end(&mut *self.reader);
            }
            begun.map(|()| restore)
        });
        match begun {
            Ok(restore) => {
                let missing = restore.lag();
                tracing::info!(missing, "the rows of tasks {lane} are brought up to date");
                let _ = self.reports.send(Report::Restoring(lane, Some(missing)));
                self.restoring.insert(lane, Restoring::Reading(restore));
            }
            Err(e) if e.kind() == ErrorKind::Unavailable => {
                tracing::warn!("tasks {lane} cannot be taken over yet: {e}");
                let again = Restoring::Waiting(self.env.clock.now(), AGAIN);
                self.restoring.insert(lane, again);
            }
            Err(e) => return Err(Stop::Fatal(e)),
        }
        Ok(())
    }

    /// Has someone open the sources of tasks whose rows are up to date, which may take its time.
    fn open_sources(&mut self, restore: Restore) {
        let lane = restore.lane;
        self.questions += 1;
        let asked = self.questions;
        self.restoring
            .insert(lane, Restoring::Opening(asked, restore));
        let (env, answer, waker) = (self.env.clone(), self.answers.clone(), self.waker.clone());
        (self.env.aside)(Box::new(move || {
            let opened = local::open(&env, lane, &waker);
            let _ = answer.send(Command::Opened(lane, asked, opened));
            waker.wake();
        }));
    }

    /// The sources of tasks were opened.
    ///
    /// # Errors
    ///
    /// Where they were not and never will be.
    pub(super) fn opened(
        &mut self,
        lane: u16,
        asked: u64,
        opened: Result<Vec<LocalReading>>,
    ) -> Result<(), Stop> {
        let restore = match self.restoring.remove(&lane) {
            Some(Restoring::Opening(latest, restore)) if latest == asked => restore,
            other => {
                self.restoring.extend(other.map(|other| (lane, other)));
                return Ok(());
            }
        };
        match opened {
            Ok(readings) => {
                let opened = Restoring::Opened(restore, readings);
                self.restoring.insert(lane, opened);
            }
            Err(e) if e.kind() == ErrorKind::Unavailable => {
                let why = e.to_string();
                let _ = self.reports.send(Report::Waiting(lane, why));
                let again = Restoring::Waiting(self.env.clock.now(), LOOK);
                self.restoring.insert(lane, again);
            }
            Err(e) => return Err(Stop::Fatal(e)),
        }
        Ok(())
    }

    /// Keeps the rows of tasks up to date that run elsewhere.
    pub(super) fn stand_by(&mut self, lane: u16) {
        self.questions += 1;
        self.standbys.insert(lane, Standby::new(self.questions));
        self.ask_for_standby(lane);
    }

    /// Has someone find out what there is to be read of a standby.
    fn ask_for_standby(&mut self, lane: u16) {
        let Some(standby) = self.standbys.get_mut(&lane) else {
            return;
        };
        let find = standby.question(&self.env, lane);
        let asked = standby.number;
        let (answer, waker) = (self.answers.clone(), self.waker.clone());
        (self.env.aside)(Box::new(move || {
            let _ = answer.send(Command::Keep(lane, asked, find()));
            waker.wake();
        }));
    }

    /// It was found out what there is to be read of a standby.
    ///
    /// # Errors
    ///
    /// As those of [`restore_from`](Keeper::restore_from).
    pub(super) fn keep(
        &mut self,
        lane: u16,
        asked: u64,
        found: Result<Progress>,
    ) -> Result<(), Stop> {
        let known = self.standbys.get_mut(&lane);
        let Some(standby) = known.filter(|standby| standby.number == asked) else {
            return Ok(());
        };
        let answered = found.and_then(|progress| {
            let metrics = || ReplicaMetrics::of_standby(&self.labels, lane);
            standby.answer(progress, &self.env, &mut *self.reader, metrics)
        });
        match answered {
            Ok(()) => {}
            Err(e) if e.kind() == ErrorKind::Unavailable => {
                tracing::warn!("how far the rows of tasks {lane} are behind is not told yet: {e}");
                standby.wait(&self.env);
            }
            Err(e) => return Err(Stop::Fatal(e)),
        }
        if let Some(lag) = standby.lag() {
            let _ = self.reports.send(Report::Standby(lane, lag));
        }
        Ok(())
    }

    /// Keeps the rows of tasks up to date no more.
    pub(super) fn end_standbys(&mut self, lanes: &[u16]) {
        for lane in lanes {
            if let Some(standby) = self.standbys.remove(lane) {
                standby.end(&mut *self.reader);
            }
        }
    }

    /// Begins again with a new reader.
    ///
    /// # Errors
    ///
    /// Where nothing can be read from the cluster.
    pub(super) fn renew(&mut self) -> Result<()> {
        self.reader = self.env.cluster.reader(self.waker.clone())?;
        let lanes: Vec<u16> = self.restoring.keys().copied().collect();
        lanes.into_iter().for_each(|lane| self.take_over(lane));
        let kept: Vec<u16> = self.standbys.keys().copied().collect();
        kept.into_iter().for_each(|lane| self.stand_by(lane));
        Ok(())
    }

    /// Tasks are not to run here after all.
    pub(super) fn forget(&mut self, lane: u16) {
        if let Some(Restoring::Reading(restore)) = self.restoring.remove(&lane) {
            restore.end(&mut *self.reader);
        }
    }

    /// Asks for what is to be known, and brings rows up to date; true where anything was read.
    ///
    /// # Errors
    ///
    /// Where the cluster cannot be read for good, or the state cannot be written.
    pub(super) fn turn(&mut self) -> Result<bool, Stop> {
        let waits = |(lane, restoring): (&u16, &Restoring)| match restoring {
            Restoring::Waiting(since, wait) => self.env.has_passed(*wait, *since).then_some(*lane),
            _ => None,
        };
        let again: Vec<u16> = self.restoring.iter().filter_map(waits).collect();
        again.into_iter().for_each(|lane| self.take_over(lane));
        let due = self.standbys.iter();
        let due = due.filter(|(_, standby)| standby.is_due(&self.env));
        let due: Vec<u16> = due.map(|(lane, _)| *lane).collect();
        due.into_iter().for_each(|lane| self.ask_for_standby(lane));
        match self.reader.poll(BATCH) {
            Ok(Some((from, batch))) => self.take_rows(&from, &batch)?,
            Ok(None) => return Ok(false),
            // A changelog was cut back behind where it was read: what the state has of it is looked at anew.
            Err(e) if e.kind() == ErrorKind::NotFound => {
                tracing::warn!("the rows that are brought up to date are begun anew: {e}");
                self.renew()?;
            }
            Err(e) => return Err(e.into()),
        }
        Ok(true)
    }

    /// The tasks whose rows are up to date by now, and which can run, with their sources that are no topics.
    pub(super) fn finished(&mut self) -> Vec<(Restore, Vec<LocalReading>)> {
        let is_done = |restoring: &Restoring| match restoring {
            Restoring::Reading(restore) => restore.is_done(),
            Restoring::Opened(..) => true,
            _ => false,
        };
        let done = self
            .restoring
            .iter()
            .filter(|(_, restoring)| is_done(restoring));
        let done: Vec<u16> = done.map(|(lane, _)| *lane).collect();
        let mut finished = Vec::new();
        for lane in done {
            match self.restoring.remove(&lane) {
                Some(Restoring::Reading(restore)) => {
                    restore.end(&mut *self.reader);
                    if self.env.topics.locals.of_lane(lane).is_empty() {
                        finished.push((restore, Vec::new()));
                    } else {
                        self.open_sources(restore);
                    }
                }
                Some(Restoring::Opened(restore, readings)) => finished.push((restore, readings)),
                _ => {}
            }
        }
        finished
    }

    /// Writes what was read of a changelog.
    fn take_rows(&mut self, from: &TopicPartition, batch: &RawBatch) -> Result<(), Stop> {
        for restoring in self.restoring.values_mut() {
            if let Restoring::Reading(restore) = restoring
                && restore.take(&self.env, from, batch)?
            {
                let lag = restore.lag();
                let _ = self
                    .reports
                    .send(Report::Restoring(restore.lane, Some(lag)));
                return Ok(());
            }
        }
        for (lane, standby) in &mut self.standbys {
            if standby.take(&self.env, from, batch)? {
                if let Some(lag) = standby.lag() {
                    let _ = self.reports.send(Report::Standby(*lane, lag));
                }
                break;
            }
        }
        Ok(())
    }
}
