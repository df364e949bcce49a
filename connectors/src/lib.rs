//! Files, Kafka, memory and the console as sources and sinks.

pub mod file;
