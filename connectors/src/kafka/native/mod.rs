//! The calls of librdkafka that rdkafka has no safe form for: taking records in batches, writing without
//! a report for each record, transactions that do not wait in slices, offsets that are committed with a time
//! limit, the id of a topic, the epochs of leaders, the members of a group, and tokens to log in with.
//!
//! Everything unsafe of the connector is here. What leaves this module is safe to use in any order; each
//! handle keeps the client alive that it belongs to.
#![allow(unsafe_code, reason = "librdkafka is a C library")]

mod call;
mod message;
mod fetch;
mod epoch;
mod events;
mod member;
mod commit;
mod group_offsets;
mod producer;
mod admin;
mod describe;
mod group;
mod property;
mod token;

pub(super) use self::call::CallError;
pub(super) use self::commit::commit_offsets;
pub(super) use self::describe::topic_id;
pub(super) use self::epoch::leader_ends;
pub(super) use self::events::serve_events;
pub(super) use self::fetch::{Consumer, Fetch};
pub(super) use self::group::group_members;
pub(super) use self::group_offsets::GroupOffsets;
pub(super) use self::member::{MemberName, member_name};
pub(super) use self::message::{Message, Messages};
pub(super) use self::producer::{Destination, Outgoing, Producer, TopicPlace};
pub(super) use self::property::property_names;
pub(super) use self::token::{TakesTokens, Token};
