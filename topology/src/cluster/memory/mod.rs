//! A cluster in the memory of this process: topics, transactions and groups as Kafka's brokers have
//! them, and failures as a test wants them.

mod log;
mod topic;
mod offsets;
mod assignment;
mod group;
mod transactions;
mod faults;
mod state;
mod reader;
mod producer;
mod idempotent;
mod member;
mod brokers;
mod controls;
#[cfg(test)]
mod broker_tests;
#[cfg(test)]
mod group_tests;
#[cfg(test)]
mod model_tests;

pub use self::brokers::MemoryCluster;
pub use self::faults::Fault;
pub use self::log::LoggedRecord;
pub use self::transactions::{MarkerTarget, Markers};
