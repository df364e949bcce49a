//! A thread that runs tasks: reads their inputs, has them work, and commits.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, Sender, TryRecvError};
use std::time::{Duration, Instant};

use super::changelog;
use super::column::Column;
use super::config::StreamThreadExceptionResponse;
use super::env::Env;
use super::epochs::{Asking, Leaders};
use super::keeper::Keeper;
use super::local::Loaded;
use super::mark::Mark;
use super::messages::{Command, Report, Stop};
use super::metrics::ThreadMetrics;
use super::pace::Pace;
use super::remembered;
use super::transaction::Transaction;
use crate::cluster::{LogReader, TopicPartition, TransactionError};
use crate::connector::Waker;
use crate::error::{Error, ErrorKind, Result};
use crate::meter;
use crate::store::{Commit, FamilyWrites};
use crate::time::Timestamp;

/// How many records are taken from the reader at a time.
const BATCH: usize = 4_096;

/// How many records wait at most until no more are read.
const BACKLOG: u64 = 65_536;

/// The longest time for which a worker sleeps.
const SLEEP: Duration = Duration::from_millis(100);

/// How often processed records of repartition topics are deleted.
const PURGE: Duration = Duration::from_secs(30);

/// How many runs tasks take at most before others have their turn.
const RUNS: usize = 128;

/// How long a thread waits at first, and at most, until it begins again after a panic.
const REST: Duration = Duration::from_millis(100);
const LONG_REST: Duration = Duration::from_secs(30);

/// A thread that runs tasks.
pub(super) struct Worker {
    env: Arc<Env>,
    commands: Receiver<Command>,
    reports: Sender<Report>,
    /// For those that work for this thread beside it.
    answers: Sender<Command>,
    waker: Waker,
    reader: Box<dyn LogReader>,
    keeper: Keeper,
    metrics: ThreadMetrics,
    transaction: Transaction,
    columns: BTreeMap<u16, Column>,
    last_commit: Timestamp,
    last_refresh: Timestamp,
    commit_interval: Duration,
    refresh_interval: Duration,
    closing: bool,
    last_purge: Timestamp,
    /// When it asks for the leaders of its changelogs.
    asking: Asking,
    /// When others were told last how its tasks are.
    told_metrics: Timestamp,
    /// What is done next.
    pub(super) next: Step,
    /// True where records wait and none of them may be processed before others are read.
    stalled: bool,
    pace: Pace,
    /// True since it has committed what it did before a pause.
    paused: bool,
    /// Whose tasks are at work.
    at_work: Option<u16>,
    /// The last panic.
    panic: Option<Panic>,
}

/// A panic of a function: with whose tasks at work, and what of their input was committed then.
struct Panic {
    lane: Option<u16>,
    committed: Vec<(TopicPartition, i64)>,
    /// How often that was so in a row.
    times: u32,
}

/// What a worker does in a turn, one after the other. In between others have theirs: it may lose tasks
/// that it works at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Obey,
    Restore,
    Read,
    Process,
    Commit,
}

impl Step {
    fn next(self) -> Step {
        match self {
            Step::Obey => Step::Restore,
            Step::Restore => Step::Read,
            Step::Read => Step::Process,
            Step::Process => Step::Commit,
            Step::Commit => Step::Obey,
        }
    }
}

/// How a worker is made.
pub(super) struct WorkerOptions {
    pub(super) number: u16,
    pub(super) commit_interval: Duration,
    pub(super) max_run: usize,
    pub(super) refresh_interval: Duration,
    pub(super) waker: Waker,
}

