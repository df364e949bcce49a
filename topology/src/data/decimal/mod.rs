//! Exact decimal numbers: an unscaled integer of 128 bits, divided by ten to the power of a scale.
//!
//! The scale belongs to the type and stands in no row; a function that works on more than one scale
//! takes [`Decimal`], one that knows its type takes the unscaled integer alone. A type of at most
//! [`MAX_COMPACT_PRECISION`](super::MAX_COMPACT_PRECISION) digits fits 64 bits, and has functions of
//! its own where that pays.
//!
//! Rounding is half away from zero everywhere. A result that does not fit its type is an
//! [`ArithmeticError`](super::ArithmeticError), never a wrong number. Unscaled integers have at most
//! 38 digits unless a function says otherwise.

mod kind;
mod power;
mod rescale;
mod parse;
mod write;
mod arithmetic;
mod convert;
mod sum;

pub use arithmetic::{
    add, add_i64, div, div_type, mul, mul_i64, mul_type, neg, rem, rem_type, sub, sub_i64,
    sum_of_types as add_type,
};
pub use convert::{from_f64, from_i64, from_rust_decimal, to_f32, to_f64, to_i64, to_rust_decimal};
pub use kind::{Decimal, DecimalType};
pub use parse::{
    WIDE, parse, parse_compact, parse_exact, parse_plain, parse_plain_wide, parse_rounded,
};
pub use rescale::{Rounding, compare, fit, fits, rescale, round_to};
pub use sum::{WideSum, average_type, sum_type};
pub use write::write;
