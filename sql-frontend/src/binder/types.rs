//! Types as statements write them, and what the engine has.

use ferrisstreams_topology::data::{DataType, MAX_DECIMAL_PRECISION};

use super::problems::Bound;
use crate::ast::{self, TypeKind};
use crate::error::{Code, Diagnostic};

/// The engine's type for a type as written.
pub(crate) fn bind_type(written: &ast::DataType) -> Bound<DataType> {
    let unsupported = |what: &str| Err(Diagnostic::not_supported(what, written.span).into());
    Ok(match &written.kind {
        TypeKind::Boolean => DataType::Boolean,
        TypeKind::TinyInt => DataType::TinyInt,
        TypeKind::SmallInt => DataType::SmallInt,
        TypeKind::Int => DataType::Int,
        TypeKind::BigInt => DataType::BigInt,
        TypeKind::Real => DataType::Real,
        TypeKind::Double => DataType::Double,
        TypeKind::Decimal(None) => DataType::Decimal {
            precision: MAX_DECIMAL_PRECISION,
            scale: 9,
        },
        TypeKind::Decimal(Some(size)) => {
            let scale = size.scale.unwrap_or(0);
            let fits = size.precision >= 1
                && size.precision <= u32::from(MAX_DECIMAL_PRECISION)
                && scale <= size.precision;
            if !fits {
                let message = format!("DECIMAL({}, {scale}) does not exist", size.precision);
                return Err(Diagnostic::new(Code::TypeParameter, message, written.span)
                    .label("precision is 1 to 38, and scale at most the precision")
                    .into());
            }
            DataType::Decimal {
                precision: size.precision as u8,
                scale: scale as u8,
            }
        }
        TypeKind::Varchar(Some(0)) | TypeKind::Char(Some(0)) => {
            let message = "text of at most 0 characters is no type";
            return Err(Diagnostic::new(Code::TypeParameter, message, written.span)
                .label("the length is at least 1")
                .into());
        }
        TypeKind::Varchar(length) => DataType::Varchar { length: *length },
        TypeKind::Char(length) => DataType::Varchar {
            length: Some(length.unwrap_or(1)),
        },
        TypeKind::Bytes(_) => DataType::Bytes,
        TypeKind::Date => DataType::Date,
        TypeKind::Time(_) => DataType::Time,
        TypeKind::Timestamp(_) => DataType::Timestamp,
        TypeKind::TimestampTz(_) => DataType::TimestampTz,
        TypeKind::Interval => DataType::Interval,
        TypeKind::Uuid => return unsupported("the type UUID"),
        TypeKind::Array(_) => return unsupported("an ARRAY type"),
        TypeKind::Map(..) => return unsupported("a MAP type"),
        TypeKind::Struct(_) => return unsupported("a STRUCT type"),
        TypeKind::Named(name) => {
            let name = &name.last().text;
            let message = format!("no type `{name}`");
            return Err(Diagnostic::new(Code::UnknownType, message, written.span)
                .label("not found")
                .suggest_nearest(name, TYPES.iter().copied())
                .into());
        }
    })
}

const TYPES: &[&str] = &[
    "BOOLEAN",
    "TINYINT",
    "SMALLINT",
    "INT",
    "INTEGER",
    "BIGINT",
    "REAL",
    "DOUBLE",
    "DECIMAL",
    "NUMERIC",
    "VARCHAR",
    "TEXT",
    "STRING",
    "CHAR",
    "BYTES",
    "DATE",
    "TIME",
    "TIMESTAMP",
    "TIMESTAMPTZ",
    "INTERVAL",
];
