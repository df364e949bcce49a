//! Committing offsets in the name of a consumer that is a member of a group.

use std::ptr;
use std::time::Duration;

use rdkafka::bindings as sys;
use rdkafka::client::Client;
use rdkafka::topic_partition_list::TopicPartitionList;

use super::call::{self, CallError};

/// Commits offsets of any partitions in the name of the member that the consumer is, and waits for the answer.
/// Any thread may do so while another polls the consumer. After a time-out nobody knows what became of it.
pub(in crate::kafka) fn commit_offsets<C: rdkafka::ClientContext>(
    client: &Client<C>,
    offsets: &TopicPartitionList,
    limit: Duration,
) -> Result<(), CallError> {
    // SAFETY: client and offsets live during the calls, which copy what they keep. Queue and event are made
    // here and destroyed once; an answer that comes later is dropped by the library.
    unsafe {
        let queue = sys::rd_kafka_queue_new(client.native_ptr());
        let asked = sys::rd_kafka_commit_queue(
            client.native_ptr(),
            offsets.ptr(),
            queue,
            None,
            ptr::null_mut(),
        );
        let answered = call::check(asked).and_then(|()| answer(queue, limit));
        sys::rd_kafka_queue_destroy(queue);
        answered
    }
}

/// # Safety
///
/// The queue is one that the answer to a commit comes to.
unsafe fn answer(queue: *mut sys::rd_kafka_queue_t, limit: Duration) -> Result<(), CallError> {
    // SAFETY: the queue lives, as the caller says; the event is ours, and what belongs to it is read before
    // it is destroyed.
    unsafe {
        let event = sys::rd_kafka_queue_poll(queue, call::millis(limit));
        if event.is_null() {
            return Err(CallError::of_code(
                sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR__TIMED_OUT,
            ));
        }
        let mut answered = call::check(sys::rd_kafka_event_error(event));
        let list = sys::rd_kafka_event_topic_partition_list(event);
        if answered.is_ok() && !list.is_null() {
            for at in 0..(*list).cnt {
                let element = &*(*list).elems.offset(at as isize);
                answered = answered.and(call::check(element.err));
            }
        }
        sys::rd_kafka_event_destroy(event);
        answered
    }
}
