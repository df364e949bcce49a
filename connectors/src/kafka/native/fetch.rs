//! One partition that is being fetched, on a queue of its own.
//!
//! The library's first consumer interface is used: it knows no groups, so that reading needs no rights
//! on a group and no coordinator, and a partition can be started whenever it is seen.

use std::ffi::{CString, c_void};
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ferrisstreams_topology::connector::Waker;
use rdkafka::bindings as sys;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::call::{self, CallError};
use super::message::Messages;
use crate::kafka::listener::Listener;

/// A handle that reads partitions, and asks for what is known of topics.
pub(in crate::kafka) type Consumer = BaseConsumer<Listener>;

/// A partition that is being fetched.
pub(in crate::kafka) struct Fetch {
    topic: *mut sys::rd_kafka_topic_t,
    queue: *mut sys::rd_kafka_queue_t,
    partition: i32,
    name: CString,
    signal: Arc<Signal>,
    /// Dropped last: what stands above belongs to it.
    consumer: Arc<Consumer>,
}

/// Told by the library when messages come to a queue that was empty.
struct Signal {
    ready: AtomicBool,
    waker: Waker,
}

// SAFETY: the library may be called from any thread; the queue is taken from through `&mut` alone.
unsafe impl Send for Fetch {}

unsafe extern "C" fn on_messages(_: *mut sys::rd_kafka_t, signal: *mut c_void) {
    // SAFETY: the pointer is that of the signal that a `Fetch` holds, which takes the callback away
    // before it lets go of the signal.
    let signal = unsafe { &*signal.cast::<Signal>() };
    signal.ready.store(true, Ordering::Release);
    signal.waker.wake();
}

impl Fetch {
    /// Begins to fetch a partition at `offset`. The broker need not be there.
    pub(in crate::kafka) fn start(
        consumer: &Arc<Consumer>,
        topic: &str,
        partition: i32,
        offset: i64,
        waker: Waker,
    ) -> Result<Self, CallError> {
        let name = call::name(topic)?;
        let client = consumer.client().native_ptr();
        let signal = Arc::new(Signal {
            ready: AtomicBool::new(true),
            waker,
        });
        // SAFETY: the client lives, held by `consumer`; both objects are ours until dropped.
        let fetch = unsafe {
            Fetch {
                topic: sys::rd_kafka_topic_new(client, name.as_ptr(), ptr::null_mut()),
                queue: sys::rd_kafka_queue_new(client),
                partition,
                name,
                signal,
                consumer: consumer.clone(),
            }
        };
        if fetch.topic.is_null() {
            // SAFETY: it only reads what the last call of this thread left.
            return Err(CallError::of_code(unsafe { sys::rd_kafka_last_error() }));
        }
        let signal = Arc::as_ptr(&fetch.signal).cast_mut().cast();
        // SAFETY: the queue lives; the signal is held by what is returned, and the callback is taken away
        // when that is dropped.
        unsafe { sys::rd_kafka_queue_cb_event_enable(fetch.queue, Some(on_messages), signal) };
        fetch.begin(offset)?;
        Ok(fetch)
    }

    /// Takes up to `limit` messages that are there.
    pub(in crate::kafka) fn take(&mut self, messages: &mut Messages, limit: usize) {
        // Before taking: what comes meanwhile tells again.
        self.signal.ready.store(false, Ordering::Release);
        // SAFETY: queue and client live, and `&mut self` keeps others from taking. Messages are given
        // back by their owner, who holds a `Fetch` or the consumer besides.
        unsafe { messages.take(self.queue, limit) };
        if messages.len() == limit {
            self.signal.ready.store(true, Ordering::Release);
        }
    }

    /// True where there may be messages.
    #[inline]
    pub(in crate::kafka) fn is_ready(&self) -> bool {
        self.signal.ready.load(Ordering::Acquire)
    }