impl Worker {
    pub(super) fn new(
        env: &Arc<Env>,
        options: WorkerOptions,
        commands: (Sender<Command>, Receiver<Command>),
        reports: Sender<Report>,
    ) -> Result<Self> {
        let id = transactional_id(env, options.number);
        let mut transaction = Transaction::new(env.clone(), id);
        transaction.take_over()?;
        let metrics = ThreadMetrics::new(env, options.number);
        let (answers, waker) = (commands.0.clone(), options.waker.clone());
        let labels = metrics.labels.clone();
        Ok(Worker {
            reader: env.cluster.reader(options.waker.clone())?,
            metrics,
            answers: commands.0,
            keeper: Keeper::new(env, answers, reports.clone(), waker, labels)?,
            transaction,
            env: env.clone(),
            commands: commands.1,
            reports,
            waker: options.waker,
            columns: BTreeMap::new(),
            last_commit: env.clock.now(),
            last_refresh: env.clock.now(),
            commit_interval: options.commit_interval,
            refresh_interval: options.refresh_interval,
            closing: false,
            next: Step::Obey,
            stalled: false,
            pace: Pace::new(options.max_run),
            paused: false,
            at_work: None,
            panic: None,
            last_purge: env.clock.now(),
            asking: Asking::new(),
            told_metrics: env.clock.now(),
        })
    }

    /// Works until told to end, or until something is wrong that stays wrong.
    pub(super) fn run(mut self) {
        let mut busy = false;
        while let Some(more) = self.step() {
            busy |= more;
            if self.next == Step::Obey {
                if !busy {
                    self.waker.wait(self.until_next());
                }
                busy = false;
            }
        }
    }

    /// Does one of the steps of a turn: whether there may be more to do; none where the worker has ended,
    /// which it has reported.
    pub(super) fn step(&mut self) -> Option<bool> {
        let done = catch_unwind(AssertUnwindSafe(|| self.attempt()));
        let error = match done {
            Ok(Ok(busy)) if !self.closing => return Some(busy),
            Ok(Ok(_)) => None,
            Ok(Err(e)) => Some(e.to_string()),
            Err(panic) => {
                let why = format!("a function of the topology panicked: {}", words(&*panic));
                match self.env.on_uncaught {
                    StreamThreadExceptionResponse::ShutdownClient => Some(why),
                    StreamThreadExceptionResponse::ShutdownApplication => {
                        let _ = self.reports.send(Report::EndAll(why.clone()));
                        Some(why)
                    }
                    StreamThreadExceptionResponse::ReplaceThread => match self.replace(&why) {
                        Ok(()) => return Some(true),
                        Err(e) => Some(format!("{why}; the thread cannot begin again: {e}")),
                    },
                }
            }
        };
        if error.is_some() {
            // Nobody waits for what it would never have finished.
            let _ = self.transaction.abort();
        }
        let _ = self.reports.send(Report::Ended(error));
        None
    }

    /// Counts a panic; how often in a row the same tasks panicked at the same input.
    fn count_panic(&mut self) -> u32 {
        let lane = self.at_work.take();
        let column = lane.and_then(|lane| self.columns.get(&lane));
        let committed = column.into_iter().flat_map(Column::committed_offsets);
        let committed = committed.map(|(of, offset)| (of.clone(), offset)).collect();
        let before = self.panic.take();
        let again = before.filter(|before| before.lane == lane && before.committed == committed);
        let times = again.map_or(1, |before| before.times.saturating_add(1));
        self.panic = Some(Panic {
            lane,
            committed,
            times,
        });
        times
    }

    /// Begins again after a panic, with nothing of what was there but the tasks: they are taken over from
    /// oneself, after a rest that is longer each time at the same place.
    fn replace(&mut self, why: &str) -> Result<()> {
        let doublings = (self.count_panic() - 1).min(16);
        let rest = REST.saturating_mul(1 << doublings).min(LONG_REST);
        tracing::error!("{why}; its thread begins again from the last commit after {rest:?}");
        if let Err(TransactionError::Fatal(e)) = self.transaction.abort() {
            return Err(e);
        }
        let mut lanes: Vec<u16> = self.columns.keys().copied().collect();
        lanes.extend(self.keeper.taken_over());
        self.drop_lanes(&lanes);
        self.reader = self.env.cluster.reader(self.waker.clone())?;
        self.keeper.renew()?;
        self.next = Step::Obey;
        self.paused = false;
        for lane in lanes {
            self.keeper.take_over_after(lane, rest);
        }
        Ok(())
    }

