//! The nodes of a topology, and what else it is made of.

use std::any::{Any, TypeId};
use std::sync::Arc;

use crate::connector::{RawBatch, Sink, Source, Times};
use crate::error::{Error, Result};
use crate::operators::wire::Wire;
use crate::policy::{ErrorPolicy, NodeStats};
use crate::processor::{Processor, SinkId, StoreId};
use crate::run::Run;
use crate::store::{AnyStore, Generations, State};

/// The place of a node among those of a topology.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct NodeId(pub(crate) u32);

impl NodeId {
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// What a node is told when it is made for a task.
pub(crate) struct NodeEnv {
    /// The number of tasks that share the work of one sub-topology.
    pub(crate) lanes: u16,
    /// True where somebody downstream reads old values.
    pub(crate) send_old: bool,
    /// True where what is forwarded goes anywhere.
    pub(crate) has_children: bool,
    /// True where changes are held back until the commit and sent as one a key.
    pub(crate) collapse: bool,
    /// True where records travel between tasks through topics.
    pub(crate) over_topics: bool,
}

/// Makes a processor for a task.
pub(crate) type MakeProcessor = Arc<dyn Fn(&NodeEnv) -> Box<dyn Processor> + Send + Sync>;

/// Makes a store for a task: the state, the lane of the task, and the generations that are there.
pub(crate) type MakeStore =
    Arc<dyn Fn(&State, u16, Generations) -> Result<Box<dyn AnyStore>> + Send + Sync>;

/// Makes a decoder for a task.
pub(crate) type MakeDecoder = Arc<dyn Fn() -> Box<dyn Decoder> + Send + Sync>;

/// Turns raw records into a run.
pub(crate) trait Decoder: Send {
    fn decode(&mut self, batch: &RawBatch) -> Decoded;
}

/// What a decoder made of a batch.
pub(crate) struct Decoded {
    /// The records that could be read and were wanted; each names its raw record as its cause.
    pub(crate) run: Run,
    /// The raw records that could not be read, in order, and why.
    pub(crate) bad: Vec<(u32, Error)>,
    /// The timestamps of all raw records, where they are not those of the batch.
    pub(crate) times: Option<Times>,
    /// How many numbers were rounded.
    pub(crate) rounded: u64,
}

/// Where records come from.
pub(crate) struct SourceSpec {
    pub(crate) binding: Option<Arc<dyn Source>>,
    pub(crate) decoder: MakeDecoder,
    /// True for a table that is loaded before streams that meet it move.
    pub(crate) bootstrap: bool,
    /// The codec of the keys, where there is one.
    pub(crate) key_codec: Option<String>,
    /// The types of keys and values.
    pub(crate) types: TypeId,
    /// The codecs of keys and values, as a pair, where batches have no decoder of their own.
    pub(crate) codecs: Option<Arc<dyn Any + Send + Sync>>,
}

/// What a node does.
pub(crate) enum Kind {
    Source(SourceSpec),
    /// Records go to the task that their keys belong to.
    Exchange,
    Operator,
    Sink(SinkId),
}

/// What a node has to do with old values of changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OldValues {
    /// It does not look at them.
    Ignores,
    /// It reads them.
    Reads,
    /// It maps them for whoever reads them downstream.
    Passes,
}

/// What a node does when its source is read again from the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnRewrite {
    /// It sees the records again and passes them on.
    Passes,
    /// It builds its state again and forwards how it differs.
    Rebuilds,
}

/// A node of a topology.
pub(crate) struct Node {
    pub(crate) name: Arc<str>,
    /// What it does, in a word.
    pub(crate) label: &'static str,
    pub(crate) kind: Kind,
    pub(crate) inputs: Vec<NodeId>,
    pub(crate) make: MakeProcessor,
    pub(crate) writes: Vec<StoreId>,
    pub(crate) reads: Vec<StoreId>,
    pub(crate) old_values: OldValues,
    pub(crate) on_rewrite: OnRewrite,
    /// True where the records that it sends are changes of a table.
    pub(crate) sends_changes: bool,
    /// True where it does nothing but pass on what it is given, one record at a time.
    pub(crate) stateless: bool,
    /// True where nothing but what it sends comes of it: without anybody behind it, it need not work.
    pub(crate) pure: bool,
    /// True where records leave it under the keys that they came with.
    pub(crate) keeps_key: bool,
    /// True where it sends changes of a table out whose rows are not where their keys belong.
    pub(crate) scattered: bool,
    /// Of an exchange, how its records travel through a topic, if they can.
    pub(crate) wire: Option<Arc<dyn Wire>>,
    /// True where it may hold changes back until the commit.
    pub(crate) may_collapse: bool,
    /// True where that is so only if what it sends reaches nothing but sinks, through stateless steps.
    pub(crate) before_sink: bool,
    /// True where it does something once, at its very first start.
    pub(crate) starts_once: bool,
    /// True where it does something when stream time has come.
    pub(crate) goes_by_time: bool,
    pub(crate) policy: ErrorPolicy,
    pub(crate) stats: Arc<NodeStats>,
    /// The query that it is part of.
    pub(crate) query: Arc<str>,
}

/// A store of a topology.
pub(crate) struct StoreSpec {
    pub(crate) name: Arc<str>,
    pub(crate) make: MakeStore,
    /// What must be equal for the rows of a former run to be used.
    pub(crate) fingerprint: String,
}

/// A sink of a topology.
pub(crate) struct SinkSpec {
    pub(crate) name: Arc<str>,
    pub(crate) binding: Option<Arc<dyn Sink>>,
}

/// A table that can be read from outside, by name.
pub(crate) struct TableSpec {
    /// The handle that reads the table, of the types of its rows.
    pub(crate) view: Arc<dyn Any + Send + Sync>,
    pub(crate) types: &'static str,
}
