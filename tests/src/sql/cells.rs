//! Rows as lines of text: `1 | 2.50 | NULL | a text`.
//!
//! A text that could be mistaken for something else stands in double quotes, with Rust's escapes: one that is empty,
//! is NULL by its letters, has spaces around it, or holds `|`, a quote or a control character.

use std::fmt::Write;

use ferrisstreams::data::Value;
use ferrisstreams::sql::ResultSet;

/// The cells of a row as text, `None` for NULL.
pub type Cells = Vec<Option<String>>;

/// The cells that a line holds.
///
/// # Panics
///
/// Where a quoted text does not end, or holds an escape that is not known.
///
/// ```
/// use ferrisstreams_tests::sql::parse_cells;
///
/// let cells = parse_cells(r#"1 | NULL | "a | b" | two words"#);
/// let some = |text: &str| Some(text.to_owned());
/// assert_eq!(cells, [some("1"), None, some("a | b"), some("two words")]);
/// ```
#[must_use]
pub fn parse_cells(line: &str) -> Cells {
    let mut cells = Vec::new();
    let mut rest = line.trim();
    loop {
        let (cell, behind) = next_cell(rest, line);
        cells.push(cell);
        match behind {
            Some(behind) => rest = behind.trim_start(),
            None => return cells,
        }
    }
}

/// A cell, and what stands behind its `|` if there is one.
fn next_cell<'a>(text: &'a str, line: &str) -> (Option<String>, Option<&'a str>) {
    let Some(quoted) = text.strip_prefix('"') else {
        let (cell, behind) = match text.split_once('|') {
            Some((cell, behind)) => (cell, Some(behind)),
            None => (text, None),
        };
        let cell = cell.trim();
        return ((cell != "NULL").then(|| cell.to_owned()), behind);
    };
    let mut out = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => {
                let behind = quoted[at + 1..].trim_start();
                assert!(
                    behind.is_empty() || behind.starts_with('|'),
                    "a text in quotes goes on behind them: {line}"
                );
                return (Some(out), behind.strip_prefix('|'));
            }
            '\\' => match characters.next().map(|(_, escaped)| escaped) {
                Some('n') => out.push('\n'),
                Some('r') => out.push('\r'),
                Some('t') => out.push('\t'),
                Some(escaped @ ('"' | '\\')) => out.push(escaped),
                escaped => panic!("no escape {escaped:?}: {line}"),
            },
            character => out.push(character),
        }
    }
    panic!("a text in quotes does not end: {line}");
}

/// The rows of a result, a line each.
#[must_use]
pub fn rows_as_text(rows: &ResultSet) -> Vec<String> {
    let rows = rows.values();
    rows.iter().map(|row| row_as_text(row)).collect()
}

fn row_as_text(row: &[Value]) -> String {
    let mut line = String::new();
    for (at, value) in row.iter().enumerate() {
        if at > 0 {
            line.push_str(" | ");
        }
        match value {
            Value::Text(text) if needs_quotes(text) => {
                line.push('"');
                for character in text.chars() {
                    match character {
                        '"' | '\\' => {
                            line.push('\\');
                            line.push(character);
                        }
                        '\n' => line.push_str("\\n"),
                        '\r' => line.push_str("\\r"),
                        '\t' => line.push_str("\\t"),
                        character => line.push(character),
                    }
                }
                line.push('"');
            }
            value => write!(line, "{value}").expect("writing to a string cannot fail"),
        }
    }
    line
}

fn needs_quotes(text: &str) -> bool {
    text.is_empty()
        || text == "NULL"
        || text.trim() != text
        || text.contains(['|', '"', '\n', '\r', '\t'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_read_again() {
        for text in [
            "",
            "NULL",
            " a",
            "a|b",
            "say \"hi\"",
            "two\nlines",
            "\\",
            "\tx\r",
        ] {
            let line = row_as_text(&[Value::Integer(1), Value::Text(text.to_owned()), Value::Null]);
            let expected = [Some("1".to_owned()), Some(text.to_owned()), None];
            assert_eq!(parse_cells(&line), expected, "{line}");
        }
    }

    #[test]
    #[should_panic(expected = "does not end")]
    fn a_quote_that_stays_open_is_told() {
        let _ = parse_cells("1 | \"abc");
    }
}
