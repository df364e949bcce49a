//! Running a topology in one process, with its state in a directory or in memory.
//!
//! Records are processed by worker threads, and everything is committed as one: the rows of all
//! stores, where reading each source goes on, and output on its way. At every commit all tables
//! reflect the same prefix of the inputs; a process that is killed goes on from the last commit.
//!
//! # Metrics
//!
//! Whoever collects through the `metrics` facade is told once a second, under the names that
//! [applications on a cluster](crate::streams::metrics) have for them, what steps count
//! (`kafka_streams_processor_node_process_total` and so on), how large stores are (`kafka_streams_store_num_keys` or
//! `kafka_streams_store_estimate_num_keys` and so on) and how RocksDB is (`kafka_streams_rocksdb_block_cache_usage`
//! and so on). In the place of `application_id` and `instance` they have `state`, the directory or `memory`. Gauges are
//! 0 once the topology has ended.

mod delivery;
mod feed;
mod intake;
mod meeting;
mod metrics;
mod options;
mod outbox;
mod shared;
mod targets;
mod thread;
mod worker;

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use self::delivery::Outlet;
use self::feed::FeedSource;
pub use self::feed::Feeder;
use self::intake::{Bound, ReadingPlan};
use self::metrics::EmbeddedMetrics;
pub use self::options::{EmbeddedOptions, Emit};
use self::shared::{Shared, Sources};
pub use self::targets::known_sinks;
use self::thread::Thread;
use self::worker::{Worker, building_key};
use crate::codec::{Key, SharedCodec};
use crate::connector::{Health, Sink, SinkWriter, Source, Stats};
use crate::error::{Error, ErrorKind, Result};
use crate::graph::{Graph, NodeId, Plan, SinkSpec, Topology};
use crate::identity::{self, Plans};
use crate::policy::NodeStats;
use crate::query::{Readers, Snapshot, Table, all_lanes};
use crate::record::Data;
use crate::store::State;

/// How long threads that were told to end at once may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// A topology that runs in this process.
///
/// It is made with everything checked and opened, and begins to work at [`start`](Embedded::start).
/// Dropped without [`close`](Embedded::close) it stops at once; what was committed stays.
pub struct Embedded {
    topology: Topology,
    shared: Arc<Shared>,
    /// Behind a lock for the sake of readers in other threads; nobody ever waits for it.
    ready: Mutex<Option<Ready>>,
    threads: Vec<Thread>,
    sources: Vec<Bound>,
    feeds: Vec<(NodeId, FeedSource)>,
}

/// Threads that are to be started.
struct Ready {
    workers: Vec<Worker>,
    commits: crossbeam_channel::Receiver<shared::Handed>,
    writers: Vec<(Arc<Outlet>, Box<dyn SinkWriter>)>,
}

/// How a running topology is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Every source has ended, and everything is committed and delivered.
    Finished,
    /// It was closed.
    Closed,
    /// The time to wait is over.
    TimedOut,
}

/// A source of a running topology, to be watched.
#[derive(Clone)]
pub struct SourceStatus {
    /// The name of the source in the topology.
    pub name: String,
    /// The query that reads it.
    pub query: String,
    /// Where it reads from.
    pub location: String,
    /// The kind of the source.
    pub connector: String,
    /// What the reader counts; sources that share a reader share its counts.
    pub stats: Arc<Stats>,
    /// What the source counts of the records that it decoded.
    pub node: Arc<NodeStats>,
}

/// A sink of a running topology, to be watched.
#[derive(Clone)]
pub struct SinkStatus {
    /// The name of the sink in the topology.
    pub name: String,
    /// Where it writes to.
    pub location: String,
    /// What it counts.
    pub stats: Arc<Stats>,
    /// Committed records that it does not have yet.
    pub backlog: usize,
}

impl Embedded {
    /// Opens a topology on a state.
    ///
    /// # Errors
    ///
    /// Where the state was made by another program, a source or sink cannot be opened, or a sink is
    /// bound to nothing.
    pub fn new(topology: &Topology, state: State, options: EmbeddedOptions) -> Result<Self> {
        Embedded::with_plans(topology, state, options, &Plans::new())
    }

