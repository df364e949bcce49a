//! Between the bytes of records and rows: CSV, JSON and Kafka's primitives.
//!
//! A source says how its records look in a [`RowSpecification`] and gets a
//! [`RowSource`](ferrisstreams_topology::connector::RowSource) for it; a sink asks for an [`encoder`].
//! A record is first scanned for where its fields stand, in its format's way, and then written as a
//! row, in the way of each column's type.

mod names;
mod cell;
mod fault;
mod pattern;
mod timestamp;
mod format;
mod escape;
mod base64;
mod column;
mod csv;
mod json;
mod places;
mod part;
mod specification;
mod plan;
mod decoder;
mod encoder;
mod guess;
mod infer;

pub use csv::csv_fields;
pub use decoder::rows;
pub use encoder::{csv_header, encoder};
pub use format::{Csv, Format, FormatDefaults, FormatName, Formats, Json, ReadOptions};
pub use infer::Sample;
pub use pattern::TimePattern;
pub use specification::RowSpecification;
pub(crate) use timestamp::TimeReader;
pub use timestamp::TimestampColumn;
