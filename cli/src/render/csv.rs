//! Comma-separated values: RFC 4180 with `\n` at the ends of lines; NULL is empty, the empty text `""`.

use std::io::{self, Write};

use ferrisstreams::data::Value;

use super::cell::cell;

pub(super) fn write_header(out: &mut dyn Write, columns: &[String]) -> io::Result<()> {
    let names: Vec<String> = columns.iter().map(|name| field(name)).collect();
    writeln!(out, "{}", names.join(","))
}

pub(super) fn write_row(out: &mut dyn Write, row: &[Value]) -> io::Result<()> {
    let shown = |value| cell(value).as_deref().map(field).unwrap_or_default();
    let fields: Vec<String> = row.iter().map(shown).collect();
    writeln!(out, "{}", fields.join(","))
}

fn field(text: &str) -> String {
    if text.is_empty() || text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::field;

    #[test]
    fn what_would_be_misread_is_quoted() {
        assert_eq!(field("plain"), "plain");
        assert_eq!(field("a,b"), "\"a,b\"");
        assert_eq!(field("say \"hi\""), "\"say \"\"hi\"\"\"");
        assert_eq!(field(""), "\"\"");
    }
}
