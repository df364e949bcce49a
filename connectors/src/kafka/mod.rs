//! Kafka topics as sources and sinks.

mod listener;
mod native;
