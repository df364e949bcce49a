//! Bound expressions as code over the bytes of rows.
//!
//! An expression becomes a tree of nodes, each of the physical type of its value: columns and
//! constants are read in place, everything else is a closure. Values are never put into an enum with
//! strings of their own; text is borrowed from the row or stands in memory of the [`Eval`] that is
//! used again for each row. What fails is NULL and leaves a message.

mod held;
mod eval;
mod node;
mod text;
mod code;
mod logic;
mod arithmetic;
mod decimal;
mod compare;
mod cast;
mod conditional;
mod in_list;
mod like;
mod call;
mod build;
mod compiled;
mod projection;

pub use compiled::{Compiled, constant};
pub use eval::Eval;
pub use projection::Projection;
