//! What calls answer: codes and error objects of the C library.

use std::ffi::{CStr, CString, c_char};
use std::fmt;
use std::time::Duration;

use rdkafka::bindings as sys;
use rdkafka::error::RDKafkaErrorCode;

/// A call that failed, in the words of the library.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::kafka) struct CallError {
    pub(in crate::kafka) code: RDKafkaErrorCode,
    pub(in crate::kafka) message: String,
    /// True where the client cannot go on.
    pub(in crate::kafka) fatal: bool,
    /// True where the same call may be made again.
    pub(in crate::kafka) retriable: bool,
    /// True where the transaction must be aborted.
    pub(in crate::kafka) abortable: bool,
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl CallError {
    pub(super) fn of_code(code: sys::rd_kafka_resp_err_t) -> Self {
        let code = RDKafkaErrorCode::from(code);
        CallError {
            code,
            message: code.to_string(),
            fatal: false,
            retriable: false,
            abortable: false,
        }
    }
}

/// Takes over an error object; null is none.
pub(super) fn take_error(error: *mut sys::rd_kafka_error_t) -> Result<(), CallError> {
    if error.is_null() {
        return Ok(());
    }
    // SAFETY: the library gave the object to its caller, which is the only one to have it; its text lives
    // until the object is destroyed, and is copied before.
    let taken = unsafe {
        let taken = CallError {
            code: RDKafkaErrorCode::from(sys::rd_kafka_error_code(error)),
            message: text(sys::rd_kafka_error_string(error)),
            fatal: sys::rd_kafka_error_is_fatal(error) != 0,
            retriable: sys::rd_kafka_error_is_retriable(error) != 0,
            abortable: sys::rd_kafka_error_txn_requires_abort(error) != 0,
        };
        sys::rd_kafka_error_destroy(error);
        taken
    };
    Err(taken)
}

/// The answer of a call that returns a code.
pub(super) fn check(code: sys::rd_kafka_resp_err_t) -> Result<(), CallError> {
    match code {
        sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR => Ok(()),
        code => Err(CallError::of_code(code)),
    }
}

/// A copy of a text of the library; empty for null.
///
/// # Safety
///
/// `text` is null or ends with a zero byte.
pub(super) unsafe fn text(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: it is not null, and the caller says that it ends with a zero byte.
    unsafe { CStr::from_ptr(text) }
        .to_string_lossy()
        .into_owned()
}

/// A name as the library wants it.
pub(super) fn name(name: &str) -> Result<CString, CallError> {
    CString::new(name).map_err(|_| CallError {
        message: format!("{name:?} has a zero byte"),
        ..CallError::of_code(sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR__INVALID_ARG)
    })
}

/// A time limit as the library wants it.
pub(super) fn millis(limit: Duration) -> i32 {
    i32::try_from(limit.as_millis()).unwrap_or(i32::MAX)
}
