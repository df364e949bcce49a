//! The SQL front end: SQL text in, topologies out.
//!
//! A statement is read by the [`lexer`] and the [`parser`] into a tree ([`ast`]), bound against the
//! catalog, planned and optimized, and lowered to the typed DSL of the engine; a [`Session`] does all
//! of it. Everything that is wrong is told at its place in the text, before anything runs.

pub mod span;
pub mod error;
pub mod lexer;
pub mod ast;
pub mod parser;
pub mod functions;
pub mod plan;
pub mod aggregates;
pub mod compiler;
pub mod catalog;
mod binder;
mod optimizer;
mod lowering;
pub mod session;

pub use error::{Code, Colour, Diagnostic, render_all};
pub use lowering::{
    FirstRows, RowsKind, TableRowsError, count_rows, first_rows, read_rows, visit_rows,
};
pub use session::{
    Answer, Changes, Outcome, Program, ResultSet, RowReader, Select, SelectError, Session,
};
pub use span::Source;