    /// Does the next step; where it cannot be done, what was done since the last commit is done again.
    fn attempt(&mut self) -> Result<bool> {
        let step = self.next;
        self.next = step.next();
        let done = match step {
            Step::Obey => self.obey(),
            Step::Restore => self.restore(),
            Step::Read | Step::Process if self.is_paused() => self.pause(),
            Step::Read => self.read(),
            Step::Process => self.process(),
            Step::Commit => {
                self.tell_if_due();
                self.ask_for_leaders();
                self.commit_if_due()
            }
        };
        match done {
            Ok(busy) => Ok(busy),
            Err(Stop::Fatal(e)) => Err(e),
            Err(Stop::Again(e)) => {
                self.next = Step::Obey;
                self.begin_again(&e)?;
                Ok(true)
            }
        }
    }

    /// How long there is nothing to do, if nobody calls.
    fn until_next(&self) -> Duration {
        let now = self.env.clock.now();
        let since = Duration::from_millis(u64::try_from(now - self.last_commit).unwrap_or(0));
        let commit = self.commit_interval.saturating_sub(since);
        let ticks = self.columns.values().filter_map(Column::next_tick);
        let tick = ticks.min().map_or(SLEEP, |at| {
            Duration::from_millis(u64::try_from(at - now).unwrap_or(0))
        });
        SLEEP.min(commit.max(Duration::from_millis(1))).min(tick)
    }

    fn is_paused(&mut self) -> bool {
        let paused = self.env.paused.load(Ordering::Acquire);
        self.paused &= paused;
        paused
    }

    /// Commits what was done, once, and does nothing more.
    fn pause(&mut self) -> Result<bool, Stop> {
        if !self.paused {
            self.commit()?;
            self.paused = true;
        }
        Ok(false)
    }

    /// Passes on how its tasks are, now and then.
    fn tell_if_due(&mut self) {
        if self.env.has_passed(meter::EVERY, self.told_metrics) {
            self.told_metrics = self.env.clock.now();
            for column in self.columns.values_mut() {
                column.tell(&self.env, &*self.reader);
            }
        }
    }

    /// Has someone find out who leads the changelogs that were written to, now and then.
    fn ask_for_leaders(&mut self) {
        if !self.asking.begins(&self.env) {
            return;
        }
        let lanes: Vec<u16> = self.columns.keys().copied().collect();
        let (env, answer, waker) = (self.env.clone(), self.answers.clone(), self.waker.clone());
        (self.env.aside)(Box::new(move || {
            let _ = answer.send(Command::Led(Leaders::ask(&env, &lanes)));
            waker.wake();
        }));
    }

    /// Notes whose logs its changelogs are. Where records were cut off that its rows are of, these are read again.
    fn hear_of_leaders(&mut self, leaders: Result<Leaders>) -> Result<(), Stop> {
        self.asking.ends();
        let leaders = match leaders {
            Ok(leaders) => leaders,
            // It is asked again after the next commit.
            Err(e) => {
                tracing::debug!("who leads the changelogs is not told: {e}");
                self.asking.want();
                return Ok(());
            }
        };
        let columns = &self.columns;
        let is_own = |of: &TopicPartition| {
            u16::try_from(of.partition).is_ok_and(|lane| columns.contains_key(&lane))
        };
        match leaders.note(&self.env, is_own)? {
            None => Ok(()),
            Some(lost) => Err(Stop::Again(Error::new(ErrorKind::Unavailable, lost))),
        }
    }

    fn commit_if_due(&mut self) -> Result<bool, Stop> {
        let due = self.env.has_passed(self.commit_interval, self.last_commit);
        let full = self.transaction.is_full();
        if due || full {
            self.commit()?;
        }
        Ok(full)
    }

