//! Types, each by the one spelling that the crate prefers.

use std::fmt::{self, Display, Formatter};

use super::list::Commas;
use crate::ast::data_type::{DataType, DecimalSize, FieldType, TypeKind};

impl Display for DataType {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            TypeKind::Boolean => f.write_str("BOOLEAN"),
            TypeKind::TinyInt => f.write_str("TINYINT"),
            TypeKind::SmallInt => f.write_str("SMALLINT"),
            TypeKind::Int => f.write_str("INT"),
            TypeKind::BigInt => f.write_str("BIGINT"),
            TypeKind::Real => f.write_str("REAL"),
            TypeKind::Double => f.write_str("DOUBLE"),
            TypeKind::Decimal(None) => f.write_str("DECIMAL"),
            TypeKind::Decimal(Some(size)) => write!(f, "DECIMAL({size})"),
            TypeKind::Varchar(length) => sized("VARCHAR", *length, f),
            TypeKind::Char(length) => sized("CHAR", *length, f),
            TypeKind::Bytes(None) => f.write_str("BYTES"),
            TypeKind::Bytes(length) => sized("VARBINARY", *length, f),
            TypeKind::Date => f.write_str("DATE"),
            TypeKind::Time(digits) => sized("TIME", *digits, f),
            TypeKind::Timestamp(digits) => sized("TIMESTAMP", *digits, f),
            TypeKind::TimestampTz(digits) => sized("TIMESTAMPTZ", *digits, f),
            TypeKind::Interval => f.write_str("INTERVAL"),
            TypeKind::Uuid => f.write_str("UUID"),
            TypeKind::Array(element) => write!(f, "ARRAY<{element}>"),
            TypeKind::Map(key, value) => write!(f, "MAP<{key}, {value}>"),
            TypeKind::Struct(fields) => write!(f, "STRUCT<{}>", Commas(fields)),
            TypeKind::Named(name) => name.fmt(f),
        }
    }
}

fn sized(name: &str, size: Option<u32>, f: &mut Formatter<'_>) -> fmt::Result {
    match size {
        None => f.write_str(name),
        Some(size) => write!(f, "{name}({size})"),
    }
}

impl Display for DecimalSize {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.precision.fmt(f)?;
        match self.scale {
            None => Ok(()),
            Some(scale) => write!(f, ", {scale}"),
        }
    }
}

impl Display for FieldType {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.data_type)
    }
}
