//! The operators: one file each.
//!
//! An operator is what a node of a topology does. Each is generic over the types of its records and
//! knows its stores by place; the typed handles of the [`dsl`](crate::dsl) put them together.

mod bag;
mod change;

pub(crate) mod aggregate;
pub(crate) mod aggregator;
pub(crate) mod branch;
pub(crate) mod collapse;
pub(crate) mod exchange;
pub(crate) mod filter;
pub(crate) mod follow;
pub(crate) mod index;
pub(crate) mod index_by;
pub(crate) mod join_on;
pub(crate) mod map;
pub(crate) mod map_run;
pub(crate) mod materialize;
pub(crate) mod pass;
pub(crate) mod peek;
pub(crate) mod settle;
pub(crate) mod sink;
pub(crate) mod source;
pub(crate) mod run_joiner;
pub(crate) mod stream_index_join;
pub(crate) mod stream_table_join;
pub(crate) mod table_aggregate;
pub(crate) mod table_flat_map;
pub(crate) mod table_group_by;
pub(crate) mod table_map;
pub(crate) mod table_table_join;
pub(crate) mod to_stream;
pub(crate) mod with_records;
pub(crate) mod to_table;
pub(crate) mod sent_change;
pub(crate) mod wire;

pub(crate) use self::bag::{Bag, bag};