    fn obey(&mut self) -> Result<bool, Stop> {
        let mut any = false;
        loop {
            let command = match self.commands.try_recv() {
                Ok(command) => command,
                Err(TryRecvError::Empty) => return Ok(any),
                Err(TryRecvError::Disconnected) => Command::Close,
            };
            any = true;
            match command {
                Command::Assign(lanes) => {
                    self.keeper.end_standbys(&lanes);
                    lanes
                        .into_iter()
                        .for_each(|lane| self.keeper.take_over(lane));
                }
                Command::Standby(lanes) => {
                    lanes
                        .into_iter()
                        .for_each(|lane| self.keeper.stand_by(lane));
                }
                Command::Keep(lane, asked, found) => self.keeper.keep(lane, asked, found)?,
                Command::Revoke(lanes, done) => self.revoke(&lanes, &done)?,
                Command::Lose(lanes, losses) => {
                    self.drop_lanes(&lanes);
                    self.transaction.know_of(losses);
                    if lanes.is_empty() && !self.transaction.is_open() {
                        continue;
                    }
                    return Err(Stop::Again(Error::new(
                        ErrorKind::Unavailable,
                        format!("tasks {lanes:?} went to others, as this process was not heard of"),
                    )));
                }
                Command::Restore(lane, asked, found) => {
                    self.keeper.restore_from(lane, asked, found)?
                }
                Command::Opened(lane, asked, opened) => self.keeper.opened(lane, asked, opened)?,
                Command::Loaded(lane, loaded) => self.hear_of_loaded(lane, loaded)?,
                Command::Led(leaders) => self.hear_of_leaders(leaders)?,
                Command::Close => {
                    self.closing = true;
                    self.commit_last()?;
                    self.note_leaders();
                    return Ok(false);
                }
            }
        }
    }

    fn revoke(&mut self, lanes: &[u16], done: &Sender<()>) -> Result<(), Stop> {
        self.keeper.end_standbys(lanes);
        let mut committed = Ok(());
        if lanes.iter().any(|lane| self.columns.contains_key(lane)) {
            // Commit or not, they are given away; what is not committed is done by others.
            committed = self.commit();
            if committed.is_err() {
                self.transaction.abort()?;
            }
        }
        self.drop_lanes(lanes);
        let _ = done.send(());
        committed
    }

    /// Commits before the end. What cannot be committed now is done by whoever takes the tasks over.
    fn commit_last(&mut self) -> Result<(), Stop> {
        match self.commit() {
            Err(Stop::Again(e)) => {
                tracing::warn!("what was done since the last commit is left to others: {e}");
                Ok(self.transaction.abort()?)
            }
            done => done,
        }
    }

    /// Notes before the end whose logs its changelogs are, where that can be had.
    fn note_leaders(&mut self) {
        if !self.asking.is_behind() {
            return;
        }
        let lanes: Vec<u16> = self.columns.keys().copied().collect();
        let noted = Leaders::ask(&self.env, &lanes);
        let noted = noted.and_then(|leaders| leaders.note(&self.env, |_| true));
        if let Err(e) = noted {
            tracing::debug!("who leads the changelogs is not told: {e}");
        }
    }

    /// Brings rows up to date, and has tasks run whose rows are; true where anything was done.
    fn restore(&mut self) -> Result<bool, Stop> {
        let mut any = self.keeper.turn()?;
        for (restore, opened) in self.keeper.finished() {
            any = true;
            let column = Column::open(&self.env, &restore, opened, &self.metrics.labels)?;
            for (partition, next) in column.inputs(&self.env.topics.locals) {
                self.reader.assign(partition, next)?;
            }
            let lane = restore.lane;
            self.metrics.restored.increment(restore.restored());
            tracing::info!(restored = restore.restored(), "tasks {lane} run");
            self.columns.insert(lane, column);
            self.asking.want();
            let _ = self.reports.send(Report::Running(lane));
        }
        self.open_gates()?;
        Ok(any)
    }

    /// Has streams be read whose tables are loaded, and asks which are.
    fn open_gates(&mut self) -> Result<(), Stop> {
        let locals = &self.env.topics.locals;
        if locals.gates().is_empty() {
            return Ok(());
        }
        for (lane, column) in &mut self.columns {
            if column.open_gate(locals) {
                for (partition, next) in column.inputs(locals) {
                    self.reader.assign(partition, next)?;
                }
            }
            if column.asks_for_loaded(&self.env) {
                let (env, lane) = (self.env.clone(), *lane);
                let (answer, waker) = (self.answers.clone(), self.waker.clone());
                (self.env.aside)(Box::new(move || {
                    let _ = answer.send(Command::Loaded(lane, Loaded::ask(&env, lane)));
                    waker.wake();
                }));
            }
        }
        Ok(())
    }

