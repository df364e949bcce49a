//! Stream processing for Rust services that live on Kafka: topologies written in Rust with typed
//! streams and tables, SQL that compiles to the same topologies, and state that survives.
//!
//! A table is a materialised view: it keeps its rows in a local store, and is current as its inputs
//! change. Everything a process does is committed as one: rows, positions in the inputs, and output.
//!
//! ```
//! use ferrisstreams::prelude::*;
//!
//! #[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
//! struct Order {
//!     user_id: String,
//!     amount: Decimal,
//! }
//!
//! let builder = StreamsBuilder::new();
//! let orders: KStream<String, Order> = builder.stream("orders", Consumed::json());
//! orders
//!     .group_by(|_, order| order.user_id.clone(), Grouped::named("by-user"))
//!     .aggregate(
//!         || Decimal::ZERO,
//!         |_user, order, total| total + order.amount,
//!         Materialized::named("spent"),
//!     );
//! let topology = builder.build()?;
//!
//! let mut driver = TopologyTestDriver::new(&topology)?;
//! let orders = driver.input::<String, Order>("orders");
//! let order = |amount: &str| Order {
//!     user_id: "alice".to_owned(),
//!     amount: amount.parse().expect("a number"),
//! };
//! driver.pipe(&orders, "1", order("12.50"), 0)?;
//! driver.pipe(&orders, "2", order("25.00"), 1)?;
//! let spent = driver.table::<String, Decimal>("spent").get("alice")?;
//! assert_eq!(spent, Some(Decimal::new(3_750, 2)));
//! # Ok::<(), ferrisstreams::Error>(())
//! ```
//!
//! # Features
//!
//! - `sql` (on by default): SQL that compiles to topologies, see [`sql`];
//! - `kafka` (on by default): Kafka topics as sources and sinks;
//! - `rocksdb` (on by default): state on disk. Without it state lives in memory only.

mod streams;
pub mod prelude;

pub use ferrisstreams_topology::{
    Error, ErrorKind, ErrorPolicy, NodeStats, Result, Stamped, Topology, cluster, codec, connector,
    data, dsl, host, query, record, runtime, store, test_driver, time,
};
/// Applications on a cluster.
pub mod application {
    pub use ferrisstreams_topology::streams::metrics;
    pub use ferrisstreams_topology::streams::{
        Application, KeyQueryMetadata, LagInfo, ProcessingGuarantee, ProductionExceptionHandler,
        RestoreProgress, StreamThreadExceptionResponse, StreamsConfig, StreamsMetadata,
        StreamsState,
    };
}

pub use streams::Streams;

/// Sources and sinks: what URIs stand for.
pub mod connect {
    pub use ferrisstreams_connectors::*;
}

/// SQL text in, topologies out.
#[cfg(feature = "sql")]
pub mod sql {
    pub use ferrisstreams_sql_frontend::plan::{Column, Table};
    pub use ferrisstreams_sql_frontend::*;
}

/// The programs in the README run.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;
