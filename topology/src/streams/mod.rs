//! Running a topology as an application on a cluster: several processes share its partitions, state is
//! kept in changelog topics, and each commit is a transaction.
//!
//! # Tasks
//!
//! The tasks of number `n` read partition `n` of every source. All instances are members of a group; one
//! of them leads, and says who has which tasks and who keeps the rows of which up to date beside. When an
//! instance comes or goes only what must move does, and where tasks have rows, they move to where these
//! are up to date.
//!
//! # Commit
//!
//! A commit is one transaction of each thread: the output, the rows that changed as records of changelog
//! topics, and the offsets that were read up to. Then the rows are written to the local state, with the
//! places in the changelogs behind them. Whatever goes wrong in between, the transaction counts: rows
//! that are missing here are read from the changelog, and what was not committed is done again.
//!
//! # Time
//!
//! The time of a task is the greatest timestamp that it processed. Records that other tasks send through a
//! topic come mixed, of those that are ahead and of those that are behind; so there each says its time with a
//! commit, and the time of who reads them is the least of all.
//!
//! # Taking over
//!
//! Tasks begin where the group's offsets say, once all rows that were committed with these are here. What
//! the local state has of a changelog need not be read again, unless an election has made it another log.
//!
//! # Sources that are no topics
//!
//! Files and the like are read by the tasks of number 0, in an instance that sees them. How far they were read
//! is in a topic of the application's own, written in the same transactions.

mod changelog;
mod column;
mod config;
mod coordinator;
mod env;
mod epochs;
mod keeper;
mod local;
mod made;
mod mark;
mod membership;
mod messages;
pub mod metrics;
mod lag_info;
mod metadata;
mod pace;
mod partitioner;
mod names;
mod positions;
mod production;
mod option;
mod progress;
mod bound;
mod fitting;
mod times;
mod topic_watch;
mod remembered;
mod replica;
mod restore;
#[cfg(test)]
mod simulator;
mod standby;
mod status;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod binding_tests;
#[cfg(test)]
mod table_tests;
#[cfg(test)]
mod at_least_once_tests;
#[cfg(test)]
mod production_tests;
#[cfg(test)]
mod poison_tests;
#[cfg(test)]
mod uncaught_tests;
#[cfg(test)]
mod time_tests;
mod topics;
mod transaction;
mod worker;

use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::thread::JoinHandle;
use std::time::Duration;

pub use self::config::{ProcessingGuarantee, StreamThreadExceptionResponse, StreamsConfig};
use self::coordinator::{Coordinator, Hand, Phase, Telling};
use self::env::{Aside, Env, Standing};
pub use self::lag_info::LagInfo;
use self::membership::{Control, Limits};
pub use self::metadata::{KeyQueryMetadata, StreamsMetadata};
use self::metrics::ClientMetrics;
use self::production::Production;
pub use self::production::ProductionExceptionHandler;
pub use self::progress::RestoreProgress;
use self::status::Status;
pub use self::status::StreamsState;
use self::topic_watch::TopicWatch;
use self::topics::Topics;
use self::worker::{Worker, WorkerOptions, transactional_id};
use crate::cluster::{Cluster, MemberOptions, ProducerKind};
use crate::codec::{Key, SharedCodec};
use crate::connector::{Health, Waker};
use crate::error::{Error, ErrorKind, Result};
use crate::graph::{Graph, Plan, Topology};
use crate::identity::{self, Plans};
use crate::policy::NodeStats;
use crate::query::{Readers, Snapshot, Table};
use crate::record::Data;
use crate::store::{Commit, State};
use crate::task::{Feeders, TaskOptions};

