//! The core of FerrisStreams: records and their types, state, the typed topology DSL, and the
//! engine that runs a topology.

pub mod codec;
pub mod data;
mod error;
pub mod record;
pub mod store;
pub mod time;

pub use error::{Error, ErrorKind, Result};
