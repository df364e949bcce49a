//! Running a topology in a loop of one's own.
//!
//! A [`Host`] has no thread and no socket: it is fed the records that somebody else's consumer reads,
//! gives the records that somebody else's producer is to send, and commits when it is told to. Where
//! the process ends in between, the host says where each consumer has to go on, and drops what it
//! has already.
//!
//! ```
//! use ferrisstreams_topology::dsl::{Consumed, Materialized, Produced, StreamsBuilder};
//! use ferrisstreams_topology::host::HostOptions;
//! use ferrisstreams_topology::store::{State, StateOptions};
//!
//! let builder = StreamsBuilder::new();
//! let words = builder.stream::<String, String>("words", Consumed::plain());
//! let counts = words.group_by_key().count(Materialized::named("counts"));
//! counts.to_stream().to("totals", Produced::json());
//! let topology = builder.build()?;
//!
//! // What a consumer would read: partition, offset, timestamp, key, value.
//! let messages = [(0, 7, 10, "ferris", "hello"), (0, 8, 20, "ferris", "again")];
//! let mut produced = Vec::new();
//!
//! let mut host = topology.host(State::in_memory(StateOptions::default()), HostOptions::default())?;
//! for (partition, offset, timestamp, key, value) in messages {
//!     let (key, value) = (key.as_bytes(), value.as_bytes());
//!     host.feed("words", partition, offset, timestamp, Some(key), Some(value))?;
//!     for output in host.drain_outputs() {
//!         produced.push((output.sink, output.record.value));
//!     }
//!     if host.commit_due() {
//!         // The producer is flushed first, and what commit returns is what the consumer commits.
//!         host.commit()?;
//!     }
//! }
//! let positions = host.commit()?;
//! assert_eq!(positions.get("words", 0), Some(9));
//! assert_eq!(host.table::<String, i64>("counts")?.get("ferris")?, Some(2));
//! let totals = [("totals".into(), Some(b"1".to_vec())), ("totals".into(), Some(b"2".to_vec()))];
//! assert_eq!(produced, totals);
//! # Ok::<(), ferrisstreams_topology::Error>(())
//! ```
//!
//! # Order
//!
//! The outputs are sent and the producer is flushed; then [`commit`](Host::commit); then the consumer
//! commits. The host's state decides where reading goes on, so a consumer that forgot its commit is
//! no harm: seek it to [`positions`](Host::positions). Rows of tables are thus exact. Outputs are sent
//! at least once: what was drained before a crash, and not committed, is drained again. A loop whose
//! producer has transactions can do better: it commits the consumer's offsets in the transaction of
//! the outputs, right before [`commit`](Host::commit), and after a crash feeds from [`positions`](Host::positions) but throws
//! away outputs until it stands where the transaction ended.
//!
//! # Time
//!
//! A record is processed in the call that feeds it. The host waits for no source: it does not know
//! what their consumers will still read. Who feeds several sources and wants the results of a replay
//! to be those of the first time feeds records in the order of their timestamps. Tables that streams
//! wait for elsewhere are best fed first.
//!
//! # Failures
//!
//! A record that cannot be read follows the policy of its source; with [`ErrorPolicy::Fail`] the call
//! that fed it fails. Nothing since the last commit has taken effect then, that record and those
//! before it alike, and the host does no more until it is [rolled back](Host::rollback): consumers go
//! back to where that says, and what they read is fed again. The same holds for a failed write, and
//! for a panic of a function of the topology, which passes through the host.
//!
//! [`ErrorPolicy::Fail`]: crate::ErrorPolicy::Fail

mod options;
mod partitions;
mod positions;

use std::collections::VecDeque;
use std::sync::Arc;

pub use self::options::HostOptions;
use self::partitions::Partitions;
pub use self::positions::Positions;
use crate::codec::Key;
use crate::connector::{RawBatch, RawRecord, SinkRecord};
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};
use crate::graph::{NodeId, Topology};
use crate::identity::{self, Plans};
use crate::query::{Snapshot, Table};
use crate::record::Data;
use crate::runtime::{Emit, refuse_undelivered};
use crate::store::{Commit, State};
use crate::task::TaskOptions;
use crate::time::Timestamp;

