//! A client that writes to topics.
//!
//! Reports of delivery are served by the calls that wait, so that no thread polls. They are asked for all
//! records, as their coming ends the waiting; where only failures are reported, the library looks every 10
//! ms whether anything is still under way.

use std::cell::Cell;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr;
use std::sync::Arc;
use std::time::Duration;

use ferrisstreams_topology::record::Headers;
use rdkafka::ClientConfig;
use rdkafka::bindings as sys;
use rdkafka::client::{Client, ClientContext};
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::types::RDKafkaType;

use super::call::{self, CallError};
use super::group_offsets::{self, GroupOffsets};
use crate::kafka::listener::{self, Listener, Undelivered};

/// Writes to topics.
pub(in crate::kafka) struct Producer {
    topics: Vec<*mut sys::rd_kafka_topic_t>,
    /// True once a call has not come back, which keeps the client alive until it does.
    lost: Cell<bool>,
    /// Dropped last: the topics belong to it.
    client: Arc<Client<Listener>>,
}

/// The place of a topic among those of a producer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::kafka) struct TopicPlace(usize);

/// Where a record goes.
#[derive(Debug, Clone, Copy)]
pub(in crate::kafka) struct Destination {
    pub(in crate::kafka) topic: TopicPlace,
    /// None has the library choose.
    pub(in crate::kafka) partition: Option<i32>,
}

impl Destination {
    /// The first topic of a producer, wherever the library likes.
    pub(in crate::kafka) const FIRST: Destination = Destination {
        topic: TopicPlace(0),
        partition: None,
    };
}

// SAFETY: the library may be called from any thread.
unsafe impl Send for Producer {}

/// A record to be written.
pub(in crate::kafka) struct Outgoing<'a> {
    pub(in crate::kafka) key: Option<&'a [u8]>,
    pub(in crate::kafka) value: Option<&'a [u8]>,
    /// Zero has the library take the time of the clock.
    pub(in crate::kafka) timestamp: i64,
    pub(in crate::kafka) headers: &'a Headers,
}

unsafe extern "C" fn on_report(
    _: *mut sys::rd_kafka_t,
    message: *const sys::rd_kafka_message_t,
    listener: *mut c_void,
) {
    // SAFETY: the message lives during the call, and the opaque pointer of the client is that of its
    // context, which the client holds as long as it lives.
    let (message, listener) = unsafe { (&*message, &*listener.cast::<Listener>()) };
    if message.err != sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
        let code = RDKafkaErrorCode::from(message.err);
        listener.hear_undelivered(Undelivered {
            code,
            topic: message.rkt as usize,
            size: message.len + message.key_len,
        });
    } else {
        listener.hear_delivered(message.rkt as usize, message.partition, message.offset);
    }
}

unsafe extern "C" fn on_error(
    _: *mut sys::rd_kafka_t,
    code: c_int,
    reason: *const c_char,
    listener: *mut c_void,
) {
    // SAFETY: as above; the reason ends with a zero byte.
    let (reason, listener) = unsafe { (call::text(reason), &*listener.cast::<Listener>()) };
    listener.hear_trouble(known_code(code), &reason);
}

/// The codes that are told apart, by number.
fn known_code(code: c_int) -> RDKafkaErrorCode {
    use sys::rd_kafka_resp_err_t as Code;
    let known = [
        Code::RD_KAFKA_RESP_ERR__AUTHENTICATION,
        Code::RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED,
        Code::RD_KAFKA_RESP_ERR__SSL,
        Code::RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN,
        Code::RD_KAFKA_RESP_ERR__TRANSPORT,
        Code::RD_KAFKA_RESP_ERR__RESOLVE,
    ];
    let found = known.into_iter().find(|known| *known as c_int == code);
    RDKafkaErrorCode::from(found.unwrap_or(Code::RD_KAFKA_RESP_ERR__FAIL))
}

