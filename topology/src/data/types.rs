//! SQL data types and the shape that each takes in a [`Row`](super::Row).

use std::fmt;

use serde::{Deserialize, Serialize};

/// The largest precision of a decimal, in digits.
pub const MAX_DECIMAL_PRECISION: u8 = 38;

/// The largest precision of a decimal that is kept in 64 bits.
pub const MAX_COMPACT_PRECISION: u8 = 18;

/// The type of a SQL value.
///
/// Its [`Display`](fmt::Display) form is the SQL that declares it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum DataType {
    /// True or false.
    Boolean,
    /// An integer of 8 bits.
    TinyInt,
    /// An integer of 16 bits.
    SmallInt,
    /// An integer of 32 bits.
    Int,
    /// An integer of 64 bits.
    BigInt,
    /// A binary floating-point number of 32 bits.
    Real,
    /// A binary floating-point number of 64 bits.
    Double,
    /// An exact number: an integer of at most `precision` digits, divided by ten to the power of `scale`.
    Decimal {
        /// Digits in all, 1 to [`MAX_DECIMAL_PRECISION`].
        precision: u8,
        /// Digits behind the point, at most `precision`.
        scale: u8,
    },
    /// Text in UTF-8, of at most `length` characters where that is given.
    Varchar {
        /// The greatest number of characters; none means unlimited.
        length: Option<u32>,
    },
    /// A string of bytes.
    Bytes,
    /// A day of the proleptic Gregorian calendar.
    Date,
    /// A time of day, in microseconds.
    Time,
    /// A date and time of day without a zone, in microseconds.
    Timestamp,
    /// An instant, in microseconds; shown in UTC.
    TimestampTz,
    /// A span of months, days and microseconds.
    Interval,
}

/// How a value of a type stands in its slot of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Physical {
    /// One byte, 0 or 1.
    Bool,
    /// An integer of one byte.
    I8,
    /// An integer of two bytes.
    I16,
    /// An integer of four bytes: INT, and DATE as days since the epoch.
    I32,
    /// An integer of eight bytes: BIGINT, short decimals, and times in microseconds.
    I64,
    /// An integer of sixteen bytes: long decimals.
    I128,
    /// A floating-point number of four bytes.
    F32,
    /// A floating-point number of eight bytes.
    F64,
    /// The place of bytes behind the slots: offset from the row's start and length, four bytes each.
    Bytes,
    /// Months and days of four bytes each, then microseconds of eight.
    Interval,
}

impl Physical {
    /// The width of the slot in bytes.
    pub const fn width(self) -> usize {
        match self {
            Physical::Bool | Physical::I8 => 1,
            Physical::I16 => 2,
            Physical::I32 | Physical::F32 => 4,
            Physical::I64 | Physical::F64 | Physical::Bytes => 8,
            Physical::I128 | Physical::Interval => 16,
        }
    }
}

impl DataType {
    /// Text of any length.
    pub const TEXT: DataType = DataType::Varchar { length: None };

    /// How values of this type stand in a row.
    pub const fn physical(self) -> Physical {
        match self {
            DataType::Boolean => Physical::Bool,
            DataType::TinyInt => Physical::I8,
            DataType::SmallInt => Physical::I16,
            DataType::Int | DataType::Date => Physical::I32,
            DataType::BigInt | DataType::Time | DataType::Timestamp | DataType::TimestampTz => {
                Physical::I64
            }
            DataType::Real => Physical::F32,
            DataType::Double => Physical::F64,
            DataType::Decimal { precision, .. } => {
                if precision <= MAX_COMPACT_PRECISION {
                    Physical::I64
                } else {
                    Physical::I128
                }
            }
            DataType::Varchar { .. } | DataType::Bytes => Physical::Bytes,
            DataType::Interval => Physical::Interval,
        }
    }

    /// True for the integer types.
    pub const fn is_integer(self) -> bool {
        matches!(
            self,
            DataType::TinyInt | DataType::SmallInt | DataType::Int | DataType::BigInt
        )
    }

    /// True where this is an integer type and `value` lies in its range.
    #[inline]
    pub const fn holds_integer(self, value: i64) -> bool {
        match self {
            DataType::TinyInt => value == value as i8 as i64,
            DataType::SmallInt => value == value as i16 as i64,
            DataType::Int => value == value as i32 as i64,
            DataType::BigInt => true,
            _ => false,
        }
    }

    /// True for REAL and DOUBLE.
    pub const fn is_float(self) -> bool {
        matches!(self, DataType::Real | DataType::Double)
    }

    /// True for types that arithmetic works on: integers, floating-point numbers, decimals.
    pub const fn is_numeric(self) -> bool {
        self.is_integer() || self.is_float() || matches!(self, DataType::Decimal { .. })
    }

    /// True for text.
    pub const fn is_text(self) -> bool {
        matches!(self, DataType::Varchar { .. })
    }

    /// The decimal that holds every value of an integer type, as (precision, scale); for a decimal, its own.
    pub const fn as_decimal(self) -> Option<(u8, u8)> {
        match self {
            DataType::TinyInt => Some((3, 0)),
            DataType::SmallInt => Some((5, 0)),
            DataType::Int => Some((10, 0)),
            DataType::BigInt => Some((19, 0)),
            DataType::Decimal { precision, scale } => Some((precision, scale)),
            _ => None,
        }
    }
}

impl fmt::Display for DataType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DataType::Boolean => f.write_str("BOOLEAN"),
            DataType::TinyInt => f.write_str("TINYINT"),
            DataType::SmallInt => f.write_str("SMALLINT"),
            DataType::Int => f.write_str("INT"),
            DataType::BigInt => f.write_str("BIGINT"),
            DataType::Real => f.write_str("REAL"),
            DataType::Double => f.write_str("DOUBLE"),
            DataType::Decimal { precision, scale } => write!(f, "DECIMAL({precision}, {scale})"),
            DataType::Varchar { length: None } => f.write_str("VARCHAR"),
            DataType::Varchar {
                length: Some(length),
            } => write!(f, "VARCHAR({length})"),
            DataType::Bytes => f.write_str("BYTES"),
            DataType::Date => f.write_str("DATE"),
            DataType::Time => f.write_str("TIME"),
            DataType::Timestamp => f.write_str("TIMESTAMP"),
            DataType::TimestampTz => f.write_str("TIMESTAMPTZ"),
            DataType::Interval => f.write_str("INTERVAL"),
        }
    }
}