/// A topology that runs in a loop of one's own; see the [module](self).
pub struct Host {
    engine: Engine,
    options: HostOptions,
    sources: Vec<(Arc<str>, NodeId)>,
    partitions: Partitions,
    outputs: VecDeque<HostOutput>,
    condition: Condition,
    last_commit: Timestamp,
    /// True where anything may have changed since the last commit.
    dirty: bool,
    /// True where nothing is held back until the commit.
    released: bool,
}

/// Whether a host can go on.
enum Condition {
    Well,
    /// A call into the tasks has not returned: it is under way, or it panicked.
    Working,
    /// A call into the tasks failed so.
    Failed(String),
}

/// A record that a topology sends.
#[derive(Debug, Clone, PartialEq)]
pub struct HostOutput {
    /// The sink that it is sent to, by its name in the topology.
    pub sink: Arc<str>,
    /// Key, value, timestamp and headers.
    pub record: SinkRecord,
}

impl Topology {
    /// Opens the topology on a state, to be run in a loop of one's own. What its sources and sinks
    /// are bound to is not used: they are fed and drained by hand.
    ///
    /// # Errors
    ///
    /// Where the state was made by another program or cannot be read, or where it still holds output
    /// of an embedded run.
    pub fn host(&self, state: State, options: HostOptions) -> Result<Host> {
        Host::new(self, state, options)
    }
}

impl Host {
    fn new(topology: &Topology, state: State, options: HostOptions) -> Result<Self> {
        let graph = &topology.graph;
        identity::check(&state, graph, &Plans::new())?;
        refuse_undelivered(&state, graph)?;
        let lanes = identity::lanes(&state, 1)?;
        let tasks = TaskOptions {
            clock: options.clock.clone(),
            max_run: options.max_run,
            collapse: options.emit == Emit::AtCommit,
            ..TaskOptions::default()
        };
        let names = graph
            .sources()
            .map(|(node, _)| (graph.node(node).name.clone(), node));
        let mut host = Host {
            sources: names.collect(),
            partitions: Partitions::read(&state, graph)?,
            outputs: VecDeque::new(),
            condition: Condition::Well,
            last_commit: options.clock.now(),
            dirty: false,
            released: true,
            engine: Engine::open(graph, state, lanes, tasks)?,
            options,
        };
        host.engine.set_running(true);
        host.work(Engine::process)?;
        Ok(host)
    }

    /// Says which partitions of a source this host is fed from now on, and where they go on.
    ///
    /// A host that was never told takes whatever it is fed. Once a commit holds what it was told, its
    /// state is that of these partitions: later, and after a restart, it can be assigned all or some
    /// of them, and no others.
    ///
    /// # Errors
    ///
    /// Where there is no such source, or the state of a partition is not here; what was assigned
    /// before stays so.
    pub fn assign(
        &mut self,
        source: &str,
        partitions: impl IntoIterator<Item = u32>,
    ) -> Result<Positions> {
        let node = self.source(source)?;
        self.partitions
            .assign(source, node, partitions.into_iter().collect())?;
        self.dirty = true;
        Ok(self.positions())
    }

    /// Takes a record of a partition, and processes it. One that stands before the position of the
    /// partition was taken already, and is dropped.
    ///
    /// # Errors
    ///
    /// Where there is no such source, the partition is not assigned, or the host has to be rolled
    /// back first; nothing has changed then. Where the record, or what it causes, fails, and where
    /// the state cannot be read: the host has to be rolled back.
    pub fn feed(
        &mut self,
        source: &str,
        partition: u32,
        offset: i64,
        timestamp: Timestamp,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
    ) -> Result<()> {
        let record = RawRecord {
            key,
            value,
            timestamp,
            offset,
            ..RawRecord::default()
        };
        self.feed_record(source, partition, record)
    }

