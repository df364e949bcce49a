//! Files, Kafka, memory, generated records and the console as sources and sinks.
//!
//! [`Connections`] is where a program begins: it knows what URIs stand for, and is what SQL asks. A
//! [`Connector`] makes sources and sinks of the URIs of its schemes; what bytes mean is the business
//! of [`formats`].

mod uri;
mod options;
mod clock;
pub mod formats;
mod connector;
pub mod memory;
pub mod console;
pub mod generator;
mod blackhole;
pub mod file;
#[cfg(feature = "kafka")]
pub mod kafka;
mod connections;

pub use blackhole::BlackholeConnector;
pub use connections::Connections;
pub use connector::{Connector, Context};
pub use options::OptionReader;
pub use uri::Uri;
