//! A topology without broker, threads or clock: records go in one at a time, and what comes out is
//! there when the call returns.
//!
//! ```
//! use ferrisstreams_topology::dsl::{Consumed, Materialized, Produced, StreamsBuilder};
//! use ferrisstreams_topology::test_driver::TopologyTestDriver;
//!
//! let builder = StreamsBuilder::new();
//! let words = builder.stream::<String, String>("words", Consumed::plain());
//! let counts = words.group_by_key().count(Materialized::named("counts"));
//! counts.to_stream().to("totals", Produced::json());
//! let topology = builder.build()?;
//!
//! let mut driver = TopologyTestDriver::new(&topology)?;
//! let words = driver.input::<String, String>("words");
//! driver.pipe(&words, "ferris", "hello", 10)?;
//! driver.pipe(&words, "ferris", "again", 20)?;
//! assert_eq!(driver.table::<String, i64>("counts").get("ferris")?, Some(2));
//! let totals = driver.read::<String, Option<i64>>("totals", &Consumed::json())?;
//! let totals: Vec<_> = totals.iter().map(|r| (r.value, r.timestamp)).collect();
//! assert_eq!(totals, [(Some(1), 10), (Some(2), 20)]);
//! # Ok::<(), ferrisstreams_topology::Error>(())
//! ```

use std::any::TypeId;
use std::collections::BTreeMap;
use std::collections::VecDeque;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use crate::codec::{Key, SharedCodec};
use crate::connector::{RawBatch, RawRecord, SinkRecord, Waker};
use crate::dsl::Consumed;
use crate::error::{Error, Result};
use crate::graph::{Graph, NodeId, Plan, Topology};
use crate::processor::in_order;
use crate::query::{Pulse, Readers, Snapshot, Table};
use crate::record::{Data, Record};
use crate::run::{Run, Stamp};
use crate::runtime::read_position;
use crate::store::{Commit, State, StateOptions};
use crate::task::TaskOptions;
use crate::tasks::{PostOffice, Share, TaskSet};
use crate::time::{Clock, NO_TIMESTAMP, Timestamp};

/// How a driver works.
#[derive(Debug, Clone)]
pub struct DriverOptions {
    /// Tasks that share the work of each part of the topology. One by default.
    pub lanes: u16,
    /// The most records that are processed at once. With more than one, results are the same.
    pub max_run: usize,
    /// True where every change of a table is sent; otherwise one a key and commit.
    pub each_change: bool,
    /// True where each piped record is processed, and committed, before the call returns. Otherwise
    /// records wait for [`TopologyTestDriver::process`] and [`TopologyTestDriver::commit`].
    pub at_once: bool,
    /// Where the wall clock stands at first.
    pub start: Timestamp,
}

impl Default for DriverOptions {
    fn default() -> Self {
        DriverOptions {
            lanes: 1,
            max_run: 1,
            each_change: true,
            at_once: true,
            start: 0,
        }
    }
}

/// Runs a topology by hand.
pub struct TopologyTestDriver {
    topology: Topology,
    options: DriverOptions,
    clock: Clock,
    state: State,
    set: TaskSet,
    offsets: BTreeMap<(NodeId, u32), i64>,
    outputs: BTreeMap<String, VecDeque<SinkRecord>>,
    pulse: Arc<Pulse>,
}

/// A source of the topology, to pipe records into.
pub struct TestInput<K, V> {
    node: NodeId,
    /// True where the source takes optional values, absent ones deleting.
    optional: bool,
    types: PhantomData<fn(K, V)>,
}

impl<K, V> Clone for TestInput<K, V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K, V> Copy for TestInput<K, V> {}

impl TopologyTestDriver {
    /// A driver with its state in memory.
    ///
    /// # Errors
    ///
    /// Where a store cannot be opened.
    pub fn new(topology: &Topology) -> Result<Self> {
        let state = State::in_memory(StateOptions::default());
        TopologyTestDriver::with(topology, state, DriverOptions::default())
    }

    /// A driver on a given state.
    ///
    /// # Errors
    ///
    /// Where a store cannot be opened.
    pub fn with(topology: &Topology, state: State, options: DriverOptions) -> Result<Self> {
        let clock = Clock::manual(options.start);
        let set = open(&topology.graph, &state, &options, &clock)?;
        let mut driver = TopologyTestDriver {
            topology: topology.clone(),
            options,
            clock,
            state,
            set,
            offsets: BTreeMap::new(),
            outputs: BTreeMap::new(),
            pulse: Arc::default(),
        };
        driver.after_start()?;
        Ok(driver)
    }

    fn after_start(&mut self) -> Result<()> {
        self.process()?;
        if self.options.at_once {
            self.commit()?;
        }
        Ok(())
    }