unsafe extern "C" fn on_log(
    _: *const sys::rd_kafka_t,
    level: c_int,
    facility: *const c_char,
    line: *const c_char,
) {
    let level = match level {
        ..=4 => RDKafkaLogLevel::Warning,
        5..=6 => RDKafkaLogLevel::Info,
        _ => RDKafkaLogLevel::Debug,
    };
    // SAFETY: both texts end with a zero byte and live during the call.
    let (facility, line) = unsafe { (CStr::from_ptr(facility), CStr::from_ptr(line)) };
    listener::log(level, &facility.to_string_lossy(), &line.to_string_lossy());
}

/// The answer has the library free the text.
unsafe extern "C" fn on_statistics(
    _: *mut sys::rd_kafka_t,
    json: *mut c_char,
    length: usize,
    listener: *mut c_void,
) -> c_int {
    // SAFETY: the text has this length and lives during the call, and the opaque pointer is as above.
    let (json, listener) = unsafe {
        let json = std::slice::from_raw_parts(json.cast::<u8>(), length);
        (json, &*listener.cast::<Listener>())
    };
    listener.stats_raw(json);
    0
}

impl Producer {
    pub(in crate::kafka) fn new(
        config: &ClientConfig,
        listener: Listener,
    ) -> Result<Self, KafkaError> {
        let native = config.create_native_config()?;
        // SAFETY: the configuration lives; the callbacks use nothing but their arguments.
        unsafe {
            sys::rd_kafka_conf_set_dr_msg_cb(native.ptr(), Some(on_report));
            sys::rd_kafka_conf_set_error_cb(native.ptr(), Some(on_error));
            sys::rd_kafka_conf_set_stats_cb(native.ptr(), Some(on_statistics));
            sys::rd_kafka_conf_set_log_cb(native.ptr(), Some(on_log));
        }
        let client = Client::new(config, native, RDKafkaType::RD_KAFKA_PRODUCER, listener)?;
        Ok(Producer {
            topics: Vec::new(),
            lost: Cell::new(false),
            client: Arc::new(client),
        })
    }

    /// A client that writes to one topic.
    pub(in crate::kafka) fn to_topic(
        config: &ClientConfig,
        listener: Listener,
        topic: &str,
    ) -> Result<Self, KafkaError> {
        let mut producer = Producer::new(config, listener)?;
        let added = producer.add_topic(topic);
        added.map_err(|e| KafkaError::MetadataFetch(e.code))?;
        Ok(producer)
    }

    /// Has the producer write to one more topic, which need not be there.
    pub(in crate::kafka) fn add_topic(&mut self, topic: &str) -> Result<TopicPlace, CallError> {
        let name = call::name(topic)?;
        let client = self.client.native_ptr();
        // SAFETY: client and name live; the topic is ours until dropped.
        let topic = unsafe { sys::rd_kafka_topic_new(client, name.as_ptr(), ptr::null_mut()) };
        if topic.is_null() {
            // SAFETY: it only reads what the last call of this thread left.
            return Err(CallError::of_code(unsafe { sys::rd_kafka_last_error() }));
        }
        self.topics.push(topic);
        Ok(TopicPlace(self.topics.len() - 1))
    }

    /// The offsets behind the last records that were delivered since this was asked last, if the listener
    /// was told to keep them.
    pub(in crate::kafka) fn take_ends(&self) -> Vec<(TopicPlace, i32, i64)> {
        let ends = self.listener().take_delivered().into_iter();
        ends.filter_map(|((topic, partition), last)| {
            Some((self.place_of(topic)?, partition, last + 1))
        })
        .collect()
    }

    /// The place of a topic of which a report has the address, if it is one of ours.
    pub(in crate::kafka) fn place_of(&self, address: usize) -> Option<TopicPlace> {
        let mut topics = self.topics.iter();
        let at = topics.position(|own| *own as usize == address);
        at.map(TopicPlace)
    }

    /// The client, for who has tokens for it.
    pub(in crate::kafka) fn client(&self) -> &Arc<Client<Listener>> {
        &self.client
    }

