//! From a field of a record to a column of a row.

use ferrisstreams_topology::data::decimal::{self, DecimalType};
use ferrisstreams_topology::data::{
    DataType, Field, MAX_COMPACT_PRECISION, ParseError, RowWriter, datetime, text,
};

use super::base64;
use super::cell::{Cell, Form};
use super::escape::unescape;
use super::fault::Fault;

/// How the fields of a column become its values.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) data_type: DataType,
    nullable: bool,
    /// Digits behind the point that the type does not keep are a fault, and not rounded away.
    exact: bool,
    common: Common,
    /// How many values were rounded.
    rounded: std::cell::Cell<u64>,
}

/// What is read at once where it stands there as it mostly does; anything else, and every fault, is
/// read and told by the slower way that knows all forms.
#[derive(Debug, Clone, Copy)]
enum Common {
    /// BIGINT.
    Integer,
    /// VARCHAR of any length.
    Text,
    /// A decimal of at most 18 digits.
    Decimal(DecimalType),
    /// A decimal that holds every integer of 64 bits, as those do that nobody declared.
    Wide(DecimalType),
    /// Another type.
    Nothing,
}

impl Common {
    fn of(data_type: DataType) -> Self {
        match data_type {
            DataType::BigInt => Common::Integer,
            DataType::Varchar { length: None } => Common::Text,
            DataType::Decimal { precision, scale } if precision <= MAX_COMPACT_PRECISION => {
                Common::Decimal(DecimalType::new(precision, scale))
            }
            DataType::Decimal { precision, scale } if precision >= decimal::WIDE => {
                Common::Wide(DecimalType::new(precision, scale))
            }
            _ => Common::Nothing,
        }
    }
}

impl Column {
    pub(super) fn new(field: &Field, exact: bool) -> Self {
        Column {
            name: field.name.clone(),
            data_type: field.data_type,
            nullable: field.nullable,
            exact,
            common: Common::of(field.data_type),
            rounded: std::cell::Cell::new(0),
        }
    }

    /// The same column, in which there must be a value.
    pub(super) fn required(self) -> Self {
        Column {
            nullable: false,
            ..self
        }
    }

    /// How many values were rounded since this was last asked.
    pub(super) fn take_rounded(&self) -> u64 {
        self.rounded.take()
    }

    /// Writes a field as column `index` of a row. `scratch` is room to work in.
    #[inline]
    pub(super) fn write(
        &self,
        record: &[u8],
        cell: Cell,
        scratch: &mut Vec<u8>,
        writer: &mut RowWriter<'_>,
        index: usize,
    ) -> Result<(), Fault> {
        if self.write_common(record, cell, writer, index).is_some() {
            return Ok(());
        }
        self.write_any(record, cell, scratch, writer, index)
    }

    /// True where it is known at once that the field can be written as it is.
    #[inline]
    pub(super) fn is_good(&self, record: &[u8], cell: Cell) -> bool {
        let text = match cell.form {
            // Any integer of JSON with so few characters is a BIGINT.
            Form::Integer if matches!(self.common, Common::Integer) => {
                let text = cell.of(record);
                return text.len() <= 18 || text::parse_i64(text).is_ok();
            }
            Form::Text | Form::Integer | Form::Number | Form::String => cell.of(record),
            Form::Null => return self.nullable,
            _ => return false,
        };
        match self.common {
            Common::Integer => text::parse_i64(text).is_ok(),
            Common::Decimal(to) => decimal::parse_plain(text, to).is_some(),
            Common::Wide(to) => decimal::parse_plain_wide(text, to).is_some(),
            Common::Text => is_utf8(text),
            Common::Nothing => false,
        }
    }

