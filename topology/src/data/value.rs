//! One SQL value on its own: a constant in a statement, a cell of a result that is shown.
//!
//! Records are never taken apart into these; what runs for each record works on rows.

use std::fmt;

use super::decimal::{self, Decimal, DecimalType};
use super::{
    DataType, Interval, MAX_COMPACT_PRECISION, ParseError, RowLayout, RowWriter, Schema, Slot,
    datetime, text,
};

/// A SQL value.
///
/// It does not know its [`DataType`]; whoever holds it does.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// No value.
    Null,
    /// A boolean.
    Boolean(bool),
    /// An integer of any width.
    Integer(i64),
    /// An exact number.
    Decimal {
        /// The digits, as an integer.
        unscaled: i128,
        /// How many of them stand behind the point.
        scale: u8,
    },
    /// A floating-point number of 32 bits.
    Real(f32),
    /// A floating-point number of 64 bits.
    Double(f64),
    /// Text.
    Text(String),
    /// A string of bytes.
    Bytes(Vec<u8>),
    /// Days since 1970-01-01.
    Date(i32),
    /// Microseconds of the day.
    Time(i64),
    /// Microseconds since 1970-01-01 00:00:00, without a zone.
    Timestamp(i64),
    /// Microseconds since 1970-01-01 00:00:00 UTC.
    TimestampTz(i64),
    /// A span of time.
    Interval(Interval),
}

impl Value {
    /// Reads the text form of a value of a type, as PostgreSQL has it.
    ///
    /// ```
    /// use ferrisstreams_topology::data::{DataType, Value};
    ///
    /// let price = DataType::Decimal { precision: 10, scale: 2 };
    /// assert_eq!(Value::parse("-0.05", price)?.to_string(), "-0.05");
    /// assert!(Value::parse("twelve", DataType::Int).is_err());
    /// # Ok::<(), ferrisstreams_topology::data::ParseError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Where the text does not have the form of the type, or stands for a value that does not fit.
    pub fn parse(text: &str, data_type: DataType) -> Result<Value, ParseError> {
        let bytes = text.as_bytes();
        Ok(match data_type {
            DataType::Boolean => Value::Boolean(text::parse_bool(bytes)?),
            DataType::TinyInt | DataType::SmallInt | DataType::Int | DataType::BigInt => {
                Value::Integer(text::parse_integer(bytes, data_type)?)
            }
            DataType::Real => Value::Real(text::parse_f32(bytes)?),
            DataType::Double => Value::Double(text::parse_f64(bytes)?),
            DataType::Decimal { precision, scale } => Value::Decimal {
                unscaled: decimal::parse_rounded(bytes, DecimalType::new(precision, scale))?,
                scale,
            },
            DataType::Varchar { length } => {
                if length.is_some_and(|most| text.chars().count() > most as usize) {
                    return Err(ParseError::TooLong);
                }
                Value::Text(text.to_owned())
            }
            DataType::Bytes => {
                let mut out = Vec::new();
                text::parse_bytes(bytes, &mut out)?;
                Value::Bytes(out)
            }
            DataType::Date => Value::Date(datetime::parse_date(bytes)?),
            DataType::Time => Value::Time(datetime::parse_time(bytes)?),
            DataType::Timestamp => Value::Timestamp(datetime::parse_timestamp(bytes)?),
            DataType::TimestampTz => Value::TimestampTz(datetime::parse_timestamptz(bytes)?),
            DataType::Interval => Value::Interval(datetime::parse_interval(bytes)?),
        })
    }

    /// The value of a column of a row.
    pub fn read(row: &[u8], slot: Slot, data_type: DataType) -> Value {
        let value = match data_type {
            DataType::Boolean => slot.bool(row).map(Value::Boolean),
            DataType::TinyInt | DataType::SmallInt | DataType::Int | DataType::BigInt => {
                slot.integer(row).map(Value::Integer)
            }
            DataType::Real => slot.float(row).map(|value| Value::Real(value as f32)),
            DataType::Double => slot.float(row).map(Value::Double),
            DataType::Decimal { scale, .. } => slot
                .wide(row)
                .map(|unscaled| Value::Decimal { unscaled, scale }),
            DataType::Varchar { .. } => slot.text(row).map(|text| Value::Text(text.to_owned())),
            DataType::Bytes => slot.bytes(row).map(|bytes| Value::Bytes(bytes.to_vec())),
            DataType::Date => slot.i32(row).map(Value::Date),
            DataType::Time => slot.i64(row).map(Value::Time),
            DataType::Timestamp => slot.i64(row).map(Value::Timestamp),
            DataType::TimestampTz => slot.i64(row).map(Value::TimestampTz),
            DataType::Interval => slot.interval(row).map(Value::Interval),
        };
        value.unwrap_or(Value::Null)
    }

