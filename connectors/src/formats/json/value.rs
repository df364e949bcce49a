//! One value in a JSON text: where it ends, and what it is.

use serde::de::IgnoredAny;

use super::super::cell::{Cell, Form};

/// The first byte from `at` on that is no white space.
#[inline]
pub(super) fn skip_blanks(text: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\t' | b'\n' | b'\r') = text.get(at) {
        at += 1;
    }
    at
}

/// The value that begins at `at`, and the place behind it. None where there is none.
///
/// What is accepted is what the grammar of RFC 8259 allows, but that bytes of strings are not
/// checked to be UTF-8 here.
#[inline(always)]
pub(super) fn value(text: &[u8], at: usize) -> Option<(Cell, usize)> {
    match text.get(at)? {
        b'"' => string(text, at + 1),
        b'-' | b'0'..=b'9' => {
            let (end, form) = number(text, at)?;
            Some((Cell::new(at, end, form), end))
        }
        b't' => literal(text, at, b"true", Form::True),
        b'f' => literal(text, at, b"false", Form::False),
        b'n' => literal(text, at, b"null", Form::Null),
        b'{' => nested(text, at, Form::Object),
        b'[' => nested(text, at, Form::Array),
        _ => None,
    }
}

#[inline]
fn literal(text: &[u8], at: usize, word: &[u8], form: Form) -> Option<(Cell, usize)> {
    let end = at + word.len();
    text[at..]
        .starts_with(word)
        .then(|| (Cell::new(at, end, form), end))
}

const LOW: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = LOW << 7;

/// Where bytes of a word are a quote, a backslash or a control character: their high bits. The lowest
/// bit that is set is right; above it there may be others that are not.
#[inline]
fn special(word: u64) -> u64 {
    let zero = |word: u64| word.wrapping_sub(LOW) & !word;
    let quote = zero(word ^ (LOW * b'"' as u64));
    let backslash = zero(word ^ (LOW * b'\\' as u64));
    let control = word.wrapping_sub(LOW * 0x20) & !word;
    (quote | backslash | control) & HIGH
}

/// The string whose text begins at `start`, behind its quote.
#[inline(always)]
fn string(text: &[u8], start: usize) -> Option<(Cell, usize)> {
    let mut at = start;
    while let Some(word) = text.get(at..at + 8) {
        let word = u64::from_le_bytes(word.try_into().expect("eight bytes"));
        let found = special(word);
        if found != 0 {
            at += (found.trailing_zeros() / 8) as usize;
            return closed(text, start, at);
        }
        at += 8;
    }
    while !matches!(text.get(at)?, b'"' | b'\\' | 0..0x20) {
        at += 1;
    }
    closed(text, start, at)
}

/// The string up to the special byte at `at`.
#[inline]
fn closed(text: &[u8], start: usize, at: usize) -> Option<(Cell, usize)> {
    match text[at] {
        b'"' => Some((Cell::new(start, at, Form::String), at + 1)),
        b'\\' => escaped(text, start),
        _ => None,
    }
}

/// A string with escapes.
#[cold]
fn escaped(text: &[u8], start: usize) -> Option<(Cell, usize)> {
    let end = start - 1 + length::<String>(&text[start - 1..])?;
    Some((Cell::new(start, end - 1, Form::Escaped), end))
}

#[cold]
fn nested(text: &[u8], at: usize, form: Form) -> Option<(Cell, usize)> {
    let end = at + length::<IgnoredAny>(&text[at..])?;
    Some((Cell::new(at, end, form), end))
}

/// The length of the value that stands at the start of `text`, by the parser of serde_json, which
/// needs no stack for what is nested.
fn length<'a, T: serde::Deserialize<'a>>(text: &'a [u8]) -> Option<usize> {
    let mut values = serde_json::Deserializer::from_slice(text).into_iter::<T>();
    values.next()?.ok()?;
    Some(values.byte_offset())
}

