//! What is told to whoever collects through the `metrics` facade, by all that run a topology.

mod describe;
mod labels;
mod node;
#[cfg(test)]
pub(crate) mod recorder;
mod rows;

use std::time::Duration;

pub(crate) use self::describe::describe;
#[cfg(test)]
pub(crate) use self::describe::names;
pub(crate) use self::labels::{Labels, Level, Total};
pub(crate) use self::node::NodeMetrics;
pub(crate) use self::rows::RowsMetrics;

/// How often what others count is passed on.
pub(crate) const EVERY: Duration = Duration::from_secs(1);
