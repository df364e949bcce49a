//! The core of FerrisStreams: records and their types, state, the typed topology DSL, and the
//! engine that runs a topology.

pub mod data;
