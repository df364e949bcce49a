//! The text forms of integers, floating-point numbers, booleans and byte strings, as PostgreSQL has
//! them.
//!
//! Readers take bytes and are strict: no white space, nothing left over. Writers append to a buffer
//! and allocate nothing but its growth. Decimals and times have their text forms in
//! [`decimal`](super::decimal) and [`datetime`](super::datetime).

mod boolean;
mod bytes;
mod float;
mod integer;

pub use boolean::{parse_bool, write_bool};
pub use bytes::{parse_bytes, write_bytes};
pub use float::{parse_f32, parse_f64, write_f32, write_f64};
pub use integer::{parse_i64, parse_integer, write_i64};

pub(super) use integer::write_padded;
