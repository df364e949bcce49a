//! Kafka topics as sources and sinks.

pub mod statistics;
mod security;
mod listener;
mod native;
mod properties;
mod oauth;
mod unmade;
mod trying;
mod again;
mod cluster;
mod topic;
mod failure;
mod position;
mod writing;
mod reading;
mod start;
mod partition;
mod watch;
mod reader;
mod late;
mod place;
mod source;
mod delivery;
mod exactly_once;
mod at_least_once;
mod sink;
mod sample;
mod key_column;
mod source_options;
mod resolve_source;
mod resolve_sink;
mod connector;
mod application;

pub use application::KafkaCluster;
pub use connector::KafkaConnector;

#[cfg(test)]
mod tests;
