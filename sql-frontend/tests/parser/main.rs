//! The parser from outside: texts in, trees or errors out.
//!
//! `scripts/*.txt` hold the cases; `UPDATE_EXPECTED=1 cargo test --test parser` writes what comes
//! out into them, to be read before it is committed.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test may end so, and say what it skips"
)]

mod diff;
mod round_trip;
mod scripts;
mod depth;
mod limits;
mod corpus;
mod random;
