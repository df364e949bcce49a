//! Types and values from text.

use ferrisstreams_topology::data::{DataType, Value};

/// `decimal(10,2)`, `text`, and so on.
pub fn data_type(text: &str) -> Option<DataType> {
    let text = text.trim().to_ascii_lowercase();
    if let Some(size) = text
        .strip_prefix("decimal(")
        .and_then(|rest| rest.strip_suffix(')'))
    {
        let (precision, scale) = size.split_once(',')?;
        return Some(DataType::Decimal {
            precision: precision.trim().parse().ok()?,
            scale: scale.trim().parse().ok()?,
        });
    }
    if let Some(length) = text
        .strip_prefix("varchar(")
        .and_then(|rest| rest.strip_suffix(')'))
    {
        return Some(DataType::Varchar {
            length: Some(length.parse().ok()?),
        });
    }
    Some(match &text[..] {
        "boolean" => DataType::Boolean,
        "tinyint" => DataType::TinyInt,
        "smallint" => DataType::SmallInt,
        "int" => DataType::Int,
        "bigint" => DataType::BigInt,
        "real" => DataType::Real,
        "double" => DataType::Double,
        "text" => DataType::TEXT,
        "bytes" => DataType::Bytes,
        "date" => DataType::Date,
        "time" => DataType::Time,
        "timestamp" => DataType::Timestamp,
        "timestamptz" => DataType::TimestampTz,
        "interval" => DataType::Interval,
        _ => return None,
    })
}

/// A value as scripts show it: text in quotes.
pub fn show(value: &Value) -> String {
    match value {
        Value::Text(text) => format!("'{}'", text.replace('\'', "''")),
        other => other.to_string(),
    }
}
