//! Numbers written out, and the types of arithmetic.

use ferrisstreams_topology::data::decimal::{self, DecimalType};
use ferrisstreams_topology::data::{DataType, MAX_DECIMAL_PRECISION, Value, cast as casts};

use super::call;
use super::coerce::{Operand, cast_scalar, coerce};
use super::problems::Bound;
use crate::ast::BinaryOp;
use crate::error::{Code, Diagnostic};
use crate::plan::{ArithmeticOp, Scalar, ScalarKind};
use crate::span::Span;

/// An integer written out: INT where it fits, else BIGINT, else a decimal.
pub(super) fn integer(digits: &str, span: Span) -> Result<Scalar, Diagnostic> {
    let Ok(value) = digits.parse::<i64>() else {
        return decimal(digits, span);
    };
    let data_type = if i32::try_from(value).is_ok() {
        DataType::Int
    } else {
        DataType::BigInt
    };
    Ok(Scalar::literal(Value::Integer(value), data_type, span))
}

/// A decimal written out, with as many digits as it has.
pub(super) fn decimal(digits: &str, span: Span) -> Result<Scalar, Diagnostic> {
    let bare = digits.trim_start_matches(['-', '+']);
    let (whole, fraction) = bare.split_once('.').unwrap_or((bare, ""));
    let whole = whole.trim_start_matches('0');
    let precision = (whole.len() + fraction.len()).max(1);
    if precision > usize::from(MAX_DECIMAL_PRECISION) {
        let message = format!("a number of {precision} digits is too long");
        return Err(Diagnostic::new(Code::InvalidLiteral, message, span)
            .label(format!("at most {MAX_DECIMAL_PRECISION} digits are exact"))
            .help("write it with an exponent for an inexact DOUBLE"));
    }
    let data_type = DataType::Decimal {
        precision: precision as u8,
        scale: fraction.len() as u8,
    };
    literal(digits, data_type, span)
}

/// A number with an exponent: DOUBLE.
pub(super) fn float(digits: &str, span: Span) -> Result<Scalar, Diagnostic> {
    literal(digits, DataType::Double, span)
}

fn literal(digits: &str, data_type: DataType, span: Span) -> Result<Scalar, Diagnostic> {
    match Value::parse(digits, data_type) {
        Ok(value) => Ok(Scalar::literal(value, data_type, span)),
        Err(e) => {
            let message = format!("{digits} cannot be read as {data_type}");
            Err(Diagnostic::new(Code::InvalidLiteral, message, span).label(e.to_string()))
        }
    }
}

/// `-x` and `+x`.
pub(super) fn signed(minus: bool, operand: Operand, span: Span) -> Bound<Operand> {
    let operand = if operand.is_unknown() {
        Operand::known(coerce(operand, DataType::Double)?)
    } else {
        operand
    };
    let data_type = operand.data_type();
    if !data_type.is_numeric() && data_type != DataType::Interval {
        let message = format!("a sign is for numbers and intervals, not for {data_type}");
        return Err(Diagnostic::new(Code::TypeMismatch, message, span)
            .label(data_type.to_string())
            .into());
    }
    if !minus {
        return Ok(operand);
    }
    if let Some(negated) = negated_literal(operand.scalar(), span) {
        return Ok(Operand::known(negated));
    }
    let scalar = operand.typed();
    Ok(Operand::known(Scalar {
        nullable: true,
        data_type,
        kind: ScalarKind::Negate(Box::new(scalar)),
        span: span.into(),
    }))
}

/// A number written out with its sign, so that the least integer has the type of its neighbours.
fn negated_literal(scalar: &Scalar, span: Span) -> Option<Scalar> {
    let value = match scalar.as_literal()? {
        Value::Integer(value) => return integer(&format!("-{value}"), span).ok(),
        Value::Double(value) => Value::Double(-value),
        Value::Decimal { unscaled, scale } => {
            if *unscaled == i128::from(i64::MAX) + 1 && *scale == 0 {
                return integer(&format!("-{unscaled}"), span).ok();
            }
            Value::Decimal {
                unscaled: -unscaled,
                scale: *scale,
            }
        }
        _ => return None,
    };
    Some(Scalar::literal(value, scalar.data_type, span))
}