    /// Opens a topology on a state that remembers, for each query, in words of the program's own, what
    /// it computes; a query of the same name and other words is refused.
    ///
    /// # Errors
    ///
    /// As [`new`](Embedded::new).
    pub fn with_plans(
        topology: &Topology,
        state: State,
        mut options: EmbeddedOptions,
        plans: &Plans,
    ) -> Result<Self> {
        let graph = topology.graph.clone();
        let state = state.lend();
        let lanes = identity::lanes(&state, options.workers)?;
        identity::forget(&state, &graph, &options.rebuild)?;
        identity::check(&state, &graph, plans)?;
        outbox::prepare(&state)?;
        targets::settle(&state, &graph, plans, |spec| {
            sink_of(spec, &options).map(|sink| &**sink)
        })?;
        // What begins anew is noted again.
        identity::check(&state, &graph, plans)?;
        if options.workers > lanes {
            tracing::warn!(
                "{} workers were asked for, and {lanes} work: the state was made by so many, which share \
                 it for as long as it lives (with a new state directory all of them work)",
                options.workers
            );
            options.workers = lanes;
        }
        let plan = Arc::new(Plan::new(&graph, lanes));
        let (outlets, writers) = open_outlets(&graph, &state, &options)?;
        let (sources, feeds) = bind(&graph, &options);
        let rereadable = sources
            .iter()
            .filter(|bound| bound.source.describe().rereadable)
            .map(|bound| bound.node)
            .collect();
        let fed = feeds.iter().map(|(node, _)| *node).collect();
        let shared = Shared::new(
            graph,
            plan,
            state,
            options,
            outlets,
            Sources { rereadable, fed },
        );
        let shared = Arc::new(shared);
        let ready = ready(&shared, &sources, writers)?;
        Ok(Embedded {
            topology: topology.clone(),
            shared,
            ready: Mutex::new(Some(ready)),
            threads: Vec::new(),
            sources,
            feeds,
        })
    }

    /// Begins to work. Called again, it does nothing.
    ///
    /// # Errors
    ///
    /// Where a thread cannot be started.
    pub fn start(&mut self) -> Result<()> {
        let Some(ready) = self.take_ready() else {
            return Ok(());
        };
        self.shared.pulse.running.store(true, Ordering::Release);
        self.shared.change(|status| status.running = true);
        for (outlet, writer) in ready.writers {
            let shared = self.shared.clone();
            let name = format!("sink-{}", outlet.name);
            let run = move || outlet.run(writer, &shared.state, || shared.wake_all());
            self.spawn(&name, run)?;
        }
        let shared = self.shared.clone();
        let commits = ready.commits;
        let metrics = EmbeddedMetrics::new(&shared.graph, &shared.state);
        self.spawn("commit", move || shared.write_commits(&commits, metrics))?;
        for (index, worker) in ready.workers.into_iter().enumerate() {
            self.spawn(&format!("worker-{index}"), move || worker.run())?;
        }
        self.shared.request(0);
        Ok(())
    }

    fn take_ready(&mut self) -> Option<Ready> {
        self.ready.get_mut().expect("no panic while locked").take()
    }

    fn spawn(&mut self, name: &str, run: impl FnOnce() + Send + 'static) -> Result<()> {
        match Thread::start(name, run) {
            Ok(thread) => self.threads.push(thread),
            Err(e) => {
                // The others would wait for it.
                self.shared.meeting.call_off();
                return Err(e);
            }
        }
        Ok(())
    }

    /// Stops reading, until [`resume`](Embedded::resume). What was read is processed and committed.
    pub fn pause(&self) {
        self.shared.paused.store(true, Ordering::Release);
    }

    /// Reads again.
    pub fn resume(&self) {
        self.shared.paused.store(false, Ordering::Release);
        self.shared.wake_all();
    }

    /// Waits until every source has ended, the topology was closed, or the time is over.
    ///
    /// # Errors
    ///
    /// Where a query failed, or the process cannot go on.
    pub fn wait(&self, timeout: Option<Duration>) -> Result<Outcome> {
        self.wait_checked(timeout, Self::check)
    }

