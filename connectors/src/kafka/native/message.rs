//! Messages that were taken from a queue.

use std::ffi::c_void;
use std::marker::PhantomData;
use std::ptr;
use std::slice;

use ferrisstreams_topology::record::{Header, Headers};
use rdkafka::bindings as sys;
use rdkafka::error::RDKafkaErrorCode;

use super::call;

/// Messages of one partition, in order; they are given back to the library when these are dropped or
/// taken anew.
#[derive(Default)]
pub(in crate::kafka) struct Messages {
    raw: Vec<*mut sys::rd_kafka_message_t>,
}

// SAFETY: messages are not bound to a thread, and nobody else has these.
unsafe impl Send for Messages {}

/// A message, or what the library has to say of the partition.
#[derive(Clone, Copy)]
pub(in crate::kafka) struct Message<'a> {
    raw: &'a sys::rd_kafka_message_t,
    messages: PhantomData<&'a Messages>,
}

impl Messages {
    /// Replaces what there is by up to `limit` messages of a queue, without waiting.
    ///
    /// # Safety
    ///
    /// `queue` is a queue that lives, of a client that lives as long as these messages do, and no other
    /// thread takes from it.
    pub(super) unsafe fn take(&mut self, queue: *mut sys::rd_kafka_queue_t, limit: usize) {
        self.clear();
        self.raw.reserve(limit);
        // SAFETY: there is room for `limit` pointers, and the library says how many of them it wrote, or
        // -1; the queue lives, as the caller says.
        unsafe {
            let taken = sys::rd_kafka_consume_batch_queue(queue, 0, self.raw.as_mut_ptr(), limit);
            self.raw.set_len(usize::try_from(taken).unwrap_or(0));
        }
    }

    pub(in crate::kafka) fn len(&self) -> usize {
        self.raw.len()
    }

    pub(in crate::kafka) fn iter(&self) -> impl Iterator<Item = Message<'_>> {
        self.raw.iter().map(|raw| Message {
            // SAFETY: the library wrote a pointer to a message, which lives until it is destroyed in
            // `clear`, for which these messages must be borrowed mutably.
            raw: unsafe { &**raw },
            messages: PhantomData,
        })
    }

    /// Gives all messages back.
    pub(in crate::kafka) fn clear(&mut self) {
        for raw in self.raw.drain(..) {
            // SAFETY: the message was given to us, and is destroyed once as it is drained.
            unsafe { sys::rd_kafka_message_destroy(raw) };
        }
    }
}

impl Drop for Messages {
    fn drop(&mut self) {
        self.clear();
    }
}

impl<'a> Message<'a> {
    /// What the library says instead of a record: an error, or the end of the partition.
    #[inline]
    pub(in crate::kafka) fn notice(&self) -> Option<RDKafkaErrorCode> {
        match self.raw.err {
            sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR => None,
            code => Some(RDKafkaErrorCode::from(code)),
        }
    }

    /// The words of an error.
    pub(in crate::kafka) fn notice_text(&self) -> String {
        // SAFETY: the message lives, and so does the text of its error; it ends with a zero byte.
        unsafe { call::text(sys::rd_kafka_message_errstr(self.raw)) }
    }

    #[inline]
    pub(in crate::kafka) fn offset(&self) -> i64 {
        self.raw.offset
    }

    #[inline]
    pub(in crate::kafka) fn key(&self) -> Option<&'a [u8]> {
        // SAFETY: the library says where the bytes are and how many, and they live as the message does.
        unsafe { bytes(self.raw.key, self.raw.key_len) }
    }

    #[inline]
    pub(in crate::kafka) fn value(&self) -> Option<&'a [u8]> {
        // SAFETY: as for the key.
        unsafe { bytes(self.raw.payload, self.raw.len) }
    }

    /// When it was written or appended, whichever the topic keeps; -1 where it has no time.
    #[inline]
    pub(in crate::kafka) fn timestamp(&self) -> i64 {
        let mut kind = sys::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
        // SAFETY: the message lives, and `kind` can be written.
        unsafe { sys::rd_kafka_message_timestamp(self.raw, &mut kind) }
    }

    pub(in crate::kafka) fn headers(&self) -> Headers {
        let mut found = ptr::null_mut();
        // SAFETY: the message lives, and owns the headers that it points us to.
        let code = unsafe { sys::rd_kafka_message_headers(self.raw, &mut found) };
        if code != sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
            return Headers::default();
        }
        let mut headers = Vec::new();
        loop {
            let (mut name, mut value, mut len) = (ptr::null(), ptr::null(), 0);
            // SAFETY: the headers live as the message does; past the last one the call says so and
            // writes nothing.
            let code = unsafe {
                sys::rd_kafka_header_get_all(found, headers.len(), &mut name, &mut value, &mut len)
            };
            if code != sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
                return Headers::new(headers);
            }
            // SAFETY: the call wrote a name that ends with a zero byte, and a value of `len` bytes or
            // null; both live as the message does and are copied.
            headers.push(unsafe {
                Header {
                    name: call::text(name),
                    value: bytes(value, len).map(<[u8]>::to_vec),
                }
            });
        }
    }
}

/// The bytes at `start`; none for null.
///
/// # Safety
///
/// `start` is null, or `len` bytes stand there that nobody changes during `'a`.
#[inline]
unsafe fn bytes<'a>(start: *const c_void, len: usize) -> Option<&'a [u8]> {
    if start.is_null() {
        return None;
    }
    // SAFETY: the caller says so.
    Some(unsafe { slice::from_raw_parts(start.cast(), len) })
}
