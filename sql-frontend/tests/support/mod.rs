//! What the tests share: expressions from short texts, and a slow evaluator of expressions.

#![allow(dead_code)]

pub mod call;
pub mod random;
pub mod slow;
pub mod types;