    /// The same of all queries but those that failed: the others go on, and are waited for.
    ///
    /// # Errors
    ///
    /// Where the process cannot go on.
    pub fn wait_for_others(&self, timeout: Option<Duration>) -> Result<Outcome> {
        self.wait_checked(timeout, Self::check_process)
    }

    fn wait_checked(
        &self,
        timeout: Option<Duration>,
        check: impl Fn(&Self) -> Result<()>,
    ) -> Result<Outcome> {
        let deadline = timeout.map(|timeout| Instant::now() + timeout);
        let over = self.shared.wait(deadline, |status| {
            let finished = status.finished && status.written == status.handed;
            finished || status.stopped || status.fatal.is_some()
        });
        check(self)?;
        if !over {
            return Ok(Outcome::TimedOut);
        }
        if self.shared.status().stopped {
            return Ok(Outcome::Closed);
        }
        for outlet in self.shared.outlets.iter().flatten() {
            let never = Instant::now() + Duration::from_secs(365 * 86_400);
            outlet.wait(deadline.unwrap_or(never));
        }
        check(self)?;
        Ok(Outcome::Finished)
    }

    /// Why the topology, or a query of it, does not work any more.
    ///
    /// # Errors
    ///
    /// The first failure.
    pub fn check(&self) -> Result<()> {
        self.shared.fatal_error()?;
        let failed = self.shared.status().failed.first().cloned();
        if let Some((query, message)) = failed {
            return Err(Error::new(
                ErrorKind::Failed,
                format!("query {query} failed: {message}"),
            ));
        }
        self.check_process()
    }

    /// Why everything, or a sink, does not work any more.
    fn check_process(&self) -> Result<()> {
        self.shared.fatal_error()?;
        for outlet in self.shared.outlets.iter().flatten() {
            if let Some(message) = outlet.failure() {
                return Err(Error::new(ErrorKind::Failed, message));
            }
        }
        Ok(())
    }

    /// The queries that failed, with what they said.
    pub fn failed_queries(&self) -> Vec<(String, String)> {
        self.shared.status().failed.clone()
    }

    /// The queries that stand still as they depend on one that failed, in the order of their names.
    pub fn detached_queries(&self) -> Vec<String> {
        let status = self.shared.status();
        let mut queries: BTreeSet<&str> = BTreeSet::new();
        let graph = &self.shared.graph;
        queries.extend(status.disabled.iter().map(|id| &*graph.node(*id).query));
        for (failed, _) in &status.failed {
            queries.remove(&failed[..]);
        }
        queries.into_iter().map(str::to_owned).collect()
    }

    /// True where queries failed and none is left that is not one of them or depends on them.
    pub fn is_nothing_left(&self) -> bool {
        let disabled = self.shared.status().disabled.clone();
        self.shared.graph.ids().all(|id| disabled.contains(&id))
    }

    /// Stops: processes what was fed and what was read, commits, and lets sinks have it, for at most
    /// `timeout`. What was fed and is not processed by then is lost; everything else goes on at the
    /// next start.
    ///
    /// # Errors
    ///
    /// Where the last commit failed, or a function or a sink does not return. Its thread is left alone then, and
    /// has nothing committed any more, so that the state can be used again.
    pub fn close(mut self, timeout: Duration) -> Result<()> {
        self.stop(Instant::now() + timeout)
    }

    fn stop(&mut self, deadline: Instant) -> Result<()> {
        if self.take_ready().is_none() && !self.threads.is_empty() {
            for (_, feed) in &self.feeds {
                feed.end();
            }
            self.shared.stopping.store(true, Ordering::Release);
            self.shared.wake_all();
            self.shared.wait(Some(deadline), |status| status.stopped);
            for outlet in self.shared.outlets.iter().flatten() {
                outlet.wait(deadline);
            }
            self.shared.hurry.store(true, Ordering::Release);
            self.shared.wake_all();
        }
        for outlet in self.shared.outlets.iter().flatten() {
            outlet.stop();
        }
        let patience = deadline.max(Instant::now() + PATIENCE);
        let mut ended = Ok(());
        for thread in self.threads.drain(..) {
            ended = ended.and(thread.join(patience));
        }
        if ended.is_err() {
            // Whoever has the state next must not find it changed by what is still at work here.
            self.shared.state.give_up();
        }
        ended.and_then(|()| self.note_deliveries())?;
        self.shared.fatal_error()
    }

