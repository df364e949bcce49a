//! Which types can become which, and what type values of several types share.

use super::decimal::DecimalType;
use super::{DataType, MAX_COMPACT_PRECISION};

/// True where a value of `from` becomes one of `to` without being asked, since every value has its
/// like there: a smaller number in a wider type, a date as its midnight.
///
/// ```
/// use ferrisstreams_topology::data::{DataType, cast::is_implicitly_castable};
///
/// assert!(is_implicitly_castable(DataType::Int, DataType::Double));
/// assert!(!is_implicitly_castable(DataType::Double, DataType::Int));
/// ```
pub fn is_implicitly_castable(from: DataType, to: DataType) -> bool {
    use DataType::*;
    if from == to {
        return true;
    }
    match (from, to) {
        (Varchar { .. }, Varchar { .. }) => true,
        (Date, Timestamp | TimestampTz) | (Timestamp, TimestampTz) => true,
        (Real, Double) => true,
        (a, Real | Double) => a.is_integer() || matches!(a, Decimal { .. }),
        // What does not fit the digits is found when it happens, as with any arithmetic.
        (a, Decimal { .. }) => a.is_integer() || matches!(a, Decimal { .. }),
        (a, b) if a.is_integer() && b.is_integer() => width(a) <= width(b),
        _ => false,
    }
}

fn width(integer: DataType) -> usize {
    integer.physical().width()
}

/// True where CAST turns values of `from` into values of `to`, as far as they fit.
pub fn is_castable(from: DataType, to: DataType) -> bool {
    use DataType::*;
    if is_implicitly_castable(from, to) || from.is_text() || to.is_text() {
        // Everything has a text form, from which it can be read back.
        return true;
    }
    match (from, to) {
        (a, b) if a.is_numeric() && b.is_numeric() => true,
        (Boolean, b) => b.is_integer(),
        (a, Boolean) => a.is_integer(),
        (Timestamp | TimestampTz, Date | Time | Timestamp | TimestampTz) => true,
        (Time, Interval) | (Interval, Time) => true,
        _ => false,
    }
}

/// The type that values of both types have in a list, a comparison, the branches of a CASE; none
/// where they have nothing in common.
///
/// ```
/// use ferrisstreams_topology::data::{DataType, cast::common_type};
///
/// let money = DataType::Decimal { precision: 10, scale: 2 };
/// assert_eq!(common_type(DataType::TinyInt, DataType::Int), Some(DataType::Int));
/// assert_eq!(common_type(money, DataType::Int), Some(DataType::Decimal { precision: 12, scale: 2 }));
/// assert_eq!(common_type(DataType::Int, money), Some(DataType::Decimal { precision: 12, scale: 2 }));
/// assert_eq!(common_type(money, DataType::Double), Some(DataType::Double));
/// assert_eq!(common_type(money, DataType::Date), None);
/// ```
pub fn common_type(a: DataType, b: DataType) -> Option<DataType> {
    use DataType::*;
    if a == b {
        return Some(a);
    }
    match (a, b) {
        (Varchar { length: a }, Varchar { length: b }) => Some(Varchar {
            length: a.zip(b).map(|(a, b)| a.max(b)),
        }),
        (Real, Real) => Some(Real),
        (a, b) if a.is_float() || b.is_float() => {
            (a.is_numeric() && b.is_numeric()).then_some(Double)
        }
        (Decimal { .. }, other) | (other, Decimal { .. })
            if other.is_integer() || is_decimal(other) =>
        {
            let (left, right) = (DecimalType::holding(a)?, DecimalType::holding(b)?);
            Some(left.union(right).into())
        }
        (a, b) if a.is_integer() && b.is_integer() => {
            Some(if width(a) >= width(b) { a } else { b })
        }
        (a, b) if is_implicitly_castable(a, b) => Some(b),
        (a, b) if is_implicitly_castable(b, a) => Some(a),
        _ => None,
    }
}

fn is_decimal(data_type: DataType) -> bool {
    matches!(data_type, DataType::Decimal { .. })
}

/// How far a value moves when it is widened from one type to another; of several forms of a function
/// the one that its arguments move least for is taken. Zero for no move at all.
pub fn widening(from: DataType, to: DataType) -> u32 {
    if from == to {
        return 0;
    }
    rank(to).saturating_sub(rank(from)).max(1)
}

fn rank(data_type: DataType) -> u32 {
    match data_type {
        DataType::TinyInt => 1,
        DataType::SmallInt => 2,
        DataType::Int => 3,
        DataType::BigInt => 4,
        DataType::Decimal { precision, .. } if precision <= MAX_COMPACT_PRECISION => 5,
        DataType::Decimal { .. } => 6,
        DataType::Real => 8,
        DataType::Double => 9,
        DataType::Date => 1,
        DataType::Timestamp => 2,
        DataType::TimestampTz => 3,
        _ => 0,
    }
}
