//! From tokens to statements.
//!
//! A text is cut into statements at its semicolons, and each is parsed on its own, so that the
//! mistakes of all of them are told in one go. The grammar is written with nom's combinators over
//! tokens; what would have fitted is noted while a statement is read, and becomes its error where
//! nothing does. Names are not looked up and types not checked: that is for the binder.

mod fault;
mod tokens;
mod terminal;
mod name;
mod property;
mod data_type;
mod literal;
mod expression;
mod query;
mod statement;
mod clauses;
mod hint;
mod report;
mod script;

pub use script::{Parsed, parse, parse_statements};

/// Levels to which expressions, queries and types may nest.
///
/// What is parsed is walked by recursion later on, so the limit protects the stacks of all who
/// walk it, down to the drop of the tree.
pub const MAX_DEPTH: usize = 200;

/// Bytes of the longest text that is read in one go.
pub const MAX_TEXT: usize = 16 << 20;

/// Statements that are read in one go.
pub const MAX_STATEMENTS: usize = 100_000;
