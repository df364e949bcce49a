//! Byte strings as text.

use crate::data::ParseError;

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Reads a byte string in PostgreSQL's hex form (`\x00ff`) or in its escape form (bytes as they
/// are, `\\` for a backslash, `\` and three octal digits for any byte), and appends it to `out`.
///
/// # Errors
///
/// [`ParseError::Malformed`]; `out` is then as it was.
///
/// ```
/// use ferrisstreams_topology::data::text::parse_bytes;
///
/// let mut out = Vec::new();
/// parse_bytes(br"\x4f4B", &mut out)?;
/// parse_bytes(br"!\\\000", &mut out)?;
/// assert_eq!(out, b"OK!\\\0");
/// # Ok::<(), ferrisstreams_topology::data::ParseError>(())
/// ```
pub fn parse_bytes(text: &[u8], out: &mut Vec<u8>) -> Result<(), ParseError> {
    let start = out.len();
    let parsed = match text.strip_prefix(b"\\x") {
        Some(hex) => parse_hex(hex, out),
        None => parse_escaped(text, out),
    };
    if parsed.is_none() {
        out.truncate(start);
    }
    parsed.ok_or(ParseError::Malformed)
}

/// Pairs of digits; white space may stand between pairs.
fn parse_hex(mut text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    out.reserve(text.len() / 2);
    loop {
        text = match text {
            [] => return Some(()),
            [space, rest @ ..] if space.is_ascii_whitespace() => rest,
            [high, low, rest @ ..] => {
                out.push(hex_digit(*high)? << 4 | hex_digit(*low)?);
                rest
            }
            _ => return None,
        };
    }
}

#[inline]
fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

fn parse_escaped(mut text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    loop {
        text = match text {
            [] => return Some(()),
            [b'\\', b'\\', rest @ ..] => {
                out.push(b'\\');
                rest
            }
            [
                b'\\',
                a @ b'0'..=b'3',
                b @ b'0'..=b'7',
                c @ b'0'..=b'7',
                rest @ ..,
            ] => {
                out.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
                rest
            }
            [b'\\', ..] => return None,
            [byte, rest @ ..] => {
                out.push(*byte);
                rest
            }
        };
    }
}

/// Writes a byte string in PostgreSQL's hex form: `\x` and two digits a byte.
pub fn write_bytes(out: &mut Vec<u8>, value: &[u8]) {
    out.reserve(2 + 2 * value.len());
    out.extend_from_slice(b"\\x");
    for &byte in value {
        out.extend_from_slice(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
    }
}
