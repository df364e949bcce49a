//! What can go wrong with a single value.
//!
//! These are small and copied freely, because they are met once per value on hot paths: a reader
//! turns a [`ParseError`] into a bad record, an expression turns an [`ArithmeticError`] into NULL.

use std::fmt;

/// Why a text is not a value of the type that it is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ParseError {
    /// The text does not have the form of the type.
    Malformed,
    /// The text has the form of the type, but the value lies outside its range.
    OutOfRange,
    /// The number has digits behind the point that the type does not keep.
    Inexact,
    /// The text has more characters than the type allows.
    TooLong,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ParseError::Malformed => "the text does not have the form of the type",
            ParseError::OutOfRange => "out of range",
            ParseError::Inexact => "more digits behind the point than the type keeps",
            ParseError::TooLong => "more characters than the type allows",
        })
    }
}

impl std::error::Error for ParseError {}

/// Why an operation on numbers or times has no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ArithmeticError {
    /// The result lies outside the range of its type.
    Overflow,
    /// The divisor is zero.
    DivisionByZero,
}

impl fmt::Display for ArithmeticError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ArithmeticError::Overflow => "out of range",
            ArithmeticError::DivisionByZero => "division by zero",
        })
    }
}

impl std::error::Error for ArithmeticError {}
