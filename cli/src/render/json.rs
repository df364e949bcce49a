//! A JSON object a line. Numbers are exact: a decimal is written with all its digits.

use std::io::{self, Write};

use ferrisstreams::data::Value;
use ferrisstreams::sql::ResultSet;

use super::pieces;

/// Writes the rows, an object each.
pub(super) fn write(out: &mut dyn Write, result: &ResultSet) -> io::Result<()> {
    pieces(result)
        .flat_map(|piece| objects(&piece))
        .try_for_each(|object| writeln!(out, "{object}"))
}

/// Writes an object that says which key has no row any more; an empty one where keys are not seen.
pub(super) fn deleted(out: &mut dyn Write, key: Option<&ResultSet>) -> io::Result<()> {
    let key = key
        .and_then(|key| objects(key).pop())
        .unwrap_or("{}".to_owned());
    writeln!(out, "{{\"deleted\":{key}}}")
}

fn objects(result: &ResultSet) -> Vec<String> {
    let object = |row: Vec<Value>| {
        let fields = result.columns.iter().zip(&row);
        let fields: Vec<String> = fields
            .map(|(column, value)| format!("{}:{}", quoted(&column.name), json(value)))
            .collect();
        format!("{{{}}}", fields.join(","))
    };
    result.values().into_iter().map(object).collect()
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
