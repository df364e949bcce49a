//! SQL text in, topologies out.

pub mod span;
pub mod error;
pub mod lexer;
pub mod ast;
pub mod functions;
pub mod catalog;
pub mod plan;
pub mod compiler;
