//! Kafka topics as sources and sinks.

mod listener;
mod native;
mod properties;
mod cluster;
mod topic;
mod failure;
mod position;
mod reading;
mod start;
mod partition;
mod watch;
mod reader;
mod source;

#[cfg(test)]
mod tests;