/// `+ - * / %`.
pub(super) fn binary(op: BinaryOp, left: Operand, right: Operand, span: Span) -> Bound<Operand> {
    let op = match op {
        BinaryOp::Add => ArithmeticOp::Add,
        BinaryOp::Subtract => ArithmeticOp::Subtract,
        BinaryOp::Multiply => ArithmeticOp::Multiply,
        BinaryOp::Divide => ArithmeticOp::Divide,
        _ => ArithmeticOp::Modulo,
    };
    let (left, right) = take_each_others_type(left, right)?;
    let (l, r) = (left.data_type(), right.data_type());
    if !l.is_numeric() || !r.is_numeric() {
        return match call::operator(op, &left, &right, span) {
            Some(bound) => bound,
            None => Err(mismatch(op, &left, &right, span).into()),
        };
    }
    let (left, right, data_type) = numbers(op, left.typed(), right.typed());
    Ok(Operand::known(Scalar {
        // Everything can overflow, and division can fail besides.
        nullable: true,
        kind: ScalarKind::Arithmetic {
            op,
            left: Box::new(left),
            right: Box::new(right),
        },
        data_type,
        span: span.into(),
    }))
}

/// An open literal takes the type of what it is computed with.
fn take_each_others_type(left: Operand, right: Operand) -> Result<(Operand, Operand), Diagnostic> {
    let take = |open: Operand, other: DataType| -> Result<Operand, Diagnostic> {
        if !open.is_unknown() {
            return Ok(open);
        }
        // With a date or a time an interval is meant; a number otherwise.
        let is_time = matches!(
            other,
            DataType::Date | DataType::Time | DataType::Timestamp | DataType::TimestampTz
        );
        let to = match other {
            _ if is_time => DataType::Interval,
            DataType::Varchar { .. } => DataType::Double,
            other => other,
        };
        Ok(Operand::known(coerce(open, to)?))
    };
    let (l, r) = (left.data_type(), right.data_type());
    Ok((take(left, r)?, take(right, l)?))
}

fn mismatch(op: ArithmeticOp, left: &Operand, right: &Operand, span: Span) -> Diagnostic {
    let symbol = match op {
        ArithmeticOp::Add => "+",
        ArithmeticOp::Subtract => "-",
        ArithmeticOp::Multiply => "*",
        ArithmeticOp::Divide => "/",
        ArithmeticOp::Modulo => "%",
    };
    let (l, r) = (left.data_type(), right.data_type());
    Diagnostic::new(
        Code::TypeMismatch,
        format!("{l} {symbol} {r} does not exist"),
        span,
    )
    .secondary(left.span(), l.to_string())
    .secondary(right.span(), r.to_string())
}

/// Numbers with the types in which an operation is done, and the type of its result.
fn numbers(op: ArithmeticOp, left: Scalar, right: Scalar) -> (Scalar, Scalar, DataType) {
    let (l, r) = (left.data_type, right.data_type);
    if (l.is_integer() && r.is_integer()) || l.is_float() || r.is_float() {
        let common = casts::common_type(l, r).expect("numbers have a common type");
        let (ls, rs) = (left.span.into(), right.span.into());
        return (
            cast_scalar(left, common, false, ls),
            cast_scalar(right, common, false, rs),
            common,
        );
    }
    let (left, right) = (as_decimal(left), as_decimal(right));
    let size = |scalar: &Scalar| DecimalType::holding(scalar.data_type).expect("it is a decimal");
    let (l, r) = (size(&left), size(&right));
    let result = match op {
        ArithmeticOp::Add | ArithmeticOp::Subtract => decimal::add_type(l, r),
        ArithmeticOp::Multiply => decimal::mul_type(l, r),
        ArithmeticOp::Divide => decimal::div_type(l, r),
        ArithmeticOp::Modulo => decimal::rem_type(l, r),
    };
    (left, right, result.into())
}

/// An integer or decimal as a decimal; an integer written out has no more digits than it shows.
fn as_decimal(scalar: Scalar) -> Scalar {
    let span: Span = scalar.span.into();
    if let Some(Value::Integer(value)) = scalar.as_literal()
        && let Ok(written) = decimal(&value.to_string(), span)
    {
        return written;
    }
    let (precision, scale) = scalar
        .data_type
        .as_decimal()
        .expect("a number that is no float");
    cast_scalar(scalar, DataType::Decimal { precision, scale }, false, span)
}
