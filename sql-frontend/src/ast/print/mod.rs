//! Syntax trees as SQL.
//!
//! What is printed parses to the same tree, on one line, with parentheses and quotes only where
//! they are needed. Trees that the parser never makes, such as a chain of one operand, print as
//! something close to them.

mod list;
mod name;
mod literal;
mod data_type;
mod expression;
mod call;
mod query;
mod relation;
mod statement;
mod create;
