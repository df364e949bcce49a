//! Rows that are made up: `generator://name`, to try a query out or to load it.
//!
//! What a row holds follows from the seed and from its number alone, so that the same options give the
//! same rows, and reading goes on where it stopped.

mod random;
mod field;
mod source;
mod rows;
mod connector;

pub use connector::GeneratorConnector;
