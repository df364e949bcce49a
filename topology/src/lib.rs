//! The core of FerrisStreams: records and their types, state, the typed topology DSL, and the
//! engine that runs a topology.

mod error;
mod nearest;
mod prefetch;
pub mod time;
pub mod record;
pub mod data;
pub mod codec;
mod policy;
pub mod connector;
pub mod cluster;
pub mod store;
mod run;
mod processor;
mod stamped;
mod view;
pub mod query;
mod graph;
mod meter;
mod operators;
pub mod dsl;
mod task;
mod horizon;
mod tasks;
mod position;
mod identity;
mod engine;
pub mod runtime;
pub mod host;
pub mod streams;
pub mod test_driver;
#[cfg(all(test, feature = "rocksdb"))]
mod fixture_tests;
#[cfg(test)]
mod full_disk_tests;
#[cfg(test)]
mod ticker;
#[cfg(test)]
mod exchange_tests;

pub use error::{Error, ErrorKind, Result};
pub use graph::Topology;
pub use nearest::nearest;
pub use policy::{DeadLetter, ErrorPolicy, NodeStats};
pub use stamped::Stamped;