    /// Nothing is written where the answer is none.
    #[inline]
    fn write_common(
        &self,
        record: &[u8],
        cell: Cell,
        writer: &mut RowWriter<'_>,
        index: usize,
    ) -> Option<()> {
        let text = match cell.form {
            Form::Text | Form::Integer | Form::Number | Form::String => cell.of(record),
            _ => return None,
        };
        match self.common {
            Common::Integer => writer.set_i64(index, text::parse_i64(text).ok()?),
            Common::Decimal(to) => writer.set_i64(index, decimal::parse_plain(text, to)?),
            Common::Wide(to) => writer.set_wide(index, decimal::parse_plain_wide(text, to)?),
            Common::Text if is_utf8(text) => writer.set_bytes(index, text),
            _ => return None,
        }
        Some(())
    }

    #[inline(never)]
    fn write_any(
        &self,
        record: &[u8],
        cell: Cell,
        scratch: &mut Vec<u8>,
        writer: &mut RowWriter<'_>,
        index: usize,
    ) -> Result<(), Fault> {
        match cell.form {
            Form::Text => self.write_text(cell.of(record), writer, index),
            Form::String => self.write_string(cell.of(record), writer, index),
            Form::Integer | Form::Number => self.write_number(cell.of(record), writer, index),
            Form::Null if self.nullable => Ok(()),
            Form::Null => Err(Fault::Null),
            _ => self.write_rare(record, cell, scratch, writer, index),
        }
    }

    #[inline(never)]
    fn write_rare(
        &self,
        record: &[u8],
        cell: Cell,
        scratch: &mut Vec<u8>,
        writer: &mut RowWriter<'_>,
        index: usize,
    ) -> Result<(), Fault> {
        let bytes = cell.of(record);
        match cell.form {
            Form::Doubled => {
                scratch.clear();
                undouble(bytes, scratch);
                self.write_text(scratch, writer, index)
            }
            Form::Escaped => {
                scratch.clear();
                unescape(bytes, scratch).ok_or(Fault::BadEscape)?;
                self.write_string(scratch, writer, index)
            }
            Form::True | Form::False if self.data_type == DataType::Boolean => {
                writer.set_bool(index, cell.form == Form::True);
                Ok(())
            }
            Form::True | Form::False => self.write_as_text(bytes, cell.form, writer, index),
            Form::Object | Form::Array => self.write_as_text(bytes, cell.form, writer, index),
            _ => self.write_binary(bytes, writer, index),
        }
    }

    /// Writes a value of its text.
    #[inline]
    fn write_text(
        &self,
        text: &[u8],
        writer: &mut RowWriter<'_>,
        index: usize,
    ) -> Result<(), Fault> {
        match self.data_type {
            DataType::Varchar { length: None } => {
                if !is_utf8(text) {
                    return Err(Fault::NotUtf8);
                }
                writer.set_bytes(index, text);
                Ok(())
            }
            _ => match self.write_parsed(text, writer, index) {
                Err(Fault::Parse(ParseError::Malformed)) => self.write_trimmed(text, writer, index),
                done => done,
            },
        }
    }

    /// Blanks around anything but text do not count.
    #[cold]
    fn write_trimmed(
        &self,
        text: &[u8],
        writer: &mut RowWriter<'_>,
        index: usize,
    ) -> Result<(), Fault> {
        let trimmed = text.trim_ascii();
        let counts = matches!(self.data_type, DataType::Varchar { .. } | DataType::Bytes);
        if counts || trimmed.len() == text.len() {
            return Err(ParseError::Malformed.into());
        }
        self.write_parsed(trimmed, writer, index)
    }