    /// Goes to another offset; messages that were fetched before are dropped.
    pub(in crate::kafka) fn seek(&mut self, offset: i64) -> Result<(), CallError> {
        // After an error fetching has ended, and the call that seeks would do nothing.
        self.begin(offset)
    }

    /// Goes to an offset, once the leader has said that all before it is still what a former leader had, who is
    /// known by its epoch. What is told of it comes as a message: an error of the kind
    /// [`AutoOffsetReset`](rdkafka::error::RDKafkaErrorCode::AutoOffsetReset) where it is not.
    ///
    /// The library asks where one goes to a place, not where one begins there, and only of offsets above zero.
    pub(in crate::kafka) fn go_back_to(
        &mut self,
        offset: i64,
        epoch: i32,
    ) -> Result<(), CallError> {
        let mut list = TopicPartitionList::with_capacity(1);
        let name = self.name.to_str().expect("it was made of a text");
        let added = list.add_partition_offset(name, self.partition, Offset::Offset(offset));
        if added.is_err() {
            let code = sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR__INVALID_ARG;
            return Err(CallError::of_code(code));
        }
        // SAFETY: client, name and list live. Without a time limit the call only sends the order; messages from
        // before are dropped from then on.
        let (sent, code) = unsafe {
            let element = sys::rd_kafka_topic_partition_list_find(
                list.ptr(),
                self.name.as_ptr(),
                self.partition,
            );
            sys::rd_kafka_topic_partition_set_leader_epoch(element, epoch);
            let client = self.consumer.client().native_ptr();
            let sent = sys::rd_kafka_seek_partitions(client, list.ptr(), 0);
            (sent, (*element).err)
        };
        call::take_error(sent)?;
        match code {
            sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR__IN_PROGRESS => Ok(()),
            code => call::check(code),
        }
    }

    /// Sends the order to fetch from `offset` on.
    fn begin(&self, offset: i64) -> Result<(), CallError> {
        // SAFETY: topic and queue live.
        let begun = unsafe {
            sys::rd_kafka_consume_start_queue(self.topic, self.partition, offset, self.queue)
        };
        if begun != 0 {
            // SAFETY: it only reads what the last call of this thread left.
            return Err(CallError::of_code(unsafe { sys::rd_kafka_last_error() }));
        }
        Ok(())
    }

    /// The offset behind what was taken, with the marks of transactions that stood behind it.
    pub(in crate::kafka) fn passed(&self) -> Option<i64> {
        let mut list = TopicPartitionList::with_capacity(1);
        let name = self.name.to_str().ok()?;
        list.add_partition(name, self.partition);
        // SAFETY: client and list live.
        let code =
            unsafe { sys::rd_kafka_position(self.consumer.client().native_ptr(), list.ptr()) };
        call::check(code).ok()?;
        let offset = list.find_partition(name, self.partition)?.offset();
        offset.to_raw().filter(|offset| *offset >= 0)
    }

    /// The end of the partition that the last answer of its broker told, if there was one.
    pub(in crate::kafka) fn known_end(&self) -> Option<i64> {
        let (mut low, mut high) = (-1, -1);
        // SAFETY: client and name live, and both numbers can be written; nothing is sent to a broker.
        let code = unsafe {
            sys::rd_kafka_get_watermark_offsets(
                self.consumer.client().native_ptr(),
                self.name.as_ptr(),
                self.partition,
                &mut low,
                &mut high,
            )
        };
        call::check(code).ok()?;
        (high >= 0).then_some(high)
    }
}

impl Drop for Fetch {
    fn drop(&mut self) {
        // SAFETY: all objects are ours and live, and are used by nobody after this. The callback is taken
        // away under the lock under which it is called, so that the signal is not used any more.
        unsafe {
            sys::rd_kafka_queue_cb_event_enable(self.queue, None, ptr::null_mut());
            if !self.topic.is_null() {
                sys::rd_kafka_consume_stop(self.topic, self.partition);
                sys::rd_kafka_topic_destroy(self.topic);
            }
            sys::rd_kafka_queue_destroy(self.queue);
        }
    }
}