    /// Has the state remember what sinks took since the last commit.
    fn note_deliveries(&self) -> Result<()> {
        let mut commit = crate::store::Commit::default();
        for outlet in self.shared.outlets.iter().flatten() {
            if let Some(delivered) = outlet.news(0) {
                outbox::write_delivered(&mut commit, &outlet.name, &delivered);
            }
        }
        if commit.is_empty() || self.shared.status().fatal.is_some() {
            return Ok(());
        }
        self.shared.state.commit(commit, true)
    }

    fn readers(&self) -> Readers {
        Readers {
            graph: self.shared.graph.clone(),
            state: self.shared.state.clone(),
            lanes: all_lanes(self.shared.plan.lanes),
            pulse: self.shared.pulse.clone(),
        }
    }

    /// A table, to be read from any thread.
    ///
    /// # Errors
    ///
    /// Where there is no such table, or its rows have other types.
    pub fn table<K: Key, V: Data>(&self, name: &str) -> Result<Table<K, V>> {
        self.readers().table(name)
    }

    /// All tables, as the last commit left them.
    pub fn snapshot(&self) -> Snapshot {
        self.readers().snapshot()
    }

    /// A source that nothing else is bound to, to be fed by this program.
    ///
    /// # Errors
    ///
    /// Where there is no such source, or its records have other types or no codecs.
    pub fn input<K: Data, V: Data>(&self, name: &str) -> Result<Feeder<K, V>> {
        let graph = &self.shared.graph;
        let found = self
            .feeds
            .iter()
            .find(|(node, _)| &*graph.node(*node).name == name);
        let Some((node, feed)) = found else {
            return Err(Error::new(
                ErrorKind::NotFound,
                format!("there is no source {name} that the program feeds"),
            ));
        };
        let codecs = graph
            .sources()
            .find(|(id, _)| id == node)
            .and_then(|(_, source)| {
                let codecs = source.codecs.as_ref()?;
                codecs.downcast_ref::<(SharedCodec<K>, SharedCodec<V>)>()
            });
        match codecs {
            Some((key, value)) => Ok(Feeder::new(feed.clone(), key.clone(), value.clone())),
            None => Err(Error::new(
                ErrorKind::Invalid,
                format!(
                    "source {name} is not fed with {}",
                    std::any::type_name::<(K, V)>()
                ),
            )),
        }
    }

    /// The sources, to be watched.
    pub fn sources(&self) -> Vec<SourceStatus> {
        let graph = &self.shared.graph;
        let status = |bound: &Bound| {
            let node = graph.node(bound.node);
            let description = bound.source.describe();
            SourceStatus {
                name: node.name.to_string(),
                query: node.query.to_string(),
                location: description.location,
                connector: description.connector,
                stats: bound.stats.clone(),
                node: node.stats.clone(),
            }
        };
        self.sources.iter().map(status).collect()
    }

    /// The sinks, to be watched.
    pub fn sinks(&self) -> Vec<SinkStatus> {
        let status = |outlet: &Arc<Outlet>| SinkStatus {
            name: outlet.name.clone(),
            location: outlet.location.clone(),
            stats: outlet.stats.clone(),
            backlog: outlet.backlog(),
        };
        self.shared.outlets.iter().flatten().map(status).collect()
    }

    /// How all sources and sinks are: healthy where all are.
    pub fn health(&self) -> Health {
        let sources = self.sources.iter().map(|bound| bound.stats.health());
        let sinks = self
            .shared
            .outlets
            .iter()
            .flatten()
            .map(|outlet| outlet.stats.health());
        let mut worst = sources
            .chain(sinks)
            .filter(|health| *health != Health::Healthy);
        worst.next().unwrap_or(Health::Healthy)
    }

    /// The topology.
    pub fn topology(&self) -> &Topology {
        &self.topology
    }

