//! Splitting a line at its delimiters.
//!
//! Eight bytes are looked at at once: the bytes of a word that equal a given one are found by
//! arithmetic, as in Warren, "Hacker's Delight", 6-1, in the form without false finds.

use super::super::cell::{Cell, Form};

/// What is wrong with a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LineFault {
    /// A quote is not closed.
    Open,
    /// Something stands between a closing quote and the delimiter.
    BehindQuote(usize),
}

const LOW: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = LOW << 7;

/// The high bits of the bytes of `word` that equal those of `pattern`, which is one byte eight times.
#[inline]
fn matches(word: u64, pattern: u64) -> u64 {
    let difference = word ^ pattern;
    !(((difference & !HIGH) + !HIGH) | difference) & HIGH
}

/// Splits a line into `fields`, all of them, in order.
#[inline]
pub(super) fn split(line: &[u8], delimiter: u8, fields: &mut Vec<Cell>) -> Result<(), LineFault> {
    fields.clear();
    let delimiters = LOW * u64::from(delimiter);
    const QUOTES: u64 = LOW * b'"' as u64;
    let mut start = 0;
    let (words, tail) = line.as_chunks::<8>();
    let mut at = 0;
    for word in words {
        let word = u64::from_le_bytes(*word);
        if matches(word, QUOTES) != 0 {
            return split_quoted(line, start, delimiter, fields);
        }
        let mut found = matches(word, delimiters);
        while found != 0 {
            let end = at + (found.trailing_zeros() / 8) as usize;
            fields.push(Cell::new(start, end, Form::Text));
            start = end + 1;
            found &= found - 1;
        }
        at += 8;
    }
    for byte in tail {
        if *byte == b'"' {
            return split_quoted(line, start, delimiter, fields);
        }
        if *byte == delimiter {
            fields.push(Cell::new(start, at, Form::Text));
            start = at + 1;
        }
        at += 1;
    }
    fields.push(Cell::new(start, line.len(), Form::Text));
    Ok(())
}

/// Goes on at the field that begins at `start`, in a line with quotes.
fn split_quoted(
    line: &[u8],
    mut start: usize,
    delimiter: u8,
    fields: &mut Vec<Cell>,
) -> Result<(), LineFault> {
    loop {
        let end = if line.get(start) == Some(&b'"') {
            let (cell, end) = quoted(line, start + 1)?;
            if end < line.len() && line[end] != delimiter {
                return Err(LineFault::BehindQuote(end));
            }
            fields.push(cell);
            end
        } else {
            // A quote inside of a field that does not begin with one is text.
            let rest = &line[start..];
            let end = start + memchr::memchr(delimiter, rest).unwrap_or(rest.len());
            fields.push(Cell::new(start, end, Form::Text));
            end
        };
        if end == line.len() {
            return Ok(());
        }
        start = end + 1;
    }
}

/// A field whose text begins at `start`, behind the quote; and the place behind the quote that closes
/// it.
fn quoted(line: &[u8], start: usize) -> Result<(Cell, usize), LineFault> {
    let mut form = Form::String;
    let mut at = start;
    loop {
        at += memchr::memchr(b'"', &line[at..]).ok_or(LineFault::Open)?;
        if line.get(at + 1) != Some(&b'"') {
            return Ok((Cell::new(start, at, form), at + 1));
        }
        form = Form::Doubled;
        at += 2;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::super::column::undouble;
    use super::*;

    /// Fields as text, with a mark for those that were quoted.
    fn fields(line: &str, delimiter: u8) -> Result<Vec<(bool, String)>, LineFault> {
        let mut cells = Vec::new();
        split(line.as_bytes(), delimiter, &mut cells)?;
        let field = |cell: &Cell| {
            let bytes = cell.of(line.as_bytes());
            let mut text = Vec::new();
            if cell.form == Form::Doubled {
                undouble(bytes, &mut text);
            } else {
                text.extend_from_slice(bytes);
            }
            (
                cell.form != Form::Text,
                String::from_utf8(text).expect("text"),
            )
        };
        Ok(cells.iter().map(field).collect())
    }

    /// The same, one character after the other.
    fn model(line: &str, delimiter: char) -> Option<Vec<(bool, String)>> {
        let mut all = Vec::new();
        let mut chars = line.chars().peekable();
        loop {
            let mut text = String::new();
            let quoted = chars.next_if_eq(&'"').is_some();
            loop {
                match chars.next() {
                    None if quoted => return None,
                    Some('"') if quoted => {
                        if chars.next_if_eq(&'"').is_none() {
                            break;
                        }
                        text.push('"');
                    }
                    Some(c) if quoted => text.push(c),
                    Some(c) if c == delimiter => {
                        all.push((false, text));
                        break text = String::new();
                    }
                    Some(c) => text.push(c),
                    None => {
                        all.push((false, text));
                        return Some(all);
                    }
                }
            }
            if quoted {
                all.push((true, text));
                match chars.next() {
                    None => return Some(all),
                    Some(c) if c == delimiter => {}
                    Some(_) => return None,
                }
            }
        }
    }

    #[test]
    fn faults_tell_where() {
        assert_eq!(fields("a,\"b", b','), Err(LineFault::Open));
        assert_eq!(fields("a,\"b\"c,d", b','), Err(LineFault::BehindQuote(5)));
        assert_eq!(fields("\"\"\"", b','), Err(LineFault::Open));
    }

    proptest! {
        #[test]
        fn lines_split_as_the_model_splits_them(line in "[ab,;\"é]{0,40}") {
            for delimiter in [',', ';'] {
                prop_assert_eq!(fields(&line, delimiter as u8).ok(), model(&line, delimiter));
            }
        }

        #[test]
        fn lines_split_as_the_csv_crate_splits_them(
            all in prop::collection::vec("[a-c,\"é ]{0,12}", 1..12)
        ) {
            let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
            writer.write_record(&all).expect("memory");
            let line = String::from_utf8(writer.into_inner().expect("memory")).expect("text");
            let ours = fields(line.trim_end_matches('\n'), b',').expect("a line");
            let texts: Vec<String> = ours.into_iter().map(|(_, text)| text).collect();
            prop_assert_eq!(texts, all);
        }
    }
}