    pub(in crate::kafka) fn listener(&self) -> &Listener {
        self.client.context()
    }

    /// Queues a record, of which the library makes a copy.
    pub(in crate::kafka) fn send(
        &self,
        to: Destination,
        record: &Outgoing<'_>,
    ) -> Result<(), CallError> {
        use sys::rd_kafka_vtype_t as Kind;
        let bytes = |bytes: Option<&[u8]>| sys::rd_kafka_vu_s__bindgen_ty_1 {
            mem: sys::rd_kafka_vu_s__bindgen_ty_1__bindgen_ty_1 {
                ptr: bytes.map_or(ptr::null_mut(), |bytes| bytes.as_ptr().cast_mut().cast()),
                size: bytes.map_or(0, <[u8]>::len),
            },
        };
        let headers = self.headers(record.headers)?;
        let value = |vtype, u| sys::rd_kafka_vu_t { vtype, u };
        let topic = sys::rd_kafka_vu_s__bindgen_ty_1 {
            rkt: self.topics[to.topic.0],
        };
        let partition = sys::rd_kafka_vu_s__bindgen_ty_1 {
            // Any below zero is for the library to choose.
            i32_: to.partition.unwrap_or(-1),
        };
        let flags = sys::rd_kafka_vu_s__bindgen_ty_1 {
            i: sys::RD_KAFKA_MSG_F_COPY,
        };
        let time = sys::rd_kafka_vu_s__bindgen_ty_1 {
            i64_: record.timestamp,
        };
        let values = [
            value(Kind::RD_KAFKA_VTYPE_RKT, topic),
            value(Kind::RD_KAFKA_VTYPE_PARTITION, partition),
            value(Kind::RD_KAFKA_VTYPE_MSGFLAGS, flags),
            value(Kind::RD_KAFKA_VTYPE_KEY, bytes(record.key)),
            value(Kind::RD_KAFKA_VTYPE_VALUE, bytes(record.value)),
            value(Kind::RD_KAFKA_VTYPE_TIMESTAMP, time),
            value(
                Kind::RD_KAFKA_VTYPE_HEADERS,
                sys::rd_kafka_vu_s__bindgen_ty_1 { headers },
            ),
        ];
        // Without headers the last value is left out.
        let count = values.len() - usize::from(headers.is_null());
        // SAFETY: topic, key and value live during the call, which copies what it keeps; it takes over
        // the headers unless it fails.
        let sent = call::take_error(unsafe {
            sys::rd_kafka_produceva(self.client.native_ptr(), values.as_ptr(), count)
        });
        if sent.is_err() && !headers.is_null() {
            // SAFETY: the call has failed, so they are still ours.
            unsafe { sys::rd_kafka_headers_destroy(headers) };
        }
        sent
    }

    /// Headers as the library has them; null where there are none.
    fn headers(&self, headers: &Headers) -> Result<*mut sys::rd_kafka_headers_t, CallError> {
        if headers.is_empty() {
            return Ok(ptr::null_mut());
        }
        // SAFETY: the object is ours; names and values are copied by the calls.
        unsafe {
            let made = sys::rd_kafka_headers_new(headers.iter().count());
            for header in headers.iter() {
                let (name, value) = (header.name.as_bytes(), header.value.as_deref());
                let start = value.map_or(ptr::null(), |value| value.as_ptr().cast());
                let added = call::check(sys::rd_kafka_header_add(
                    made,
                    name.as_ptr().cast(),
                    name.len() as isize,
                    start,
                    value.map_or(0, |value| value.len() as isize),
                ));
                if let Err(e) = added {
                    sys::rd_kafka_headers_destroy(made);
                    return Err(e);
                }
            }
            Ok(made)
        }
    }

    /// Lets the client tell what it has to tell, for up to `limit`.
    pub(in crate::kafka) fn serve(&self, limit: Duration) {
        // SAFETY: the client lives; what it calls uses nothing but its arguments.
        unsafe { sys::rd_kafka_poll(self.client.native_ptr(), call::millis(limit)) };
    }

