//! Between the bytes of records and rows: CSV, JSON and Kafka's primitives.
//!
//! A source says how its records look in a [`RowSpecification`] and gets a
//! [`RowSource`](ferrisstreams_topology::connector::RowSource) for it; a sink asks for an [`encoder`].

mod timestamp;
mod format;
mod decoder;
mod encoder;
mod infer;

pub use decoder::{RowSpecification, rows};
pub use encoder::{csv_header, encoder};
pub use format::{Csv, Format, FormatDefaults, FormatName, Formats, Json, ReadOptions};
pub use infer::Sample;
pub use timestamp::TimestampColumn;
