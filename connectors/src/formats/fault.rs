//! Why a field of a record is not a value of its column.

use std::borrow::Cow;

use ferrisstreams_topology::data::{DataType, ParseError};
use ferrisstreams_topology::{Error, ErrorKind};

use super::cell::Form;

/// What is wrong with a field, without saying which: it is met once a field and becomes an [`Error`]
/// only where it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The text is not one of the type.
    Parse(ParseError),
    /// The bytes are not UTF-8.
    NotUtf8,
    /// There is an escape that stands for no character.
    BadEscape,
    /// NULL stands where the column was declared NOT NULL, or is part of the key.
    Null,
    /// A value of this form cannot be one of the type.
    Kind(Form),
    /// The number has a fraction, and the type counts.
    Fraction,
    /// The binary form has another length than the type's.
    Length,
}

impl From<ParseError> for Fault {
    #[inline]
    fn from(error: ParseError) -> Self {
        Fault::Parse(error)
    }
}

impl Fault {
    /// The error: `column price: ...`.
    #[cold]
    pub(super) fn told(self, column: &str, data_type: DataType, text: &[u8]) -> Error {
        let len = text.len();
        let text = excerpt(text);
        bad_record(format!(
            "column {column}: {}",
            match self {
                Fault::Parse(ParseError::Malformed) =>
                    format!("`{text}` is not of type {data_type}"),
                Fault::Parse(ParseError::OutOfRange) => {
                    format!("`{text}` is out of range for {data_type}")
                }
                Fault::Parse(ParseError::Inexact) => {
                    format!("`{text}` has more digits behind the point than {data_type} keeps")
                }
                Fault::Parse(ParseError::TooLong) => {
                    format!("`{text}` has more characters than {data_type} allows")
                }
                Fault::NotUtf8 => format!("`{text}` is not UTF-8"),
                Fault::BadEscape => format!("`{text}` has an escape that stands for no character"),
                Fault::Null => format!("NULL, where a value of type {data_type} must be"),
                Fault::Kind(form) => {
                    format!("{}, `{text}`, is not of type {data_type}", kind(form))
                }
                Fault::Fraction => format!("a fraction, `{text}`, is not of type {data_type}"),
                Fault::Length => format!("{len} bytes are no {data_type}"),
            }
        ))
    }
}

/// A form in words.
fn kind(form: Form) -> &'static str {
    match form {
        Form::String | Form::Escaped => "a string",
        Form::Integer | Form::Number => "a number",
        Form::True | Form::False => "a boolean",
        Form::Object => "an object",
        Form::Array => "an array",
        Form::Null => "NULL",
        Form::Text | Form::Doubled => "text",
        Form::Binary => "a value of bytes",
    }
}

pub(super) fn bad_record(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::BadRecord, message)
}

/// The most bytes of a record that a message shows.
const SHOWN: usize = 100;

/// The start of what a record holds, fit to be shown on one line.
pub(super) fn excerpt(text: &[u8]) -> Cow<'_, str> {
    let start = &text[..text.len().min(SHOWN)];
    let shown = String::from_utf8_lossy(start);
    let is_plain = text.len() <= SHOWN && !shown.chars().any(char::is_control);
    if is_plain {
        return shown;
    }
    let mut shown: String = shown.chars().flat_map(escaped).collect();
    if text.len() > SHOWN {
        shown.push_str("...");
    }
    Cow::Owned(shown)
}

fn escaped(c: char) -> impl Iterator<Item = char> {
    let escape = c.is_control().then(|| c.escape_default());
    let plain = (!c.is_control()).then_some(c);
    escape.into_iter().flatten().chain(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_of_a_record_is_short_and_on_one_line() {
        assert_eq!(excerpt(b"plain"), "plain");
        assert_eq!(excerpt(b"a\nb\xff"), "a\\nb\u{fffd}");
        let long = "x".repeat(1_000);
        assert_eq!(excerpt(long.as_bytes()).len(), SHOWN + 3);
    }

    #[test]
    fn faults_name_the_column_the_text_and_the_type() {
        let money = DataType::Decimal {
            precision: 10,
            scale: 2,
        };
        let told =
            |fault: Fault, text: &str| fault.told("price", money, text.as_bytes()).to_string();
        assert_eq!(
            told(ParseError::Malformed.into(), "abc"),
            "column price: `abc` is not of type DECIMAL(10, 2)"
        );
        assert_eq!(
            told(ParseError::OutOfRange.into(), "1e9"),
            "column price: `1e9` is out of range for DECIMAL(10, 2)"
        );
        assert_eq!(
            told(Fault::Kind(Form::Object), "{}"),
            "column price: an object, `{}`, is not of type DECIMAL(10, 2)"
        );
        assert_eq!(
            told(Fault::Null, ""),
            "column price: NULL, where a value of type DECIMAL(10, 2) must be"
        );
    }
}
