//! The id of a topic, which another topic of the same name does not have.

use std::time::Duration;

use rdkafka::bindings as sys;

use super::admin;
use super::call::{self, CallError};
use super::fetch::Consumer;

/// The id of a topic, asked from one of the brokers; none where they are too old to have ids, or do not
/// tell.
pub(in crate::kafka) fn topic_id(
    consumer: &Consumer,
    topic: &str,
    broker: i32,
    limit: Duration,
) -> Result<Option<[u8; 16]>, CallError> {
    let name = call::name(topic)?;
    let operation = sys::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBETOPICS;
    // Any broker knows; without its number the controller would be searched for.
    let answer = admin::ask(consumer, operation, Some(broker), limit, |asked| {
        let mut names = [name.as_ptr()];
        // SAFETY: what is asked for lives during the call, which copies the names; their collection is
        // destroyed once.
        unsafe {
            let topics =
                sys::rd_kafka_TopicCollection_of_topic_names(names.as_mut_ptr(), names.len());
            sys::rd_kafka_DescribeTopics(asked.client, topics, asked.options, asked.queue);
            sys::rd_kafka_TopicCollection_destroy(topics);
        }
    })?;
    // SAFETY: the event lives as long as the answer.
    unsafe { read(answer.event()) }
}

/// What the answer says of its only topic.
///
/// # Safety
///
/// `event` is the answer to a description, and lives.
unsafe fn read(event: *mut sys::rd_kafka_event_t) -> Result<Option<[u8; 16]>, CallError> {
    // SAFETY: the caller says that the event lives, and all that is read here belongs to it.
    unsafe {
        let result = sys::rd_kafka_event_DescribeTopics_result(event);
        if result.is_null() {
            return Ok(None);
        }
        let mut count = 0;
        let topics = sys::rd_kafka_DescribeTopics_result_topics(result, &mut count);
        if count == 0 {
            return Ok(None);
        }
        let topic = *topics;
        let error = sys::rd_kafka_TopicDescription_error(topic);
        if !error.is_null() {
            call::check(sys::rd_kafka_error_code(error))?;
        }
        let id = sys::rd_kafka_TopicDescription_topic_id(topic);
        let high = sys::rd_kafka_Uuid_most_significant_bits(id);
        let low = sys::rd_kafka_Uuid_least_significant_bits(id);
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&high.to_be_bytes());
        bytes[8..].copy_from_slice(&low.to_be_bytes());
        Ok((bytes != [0; 16]).then_some(bytes))
    }
}
