//! Rows shown on standard output, or to any writer: `console://`.

mod form;
mod sink;
mod connector;

pub use connector::ConsoleConnector;
