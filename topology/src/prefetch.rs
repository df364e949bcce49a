//! Asking the processor for memory before it is read.
//!
//! Rows of a large table are all over memory, and to wait for each costs more than all that is done
//! with it. Where the keys of many records are known, the rows of all are asked for at once.

/// How many records' rows are asked for at once: enough to fill the processor's queue, and few enough
/// to be there still when their turn comes.
pub(crate) const AHEAD: usize = 64;

/// The size of the pieces in which memory is fetched.
const LINE: usize = 64;

/// Asks for the memory of `value` itself; not of what it refers to.
#[inline]
pub(crate) fn prefetch<T: ?Sized>(value: &T) {
    prefetch_bytes(std::ptr::from_ref(value).cast(), size_of_val(value));
}

/// Asks for `len` bytes from `start` on, which need not be there.
#[inline]
pub(crate) fn prefetch_bytes(start: *const u8, len: usize) {
    let mut at = 0;
    while at < len {
        fetch(start.wrapping_add(at));
        at += LINE;
    }
    if len > 1 {
        // What begins within a piece may end in one more.
        fetch(start.wrapping_add(len - 1));
    }
}

#[cfg(target_arch = "x86_64")]
#[allow(
    unsafe_code,
    reason = "the instruction reads nothing and fails for no address"
)]
#[inline]
fn fetch(at: *const u8) {
    use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
    // SAFETY: a hint, which has no effect that a program can see, whatever the address.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) };
}

#[cfg(not(target_arch = "x86_64"))]
#[inline]
fn fetch(_at: *const u8) {}