/// An instance of an application on a cluster; see the [module](self).
///
/// It ends when it is [closed](Application::close) or dropped.
pub struct Application {
    env: Arc<Env>,
    config: StreamsConfig,
    status: Arc<Status>,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Application {
    /// Prepares a topology to run on a cluster: its topics are looked up, those of its own are made, and
    /// its state is opened. Sources and sinks are topics of their names, where they are bound to nothing else.
    ///
    /// # Errors
    ///
    /// Where topics are not there, have numbers of partitions that do not fit, or settings that lose
    /// rows; where the state was made by another program; where the cluster refuses.
    pub fn new(
        topology: &Topology,
        cluster: Arc<dyn Cluster>,
        config: StreamsConfig,
    ) -> Result<Application> {
        Application::with_plans(topology, cluster, config, &Plans::new())
    }

    /// The same with what each query computes, in words of the program's own. They are remembered with the
    /// rows: a query of the same name and other words does not take these for its own.
    ///
    /// Sources and sinks that are bound to topics of the cluster are these topics. Other sources are read by the
    /// tasks of number 0 where any process can go on in them ([`Source::is_resumable`]); other sinks are refused.
    ///
    /// [`Source::is_resumable`]: crate::connector::Source::is_resumable
    ///
    /// # Errors
    ///
    /// As [`new`](Application::new).
    pub fn with_plans(
        topology: &Topology,
        cluster: Arc<dyn Cluster>,
        config: StreamsConfig,
        plans: &Plans,
    ) -> Result<Application> {
        let config = config.resolved()?;
        let graph = topology.graph.clone();
        let topics = Topics::prepare(&graph, &*cluster, &config)?;
        let state = open_state(&config)?;
        let aside: Aside = Arc::new(|errand| {
            std::thread::spawn(errand);
        });
        identity::check(&state, &graph, plans)?;
        let mut env = prepare(graph, cluster, topics, &config, state, aside)?;
        env.plans.clone_from(plans);
        Ok(Application::of(env, config))
    }

    fn of(env: Env, config: StreamsConfig) -> Application {
        Application {
            env: Arc::new(env),
            config,
            status: Arc::default(),
            stop: Arc::default(),
            threads: Vec::new(),
        }
    }

    /// Joins the application's group and takes a share of the tasks, in the background: see
    /// [`wait_until_running`](Application::wait_until_running).
    ///
    /// # Errors
    ///
    /// Where it was started before, or the cluster refuses.
    pub fn start(&mut self) -> Result<()> {
        if !self.threads.is_empty() || self.stop.load(Ordering::Acquire) {
            let message = "an application is started once";
            return Err(Error::new(ErrorKind::Closed, message));
        }
        let (coordinator, workers) = self.join()?;
        for (number, worker) in workers.into_iter().enumerate() {
            let thread = spawn(format!("stream-{number}"), move || worker.run())?;
            self.threads.push(thread);
        }
        let thread = spawn("coordinator".to_owned(), move || coordinator.run())?;
        self.threads.push(thread);
        Ok(())
    }

    /// Joins the application's group; what takes part in it, to be run.
    fn join(&self) -> Result<(Coordinator, Vec<Worker>)> {
        let (env, config) = (&self.env, &self.config);
        let member = env.cluster.join(MemberOptions {
            group: config.application_id.clone(),
            topic: env.topics.coordination.clone(),
            instance: config.group_instance_id.clone(),
            session_timeout: config.session_timeout,
        })?;
        self.status.started();
        end_threads_before(env, config.num_stream_threads)?;
        let control = Control::open(&env.cluster, &env.topics.control, Waker::new())?;
        let (reports, told) = channel();
        let mut hands = Vec::new();
        let mut workers = Vec::new();
        for number in 0..config.num_stream_threads {
            let (commands, received) = channel();
            let waker = Waker::new();
            let options = WorkerOptions {
                number,
                commit_interval: config.commits_every(),
                max_run: config.max_run,
                refresh_interval: config.offsets_refresh,
                waker: waker.clone(),
            };
            let channels = (commands.clone(), received);
            workers.push(Worker::new(env, options, channels, reports.clone())?);
            hands.push(Hand { commands, waker });
        }
        let coordinator = Coordinator {
            env: env.clone(),
            member,
            hands,
            reports: told,
            own_reports: reports,
            status: self.status.clone(),
            stop: self.stop.clone(),
            control,
            limits: Limits {
                stateful: !env.topics.changelogs.is_empty(),
                ..config.limits
            },
            telling: Telling::new(env, config.application_server.clone()),
            watch: TopicWatch::new(env, config.metadata_max_age),
            has_partition: false,
            leader: None,
            generation: None,
            owners: BTreeMap::new(),
            standbys: BTreeSet::new(),
            homes: BTreeMap::new(),
            revoking: None,
            metrics: ClientMetrics::new(env),
            told_metrics: env.clock.now(),
            ended: 0,
            phase: Phase::Taking,
        };
        self.env.pulse.running.store(true, Ordering::Release);
        Ok((coordinator, workers))
    }

    /// What the application is about.
    pub fn state(&self) -> StreamsState {
        self.status.state()
    }

    /// What was wrong, where the state is [`Error`](StreamsState::Error).
    pub fn error(&self) -> Option<String> {
        self.status.error()
    }

    /// Has `listener` called with the former and the new state at each change, by one of the
    /// application's own threads, which waits for it.
    pub fn on_state_change(
        &self,
        listener: impl Fn(StreamsState, StreamsState) + Send + Sync + 'static,
    ) {
        self.status.listen(Box::new(listener));
    }

    /// Tasks that run nowhere, or are this instance's and wait, by their numbers; with what is not there that
    /// they read: a file that no instance has.
    ///
    /// They go on once it is there, or an instance comes that has it.
    pub fn unplaced_tasks(&self) -> BTreeMap<u16, String> {
        self.status.unplaced()
    }

    /// How the application is, as far as this instance knows: degraded where tasks do not run as what they read
    /// is not there, or where one of the sources that this instance reads itself is not well.
    pub fn health(&self) -> Health {
        if let Some(error) = self.error() {
            return Health::Failed(error);
        }
        if let Some((task, why)) = self.unplaced_tasks().into_iter().next() {
            return Health::Degraded(format!("task {task} does not run: {why}"));
        }
        let reads = self.running_tasks().contains(&0);
        let trouble = self.env.topics.locals.trouble();
        trouble.filter(|_| reads).unwrap_or_default()
    }

    /// The numbers of the tasks that run in this instance.
    pub fn running_tasks(&self) -> BTreeSet<u16> {
        self.status.running()
    }

    /// How many offsets of changelogs are still to be read before all tasks of this instance run.
    pub fn restore_lag(&self) -> u64 {
        self.status.lag()
    }

    /// The numbers of the tasks that this instance takes over and of which it has not found out yet how much they miss:
    /// until there are none, [`restore_progress`](Application::restore_progress) tells of a part only.
    pub fn unmeasured_tasks(&self) -> BTreeSet<u16> {
        self.status.unmeasured()
    }

    /// How far the rows of the tasks are that this instance takes over, for those of which it is known.
    pub fn restore_progress(&self) -> Vec<RestoreProgress> {
        self.status.restores()
    }

    /// Has `listener` called as rows of tasks are brought up to date that this instance takes over: when it
    /// begins, with each batch, and when the task runs. One of the application's own threads calls it, and
    /// waits for it.
    pub fn on_restore(&self, listener: impl Fn(RestoreProgress) + Send + Sync + 'static) {
        self.status.listen_to_restores(Box::new(listener));
    }

    /// The numbers of the tasks whose rows this instance keeps up to date while they run elsewhere, with
    /// how many offsets these are behind.
    pub fn standby_tasks(&self) -> BTreeMap<u16, u64> {
        self.status.standbys()
    }

    /// How far the rows of each store are behind its changelog, for each task whose rows are in this instance: what
    /// the answers of a [`table`](Application::table) lack that is asked here. Tasks that run lack nothing.
    ///
    /// The brokers are asked where the changelogs end.
    ///
    /// # Errors
    ///
    /// Where the brokers do not answer, or the state cannot be read.
    pub fn all_local_store_partition_lags(
        &self,
    ) -> Result<BTreeMap<String, BTreeMap<u16, LagInfo>>> {
        let running = self.running_tasks();
        let restoring = self.restore_progress().into_iter().map(|at| at.task);
        let others = restoring.chain(self.standby_tasks().into_keys()).collect();
        lag_info::of_stores(&self.env, &running, &others)
    }

    /// All instances that share the application's tasks, as far as it is known here.
    pub fn streams_metadata(&self) -> Vec<StreamsMetadata> {
        let known = self.status.assignment();
        known.map_or_else(Vec::new, |known| metadata::instances(&self.env, &known))
    }

    /// Which instance has the row of a key of a table, as far as it is known here: the one to ask for it.
    /// `codec` is what the keys of the table's input are written with.
    ///
    /// # Errors
    ///
    /// Where there is no such table, or the key cannot be encoded.
    pub fn query_metadata_for_key<K: Data>(
        &self,
        table: &str,
        key: &K,
        codec: &SharedCodec<K>,
    ) -> Result<KeyQueryMetadata> {
        let known = self.status.assignment();
        metadata::of_key(&self.env, known.as_deref(), table, key, codec)
    }

    /// Waits until all tasks of this instance run.
    ///
    /// # Errors
    ///
    /// Where the application was not started or has ended, or after `timeout`.
    pub fn wait_until_running(&self, timeout: Duration) -> Result<()> {
        let known = |state| !matches!(state, StreamsState::Rebalancing);
        let waited = self.status.wait(timeout, known);
        match self.state() {
            StreamsState::Running => Ok(()),
            _ if !waited => Err(Error::new(
                ErrorKind::Unavailable,
                format!("the application does not run after {timeout:?}"),
            )),
            state => {
                let ended = match state {
                    StreamsState::Created => "the application was not started",
                    _ => "the application has ended",
                };
                let why = self.error().unwrap_or_else(|| ended.to_owned());
                Err(Error::new(ErrorKind::Closed, why))
            }
        }
    }

    /// The name of each step, and what it has counted in this instance.
    pub fn node_stats(&self) -> Vec<(String, Arc<NodeStats>)> {
        let nodes = self.env.graph.nodes.iter();
        nodes
            .map(|node| (node.name.to_string(), node.stats.clone()))
            .collect()
    }

    /// How many records brokers have refused that this instance was to write; see
    /// [`ProductionExceptionHandler`].
    pub fn refused_records(&self) -> u64 {
        self.env.production.stats.failed()
    }

    /// Has the threads of this instance process nothing more, once they have committed what they did. It
    /// stays a member of its group and keeps its tasks; those that it is given are brought up to date.
    pub fn pause(&self) {
        self.env.paused.store(true, Ordering::Release);
    }

    /// Goes on after a [`pause`](Application::pause).
    pub fn resume(&self) {
        self.env.paused.store(false, Ordering::Release);
    }

    /// True between [`pause`](Application::pause) and [`resume`](Application::resume).
    pub fn is_paused(&self) -> bool {
        self.env.paused.load(Ordering::Acquire)
    }

    /// A table as this instance has it: the rows of the tasks that run here, as the last commit left them.
    /// Each call sees the tasks that run then.
    ///
    /// # Errors
    ///
    /// Where there is no such table, or its rows have other types.
    pub fn table<K: Key, V: Data>(&self, name: &str) -> Result<Table<K, V>> {
        self.readers().table(name)
    }

    /// All tables as this instance has them, of one commit.
    pub fn snapshot(&self) -> Snapshot {
        self.readers().snapshot()
    }

    fn readers(&self) -> Readers {
        let status = self.status.clone();
        Readers {
            graph: self.env.graph.clone(),
            state: self.env.state.clone(),
            lanes: Arc::new(move || status.running().into_iter().collect()),
            pulse: self.env.pulse.clone(),
        }
    }

    /// Commits, gives all tasks away, and ends.
    ///
    /// # Errors
    ///
    /// Where something was wrong before or while it ended: what was not committed is done by whoever
    /// takes the tasks over.
    pub fn close(mut self) -> Result<()> {
        self.end();
        match self.error() {
            None => Ok(()),
            Some(error) => Err(Error::new(ErrorKind::Failed, error)),
        }
    }

    fn end(&mut self) {
        self.stop.store(true, Ordering::Release);
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                self.status
                    .fail("a thread of the application panicked".to_owned());
            }
        }
        self.env.pulse.running.store(false, Ordering::Release);
    }
}