    fn hear_of_loaded(&mut self, lane: u16, loaded: Result<Loaded>) -> Result<(), Stop> {
        let loaded = match loaded {
            Ok(loaded) => Some(loaded),
            Err(e) if e.kind() == ErrorKind::Unavailable => None,
            Err(e) => return Err(Stop::Fatal(e)),
        };
        if let Some(column) = self.columns.get_mut(&lane) {
            column.hear_of_loaded(&self.env.topics.locals, loaded.as_ref());
        }
        Ok(())
    }

    fn read(&mut self) -> Result<bool, Stop> {
        let mut any = false;
        let full = !self.stalled && self.waiting() >= BACKLOG;
        while std::mem::take(&mut self.stalled) || self.waiting() < BACKLOG {
            let Some((from, batch)) = self.reader.poll(BATCH)? else {
                break;
            };
            any = true;
            self.metrics.polled.increment(batch.len() as u64);
            let behind = self.reader.is_behind(&from);
            if let Some(column) = lane_of(&mut self.columns, from.partition) {
                column.feed(&self.env.topics.locals, &from, batch, behind);
            }
        }
        if full {
            return Ok(any);
        }
        for column in self.columns.values_mut() {
            any |= column.read_locals(&self.env, BATCH)?;
        }
        Ok(any)
    }

    /// How many records wait to be processed.
    fn waiting(&self) -> u64 {
        self.columns.values().map(Column::waiting).sum()
    }

    fn process(&mut self) -> Result<bool, Stop> {
        let mut any = false;
        for (lane, column) in &mut self.columns {
            self.at_work = Some(*lane);
            for _ in 0..RUNS {
                let max_run = self.pace.run().min(self.transaction.room().max(1));
                // What is full is committed before more is done.
                if self.transaction.is_full() || !column.step(&self.env, max_run)? {
                    break;
                }
                any = true;
                send_outputs(&self.env, *lane, column, &mut self.transaction)?;
            }
            column.tick()?;
            send_outputs(&self.env, *lane, column, &mut self.transaction)?;
        }
        self.stalled = !any && self.waiting() > 0;
        Ok(any)
    }

    /// Commits everything that was done, and then reads sources anew whose content was replaced: rows that
    /// were built of the new one take the place of others in a commit of their own.
    fn commit(&mut self) -> Result<(), Stop> {
        let mut built = Vec::new();
        loop {
            self.commit_with(std::mem::take(&mut built))?;
            let mut any = false;
            for column in self.columns.values_mut() {
                if let Some(differences) = column.advance(&self.env)? {
                    any = true;
                    built.extend(differences);
                }
            }
            if !any {
                return Ok(());
            }
        }
    }

    /// Commits everything that was done: output, rows, offsets; and then writes the rows here. What was
    /// `built` is here, and goes to the changelogs.
    fn commit_with(&mut self, built: Vec<FamilyWrites>) -> Result<(), Stop> {
        self.last_commit = self.env.clock.now();
        let refresh = (self.env).has_passed(self.refresh_interval, self.last_refresh);
        for (lane, column) in &mut self.columns {
            self.at_work = Some(*lane);
            // In pieces, so that no copy of all that has changed lies in memory beside it.
            let mut more = true;
            while more {
                more = column.flush()?;
                send_outputs(&self.env, *lane, column, &mut self.transaction)?;
            }
            for (exchange, said) in column.times_to_say() {
                self.transaction.say_time(exchange, said)?;
            }
        }
        let mut commit = Commit::default();
        let mut beside = Commit::default();
        let mut offsets = Vec::new();
        for column in self.columns.values_mut() {
            beside.merge(column.freeze(&mut commit)?);
            offsets.extend(column.offsets(refresh));
        }
        let nothing = commit.is_empty()
            && beside.is_empty()
            && built.is_empty()
            && offsets.is_empty()
            && !self.transaction.is_open();
        if !nothing {
            let late = self.transaction.is_late();
            let begun = Instant::now();
            remembered::put(&self.env, &mut commit, &offsets);
            self.transaction.commit(&mut commit, &built, &offsets)?;
            commit.merge(beside);
            if !late {
                self.pace.recover();
            }
            let flushed = Instant::now();
            self.env.state.commit(commit, false)?;
            self.metrics.flush_seconds.record(flushed.elapsed());
            self.metrics.commits.increment(1);
            self.asking.want();
            self.metrics.commit_seconds.record(begun.elapsed());
            let now = self.env.clock.now();
            let last = &self.env.pulse.last_update;
            last.store(now, Ordering::Release);
        }
        for column in self.columns.values_mut() {
            column.committed(&offsets);
        }
        if refresh {
            self.last_refresh = self.last_commit;
            self.renew_marks()?;
        }
        self.shrink();
        self.purge();
        Ok(())
    }

