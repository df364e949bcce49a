//! A JSON object a line. Numbers are exact: a decimal is written with all its digits.

use std::io::{self, Write};

use ferrisstreams::data::Value;
use ferrisstreams::sql::{Column, ResultSet};

/// Writes a row, an object.
pub(super) fn write_row(out: &mut dyn Write, columns: &[Column], row: &[Value]) -> io::Result<()> {
    writeln!(out, "{}", object(columns, row))
}

/// Writes an object that says which key has no row any more; an empty one where keys are not seen.
pub(super) fn deleted(out: &mut dyn Write, key: Option<&ResultSet>) -> io::Result<()> {
    let key = key
        .and_then(|key| Some(object(&key.columns, key.values().last()?)))
        .unwrap_or("{}".to_owned());
    writeln!(out, "{{\"deleted\":{key}}}")
}

fn object(columns: &[Column], row: &[Value]) -> String {
    let fields: Vec<String> = columns
        .iter()
        .zip(row)
        .map(|(column, value)| format!("{}:{}", quoted(&column.name), json(value)))
        .collect();
    format!("{{{}}}", fields.join(","))
}

/// Writes an object that names the table that follows.
pub(super) fn name(out: &mut dyn Write, name: &str) -> io::Result<()> {
    writeln!(out, "{{\"table\":{}}}", quoted(name))
}

fn json(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Boolean(value) => value.to_string(),
        Value::Integer(_) | Value::Decimal { .. } => value.to_string(),
        Value::Real(number) if number.is_finite() => value.to_string(),
        Value::Double(number) if number.is_finite() => value.to_string(),
        _ => quoted(&value.to_string()),
    }
}

fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_their_kind() {
        let decimal = Value::Decimal {
            unscaled: -5,
            scale: 2,
        };
        assert_eq!(json(&decimal), "-0.05");
        assert_eq!(
            json(&Value::Text("a\"b\n\u{1}".to_owned())),
            "\"a\\\"b\\n\\u0001\""
        );
        assert_eq!(json(&Value::Double(f64::INFINITY)), "\"Infinity\"");
        assert_eq!(json(&Value::Null), "null");
    }
}