    /// Waits until everything is written or given up.
    pub(in crate::kafka) fn flush(&self, limit: Duration) -> Result<(), CallError> {
        // SAFETY: the client lives.
        call::check(unsafe { sys::rd_kafka_flush(self.client.native_ptr(), call::millis(limit)) })
    }

    /// Drops what waits and was not sent to any broker yet.
    pub(in crate::kafka) fn give_up_queued(&self) {
        // SAFETY: the client lives.
        unsafe {
            sys::rd_kafka_purge(self.client.native_ptr(), sys::RD_KAFKA_PURGE_F_QUEUE);
        }
    }

    /// Gets the id of the producer; an earlier one of the same name is fenced, its transaction aborted.
    pub(in crate::kafka) fn init(&self, limit: Duration) -> Result<(), CallError> {
        self.check_answers()?;
        // SAFETY: the client lives.
        call::take_error(unsafe {
            sys::rd_kafka_init_transactions(self.client.native_ptr(), call::millis(limit))
        })
    }

    pub(in crate::kafka) fn begin(&self) -> Result<(), CallError> {
        self.check_answers()?;
        // SAFETY: the client lives.
        call::take_error(unsafe { sys::rd_kafka_begin_transaction(self.client.native_ptr()) })
    }

    /// What the transaction that was begun is lost by, if it is.
    pub(in crate::kafka) fn lost_by(&self) -> Option<CallError> {
        // Another one is not begun before it is over, and the refusal says what is wrong with it.
        let refusal = self.begin().err()?;
        (refusal.abortable || refusal.fatal).then_some(refusal)
    }

    /// Commits; after a time-out the same call goes on waiting.
    pub(in crate::kafka) fn commit(&self, limit: Duration) -> Result<(), CallError> {
        self.check_answers()?;
        // SAFETY: the client lives.
        call::take_error(unsafe {
            sys::rd_kafka_commit_transaction(self.client.native_ptr(), call::millis(limit))
        })
    }

    /// Aborts; after a time-out the same call goes on waiting.
    pub(in crate::kafka) fn abort(&self, limit: Duration) -> Result<(), CallError> {
        self.check_answers()?;
        // SAFETY: the client lives.
        call::take_error(unsafe {
            sys::rd_kafka_abort_transaction(self.client.native_ptr(), call::millis(limit))
        })
    }

    /// Has the transaction set offsets of a group. Where the call is lost, every step of a transaction
    /// fails from then on: another producer of the id settles it.
    pub(in crate::kafka) fn send_offsets(
        &self,
        offsets: &GroupOffsets,
        limit: Duration,
    ) -> Result<(), CallError> {
        self.check_answers()?;
        group_offsets::send(&self.client, offsets, limit).unwrap_or_else(|| {
            self.lost.set(true);
            self.check_answers()
        })
    }

    /// Fails where a call was lost.
    fn check_answers(&self) -> Result<(), CallError> {
        if !self.lost.get() {
            return Ok(());
        }
        let code = sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR__TIMED_OUT;
        Err(CallError {
            message: "the group's broker went away, and the client waits for it for ever"
                .to_owned(),
            fatal: true,
            ..CallError::of_code(code)
        })
    }
}

impl Drop for Producer {
    fn drop(&mut self) {
        // SAFETY: the topics are ours and used by nobody after this. What is still queued is dropped, so
        // that the client ends without waiting for a broker.
        unsafe {
            let all = sys::RD_KAFKA_PURGE_F_QUEUE | sys::RD_KAFKA_PURGE_F_INFLIGHT;
            sys::rd_kafka_purge(self.client.native_ptr(), all);
            sys::rd_kafka_poll(self.client.native_ptr(), 0);
            for topic in &self.topics {
                sys::rd_kafka_topic_destroy(*topic);
            }
        }
    }
}