impl Drop for Application {
    fn drop(&mut self) {
        self.end();
    }
}

impl std::fmt::Debug for Application {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Application")
            .field("application", &self.env.application)
            .field("state", &self.state())
            .finish()
    }
}

fn spawn(name: String, run: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>> {
    let thread = std::thread::Builder::new().name(name).spawn(run);
    thread.map_err(|e| Error::new(ErrorKind::Failed, "cannot start a thread").with_source(e))
}

/// What the threads of an application share that keeps its rows in a state.
fn prepare(
    graph: Arc<Graph>,
    cluster: Arc<dyn Cluster>,
    topics: Topics,
    config: &StreamsConfig,
    state: State,
    aside: Aside,
) -> Result<Env> {
    for (family, _) in &topics.changelogs {
        state.create_family(family)?;
    }
    identity::check(&state, &graph, &Plans::new())?;
    let lanes = identity::lanes(&state, topics.lanes)?;
    if lanes != topics.lanes {
        return Err(Error::state(format!(
            "the state is that of {lanes} tasks, and the input has {} partitions; use another \
             state directory",
            topics.lanes
        )));
    }
    let transactional = config.processing_guarantee == ProcessingGuarantee::ExactlyOnce;
    let transaction_limit = config.transaction_limit()?;
    let feeders = Feeders::new(topics.senders.clone(), config.max_task_idle);
    Ok(Env {
        production: Production::prepare(&config.production_exception_handler, &*cluster)?,
        transaction_limit: transactional.then_some(transaction_limit),
        on_uncaught: config.on_uncaught,
        paused: AtomicBool::new(false),
        application: config.application_id.clone(),
        instance: instance(&state)?,
        plan: Arc::new(Plan::of_topics(&graph, topics.lanes)),
        graph,
        cluster,
        topics,
        plans: Plans::new(),
        tasks: TaskOptions {
            clock: config.clock.clone(),
            max_run: config.max_run,
            over_topics: true,
            feeders: Arc::new(feeders),
            ..TaskOptions::default()
        },
        state,
        clock: config.clock.clone(),
        pulse: Arc::default(),
        standing: Standing::new(&config.clock, config.session_timeout),
        threads: config.num_stream_threads,
        refresh: config.offsets_refresh,
        aside,
        #[cfg(test)]
        planted: None,
        #[cfg(test)]
        refused: Default::default(),
    })
}

fn open_state(config: &StreamsConfig) -> Result<State> {
    match &config.state_dir {
        None => Ok(State::bytes_in_memory(config.state.clone())),
        #[cfg(feature = "rocksdb")]
        Some(dir) => State::open(dir, config.state.clone()),
        #[cfg(not(feature = "rocksdb"))]
        Some(dir) => Err(Error::new(
            ErrorKind::Invalid,
            format!(
                "state cannot be kept in {}: the feature `rocksdb` is off",
                dir.display()
            ),
        )),
    }
}

/// Ends the transactions of threads that the last process of this state had and this one has not: others
/// are told that its tasks are free.
fn end_threads_before(env: &Env, threads: u16) -> Result<()> {
    let known = env.state.meta("threads")?;
    let known = known.and_then(|bytes| bytes.try_into().ok());
    let before = known.map_or(0, u16::from_be_bytes);
    for thread in threads..before {
        let kind = ProducerKind::transactional(&transactional_id(env, thread));
        env.cluster.producer(&kind)?;
    }
    if before != threads {
        let mut commit = Commit::default();
        commit.put_meta("threads", &threads.to_be_bytes());
        env.state.commit(commit, true)?;
    }
    Ok(())
}

/// The name by which the transactions of this state's processes are known: the next one to use the state
/// ends what this one leaves open.
fn instance(state: &State) -> Result<String> {
    if let Some(bytes) = state.meta("instance")? {
        return Ok(String::from_utf8_lossy(&bytes).into_owned());
    }
    // Each `RandomState` has keys of its own.
    let random = RandomState::new().build_hasher().finish();
    let name = format!("{random:016x}");
    let mut commit = Commit::default();
    commit.put_meta("instance", name.as_bytes());
    state.commit(commit, true)?;
    Ok(name)
}