    /// The values of all columns of a row of `schema`, which `layout` is of.
    pub fn read_all(row: &[u8], layout: &RowLayout, schema: &Schema) -> Vec<Value> {
        let fields = schema.fields().iter().zip(layout.slots());
        fields
            .map(|(field, slot)| Value::read(row, *slot, field.data_type))
            .collect()
    }

    /// Sets a column of a row to this value, which must be one of the column's type, decimals with
    /// its scale.
    ///
    /// # Panics
    ///
    /// Where the value is of another type than the column.
    pub fn write(&self, writer: &mut RowWriter<'_>, column: usize) {
        match self {
            Value::Null => {}
            Value::Boolean(value) => writer.set_bool(column, *value),
            Value::Integer(value) => writer.set_integer(column, *value),
            Value::Decimal { unscaled, .. } => writer.set_wide(column, *unscaled),
            Value::Real(value) => writer.set_float(column, f64::from(*value)),
            Value::Double(value) => writer.set_float(column, *value),
            Value::Text(value) => writer.set_text(column, value),
            Value::Bytes(value) => writer.set_bytes(column, value),
            Value::Date(value) => writer.set_integer(column, i64::from(*value)),
            Value::Time(value) | Value::Timestamp(value) | Value::TimestampTz(value) => {
                writer.set_integer(column, *value);
            }
            Value::Interval(value) => writer.set_interval(column, *value),
        }
    }

    /// True for NULL.
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// Appends the text form; nothing at all for NULL.
    pub fn write_text(&self, out: &mut Vec<u8>) {
        match self {
            Value::Null => {}
            Value::Boolean(value) => text::write_bool(out, *value),
            Value::Integer(value) => text::write_i64(out, *value),
            Value::Decimal { unscaled, scale } => {
                decimal::write(out, Decimal::new(*unscaled, *scale));
            }
            Value::Real(value) => text::write_f32(out, *value),
            Value::Double(value) => text::write_f64(out, *value),
            Value::Text(value) => out.extend_from_slice(value.as_bytes()),
            Value::Bytes(value) => text::write_bytes(out, value),
            Value::Date(value) => datetime::write_date(out, *value),
            Value::Time(value) => datetime::write_time(out, *value),
            Value::Timestamp(value) => datetime::write_timestamp(out, *value),
            Value::TimestampTz(value) => datetime::write_timestamptz(out, *value),
            Value::Interval(value) => datetime::write_interval(out, *value),
        }
    }
}

/// The text form, and `NULL` for NULL.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_null() {
            return f.pad("NULL");
        }
        let mut out = Vec::new();
        self.write_text(&mut out);
        f.pad(&String::from_utf8_lossy(&out))
    }
}

/// Appends the text form of a column of a row without making a [`Value`] of it; false for NULL, for
/// which nothing is appended.
pub fn write_column(out: &mut Vec<u8>, row: &[u8], slot: Slot, data_type: DataType) -> bool {
    if slot.is_null(row) {
        return false;
    }
    match data_type {
        DataType::Varchar { .. } => {
            out.extend_from_slice(slot.bytes(row).unwrap_or_default());
        }
        DataType::TinyInt | DataType::SmallInt | DataType::Int | DataType::BigInt => {
            text::write_i64(out, slot.integer(row).unwrap_or_default());
        }
        DataType::Decimal { precision, scale } if precision <= MAX_COMPACT_PRECISION => {
            let unscaled = slot.i64(row).unwrap_or_default();
            decimal::write(out, Decimal::new(i128::from(unscaled), scale));
        }
        _ => Value::read(row, slot, data_type).write_text(out),
    }
    true
}
