//! The thread that is the process's member of the group: it takes tasks, gives them away, and tells the
//! workers. Where it leads, it also says who has which tasks.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::time::{Duration, Instant};

use super::changelog;
use super::env::Env;
use super::membership::{Control, InstanceRecord, Leader, Limits, Office, Producing, Share};
use super::messages::{Command, Report};
use super::metrics::ClientMetrics;
use super::status::Status;
use super::topic_watch::{self, TopicWatch};
use crate::cluster::{GroupEvent, Member};
use crate::connector::Waker;
use crate::error::{Error, ErrorKind, Result};
use crate::meter;
use crate::time::Timestamp;

/// How long the group is asked for news at a time.
const POLL: Duration = Duration::from_millis(20);

/// How long workers may take to commit what goes to others, or at the end.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often it is said how far rows are behind, where nothing follows from it.
const REMIND: Duration = Duration::from_secs(10);

/// How long it takes until what brokers did not do is tried again.
const AGAIN: Duration = Duration::from_millis(200);

/// How often it is looked whether files are there.
const LOOK: Duration = Duration::from_secs(1);

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
    pub(super) control: Control,
    pub(super) limits: Limits,
    pub(super) hands: Vec<Hand>,
    pub(super) reports: Receiver<Report>,
    /// For those that work for this thread beside it.
    pub(super) own_reports: Sender<Report>,
    pub(super) status: Arc<Status>,
    pub(super) stop: Arc<AtomicBool>,
    pub(super) telling: Telling,
    pub(super) watch: TopicWatch,
    /// True where it has the partition of the coordination topic.
    pub(super) has_partition: bool,
    /// There while it leads.
    pub(super) leader: Option<Leader>,
    /// The generation of the group that it has heard of.
    pub(super) generation: Option<i32>,
    /// The worker of each task that runs here.
    pub(super) owners: BTreeMap<u16, usize>,
    /// The tasks whose rows are kept up to date here.
    pub(super) standbys: BTreeSet<u16>,
    /// The worker of each task that was not given away in order. It gets it again when it comes back: what
    /// it still does with it, not having heard of its loss, is done before.
    pub(super) homes: BTreeMap<u16, usize>,
    pub(super) revoking: Option<Revoking>,
    pub(super) metrics: ClientMetrics,
    /// When others were told last what the instance counts.
    pub(super) told_metrics: Timestamp,
    /// How many workers have ended.
    pub(super) ended: usize,
    pub(super) phase: Phase,
}

/// What a coordinator is about.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// It takes tasks, and hears which go to others.
    Taking,
    /// Workers commit and end.
    Ending(Instant),
    /// It has left the group.
    Ended,
}

/// Workers commit what goes to others.
pub(super) struct Revoking {
    lanes: BTreeSet<u16>,
    /// The sender of each worker is gone once it has.
    all: Receiver<()>,
    deadline: Instant,
}

/// What the instance says of itself on the control topic.
pub(super) struct Telling {
    producing: Producing,
    record: InstanceRecord,
    told: Option<(InstanceRecord, Timestamp)>,
    /// True while it is found out how far rows are behind.
    asking: bool,
    /// True where it has to be found out.
    to_ask: bool,
    /// True while it is looked whether what tasks read is there.
    looking: bool,
    /// When it was looked last.
    looked: Option<Timestamp>,
    failed: Option<Timestamp>,
}

