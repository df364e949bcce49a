//! Offsets of a group as part of a transaction.
//!
//! The library's call knows a time limit, yet does not come back where the broker goes away that coordinates
//! the group and is dropped from the cluster's brokers meanwhile: what it waits for is tried again when a
//! broker changes its state, and that one does so no more (librdkafka 2.12.1, `rd_kafka_coord_req`, whose time
//! limit is never looked at). So the call is made by a thread of its own, which is left behind with the client
//! when it does not come back.

use std::ffi::CString;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use rdkafka::bindings as sys;
use rdkafka::client::Client;
use rdkafka::topic_partition_list::TopicPartitionList;

use super::call::{self, CallError};
use super::member::MemberName;
use crate::kafka::listener::Listener;

/// How long a call may take beyond its limit until it is taken to be lost. The library looks at its
/// limits each second at most.
const BEYOND: Duration = Duration::from_secs(4);

/// Offsets to be set in the name of a group, or of a member of it.
#[derive(Clone)]
pub(in crate::kafka) struct GroupOffsets {
    pub(in crate::kafka) offsets: TopicPartitionList,
    pub(in crate::kafka) group: CString,
    /// None where nobody is a member of the group.
    pub(in crate::kafka) member: Option<MemberName>,
}

/// Has the transaction of a client set offsets; none where the call has not come back, so that the client
/// can be used no more.
pub(super) fn send(
    client: &Arc<Client<Listener>>,
    offsets: &GroupOffsets,
    limit: Duration,
) -> Option<Result<(), CallError>> {
    let (client, offsets) = (client.clone(), offsets.clone());
    within(limit + BEYOND, "ferris-offsets", move || {
        call(&client, &offsets, limit)
    })
}

/// What `work` answers in a thread of its own; none where it takes longer. A thread that cannot be had is
/// an answer that did not come.
fn within<T: Send + 'static>(
    limit: Duration,
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (sender, answer) = mpsc::sync_channel(1);
    let started = thread::Builder::new().name(name.to_owned()).spawn(move || {
        // Nobody waits for it where it comes too late.
        let _ = sender.send(work());
    });
    let thread = started.ok()?;
    match answer.recv_timeout(limit) {
        Ok(answer) => Some(answer),
        Err(RecvTimeoutError::Timeout) => None,
        Err(RecvTimeoutError::Disconnected) => match thread.join() {
            Err(panic) => std::panic::resume_unwind(panic),
            Ok(()) => None,
        },
    }
}

fn call(
    client: &Client<Listener>,
    offsets: &GroupOffsets,
    limit: Duration,
) -> Result<(), CallError> {
    let group = offsets.group.as_ptr();
    // SAFETY: client, names and offsets live during the call; the metadata is made here and destroyed once.
    unsafe {
        let metadata = match &offsets.member {
            None => sys::rd_kafka_consumer_group_metadata_new(group),
            Some(member) => sys::rd_kafka_consumer_group_metadata_new_with_genid(
                group,
                member.generation,
                member.id.as_ptr(),
                member
                    .instance
                    .as_ref()
                    .map_or(std::ptr::null(), |id| id.as_ptr()),
            ),
        };
        let sent = sys::rd_kafka_send_offsets_to_transaction(
            client.native_ptr(),
            offsets.offsets.ptr(),
            metadata,
            call::millis(limit),
        );
        sys::rd_kafka_consumer_group_metadata_destroy(metadata);
        call::take_error(sent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_in_time_is_given() {
        let limit = Duration::from_secs(60);
        assert_eq!(within(limit, "test", || 7), Some(7));
    }

    #[test]
    fn who_does_not_answer_is_left_behind_until_it_does() {
        let (go, gone) = mpsc::channel::<()>();
        let (sender, done) = mpsc::channel();
        let lost = within(Duration::from_millis(1), "test", move || {
            gone.recv().expect("the test lets it go");
            sender.send(7).expect("the test waits");
        });
        assert_eq!(lost, None);
        go.send(()).expect("it waits");
        assert_eq!(done.recv(), Ok(7));
    }

    #[test]
    fn a_panic_is_passed_on() {
        let work = || within::<()>(Duration::from_secs(60), "test", || panic!("of the work"));
        assert!(std::panic::catch_unwind(work).is_err());
    }
}
