//! What functions are given, and what they give: the values of one row, of which text and bytes are
//! borrowed.

use std::borrow::Cow;

use ferrisstreams_topology::data::{ArithmeticError, Interval, ParseError};

/// A value that a function is given. Which type it has says the signature.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Argument<'a> {
    /// NULL, which only functions that ask for it are given.
    Null,
    /// An integer, a decimal of at most 18 digits without its point, a date, a time or a timestamp; a
    /// boolean as 0 or 1. (A variant of one byte would make copies of all others slow, which are then
    /// done in pieces.)
    Integer(i64),
    /// A decimal of more than 18 digits, without its point.
    Wide(i128),
    /// A floating-point number of either width.
    Float(f64),
    /// An interval.
    Interval(Interval),
    /// Bytes, or text in UTF-8.
    Bytes(&'a [u8]),
}

impl<'a> Argument<'a> {
    /// True for NULL.
    #[inline]
    pub fn is_null(self) -> bool {
        matches!(self, Argument::Null)
    }

    /// A boolean.
    ///
    /// # Panics
    ///
    /// Where it is no boolean, as all of these do: the signature says what it is.
    #[inline]
    pub fn boolean(self) -> bool {
        self.integer() != 0
    }

    /// An integer, date, time or timestamp.
    #[inline]
    pub fn integer(self) -> i64 {
        match self {
            Argument::Integer(value) => value,
            other => unreachable!("an integer is wanted, not {other:?}"),
        }
    }

    /// A decimal of any precision, without its point.
    #[inline]
    pub fn wide(self) -> i128 {
        match self {
            Argument::Integer(value) => i128::from(value),
            Argument::Wide(value) => value,
            other => unreachable!("a decimal is wanted, not {other:?}"),
        }
    }

    /// A floating-point number.
    #[inline]
    pub fn float(self) -> f64 {
        match self {
            Argument::Float(value) => value,
            other => unreachable!("a floating-point number is wanted, not {other:?}"),
        }
    }

    /// An interval.
    #[inline]
    pub fn interval(self) -> Interval {
        match self {
            Argument::Interval(value) => value,
            other => unreachable!("an interval is wanted, not {other:?}"),
        }
    }

    /// The bytes of bytes or text.
    #[inline]
    pub fn bytes(self) -> &'a [u8] {
        match self {
            Argument::Bytes(value) => value,
            other => unreachable!("bytes are wanted, not {other:?}"),
        }
    }

    /// Text.
    #[inline]
    pub fn text(self) -> &'a str {
        std::str::from_utf8(self.bytes()).expect("text in a row is UTF-8")
    }
}

/// What a function gives.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Returned {
    /// NULL.
    Null,
    /// As [`Argument::Integer`].
    Integer(i64),
    /// A decimal of any precision, without its point.
    Wide(i128),
    /// A floating-point number.
    Float(f64),
    /// An interval.
    Interval(Interval),
    /// Text or bytes, which the function has appended to the output of its call.
    Written,
}

impl From<bool> for Returned {
    #[inline]
    fn from(value: bool) -> Self {
        Returned::Integer(i64::from(value))
    }
}

/// Why a call has no result: what was tried, and with which value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure(Cow<'static, str>);

impl Failure {
    /// The message.
    pub fn message(&self) -> &str {
        &self.0
    }
}

impl From<&'static str> for Failure {
    fn from(message: &'static str) -> Self {
        Failure(Cow::Borrowed(message))
    }
}

impl From<String> for Failure {
    fn from(message: String) -> Self {
        Failure(Cow::Owned(message))
    }
}

impl From<ArithmeticError> for Failure {
    fn from(error: ArithmeticError) -> Self {
        Failure(match error {
            ArithmeticError::Overflow => Cow::Borrowed("out of range"),
            ArithmeticError::DivisionByZero => Cow::Borrowed("division by zero"),
        })
    }
}

impl From<ParseError> for Failure {
    fn from(error: ParseError) -> Self {
        Failure(Cow::Owned(error.to_string()))
    }
}

/// The result of a call.
pub type Outcome = Result<Returned, Failure>;
