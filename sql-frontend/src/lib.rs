//! SQL text in, topologies out.

pub mod span;
pub mod error;
pub mod lexer;
pub mod ast;
pub mod parser;