    #[inline]
    fn write_parsed(
        &self,
        text: &[u8],
        writer: &mut RowWriter<'_>,
        index: usize,
    ) -> Result<(), Fault> {
        match self.data_type {
            DataType::TinyInt | DataType::SmallInt | DataType::Int | DataType::BigInt => {
                writer.set_integer(index, text::parse_integer(text, self.data_type)?);
            }
            DataType::Decimal { precision, scale } => {
                self.write_decimal(text, DecimalType::new(precision, scale), writer, index)?;
            }
            DataType::Boolean => writer.set_bool(index, text::parse_bool(text)?),
            DataType::Real => writer.set_float(index, f64::from(text::parse_f32(text)?)),
            DataType::Double => writer.set_float(index, text::parse_f64(text)?),
            DataType::Date => writer.set_integer(index, i64::from(datetime::parse_date(text)?)),
            DataType::Time => writer.set_integer(index, datetime::parse_time(text)?),
            DataType::Timestamp => writer.set_integer(index, datetime::parse_timestamp(text)?),
            DataType::TimestampTz => writer.set_integer(index, datetime::parse_timestamptz(text)?),
            DataType::Interval => writer.set_interval(index, datetime::parse_interval(text)?),
            DataType::Varchar { length } => {
                let text = std::str::from_utf8(text).map_err(|_| Fault::NotUtf8)?;
                if length.is_some_and(|most| text.chars().count() > most as usize) {
                    return Err(ParseError::TooLong.into());
                }
                writer.set_text(index, text);
            }
            DataType::Bytes => {
                let mut bytes = Vec::new();
                text::parse_bytes(text, &mut bytes)?;
                writer.set_bytes(index, &bytes);
            }
        }
        Ok(())
    }

    #[inline]
    fn write_decimal(
        &self,
        text: &[u8],
        to: DecimalType,
        writer: &mut RowWriter<'_>,
        index: usize,
    ) -> Result<(), Fault> {
        if self.exact {
            writer.set_wide(index, decimal::parse_exact(text, to)?);
            return Ok(());
        }
        if to.precision <= MAX_COMPACT_PRECISION {
            writer.set_integer(index, decimal::parse_compact(text, to)?);
        } else {
            writer.set_wide(index, decimal::parse_rounded(text, to)?);
        }
        if decimal::parse_exact(text, to).is_err() {
            self.rounded.set(self.rounded.get() + 1);
        }
        Ok(())
    }

    /// Writes a string of JSON.
    #[inline]
    fn write_string(
        &self,
        text: &[u8],
        writer: &mut RowWriter<'_>,
        index: usize,
    ) -> Result<(), Fault> {
        match self.data_type {
            DataType::Boolean => Err(Fault::Kind(Form::String)),
            // Escapes of PostgreSQL's other form of bytes would not be told from Base64.
            DataType::Bytes if !text.starts_with(b"\\x") => {
                let bytes = base64::decode(text).ok_or(ParseError::Malformed)?;
                writer.set_bytes(index, &bytes);
                Ok(())
            }
            _ => self.write_text(text, writer, index),
        }
    }

    /// Writes a number of JSON.
    #[inline]
    fn write_number(
        &self,
        number: &[u8],
        writer: &mut RowWriter<'_>,
        index: usize,
    ) -> Result<(), Fault> {
        match self.data_type {
            DataType::TinyInt | DataType::SmallInt | DataType::Int | DataType::BigInt => {
                let value = match text::parse_integer(number, self.data_type) {
                    Err(ParseError::Malformed) => whole(number, self.data_type)?,
                    parsed => parsed?,
                };
                writer.set_integer(index, value);
                Ok(())
            }
            DataType::Date | DataType::Time | DataType::Timestamp | DataType::TimestampTz => {
                self.write_counted(number, writer, index)
            }
            DataType::Boolean | DataType::Bytes | DataType::Interval => {
                Err(Fault::Kind(Form::Number))
            }
            _ => self.write_parsed(number, writer, index),
        }
    }

    /// Writes a date as the number of days since 1970-01-01, or a time as that of milliseconds.
    fn write_counted(
        &self,
        number: &[u8],
        writer: &mut RowWriter<'_>,
        index: usize,
    ) -> Result<(), Fault> {
        let count = whole(number, DataType::BigInt)?;
        let (least, most) = (i64::from(datetime::MIN_DATE), i64::from(datetime::MAX_DATE));
        let day = datetime::MICROS_PER_DAY;
        let (value, range) = match self.data_type {
            DataType::Date => (Some(count), least..=most),
            DataType::Time => (count.checked_mul(1000), 0..=day - 1),
            _ => (
                count.checked_mul(1000),
                least * day..=most * day + (day - 1),
            ),
        };
        let value = value.filter(|value| range.contains(value));
        writer.set_integer(index, value.ok_or(ParseError::OutOfRange)?);
        Ok(())
    }

