//! Comma-separated values: RFC 4180 with `\n` at the ends of lines; NULL is empty, the empty text `""`.

use std::io::{self, Write};

use ferrisstreams::sql::ResultSet;

use super::{cells, pieces};

/// Writes a header and the rows.
pub(super) fn write(out: &mut dyn Write, result: &ResultSet) -> io::Result<()> {
    let columns: Vec<String> = result
        .columns
        .iter()
        .map(|column| column.name.clone())
        .collect();
    write_header(out, &columns)?;
    write_rows(out, result)
}

pub(super) fn write_header(out: &mut dyn Write, columns: &[String]) -> io::Result<()> {
    let names: Vec<String> = columns.iter().map(|name| field(name)).collect();
    writeln!(out, "{}", names.join(","))
}

pub(super) fn write_rows(out: &mut dyn Write, result: &ResultSet) -> io::Result<()> {
    for row in pieces(result).flat_map(|piece| cells(&piece)) {
        let fields: Vec<String> = row
            .iter()
            .map(|cell| cell.as_deref().map(field).unwrap_or_default())
            .collect();
        writeln!(out, "{}", fields.join(","))?;
    }
    Ok(())
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
