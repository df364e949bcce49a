//! Plans: what a query computes, with all names and types resolved.
//!
//! A plan is a tree of relational operators over sources and tables of the catalog. The binder makes
//! it, rules of the optimizer rewrite it, lowering turns it into steps of a topology. It is plain
//! data and knows neither text nor topology.

mod scalar;
mod aggregate;
mod node;
mod relation;
mod properties;
mod print;

pub use self::aggregate::{Aggregate, AggregateFunction};
pub use self::node::{Column, JoinKind, JoinOn, Plan, PlanKind, ScanKind, SortKey};
pub use self::print::print;
pub use self::properties::{
    Changes, Key, KeyColumn, Properties, Side, is_mixed, properties, stream_side,
};
pub use self::relation::{Source, Stream, Table, schema};
pub use self::scalar::{ArithmeticOp, CompareOp, Scalar, ScalarKind};
