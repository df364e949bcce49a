//! Escapes in strings of JSON.

/// Appends what a string of JSON stands for, given what stands between its quotes. None where an
/// escape stands for no character; `out` then holds a part of it.
pub(super) fn unescape(text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        out.extend_from_slice(&rest[..at]);
        let (kind, tail) = rest[at + 1..].split_first()?;
        rest = tail;
        let byte = match kind {
            b'"' | b'\\' | b'/' => *kind,
            b'b' => 0x08,
            b'f' => 0x0c,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                let c = take_char(&mut rest)?;
                out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                continue;
            }
            _ => return None,
        };
        out.push(byte);
    }
    out.extend_from_slice(rest);
    Some(())
}

/// Takes the four digits behind `\u`, and the second half of a pair where they are the first.
fn take_char(rest: &mut &[u8]) -> Option<char> {
    let first = take_unit(rest)?;
    if !(0xd800..0xdc00).contains(&first) {
        return char::from_u32(first);
    }
    *rest = rest.strip_prefix(b"\\u")?;
    let second = take_unit(rest)?;
    if !(0xdc00..0xe000).contains(&second) {
        return None;
    }
    char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00))
}

fn take_unit(rest: &mut &[u8]) -> Option<u32> {
    let (digits, tail) = rest.split_at_checked(4)?;
    *rest = tail;
    digits.iter().try_fold(0, |unit, byte| {
        let digit = char::from(*byte).to_digit(16)?;
        Some(unit << 4 | digit)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::unescape;

    fn unescaped(text: &str) -> Option<String> {
        let mut out = Vec::new();
        unescape(text.as_bytes(), &mut out)?;
        Some(String::from_utf8(out).expect("characters"))
    }

    #[test]
    fn what_stands_for_no_character() {
        for text in [
            "\\",
            "\\x",
            "\\u12",
            "\\u12g4",
            "\\ud800",
            "\\ud800\\n",
            "\\udc00",
            "\\ud800\\u0041",
            "\\u+123",
        ] {
            assert_eq!(unescaped(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn strings_read_as_serde_json_reads_them(
            parts in prop::collection::vec(
                prop_oneof![
                    "[^\"\\\\\u{0}-\u{1f}]{0,8}",
                    "\\\\[\"\\\\/bfnrtuxq]",
                    "\\\\u[0-9a-fA-F]{4}",
                    "\\\\ud[89ab][0-9a-f]{2}\\\\ud[c-f][0-9a-f]{2}",
                ],
                0..6,
            )
        ) {
            let text = parts.concat();
            let theirs = serde_json::from_str::<String>(&format!("\"{text}\"")).ok();
            prop_assert_eq!(unescaped(&text), theirs);
        }
    }
}