    /// Takes a record that may have headers; see [`feed`](Host::feed).
    ///
    /// # Errors
    ///
    /// As [`feed`](Host::feed).
    pub fn feed_record(
        &mut self,
        source: &str,
        partition: u32,
        record: RawRecord<'_>,
    ) -> Result<()> {
        let node = self.accept(source, partition)?;
        if self.has(node, partition, record.offset) {
            return Ok(());
        }
        let mut batch = RawBatch::empty(partition, record.offset);
        batch.push(record);
        self.take(node, batch)
    }

    /// Takes records of one partition, and processes them: much cheaper than one at a time. Those
    /// that stand before the position of the partition are dropped.
    ///
    /// # Errors
    ///
    /// As [`feed`](Host::feed).
    pub fn feed_batch(&mut self, source: &str, mut batch: RawBatch) -> Result<()> {
        let node = self.accept(source, batch.partition)?;
        if let Some(next) = self.engine.next(node, batch.partition) {
            if batch.end <= next {
                return Ok(());
            }
            batch.skip_before(next);
        }
        self.take(node, batch)
    }

    /// The source of this name, if this host may be fed the partition now.
    fn accept(&self, source: &str, partition: u32) -> Result<NodeId> {
        self.check()?;
        let node = self.source(source)?;
        self.partitions.check(source, node, partition)?;
        Ok(node)
    }

    fn source(&self, name: &str) -> Result<NodeId> {
        let found = self.sources.iter().find(|(source, _)| **source == *name);
        found.map(|(_, node)| *node).ok_or_else(|| {
            let known: Vec<&str> = self.sources.iter().map(|(name, _)| &**name).collect();
            Error::new(
                ErrorKind::NotFound,
                format!("there is no source {name}; there is {}", known.join(", ")),
            )
        })
    }

    /// True where the record at an offset was taken already.
    fn has(&self, node: NodeId, partition: u32, offset: i64) -> bool {
        let next = self.engine.next(node, partition);
        next.is_some_and(|next| offset < next)
    }

    fn take(&mut self, node: NodeId, batch: RawBatch) -> Result<()> {
        self.dirty = true;
        let batch = Arc::new(batch);
        self.work(|engine| {
            engine.feed(node, &batch);
            engine.process()
        })?;
        self.release_if_due()
    }

    /// Lets wall-clock time pass: for loops that have nothing to feed for a while.
    ///
    /// # Errors
    ///
    /// Where the host has to be rolled back.
    pub fn tick(&mut self) -> Result<()> {
        self.work(Engine::tick)?;
        self.release_if_due()
    }

    /// When [`tick`](Host::tick) should be called at the latest, by the wall clock.
    pub fn next_tick(&self) -> Option<Timestamp> {
        self.engine.next_tick()
    }

    /// Sends what is held back until a commit, once one is due.
    fn release_if_due(&mut self) -> Result<()> {
        if self.holds_back() && self.is_over() {
            self.work(Engine::release)?;
            self.released = true;
        }
        Ok(())
    }

    /// True where changes of tables wait for the commit and may have come since it was prepared.
    fn holds_back(&self) -> bool {
        self.options.emit == Emit::AtCommit && !self.released
    }

    /// True where it is time for a commit.
    fn is_over(&self) -> bool {
        let passed = self.options.clock.now() - self.last_commit;
        self.dirty
            && u128::try_from(passed).unwrap_or(0) >= self.options.commit_interval.as_millis()
    }

    /// Runs something of the tasks. Where it fails, the host does no more until it is rolled back.
    fn work<R>(&mut self, call: impl FnOnce(&mut Engine) -> Result<R>) -> Result<R> {
        self.check()?;
        self.released = false;
        self.condition = Condition::Working;
        match call(&mut self.engine) {
            Ok(result) => {
                self.condition = Condition::Well;
                for output in self.engine.outputs() {
                    self.dirty = true;
                    self.outputs.push_back(HostOutput {
                        sink: self.engine.graph().sink(output.sink).name.clone(),
                        record: output.record,
                    });
                }
                Ok(result)
            }
            Err(e) => {
                self.condition = Condition::Failed(e.to_string());
                self.outputs.clear();
                Err(e)
            }
        }
    }

