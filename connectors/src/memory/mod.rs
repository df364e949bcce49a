//! Topics that live in the memory of the program: `memory://name`.
//!
//! A program writes records into a [`MemoryTopic`] and reads what a query wrote there. All uses of a
//! name through the same [`Connections`](crate::Connections) are one topic, and it goes with the
//! process: a query that comes back with older state, and with it a position, finds an empty topic and
//! is told so if its position lies beyond the content. A sink writes exactly once, as long as the topic
//! lives.

mod topic;
mod source;
mod sink;
mod connector;

pub use connector::MemoryConnector;
pub use topic::{MemoryRecord, MemoryTopic};