impl Telling {
    pub(super) fn new(env: &Env, server: Option<String>) -> Self {
        Telling {
            producing: Producing::beside_others(),
            record: InstanceRecord::new(env.threads, &env.topics.map, server),
            told: None,
            asking: false,
            to_ask: true,
            looking: false,
            looked: None,
            failed: None,
        }
    }
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
            Phase::Taking if self.stop.load(Ordering::Acquire) => self.end(),
            Phase::Taking => {
                if let Err(e) = self.take_part(wait) {
                    tracing::error!("the application ends: {e}");
                    self.status.fail(e.to_string());
                    self.end();
                }
            }
        }
        self.env.standing.is_at_work();
        if self.env.has_passed(meter::EVERY, self.told_metrics) || self.phase == Phase::Ended {
            self.told_metrics = self.env.clock.now();
            self.metrics.tell(&self.env, &self.status);
        }
        self.phase != Phase::Ended
    }

    fn take_part(&mut self, wait: Duration) -> Result<()> {
        while let Ok(report) = self.reports.try_recv() {
            self.note(report)?;
        }
        if let Some(event) = self.member.poll(wait)? {
            self.hear(&event);
        }
        self.publish();
        self.await_revoked()?;
        match self.control.read() {
            Err(e) if e.kind() == ErrorKind::Unavailable => {
                tracing::warn!("the control topic cannot be read yet: {e}");
            }
            read => read?,
        }
        if let Some(why) = self.control.ends() {
            return Err(Error::new(ErrorKind::Failed, why.to_owned()));
        }
        self.watch_topics();
        let Some(metadata) = self.member.metadata() else {
            return Ok(());
        };
        self.lead(metadata.member())?;
        self.follow(metadata.member());
        self.ask_lags();
        self.look();
        self.tell(metadata.member())
    }

    fn note(&mut self, report: Report) -> Result<()> {
        match report {
            Report::Running(lane) => self.status.runs(lane),
            Report::Restoring(lane, lag) => self.status.restoring(lane, lag),
            Report::Waiting(lane, why) => self.status.waits(lane, why),
            Report::Missing(missing) => {
                self.telling.looking = false;
                self.status.lacks(&missing);
                self.telling.record.missing = missing;
            }
            Report::Standby(lane, lag) => {
                if self.standbys.contains(&lane) {
                    self.telling.record.lags.insert(lane, lag);
                    self.status.keeps(lane, lag);
                }
            }
            Report::Lags(found) => {
                self.telling.asking = false;
                match found {
                    Ok(lags) => self.take_lags(lags),
                    Err(e) => {
                        tracing::warn!("how far rows are behind is not known yet: {e}");
                        self.telling.to_ask = true;
                        self.telling.failed = Some(self.env.clock.now());
                    }
                }
            }
            Report::Watched(found) => {
                self.watch.ends();
                match found {
                    Ok(None) => {}
                    Ok(Some(why)) => {
                        // Others would take the tasks, and find the same.
                        self.telling.record.ends = Some(why.clone());
                        return Err(Error::new(ErrorKind::Invalid, why));
                    }
                    Err(e) => tracing::debug!("the topics that are read are not told: {e}"),
                }
            }
            Report::EndAll(why) => self.telling.record.ends = Some(why),
            Report::Ended(error) => {
                self.ended += 1;
                if let Some(error) = error {
                    return Err(Error::new(ErrorKind::Failed, error));
                }
            }
        }
        Ok(())
    }

    fn hear(&mut self, event: &GroupEvent) {
        match event {
            // Whoever has the one partition leads.
            GroupEvent::Assigned(partitions) if partitions.contains(&0) => {
                self.has_partition = true;
            }
            GroupEvent::Assigned(_) => {}
            GroupEvent::Revoked(_) => {
                self.has_partition = false;
                self.member.release();
            }
            GroupEvent::Lost(_) => self.lose(),
        }
    }

    /// Has others know in whose name offsets are committed now.
    fn publish(&mut self) {
        let metadata = self.member.metadata();
        let generation = metadata.as_ref().map(|metadata| metadata.generation());
        if generation != self.generation {
            self.generation = generation;
            self.telling.to_ask |= generation.is_some();
            if let Some(leader) = &mut self.leader {
                leader.hear_of_generation();
            }
        }
        self.env.standing.publish(metadata);
    }

    /// Says who has which tasks, where that is this instance's business: it has the partition of the
    /// coordination topic; or it was the last to lead and was started again, and the group does not know
    /// yet that its former process is gone.
    fn lead(&mut self, member: &str) -> Result<()> {
        let last = self.control.assignment();
        let was_last = last.is_some_and(|last| last.leader == self.env.instance);
        if !self.has_partition && !was_last {
            self.leader = None;
            return Ok(());
        }
        let leader = self.leader.get_or_insert_with(|| {
            tracing::info!("this instance assigns tasks from now on");
            Leader::new(&self.env.application)
        });
        let office = Office {
            cluster: &*self.env.cluster,
            group: &self.env.application,
            instance: &self.env.instance,
            member,
            map: &self.env.topics.map,
            lanes: self.env.topics.lanes,
            limits: self.limits,
        };
        leader.lead(office, &self.control, self.env.clock.now())
    }

    /// Does what the last assignment says.
    fn follow(&mut self, member: &str) {
        let Some(assignment) = self.control.assignment() else {
            return;
        };
        if self.revoking.is_some() {
            return;
        }
        let is_part = assignment.members.contains_key(member);
        let (number, share) = (assignment.number, assignment.share(member));
        if is_part {
            self.status.knows(assignment);
        }
        let (gone, idle) = self.ends(&share);
        if !gone.is_empty() || !idle.is_empty() {
            self.revoke(gone, idle);
            return;
        }
        let active = share.active.iter().copied();
        let new: Vec<u16> = active.filter(|l| !self.owners.contains_key(l)).collect();
        let standby = share.standby.iter().copied();
        let kept: Vec<u16> = standby.filter(|l| !self.standbys.contains(l)).collect();
        self.status.stands_by(&share.standby);
        self.standbys = share.standby;
        if is_part {
            self.status.assigned(&new);
        }
        self.share_out(&new, Command::Assign);
        for (lane, worker) in self.homes_of(&new) {
            self.owners.insert(lane, worker);
        }
        self.share_out(&kept, Command::Standby);
        self.telling.record.seen = number;
    }

    /// The tasks that run here and shall not, and those whose rows are kept here and shall not be.
    fn ends(&self, share: &Share) -> (BTreeSet<u16>, BTreeSet<u16>) {
        let gone = self.owners.keys().filter(|l| !share.active.contains(l));
        let idle = self.standbys.iter();
        // A standby that is to run is one no more in the worker that has it.
        let idle = idle.filter(|l| !share.standby.contains(l) && !share.active.contains(l));
        (gone.copied().collect(), idle.copied().collect())
    }

    /// The worker of each task; one that has none gets that with the fewest.
    fn homes_of(&mut self, lanes: &[u16]) -> Vec<(u16, usize)> {
        let mut found = Vec::new();
        for lane in lanes {
            let count = |at: &usize| self.homes.values().filter(|home| *home == at).count();
            let least = (0..self.hands.len()).min_by_key(count).unwrap_or(0);
            found.push((*lane, *self.homes.entry(*lane).or_insert(least)));
        }
        found
    }

    /// Tells the workers of tasks.
    fn share_out(&mut self, lanes: &[u16], command: impl Fn(Vec<u16>) -> Command) {
        let mut shares: BTreeMap<usize, Vec<u16>> = BTreeMap::new();
        for (lane, worker) in self.homes_of(lanes) {
            shares.entry(worker).or_default().push(lane);
        }
        for (worker, lanes) in shares {
            self.hands[worker].tell(command(lanes));
        }
    }

    /// Has workers commit what goes to others, and let go of it and of rows that are not to be kept.
    fn revoke(&mut self, gone: BTreeSet<u16>, idle: BTreeSet<u16>) {
        let (done, all) = channel();
        let lanes: BTreeSet<u16> = gone.union(&idle).copied().collect();
        let told: Vec<u16> = lanes.iter().copied().collect();
        self.share_out(&told, |lanes| Command::Revoke(lanes, done.clone()));
        self.status
            .gone(&gone.iter().copied().collect::<Vec<u16>>());
        for lane in &lanes {
            self.owners.remove(lane);
            self.standbys.remove(lane);
        }
        // Rows that were kept are known; those of tasks that ran are up to date.
        for lane in gone {
            self.telling.record.lags.insert(lane, 0);
        }
        self.revoking = Some(Revoking {
            lanes,
            all,
            deadline: Instant::now() + PATIENCE,
        });
    }

    /// Notes once workers have committed what goes to others.
    fn await_revoked(&mut self) -> Result<()> {
        let Some(revoking) = &self.revoking else {
            return Ok(());
        };
        loop {
            match revoking.all.try_recv() {
                Ok(()) => {}
                Err(TryRecvError::Disconnected) => break,
                Err(TryRecvError::Empty) if Instant::now() < revoking.deadline => return Ok(()),
                Err(TryRecvError::Empty) => {
                    self.env.standing.lose();
                    return Err(Error::new(
                        ErrorKind::Failed,
                        format!(
                            "tasks {:?} were to go to others and could not be stopped within {PATIENCE:?}",
                            revoking.lanes
                        ),
                    ));
                }
            }
        }
        for lane in &revoking.lanes {
            self.homes.remove(lane);
        }
        self.revoking = None;
        Ok(())
    }

    /// The process is no member any more, or one under another name: it has nothing.
    fn lose(&mut self) {
        self.has_partition = false;
        self.leader = None;
        let losses = self.env.standing.lose();
        let lanes: Vec<u16> = self.owners.keys().copied().collect();
        tracing::warn!("tasks {lanes:?} go to others, as this process was not heard of in time");
        self.status.lost(&lanes);
        let mut shares: BTreeMap<usize, Vec<u16>> = BTreeMap::new();
        for (lane, worker) in std::mem::take(&mut self.owners) {
            shares.entry(worker).or_default().push(lane);
        }
        for (worker, hand) in self.hands.iter().enumerate() {
            let lanes = shares.remove(&worker).unwrap_or_default();
            hand.tell(Command::Lose(lanes, losses));
        }
    }

    /// Has someone find out how far the rows that are here are behind, where others may want to know.
    fn ask_lags(&mut self) {
        let telling = &mut self.telling;
        let waits = (telling.failed).is_some_and(|since| !self.env.has_passed(AGAIN, since));
        if !telling.to_ask || telling.asking || waits {
            return;
        }
        telling.to_ask = false;
        if !self.limits.stateful {
            return;
        }
        telling.asking = true;
        let (env, answer) = (self.env.clone(), self.own_reports.clone());
        (self.env.aside)(Box::new(move || {
            let _ = answer.send(Report::Lags(changelog::lags(&env)));
        }));
    }

    /// Has someone look whether the files and the like are there that tasks read: who lacks them is given none
    /// of these tasks.
    fn look(&mut self) {
        let telling = &mut self.telling;
        let rests = (telling.looked).is_some_and(|at| !self.env.has_passed(LOOK, at));
        if self.env.topics.locals.is_empty() || telling.looking || rests {
            return;
        }
        telling.looking = true;
        telling.looked = Some(self.env.clock.now());
        let (env, answer) = (self.env.clone(), self.own_reports.clone());
        (self.env.aside)(Box::new(move || {
            let missing = env.topics.locals.missing();
            // All of them are read by the tasks of one number.
            let missing = missing.map(|missing| (0, missing)).into_iter().collect();
            let _ = answer.send(Report::Missing(missing));
        }));
    }

    /// Has someone look, now and then, whether the topics that are read are as they were.
    fn watch_topics(&mut self) {
        if !self.watch.begins(&self.env) {
            return;
        }
        let (env, answer) = (self.env.clone(), self.own_reports.clone());
        (self.env.aside)(Box::new(move || {
            let _ = answer.send(Report::Watched(topic_watch::ask(&env)));
        }));
    }

    fn take_lags(&mut self, lags: BTreeMap<u16, u64>) {
        for (lane, lag) in lags {
            // Who keeps rows knows better.
            if !self.standbys.contains(&lane) && !self.owners.contains_key(&lane) {
                self.telling.record.lags.insert(lane, lag);
            }
        }
    }

    /// Says what this instance is and has, where that is news to others.
    fn tell(&mut self, member: &str) -> Result<()> {
        let now = self.env.clock.now();
        let holds = self.owners.keys().copied();
        let revoked = self.revoking.iter().flat_map(|revoking| &revoking.lanes);
        let telling = &mut self.telling;
        telling.record.holds = holds.chain(revoked.copied()).collect();
        if telling.record.member != member {
            telling.record.member = member.to_owned();
        }
        let first = telling.told.is_none();
        let waits = (telling.failed).is_some_and(|since| !self.env.has_passed(AGAIN, since));
        // Where tasks should be depends on where their rows are.
        let unknown = telling.asking || telling.looking;
        if waits || (first && unknown) || !self.is_news(now) {
            return Ok(());
        }
        let telling = &mut self.telling;
        let told = self.control.tell(
            &mut telling.producing,
            &self.env.instance,
            &telling.record,
            now,
        );
        match told {
            Ok(()) => telling.told = Some((telling.record.clone(), now)),
            Err(e) if e.kind() == ErrorKind::Unavailable => {
                tracing::warn!("the control topic cannot be written yet: {e}");
                telling.failed = Some(now);
            }
            Err(e) => return Err(e),
        }
        Ok(())
    }

    /// Says that all instances are to end; true where there is nothing of the kind left to say.
    fn tell_end(&mut self) -> bool {
        let told = self.telling.told.as_ref();
        let waits =
            self.telling.record.ends.is_some() && told.is_none_or(|(told, _)| told.ends.is_none());
        if !waits {
            return true;
        }
        let Some(metadata) = self.member.metadata() else {
            // Others have its tasks, and end if the same happens to them.
            return true;
        };
        if let Err(e) = self.tell(metadata.member()) {
            tracing::error!("other instances cannot be told to end: {e}");
            return true;
        }
        false
    }

    /// True where something follows from what is to be said, or where it was not said for long.
    fn is_news(&self, now: Timestamp) -> bool {
        let Some((told, at)) = &self.telling.told else {
            return true;
        };
        let record = &self.telling.record;
        let ready = |record: &InstanceRecord| -> BTreeSet<u16> {
            let near = |(_, lag): &(&u16, &u64)| **lag <= self.limits.acceptable_lag;
            let near = record.lags.iter().filter(near);
            near.map(|(lane, _)| *lane).collect()
        };
        let passed = u64::try_from(now - at).unwrap_or(0);
        let passed = Duration::from_millis(passed);
        (&told.member, told.seen, &told.holds) != (&record.member, record.seen, &record.holds)
            || told.ends != record.ends
            || told.missing != record.missing
            || ready(told) != ready(record)
            || (told.lags != record.lags && passed >= REMIND)
            || passed >= self.env.refresh
    }

    /// Has all workers commit and end.
    fn end(&mut self) {
        self.status.ending();
        self.leader = None;
        for hand in &self.hands {
            hand.tell(Command::Close);
        }
        self.phase = Phase::Ending(Instant::now() + PATIENCE);
    }

    /// Leaves the group once all workers have ended.
    fn await_ends(&mut self, deadline: Instant, wait: Duration) {
        let told = self.tell_end();
        let all_ended = self.ended == self.hands.len();
        if !all_ended || !told {
            // The group hears of the member as long as it commits, and it of new generations.
            match self.member.poll(Duration::ZERO) {
                Ok(Some(GroupEvent::Lost(_))) => self.lose(),
                Ok(Some(GroupEvent::Revoked(_))) => self.member.release(),
                _ => {}
            }
            self.publish();
            match self.reports.recv_timeout(wait) {
                Ok(report) => {
                    if let Err(e) = self.note(report) {
                        self.status.fail(e.to_string());
                    }
                    return;
                }
                Err(RecvTimeoutError::Timeout) if Instant::now() < deadline => return,
                Err(_) if all_ended => {
                    tracing::error!("other instances could not be told to end within {PATIENCE:?}");
                }
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
