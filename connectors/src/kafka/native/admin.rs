//! Questions that are answered once, through a queue.

use std::ptr;
use std::time::Duration;

use rdkafka::bindings as sys;
use rdkafka::consumer::Consumer as _;

use super::call::{self, CallError};
use super::fetch::Consumer;

/// What a question is asked with.
pub(super) struct Asked {
    pub(super) client: *mut sys::rd_kafka_t,
    pub(super) options: *mut sys::rd_kafka_AdminOptions_t,
    pub(super) queue: *mut sys::rd_kafka_queue_t,
}

/// An answer that is not an error as a whole.
pub(super) struct Answer(*mut sys::rd_kafka_event_t);

impl Answer {
    /// It lives as long as the answer.
    pub(super) fn event(&self) -> *mut sys::rd_kafka_event_t {
        self.0
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        // SAFETY: it is not null, and is destroyed here alone.
        unsafe { sys::rd_kafka_event_destroy(self.0) };
    }
}

/// Asks a question of a kind, of a broker or of whichever the library finds, and waits for the answer.
pub(super) fn ask(
    consumer: &Consumer,
    operation: sys::rd_kafka_admin_op_t,
    broker: Option<i32>,
    limit: Duration,
    submit: impl FnOnce(&Asked),
) -> Result<Answer, CallError> {
    let client = consumer.client().native_ptr();
    let ms = call::millis(limit);
    // SAFETY: the client lives; the queue and the options are made here, are used by the call alone, which
    // copies them, and are destroyed once.
    let event = unsafe {
        let queue = sys::rd_kafka_queue_new(client);
        let options = sys::rd_kafka_AdminOptions_new(client, operation);
        sys::rd_kafka_AdminOptions_set_request_timeout(options, ms, ptr::null_mut(), 0);
        if let Some(broker) = broker {
            sys::rd_kafka_AdminOptions_set_broker(options, broker, ptr::null_mut(), 0);
        }
        submit(&Asked {
            client,
            options,
            queue,
        });
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
    let answer = Answer(event);
    // SAFETY: the event lives as long as the answer.
    call::check(unsafe { sys::rd_kafka_event_error(event) })?;
    Ok(answer)
}
