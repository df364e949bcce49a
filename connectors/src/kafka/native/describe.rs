//! The id of a topic, which another topic of the same name does not have.

use std::ptr;
use std::time::Duration;

use rdkafka::bindings as sys;
use rdkafka::consumer::Consumer as _;

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
    let client = consumer.client().native_ptr();
    // SAFETY: the client lives; the queue, the options and the names are made here, are used by the call
    // alone, which copies them, and are destroyed once.
    let event = unsafe {
        let queue = sys::rd_kafka_queue_new(client);
        let operation = sys::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBETOPICS;
        let options = sys::rd_kafka_AdminOptions_new(client, operation);
        let ms = call::millis(limit);
        sys::rd_kafka_AdminOptions_set_request_timeout(options, ms, ptr::null_mut(), 0);
        // Any broker knows; without this the controller would be searched for.
        sys::rd_kafka_AdminOptions_set_broker(options, broker, ptr::null_mut(), 0);
        let mut names = [name.as_ptr()];
        let topics = sys::rd_kafka_TopicCollection_of_topic_names(names.as_mut_ptr(), names.len());
        sys::rd_kafka_DescribeTopics(client, topics, options, queue);
        sys::rd_kafka_TopicCollection_destroy(topics);
        sys::rd_kafka_AdminOptions_destroy(options);
        // The call itself ends after the time limit; a little more lets it say so.
        let event = sys::rd_kafka_queue_poll(queue, ms.saturating_add(1_000));
        sys::rd_kafka_queue_destroy(queue);
        event
    };
    if event.is_null() {
        let code = sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR__TIMED_OUT;
        return Err(CallError::of_code(code));
    }
    // SAFETY: the event is ours until it is destroyed below.
    let id = unsafe { read(event) };
    // SAFETY: nobody uses the event, or what it holds, after this.
    unsafe { sys::rd_kafka_event_destroy(event) };
    id
}

/// What the answer says of its only topic.
///
/// # Safety
///
/// `event` is the answer to a description, and lives.
unsafe fn read(event: *mut sys::rd_kafka_event_t) -> Result<Option<[u8; 16]>, CallError> {
    // SAFETY: the caller says that the event lives, and all that is read here belongs to it.
    unsafe {
        call::check(sys::rd_kafka_event_error(event))?;
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
