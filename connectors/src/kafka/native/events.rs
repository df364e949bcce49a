//! What waits to be told by a client.

use std::time::Duration;

use rdkafka::bindings as sys;
use rdkafka::consumer::Consumer as _;

use super::fetch::Consumer;

/// Hears all that a consumer has to tell by now. One poll without a time limit ends behind the first line of
/// the log, and an error waits behind several.
pub(in crate::kafka) fn serve_events(consumer: &Consumer) {
    // SAFETY: the client lives, and asking for the length of a queue changes nothing.
    let waiting = unsafe { sys::rd_kafka_outq_len(consumer.client().native_ptr()) };
    // Bounded, so that a client that talks all the time holds nobody up.
    for _ in 0..waiting {
        let _ = consumer.poll(Duration::ZERO);
    }
}
