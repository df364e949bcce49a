//! Types.

use ferrisstreams_sql_frontend::ast::{DataType, DecimalSize, FieldType, TypeKind};
use ferrisstreams_sql_frontend::span::NodeSpan;

use super::names::ident;
use super::tape::Tape;

pub fn data_type(tape: &mut Tape) -> DataType {
    let kind = tape.deeper(nested, simple);
    DataType {
        kind,
        span: NodeSpan::default(),
    }
}

fn nested(tape: &mut Tape) -> TypeKind {
    match tape.below(8) {
        5 => TypeKind::Array(Box::new(data_type(tape))),
        6 => TypeKind::Map(Box::new(data_type(tape)), Box::new(data_type(tape))),
        7 => TypeKind::Struct(tape.some(1, |tape| FieldType {
            name: ident(tape),
            data_type: data_type(tape),
        })),
        _ => simple(tape),
    }
}

fn size(tape: &mut Tape) -> Option<u32> {
    tape.maybe(|tape| tape.pick(&[3, 0, u32::MAX]))
}

pub fn simple(tape: &mut Tape) -> TypeKind {
    match tape.below(20) {
        0 => TypeKind::Int,
        1 => TypeKind::Boolean,
        2 => TypeKind::TinyInt,
        3 => TypeKind::SmallInt,
        4 => TypeKind::BigInt,
        5 => TypeKind::Real,
        6 => TypeKind::Double,
        7 => TypeKind::Decimal(tape.maybe(|tape| DecimalSize {
            precision: 10,
            scale: tape.maybe(|_| 2),
        })),
        8 => TypeKind::Varchar(size(tape)),
        9 => TypeKind::Char(size(tape)),
        10 => TypeKind::Bytes(size(tape)),
        11 => TypeKind::Date,
        12 => TypeKind::Time(size(tape)),
        13 => TypeKind::Timestamp(size(tape)),
        14 => TypeKind::TimestampTz(size(tape)),
        15 => TypeKind::Interval,
        16 => TypeKind::Uuid,
        17 => TypeKind::Named(ferrisstreams_sql_frontend::ast::Ident::quoted("my type").into()),
        _ => TypeKind::Named(ferrisstreams_sql_frontend::ast::Ident::new("address").into()),
    }
}

/// A type that a string may follow.
pub fn of_string(tape: &mut Tape) -> DataType {
    let kind = tape.pick(&[
        TypeKind::Date,
        TypeKind::Timestamp(None),
        TypeKind::TimestampTz(None),
        TypeKind::Time(None),
        TypeKind::Decimal(None),
        TypeKind::Double,
        TypeKind::Uuid,
        TypeKind::Bytes(None),
        TypeKind::Varchar(None),
    ]);
    DataType {
        kind,
        span: NodeSpan::default(),
    }
}
