//! Aggregates: what is gathered of the rows of a group, and what comes of it.
//!
//! An [`AggregatePlan`] is made of the aggregates of one `GROUP BY`. It is an
//! [`Aggregator`](ferrisstreams_topology::dsl::Aggregator) of rows of their arguments, and keeps an
//! [`AggState`] a group. All of it is exact, floating-point numbers included: what was added can be
//! taken back in any order, and nothing of it stays behind.

mod names;
mod types;
mod big;
mod exact_sum;
mod state;
mod codec;
mod extreme;
mod step;
mod number;
mod float;
mod spread;
mod interval;
mod outcome;
mod inputs;
mod layout;
mod plan;
#[cfg(test)]
mod tests;

pub use self::names::{lookup, names};
pub use self::plan::AggregatePlan;
pub use self::state::AggState;
pub use self::types::result_type;