/// The place behind the number that begins at `at`, and its form.
#[inline]
fn number(text: &[u8], mut at: usize) -> Option<(usize, Form)> {
    if text[at] == b'-' {
        at += 1;
    }
    let whole = digits(text, at);
    if whole == at || (whole > at + 1 && text[at] == b'0') {
        return None;
    }
    at = whole;
    let mut form = Form::Integer;
    if text.get(at) == Some(&b'.') {
        form = Form::Number;
        let end = digits(text, at + 1);
        if end == at + 1 {
            return None;
        }
        at = end;
    }
    if let Some(b'e' | b'E') = text.get(at) {
        return exponent(text, at + 1).map(|end| (end, Form::Number));
    }
    Some((at, form))
}

#[cold]
fn exponent(text: &[u8], mut at: usize) -> Option<usize> {
    if let Some(b'+' | b'-') = text.get(at) {
        at += 1;
    }
    let end = digits(text, at);
    (end > at).then_some(end)
}

/// The place behind the digits that begin at `at`.
#[inline]
fn digits(text: &[u8], mut at: usize) -> usize {
    if let Some(word) = text.get(at..at + 8) {
        let word = u64::from_le_bytes(word.try_into().expect("eight bytes"));
        let digits = word ^ (LOW * u64::from(b'0'));
        let others = (((digits & !HIGH) + LOW * (0x80 - 10)) | digits) & HIGH;
        if others != 0 {
            return at + (others.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while text.get(at).is_some_and(u8::is_ascii_digit) {
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values_and_what_stands_behind_them() {
        for (text, form, found) in [
            (r#""abc","#, Form::String, "abc"),
            (
                r#""a long string without escapes""#,
                Form::String,
                "a long string without escapes",
            ),
            (r#""a \"b\" \\",1"#, Form::Escaped, r#"a \"b\" \\"#),
            ("-0.5e+10}", Form::Number, "-0.5e+10"),
            ("0.5,", Form::Number, "0.5"),
            ("1e2,", Form::Number, "1e2"),
            ("-12,", Form::Integer, "-12"),
            ("0,", Form::Integer, "0"),
            ("true]", Form::True, "true"),
            ("null", Form::Null, "null"),
            (
                r#"{"a":[1,{"b":"}"}]},2"#,
                Form::Object,
                r#"{"a":[1,{"b":"}"}]}"#,
            ),
            ("[]x", Form::Array, "[]"),
        ] {
            let (cell, end) = value(text.as_bytes(), 0).expect(text);
            assert_eq!(cell.form, form, "{text}");
            assert_eq!(cell.of(text.as_bytes()), found.as_bytes(), "{text}");
            assert!(end <= text.len());
        }
    }

    #[test]
    fn what_is_no_value() {
        for text in [
            "",
            "\"abc",
            "\"a\tb\"",
            "\"\\q\"",
            "\"\\ud800\"",
            "01",
            "-",
            "1.",
            ".5",
            "+1",
            "1e",
            "1e+",
            "tru",
            "nul",
            "[1,]",
            "{\"a\"}",
            "{a:1}",
            "'a'",
            "NaN",
            "-Infinity",
        ] {
            let found = value(text.as_bytes(), 0).filter(|(_, end)| *end == text.len());
            assert_eq!(found, None, "{text}");
        }
    }

    #[test]
    fn deep_nesting_needs_no_stack() {
        let open = "[".repeat(10_000);
        assert_eq!(value(open.as_bytes(), 0), None);
        let closed = format!("{open}{}", "]".repeat(10_000));
        assert_eq!(
            value(closed.as_bytes(), 0).map(|(_, end)| end),
            Some(20_000)
        );
    }

    proptest! {
        #[test]
        fn numbers_are_those_of_serde_json(text in "-?[0-9]{0,3}(\\.[0-9]{0,2})?([eE][+-]?[0-9]{0,2})?") {
            let ours = value(text.as_bytes(), 0).is_some_and(|(_, end)| end == text.len());
            prop_assert_eq!(ours, serde_json::from_str::<&serde_json::value::RawValue>(&text).is_ok());
        }

        #[test]
        fn strings_are_those_of_serde_json(text in "\"([a-c\\\\\"\u{1}\u{1f} é]|\\\\n){0,20}\"?") {
            let ours = value(text.as_bytes(), 0).is_some_and(|(_, end)| skip_blanks(text.as_bytes(), end) == text.len());
            prop_assert_eq!(ours, serde_json::from_str::<String>(&text).is_ok());
        }
    }
}