    /// Notes that the rows here still are those of the changelogs, though nothing was written to these.
    fn renew_marks(&mut self) -> Result<(), Stop> {
        let mut commit = Commit::default();
        for lane in self.columns.keys() {
            for (_, partition) in changelog::of_lane(&self.env.topics, *lane) {
                if let Some(mark) = Mark::read(&self.env.state, &partition)? {
                    let mark = Mark::new(&self.env, &partition, mark.offset, mark.point);
                    mark.put(&mut commit, &partition);
                }
            }
        }
        Ok(self.env.state.commit(commit, false)?)
    }

    /// Has what was processed be deleted from the topics that records travel through.
    fn purge(&mut self) {
        let due = self.env.has_passed(PURGE, self.last_purge);
        if self.env.topics.repartitions.is_empty() || !due {
            return;
        }
        self.last_purge = self.env.clock.now();
        let topics = &self.env.topics;
        let committed = self.columns.values().flat_map(Column::committed_offsets);
        let before: Vec<(TopicPartition, i64)> = committed
            .filter(|(of, offset)| *offset > 0 && topics.is_repartition(&of.topic))
            .map(|(of, offset)| (of.clone(), offset))
            .collect();
        if before.is_empty() {
            return;
        }
        let cluster = self.env.cluster.clone();
        (self.env.aside)(Box::new(move || {
            // It is tried again with the next purge.
            if let Err(e) = cluster.delete_records(&before) {
                tracing::warn!("processed records of repartition topics are not deleted yet: {e}");
            }
        }));
    }

    /// Keeps rows in memory within their budget.
    fn shrink(&mut self) {
        let budget = self.env.rows_budget();
        let all: usize = self.columns.values_mut().map(Column::memory).sum();
        if all > budget {
            for column in self.columns.values_mut() {
                let share = column.memory() as u128 * (budget as u128 / 8 * 7) / all as u128;
                column.evict(share as usize);
            }
        }
    }

    /// Takes everything back that is not committed, and takes the tasks over from oneself.
    fn begin_again(&mut self, why: &Error) -> Result<()> {
        tracing::warn!("what was done since the last commit is done again: {why}");
        self.metrics.aborts.increment(1);
        if self.transaction.is_late() {
            self.pace.halve();
        }
        if let Err(TransactionError::Fatal(e)) = self.transaction.abort() {
            return Err(e);
        }
        let lanes: Vec<u16> = self.columns.keys().copied().collect();
        self.drop_lanes(&lanes);
        lanes
            .into_iter()
            .for_each(|lane| self.keeper.take_over(lane));
        Ok(())
    }

    /// Forgets tasks, and reads nothing more for them.
    fn drop_lanes(&mut self, lanes: &[u16]) {
        for lane in lanes {
            if let Some(column) = self.columns.remove(lane) {
                for partition in column.partitions() {
                    self.reader.unassign(partition);
                }
            }
            self.keeper.forget(*lane);
        }
    }
}

/// By this brokers know the transactions of a thread.
pub(super) fn transactional_id(env: &Env, thread: u16) -> String {
    format!("{}-{}-{thread}", env.application, env.instance)
}

/// Writes what the tasks of a number have sent.
fn send_outputs(
    env: &Env,
    lane: u16,
    column: &mut Column,
    transaction: &mut Transaction,
) -> Result<(), Stop> {
    for output in column.outputs(&env.topics)? {
        transaction.send_output(lane, &output)?;
    }
    for (exchange, run) in column.departures() {
        transaction.send_run(exchange, run)?;
    }
    Ok(())
}

fn lane_of(columns: &mut BTreeMap<u16, Column>, partition: u32) -> Option<&mut Column> {
    columns.get_mut(&u16::try_from(partition).ok()?)
}

fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "without a message".to_owned())
}
