//! Values as text, in the forms of PostgreSQL.

use ferrisstreams_topology::data::decimal::{self, Decimal};
use ferrisstreams_topology::data::{DataType, datetime, text};

use super::argument::Argument;

/// Appends the text form of a value of a type; nothing for NULL.
#[inline]
pub(crate) fn write_text(out: &mut Vec<u8>, value: Argument<'_>, data_type: DataType) {
    match (value, data_type) {
        (Argument::Null, _) => {}
        (Argument::Integer(value), DataType::Boolean) => text::write_bool(out, value != 0),
        (Argument::Integer(value), DataType::Decimal { scale, .. }) => {
            decimal::write(out, Decimal::new(i128::from(value), scale));
        }
        (Argument::Wide(value), DataType::Decimal { scale, .. }) => {
            decimal::write(out, Decimal::new(value, scale));
        }
        (Argument::Integer(value), DataType::Date) => datetime::write_date(out, value as i32),
        (Argument::Integer(value), DataType::Time) => datetime::write_time(out, value),
        (Argument::Integer(value), DataType::Timestamp) => datetime::write_timestamp(out, value),
        (Argument::Integer(value), DataType::TimestampTz) => {
            datetime::write_timestamptz(out, value);
        }
        (Argument::Integer(value), _) => text::write_i64(out, value),
        (Argument::Float(value), DataType::Real) => text::write_f32(out, value as f32),
        (Argument::Float(value), _) => text::write_f64(out, value),
        (Argument::Interval(value), _) => datetime::write_interval(out, value),
        (Argument::Bytes(value), DataType::Bytes) => text::write_bytes(out, value),
        (Argument::Bytes(value), _) => out.extend_from_slice(value),
        (Argument::Wide(_), other) => unreachable!("{other} is never of 128 bits"),
    }
}
