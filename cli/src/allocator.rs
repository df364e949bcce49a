//! The allocator: rows and records are allocated in one thread and freed in another, which that of glibc is
//! slow at.

use std::ffi::c_long;
use std::time::Duration;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How long memory that was freed stays with the process. Each commit takes the memory again that the one
/// before has freed, and the kernel clears what it has had back.
const KEPT: Duration = Duration::from_secs(2);

/// The number of mimalloc's option `purge_delay`, which it gives in milliseconds.
const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;

/// Sets the allocator up, unless the environment does (`MIMALLOC_PURGE_DELAY`). To be called before there are
/// threads.
#[allow(unsafe_code, reason = "the allocator is set up in C")]
pub(crate) fn set_up() {
    // SAFETY: there is one thread, and the option is one that there is.
    unsafe {
        libmimalloc_sys::mi_option_set_default(PURGE_DELAY, KEPT.as_millis() as c_long);
    }
}
