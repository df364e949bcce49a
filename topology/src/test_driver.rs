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
use crate::connector::{RawBatch, RawRecord, SinkRecord};
use crate::dsl::Consumed;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::graph::{NodeId, SourceSpec, Topology};
use crate::query::{Snapshot, Table};
use crate::record::{Data, Record};
use crate::run::Run;
use crate::store::{Commit, State, StateOptions};
use crate::task::TaskOptions;
use crate::time::{Clock, Timestamp};

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
    engine: Engine,
    outputs: BTreeMap<String, VecDeque<SinkRecord>>,
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
        let tasks = TaskOptions {
            clock: clock.clone(),
            max_run: options.max_run,
            collapse: !options.each_change,
            ..TaskOptions::default()
        };
        let mut driver = TopologyTestDriver {
            topology: topology.clone(),
            engine: Engine::open(&topology.graph, state, options.lanes, tasks)?,
            options,
            clock,
            outputs: BTreeMap::new(),
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
        let (node, source) = self.source(name);
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

    fn source(&self, name: &str) -> (NodeId, &SourceSpec) {
        let graph = &self.topology.graph;
        let mut sources = graph.sources();
        let found = sources.find(|(id, _)| &*graph.node(*id).name == name);
        found.unwrap_or_else(|| panic!("the topology has no source {name}"))
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
        self.engine.feed_run(node, &batch, run);
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
        self.pipe_node(input.node, 0, record)
    }

    /// Sends a record as bytes into the source of this name, through any partition. It stands at the
    /// next offset there.
    ///
    /// # Errors
    ///
    /// Where the query fails.
    ///
    /// # Panics
    ///
    /// Where the topology has no such source.
    pub fn pipe_raw_record(
        &mut self,
        source: &str,
        partition: u32,
        record: RawRecord<'_>,
    ) -> Result<()> {
        let (node, _) = self.source(source);
        self.pipe_node(node, partition, record)
    }

    fn pipe_node(&mut self, node: NodeId, partition: u32, record: RawRecord<'_>) -> Result<()> {
        let batch = self.batch(node, partition, vec![record]);
        self.engine.feed(node, &batch);
        self.after_pipe()
    }

    fn batch(&self, node: NodeId, partition: u32, records: Vec<RawRecord<'_>>) -> Arc<RawBatch> {
        let first = self.engine.next(node, partition).unwrap_or(0);
        let mut batch = RawBatch::empty(partition, first);
        for (offset, record) in (first..).zip(records) {
            batch.push(RawRecord { offset, ..record });
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
        self.engine.process()?;
        self.take_outputs();
        Ok(())
    }

    /// Commits: sends what was held back, and writes the state.
    ///
    /// # Errors
    ///
    /// Where the query fails or the state cannot be written.
    pub fn commit(&mut self) -> Result<()> {
        self.engine.release()?;
        self.take_outputs();
        self.engine.commit(Commit::default(), false)
    }

    fn take_outputs(&mut self) {
        for output in self.engine.outputs() {
            let name = self.topology.graph.sink(output.sink).name.to_string();
            self.outputs
                .entry(name)
                .or_default()
                .push_back(output.record);
        }
    }

    /// Forgets everything that is not committed, and begins again from what is. Records that were
    /// not committed are to be piped again.
    ///
    /// # Errors
    ///
    /// Where a store cannot be opened.
    pub fn restart(&mut self) -> Result<()> {
        self.engine.reopen()?;
        self.after_start()
    }

    /// The offset behind the last record that was piped, by source and partition.
    pub fn offset(&self, source: &str, partition: u32) -> i64 {
        let graph = &self.topology.graph;
        let node = graph
            .sources()
            .find(|(id, _)| &*graph.node(*id).name == source);
        node.and_then(|(node, _)| self.engine.next(node, partition))
            .unwrap_or(0)
    }

    /// Moves the wall clock.
    ///
    /// # Errors
    ///
    /// Where the query fails.
    pub fn advance(&mut self, by: Duration) -> Result<()> {
        self.clock.advance(by);
        self.engine.tick()?;
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
        match self.engine.readers().table(name) {
            Ok(table) => table,
            Err(e) => panic!("{e}"),
        }
    }

    /// All tables, as they were committed last.
    pub fn snapshot(&self) -> Snapshot {
        self.engine.readers().snapshot()
    }

    /// The greatest timestamp that any task has processed.
    pub fn stream_time(&self) -> Timestamp {
        self.engine.stream_time()
    }

    /// The state.
    pub fn state(&self) -> &State {
        self.engine.state()
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
