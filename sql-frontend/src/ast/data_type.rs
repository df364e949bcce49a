//! Types as they are written; synonyms are gone, names of user types are not looked up.

use super::name::{Ident, Name};
use crate::span::NodeSpan;

/// A type in a column definition or a cast.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DataType {
    /// Which type.
    pub kind: TypeKind,
    /// Where it stands.
    pub span: NodeSpan,
}

/// The types of the language.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TypeKind {
    /// `BOOLEAN`, `BOOL`.
    Boolean,
    /// `TINYINT`: 8 bits.
    TinyInt,
    /// `SMALLINT`, `INT2`: 16 bits.
    SmallInt,
    /// `INT`, `INTEGER`, `INT4`: 32 bits.
    Int,
    /// `BIGINT`, `INT8`: 64 bits.
    BigInt,
    /// `REAL`, `FLOAT4`, `FLOAT(24)`: 32 bits.
    Real,
    /// `DOUBLE`, `DOUBLE PRECISION`, `FLOAT8`, `FLOAT`: 64 bits.
    Double,
    /// `DECIMAL(p, s)`, `NUMERIC(p, s)`.
    Decimal(Option<DecimalSize>),
    /// `VARCHAR(n)`, `CHARACTER VARYING(n)`, `TEXT`, `STRING`; the length in characters.
    Varchar(Option<u32>),
    /// `CHAR(n)`, `CHARACTER(n)`; the length in characters, 1 if it is not given.
    Char(Option<u32>),
    /// `BYTES`, `BYTEA`, `VARBINARY(n)`; the length in bytes.
    Bytes(Option<u32>),
    /// `DATE`.
    Date,
    /// `TIME(p)`, with the digits of its seconds.
    Time(Option<u32>),
    /// `TIMESTAMP(p)`, `TIMESTAMP(p) WITHOUT TIME ZONE`, with the digits of its seconds.
    Timestamp(Option<u32>),
    /// `TIMESTAMPTZ(p)`, `TIMESTAMP(p) WITH TIME ZONE`, with the digits of its seconds.
    TimestampTz(Option<u32>),
    /// `INTERVAL`.
    Interval,
    /// `UUID`.
    Uuid,
    /// `ARRAY<T>`, `T ARRAY`, `T[]`.
    Array(Box<DataType>),
    /// `MAP<K, V>`.
    Map(Box<DataType>, Box<DataType>),
    /// `STRUCT<name T, ...>`.
    Struct(Vec<FieldType>),
    /// A type by name, made by CREATE TYPE or unknown.
    Named(Name),
}

/// Precision and scale of a decimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DecimalSize {
    /// Digits in all.
    pub precision: u32,
    /// Digits after the point, 0 if they are not given.
    pub scale: Option<u32>,
}

/// A field of a struct type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FieldType {
    /// Its name.
    pub name: Ident,
    /// Its type.
    pub data_type: DataType,
}