    /// The source of this name.
    ///
    /// # Panics
    ///
    /// Where there is none, or its records have other types.
    pub fn input<K: Data, V: Data>(&self, name: &str) -> TestInput<K, V> {
        let graph = &self.topology.graph;
        let (node, source) = graph
            .sources()
            .find(|(id, _)| &*graph.node(*id).name == name)
            .unwrap_or_else(|| panic!("the topology has no source {name}"));
        let plain = source.types == TypeId::of::<(K, V)>();
        let optional = source.types == TypeId::of::<(K, Option<V>)>();
        assert!(
            plain || optional,
            "source {name} does not have records of {}",
            std::any::type_name::<(K, V)>()
        );
        TestInput {
            node,
            optional,
            types: PhantomData,
        }
    }

    /// Sends a record into the topology, through partition 0.
    ///
    /// # Errors
    ///
    /// Where the query fails.
    pub fn pipe<K: Data, V: Data>(
        &mut self,
        input: &TestInput<K, V>,
        key: impl Into<K>,
        value: impl Into<V>,
        timestamp: Timestamp,
    ) -> Result<()> {
        let record = Record::new(key.into(), value.into(), timestamp);
        self.pipe_records(input, 0, vec![record])
    }

    /// Sends records into the topology, through any partition, as one batch.
    ///
    /// # Errors
    ///
    /// Where the query fails.
    pub fn pipe_records<K: Data, V: Data>(
        &mut self,
        input: &TestInput<K, V>,
        partition: u32,
        records: Vec<Record<K, V>>,
    ) -> Result<()> {
        let raw = records.iter().map(raw).collect();
        let run = if input.optional {
            let records = records.into_iter().map(|record| record.map_value(Some));
            Run::new(records.collect())
        } else {
            Run::new(records)
        };
        self.pipe_run(input.node, partition, run, raw)
    }

    /// Sends a record that deletes a key into a table.
    ///
    /// # Errors
    ///
    /// Where the query fails.
    ///
    /// # Panics
    ///
    /// Where the source is not that of a table.
    pub fn pipe_delete<K: Data, V: Data>(
        &mut self,
        input: &TestInput<K, V>,
        key: impl Into<K>,
        timestamp: Timestamp,
    ) -> Result<()> {
        assert!(input.optional, "the source is not that of a table");
        let record: Record<K, Option<V>> = Record::new(key.into(), None, timestamp);
        let raw = vec![raw(&record)];
        self.pipe_run(input.node, 0, Run::new(vec![record]), raw)
    }

    fn pipe_run(
        &mut self,
        node: NodeId,
        partition: u32,
        run: Run,
        raw: Vec<RawRecord<'_>>,
    ) -> Result<()> {
        let batch = self.batch(node, partition, raw);
        self.set.enqueue_run(node, rank(node, partition), &batch, run);
        self.after_pipe()
    }

    /// Sends a record into the topology as bytes, which its codecs are to read.
    ///
    /// # Errors
    ///
    /// Where the query fails.
    pub fn pipe_raw<K: Data, V: Data>(
        &mut self,
        input: &TestInput<K, V>,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        timestamp: Timestamp,
    ) -> Result<()> {
        let record = RawRecord {
            key,
            value,
            timestamp,
            ..RawRecord::default()
        };
        let batch = self.batch(input.node, 0, vec![record]);
        self.set.enqueue(input.node, rank(input.node, 0), &batch);
        self.after_pipe()
    }

    fn batch(&mut self, node: NodeId, partition: u32, records: Vec<RawRecord<'_>>) -> Arc<RawBatch> {
        let offset = self.offsets.entry((node, partition)).or_insert(0);
        let mut batch = RawBatch::empty(partition, *offset);
        for record in records {
            batch.push(RawRecord {
                offset: *offset,
                ..record
            });
            *offset += 1;
        }
        Arc::new(batch)
    }

    fn after_pipe(&mut self) -> Result<()> {
        if self.options.at_once {
            self.process()?;
            self.commit()?;
        }
        Ok(())
    }

    /// Processes everything that waits.
    ///
    /// # Errors
    ///
    /// Where the query fails. What was not committed is lost then; [`restart`] goes on from there.
    ///
    /// [`restart`]: TopologyTestDriver::restart
    pub fn process(&mut self) -> Result<()> {
        while self.set.work(Stamp::MAX, 64)? {}
        self.take_outputs();
        Ok(())
    }

    /// Commits: sends what was held back, and writes the state.
    ///
    /// # Errors
    ///
    /// Where the query fails or the state cannot be written.
    pub fn commit(&mut self) -> Result<()> {
        for level in 0..self.set.levels() {
            self.set.drain_level(level, Stamp::MAX)?;
        }
        self.take_outputs();
        let mut commit = Commit::default();
        self.set.freeze(&mut commit)?;
        for (node, partition, offset, reached) in self.set.positions() {
            let key = position_key(&self.topology.graph, node, partition);
            let bytes = [reached.to_be_bytes(), offset.to_be_bytes()].concat();
            commit.put_meta(&key, &bytes);
        }
        self.state.commit(commit, false)?;
        self.set.committed();
        let now = self.clock.now();
        self.pulse.last_update.store(now, std::sync::atomic::Ordering::Release);
        Ok(())
    }