    /// What each operator counts, by its name.
    pub fn node_stats(&self) -> Vec<(String, Arc<NodeStats>)> {
        let nodes = self.shared.graph.nodes.iter();
        nodes
            .map(|node| (node.name.to_string(), node.stats.clone()))
            .collect()
    }

    /// The number of commits that were written.
    pub fn commits(&self) -> u64 {
        self.shared.status().written
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        if let Err(e) = self.stop(Instant::now()) {
            tracing::error!("cannot stop well: {e}");
        }
    }
}

/// Refuses a state with output on its way, which nobody would deliver.
pub(crate) fn refuse_undelivered(state: &State, graph: &Graph) -> Result<()> {
    outbox::prepare(state)?;
    for spec in &graph.sinks {
        let has = outbox::read_delivered(state, &spec.name)?.count;
        let (first, records) = outbox::read(state, &spec.name)?;
        let left = (first + records.len() as u64).saturating_sub(has.max(first));
        if left > 0 {
            return Err(Error::state(format!(
                "the state holds {left} records that sink {} does not have; run the topology \
                 embedded until they are delivered",
                spec.name
            )));
        }
    }
    Ok(())
}

type Outlets = (
    Vec<Option<Arc<Outlet>>>,
    Vec<(Arc<Outlet>, Box<dyn SinkWriter>)>,
);

/// What a sink of the topology is bound to.
fn sink_of<'a>(spec: &'a SinkSpec, options: &'a EmbeddedOptions) -> Option<&'a Arc<dyn Sink>> {
    options.sinks.get(&*spec.name).or(spec.binding.as_ref())
}

fn open_outlets(graph: &Graph, state: &State, options: &EmbeddedOptions) -> Result<Outlets> {
    let mut outlets = Vec::new();
    let mut writers = Vec::new();
    for spec in &graph.sinks {
        let Some(sink) = sink_of(spec, options) else {
            return Err(Error::invalid(format!(
                "sink {} is bound to nothing; give it a sink in the options",
                spec.name
            )));
        };
        let (outlet, writer) = Outlet::open(&spec.name, &**sink, state)?;
        outlets.push(Some(outlet.clone()));
        writers.push((outlet, writer));
    }
    Ok((outlets, writers))
}

fn bind(graph: &Graph, options: &EmbeddedOptions) -> (Vec<Bound>, Vec<(NodeId, FeedSource)>) {
    let mut feeds = Vec::new();
    let mut sources = Vec::new();
    for (node, spec) in graph.sources() {
        let name = &*graph.node(node).name;
        let binding = options.sources.get(name).or(spec.binding.as_ref()).cloned();
        let source = binding.unwrap_or_else(|| {
            let feed = FeedSource::new(name);
            feeds.push((node, feed.clone()));
            Arc::new(feed) as Arc<dyn Source>
        });
        sources.push(Bound {
            node,
            source,
            stats: Stats::new(),
        });
    }
    (sources, feeds)
}

/// Makes everything that is to run in threads.
fn ready(
    shared: &Arc<Shared>,
    sources: &[Bound],
    writers: Vec<(Arc<Outlet>, Box<dyn SinkWriter>)>,
) -> Result<Ready> {
    let components = shared.graph.components();
    let plans = intake::plan(&shared.graph, &shared.state, sources, &components)?;
    let gates: BTreeSet<usize> = plans
        .iter()
        .filter(|plan| plan.bootstrap)
        .flat_map(|plan| plan.components.iter().copied())
        .collect();
    for group in 0..shared.plan.rebuilds.len() {
        if shared.state.meta(&building_key(shared, group))?.is_some() {
            shared.round().building.insert(group);
        }
    }
    let workers = shared.workers();
    let mut by_worker: Vec<Vec<ReadingPlan>> = Vec::new();
    by_worker.resize_with(workers, Vec::new);
    for plan in plans {
        by_worker[plan.place(workers)].push(plan);
    }
    let (sender, commits) = crossbeam_channel::bounded(1);
    let workers = by_worker
        .into_iter()
        .enumerate()
        .map(|(index, plans)| Worker::new(index, shared, &sender, plans, gates.clone()))
        .collect::<Result<Vec<Worker>>>()?;
    Ok(Ready {
        workers,
        commits,
        writers,
    })
}