    fn check(&self) -> Result<()> {
        let why = match &self.condition {
            Condition::Well => return Ok(()),
            Condition::Working => "a function panicked",
            Condition::Failed(why) => why,
        };
        Err(Error::new(
            ErrorKind::Closed,
            format!("the host must be rolled back before it can go on: {why}"),
        ))
    }

    /// Takes the records that the topology sent since this was asked last. Those that the iterator is
    /// not asked for stay for the next call.
    ///
    /// Where one cannot be sent on, [`rollback`](Host::rollback) has it made again.
    pub fn drain_outputs(&mut self) -> impl Iterator<Item = HostOutput> + '_ {
        let outputs = &mut self.outputs;
        std::iter::from_fn(move || outputs.pop_front())
    }

    /// True where something may have changed since the last commit, and that is longer ago than the
    /// [interval](HostOptions::commit_interval).
    pub fn commit_due(&self) -> bool {
        let well = matches!(self.condition, Condition::Well);
        well && self.outputs.is_empty() && !self.holds_back() && self.is_over()
    }

    /// Makes everything that was fed durable: the rows of all tables and where each consumer goes on,
    /// in one write that outlives a power cut. The answer is what the consumers may commit.
    ///
    /// # Errors
    ///
    /// Of kind [`ErrorKind::Invalid`] where outputs have not been [taken](Host::drain_outputs), which a
    /// crash behind this commit would lose: take them, flush the producer, and commit again. Any
    /// other: nothing is committed, and the host has to be rolled back.
    pub fn commit(&mut self) -> Result<Positions> {
        if !self.released {
            self.work(Engine::release)?;
            self.released = true;
        }
        self.check()?;
        if !self.outputs.is_empty() {
            return Err(Error::new(
                ErrorKind::Invalid,
                format!(
                    "cannot commit: {} records for sinks were not taken; send them, then commit again",
                    self.outputs.len()
                ),
            ));
        }
        let mut commit = Commit::default();
        self.partitions.write(self.engine.graph(), &mut commit);
        self.work(|engine| engine.commit(commit, true))?;
        self.partitions.written();
        self.released = true;
        self.dirty = false;
        self.last_commit = self.options.clock.now();
        Ok(self.positions())
    }

    /// Forgets everything since the last commit, outputs that were not taken included, and goes on
    /// from there. The answer says where each consumer has to be sought to; a partition that is not in
    /// it goes back to where it began.
    ///
    /// # Errors
    ///
    /// Where the state cannot be read; it can be tried again.
    pub fn rollback(&mut self) -> Result<Positions> {
        self.condition = Condition::Failed("it could not be rolled back".to_owned());
        self.outputs.clear();
        self.engine.reopen()?;
        self.condition = Condition::Well;
        self.dirty = false;
        self.work(Engine::process)?;
        Ok(self.positions())
    }

    /// Where the consumer of each partition goes on: behind the last record that was taken, and
    /// where the host has to be rolled back, behind the last that was committed.
    pub fn positions(&self) -> Positions {
        let offsets = match self.condition {
            Condition::Well => self.engine.all_next(),
            Condition::Working | Condition::Failed(_) => self.engine.committed(),
        };
        Positions::new(self.engine.graph(), offsets)
    }

    /// A table as the last commit left it, to be read from any thread.
    ///
    /// # Errors
    ///
    /// Where there is no such table, or its rows have other types.
    pub fn table<K: Key, V: Data>(&self, name: &str) -> Result<Table<K, V>> {
        self.engine.readers().table(name)
    }

    /// All tables as the last commit left them.
    pub fn snapshot(&self) -> Snapshot {
        self.engine.readers().snapshot()
    }

    /// The greatest timestamp that was processed.
    pub fn stream_time(&self) -> Timestamp {
        self.engine.stream_time()
    }

    /// The state.
    pub fn state(&self) -> &State {
        self.engine.state()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.engine.set_running(false);
    }
}
