//! The typed DSL: streams and tables, and the steps that make others of them.
//!
//! It is that of Kafka Streams in Rust's terms. What can be absent is an `Option` in the type; what
//! holds state has a name; mistakes that types cannot catch are told when the topology is built.

mod builder;
mod grouped_stream;
mod grouped_table;
mod join_on;
mod kstream;
mod ktable;
mod options;
mod stream_join;

pub use self::builder::StreamsBuilder;
pub use self::grouped_stream::{AggregateOptions, KGroupedStream};
pub use self::grouped_table::KGroupedTable;
pub use self::join_on::{JoinKind, JoinSide, JoinSpec};
pub use self::kstream::KStream;
pub use self::ktable::{KTable, Stored, TableIndex};
pub use self::options::{Consumed, Grouped, Joined, JsonPayload, Materialized, Produced};
pub use self::stream_join::TableKey;
pub use crate::operators::aggregator::{Aggregator, Multisets};
pub use crate::operators::branch::Predicate;
pub use crate::operators::join_on::{Combine, Matches};
pub use crate::operators::map_run::{Failures, RunMapper};
pub use crate::operators::run_joiner::RunJoiner;
pub use crate::operators::table_map::Report;
