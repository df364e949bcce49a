//! Booleans as text.

use crate::data::ParseError;

/// Reads a boolean: `true`, `yes`, `on`, `1` and `false`, `no`, `off`, `0`, in any case and cut
/// short as long as it stays clear which is meant.
///
/// # Errors
///
/// [`ParseError::Malformed`] for anything else.
///
/// ```
/// use ferrisstreams_topology::data::text::parse_bool;
///
/// assert_eq!(parse_bool(b"T"), Ok(true));
/// assert_eq!(parse_bool(b"off"), Ok(false));
/// assert!(parse_bool(b"o").is_err());
/// ```
#[inline]
pub fn parse_bool(text: &[u8]) -> Result<bool, ParseError> {
    match text {
        b"true" | b"t" | b"1" => Ok(true),
        b"false" | b"f" | b"0" => Ok(false),
        _ => parse_any_case(text),
    }
}

fn parse_any_case(text: &[u8]) -> Result<bool, ParseError> {
    let is = |word: &[u8], at_least: usize| {
        text.len() >= at_least
            && text.len() <= word.len()
            && word[..text.len()].eq_ignore_ascii_case(text)
    };
    if is(b"true", 1) || is(b"yes", 1) || is(b"on", 2) {
        Ok(true)
    } else if is(b"false", 1) || is(b"no", 1) || is(b"off", 2) {
        Ok(false)
    } else {
        Err(ParseError::Malformed)
    }
}

/// Writes `true` or `false`.
#[inline]
pub fn write_bool(out: &mut Vec<u8>, value: bool) {
    out.extend_from_slice(if value { b"true" } else { b"false" });
}
