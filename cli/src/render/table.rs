//! Tables with lines, for people: numbers to the right, text to the left.

use ferrisstreams::sql::ResultSet;
use unicode_width::UnicodeWidthStr;

use super::cells;

/// How much of a table is shown.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    width: usize,
    more: bool,
}

impl Limits {
    /// All of it.
    pub(crate) fn none() -> Self {
        Limits {
            width: usize::MAX,
            more: false,
        }
    }

    /// Lines of at most so many columns of the terminal; `more` where there are rows that are not given.
    pub(crate) fn of(width: usize, more: bool) -> Self {
        Limits { width, more }
    }
}

/// A table as text, each line ended.
pub(crate) fn table(result: &ResultSet, limits: Limits) -> String {
    let rows = cells(result);
    let right: Vec<bool> = result
        .columns
        .iter()
        .map(|column| column.data_type.is_numeric())
        .collect();
    let cell = |cell: &Option<String>| cell.as_deref().map_or("NULL".to_owned(), one_line);
    let shown: Vec<Vec<String>> = rows
        .iter()
        .map(|row| row.iter().map(cell).collect())
        .collect();
    let names: Vec<String> = result
        .columns
        .iter()
        .map(|column| one_line(&column.name))
        .collect();
    let widths: Vec<usize> = (0..names.len())
        .map(|at| {
            let cells = shown.iter().map(|row| row[at].width());
            cells.chain([names[at].width()]).max().unwrap_or(0)
        })
        .collect();
    let mut text = String::new();
    let mut line = |cells: &[String], header: bool| {
        let mut out = String::new();
        for (at, cell) in cells.iter().enumerate() {
            let pad = " ".repeat(widths[at] - cell.width());
            let (before, after) = if right[at] && !header {
                (pad.as_str(), "")
            } else {
                ("", pad.as_str())
            };
            out.push_str(if at == 0 { " " } else { " | " });
            out.push_str(before);
            out.push_str(cell);
            out.push_str(after);
        }
        text.push_str(cut(out.trim_end(), limits.width));
        text.push('\n');
    };
    line(&names, true);
    let rule: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
    line(&rule, true);
    for row in &shown {
        line(row, false);
    }
    let count = rows.len();
    if limits.more {
        text.push_str(" ... and more\n");
    } else {
        text.push_str(&format!(
            "({count} row{})\n",
            if count == 1 { "" } else { "s" }
        ));
    }
    text
}

/// The start of a line that fits a width.
fn cut(line: &str, width: usize) -> &str {
    if line.width() <= width {
        return line;
    }
    let mut end = 0;
    for (at, _) in line.char_indices() {
        if line[..at].width() > width {
            break;
        }
        end = at;
    }
    &line[..end]
}

fn one_line(text: &str) -> String {
    if text.chars().any(char::is_control) {
        text.escape_debug().to_string()
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::cut;

    #[test]
    fn lines_are_cut_between_characters() {
        assert_eq!(cut("abc", 5), "abc");
        assert_eq!(cut("日本語", 4), "日本");
    }
}
