//! Base64, as RFC 4648 has it.

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Appends bytes as base64, filled up with `=`.
pub(super) fn encode(out: &mut Vec<u8>, bytes: &[u8]) {
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * at)) as usize & 63];
            out.push(if at <= chunk.len() { digit } else { b'=' });
        }
    }
}

/// Appends the bytes of a text in base64, filled up or not; white space does not count.
pub(super) fn decode(out: &mut Vec<u8>, text: &[u8]) -> Option<()> {
    let (mut bits, mut count) = (0u32, 0u32);
    let mut digits = 0;
    let mut ended = false;
    for &byte in text.iter().filter(|byte| !byte.is_ascii_whitespace()) {
        if byte == b'=' {
            ended = true;
            continue;
        }
        if ended {
            return None;
        }
        bits = bits << 6 | value(byte)?;
        digits += 1;
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    // A single digit is less than a byte.
    (digits % 4 != 1).then_some(())
}

fn value(digit: u8) -> Option<u32> {
    Some(u32::from(match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_the_standard() {
        let pairs = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foobar", "Zm9vYmFy"),
        ];
        for (bytes, text) in pairs {
            let mut out = Vec::new();
            encode(&mut out, bytes.as_bytes());
            assert_eq!(out, text.as_bytes());
            out.clear();
            assert_eq!(decode(&mut out, text.as_bytes()), Some(()));
            assert_eq!(out, bytes.as_bytes());
        }
        for text in ["Z", "Zg==Zg", "Zm9*"] {
            assert_eq!(decode(&mut Vec::new(), text.as_bytes()), None, "{text}");
        }
    }
}