    fn take_outputs(&mut self) {
        let mut outputs = self.set.outputs();
        in_order(&mut outputs);
        for output in outputs {
            let name = self.topology.graph.sink(output.sink).name.to_string();
            self.outputs.entry(name).or_default().push_back(output.record);
        }
    }

    /// Forgets everything that is not committed, and begins again from what is. Records that were
    /// not committed are to be piped again.
    ///
    /// # Errors
    ///
    /// Where a store cannot be opened.
    pub fn restart(&mut self) -> Result<()> {
        self.set = open(&self.topology.graph, &self.state, &self.options, &self.clock)?;
        let graph = self.topology.graph.clone();
        for ((node, partition), offset) in &mut self.offsets {
            let bytes = self.state.meta(&position_key(&graph, *node, *partition))?;
            let position = bytes.as_deref().map(read_position);
            let (reached, position) = position.unwrap_or((NO_TIMESTAMP, 0));
            *offset = position;
            self.set.resume(*node, *partition, reached);
        }
        self.after_start()
    }

    /// The offset behind the last record that is committed, by source and partition.
    pub fn offset(&self, source: &str, partition: u32) -> i64 {
        let graph = &self.topology.graph;
        let node = graph.sources().find(|(id, _)| &*graph.node(*id).name == source);
        node.and_then(|(node, _)| self.offsets.get(&(node, partition)).copied())
            .unwrap_or(0)
    }

    /// Moves the wall clock.
    ///
    /// # Errors
    ///
    /// Where the query fails.
    pub fn advance(&mut self, by: Duration) -> Result<()> {
        self.clock.advance(by);
        self.set.tick()?;
        self.after_pipe()
    }

    /// Takes the records that were sent to a sink, as they were encoded.
    pub fn read_raw(&mut self, sink: &str) -> Vec<SinkRecord> {
        self.outputs.remove(sink).unwrap_or_default().into()
    }

    /// Takes the records that were sent to a sink, decoded as `form` says.
    ///
    /// # Errors
    ///
    /// Where they cannot be decoded so.
    pub fn read<K: Data, V: Data>(
        &mut self,
        sink: &str,
        form: &Consumed<K, V>,
    ) -> Result<Vec<Record<K, V>>> {
        let (key, value) = form
            .codecs()
            .ok_or_else(|| Error::invalid("outputs are read with codecs"))?;
        let decode = |record: SinkRecord| -> Result<Record<K, V>> {
            let mut decoded = Record::new(
                payload(&key, record.key.as_deref())?,
                payload(&value, record.value.as_deref())?,
                record.timestamp,
            );
            decoded.headers = record.headers;
            Ok(decoded)
        };
        self.read_raw(sink).into_iter().map(decode).collect()
    }

    /// A table, as it was committed last.
    ///
    /// # Panics
    ///
    /// Where there is none of this name, or its rows have other types.
    pub fn table<K: Key, V: Data>(&self, name: &str) -> Table<K, V> {
        match self.readers().table(name) {
            Ok(table) => table,
            Err(e) => panic!("{e}"),
        }
    }

    /// All tables, as they were committed last.
    pub fn snapshot(&self) -> Snapshot {
        self.readers().snapshot()
    }

    fn readers(&self) -> Readers {
        Readers {
            graph: self.topology.graph.clone(),
            state: self.state.clone(),
            lanes: self.options.lanes,
            pulse: self.pulse.clone(),
        }
    }

    /// The greatest timestamp that any task has processed.
    pub fn stream_time(&self) -> Timestamp {
        self.set.stream_time()
    }

    /// The state.
    pub fn state(&self) -> &State {
        &self.state
    }
}

fn raw<K, V>(record: &Record<K, V>) -> RawRecord<'static> {
    RawRecord {
        timestamp: record.timestamp,
        headers: record.headers.clone(),
        ..RawRecord::default()
    }
}

fn payload<T: Data>(codec: &SharedCodec<T>, bytes: Option<&[u8]>) -> Result<T> {
    codec.decode_payload(bytes)
}

/// Inputs are ordered by their nodes, then by their partitions.
fn rank(node: NodeId, partition: u32) -> u32 {
    (node.0 << 16) | (partition & 0xffff)
}

fn open(graph: &Arc<Graph>, state: &State, options: &DriverOptions, clock: &Clock) -> Result<TaskSet> {
    let plan = Arc::new(Plan::new(graph, options.lanes));
    let office = PostOffice::new(vec![Waker::new()]);
    let tasks = TaskOptions {
        clock: clock.clone(),
        max_run: options.max_run,
        collapse: !options.each_change,
        ..TaskOptions::default()
    };
    TaskSet::new(graph, &plan, Share::ALL, &office, state, &tasks)
}

/// The key under which it is remembered where reading a partition goes on.
pub(crate) fn position_key(graph: &Graph, node: NodeId, partition: u32) -> String {
    format!("position/{}/{partition}", graph.node(node).name)
}
