//! Files, Kafka, memory and the console as sources and sinks.

#[cfg(feature = "kafka")]
pub mod kafka;