    /// Writes what is no text as its text, where the column takes text.
    fn write_as_text(
        &self,
        bytes: &[u8],
        form: Form,
        writer: &mut RowWriter<'_>,
        index: usize,
    ) -> Result<(), Fault> {
        if self.data_type.is_text() {
            self.write_text(bytes, writer, index)
        } else {
            Err(Fault::Kind(form))
        }
    }

    /// Writes a value that Kafka's serializers for Java wrote.
    fn write_binary(
        &self,
        bytes: &[u8],
        writer: &mut RowWriter<'_>,
        index: usize,
    ) -> Result<(), Fault> {
        fn sized<const N: usize>(bytes: &[u8]) -> Result<[u8; N], Fault> {
            bytes.try_into().map_err(|_| Fault::Length)
        }
        match self.data_type {
            DataType::SmallInt => {
                writer.set_integer(index, i16::from_be_bytes(sized(bytes)?).into());
            }
            DataType::Int => writer.set_integer(index, i32::from_be_bytes(sized(bytes)?).into()),
            DataType::BigInt => writer.set_integer(index, i64::from_be_bytes(sized(bytes)?)),
            DataType::Real => writer.set_float(index, f32::from_be_bytes(sized(bytes)?).into()),
            DataType::Double => writer.set_float(index, f64::from_be_bytes(sized(bytes)?)),
            DataType::Boolean => match sized::<1>(bytes)? {
                [byte @ 0..=1] => writer.set_bool(index, byte == 1),
                _ => return Err(ParseError::Malformed.into()),
            },
            DataType::Bytes => writer.set_bytes(index, bytes),
            _ => self.write_text(bytes, writer, index)?,
        }
        Ok(())
    }
}

/// A number as a whole one of an integer type, if it is one: `5.0` and `5e2` are.
#[cold]
fn whole(number: &[u8], data_type: DataType) -> Result<i64, Fault> {
    let value = match decimal::parse_exact(number, DecimalType::new(19, 0)) {
        Err(ParseError::Inexact) => return Err(Fault::Fraction),
        parsed => parsed?,
    };
    match i64::try_from(value) {
        Ok(value) if data_type.holds_integer(value) => Ok(value),
        _ => Err(ParseError::OutOfRange.into()),
    }
}

/// As the standard library says, and at once for the short plain text that most columns hold.
#[inline]
fn is_utf8(text: &[u8]) -> bool {
    is_short_ascii(text) || std::str::from_utf8(text).is_ok()
}

/// True for plain text of at most 16 bytes.
#[inline]
fn is_short_ascii(text: &[u8]) -> bool {
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    // Two words that overlap are all of it.
    match text.len() {
        8..=16 => {
            let (Some(head), Some(tail)) = (text.first_chunk(), text.last_chunk()) else {
                return false;
            };
            (u64::from_le_bytes(*head) | u64::from_le_bytes(*tail)) & HIGHS == 0
        }
        4..8 => {
            let (Some(head), Some(tail)) = (text.first_chunk(), text.last_chunk()) else {
                return false;
            };
            (u32::from_le_bytes(*head) | u32::from_le_bytes(*tail)) & HIGHS as u32 == 0
        }
        0..4 => text.iter().all(u8::is_ascii),
        _ => false,
    }
}

/// Appends text in which quotes are doubled, with each pair as one.
pub(super) fn undouble(text: &[u8], out: &mut Vec<u8>) {
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'"', rest) {
        out.extend_from_slice(&rest[..=at]);
        rest = rest.get(at + 2..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
}
