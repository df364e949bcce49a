//! The syntax tree as an indented text, one node a line, for EXPLAIN.
//!
//! For people: it is not parsed again. Passwords in URIs and the values of secret properties are
//! hidden.

mod tree;
mod expression;
mod relation;
mod query;
mod statement;

pub use statement::dump;
