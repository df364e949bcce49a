//! Arithmetic on integers, floating-point numbers and intervals.

use ferrisstreams_topology::data::datetime;
use ferrisstreams_topology::data::{DataType, Interval, Value};

use super::eval::Eval;
use super::node::Node;
use crate::plan::ArithmeticOp;

/// How an operation is written.
pub(super) fn symbol(op: ArithmeticOp) -> &'static str {
    match op {
        ArithmeticOp::Add => "+",
        ArithmeticOp::Subtract => "-",
        ArithmeticOp::Multiply => "*",
        ArithmeticOp::Divide => "/",
        ArithmeticOp::Modulo => "%",
    }
}

/// The least and the greatest value of an integer type.
pub(super) fn range(data_type: DataType) -> (i64, i64) {
    match data_type {
        DataType::TinyInt => (i64::from(i8::MIN), i64::from(i8::MAX)),
        DataType::SmallInt => (i64::from(i16::MIN), i64::from(i16::MAX)),
        DataType::Int => (i64::from(i32::MIN), i64::from(i32::MAX)),
        _ => (i64::MIN, i64::MAX),
    }
}

/// `a op b` of integers of a type.
pub(super) fn integers(
    op: ArithmeticOp,
    data_type: DataType,
    left: Node<i64>,
    right: Node<i64>,
) -> Node<i64> {
    match op {
        ArithmeticOp::Add => checked(op, data_type, left, right, i64::checked_add),
        ArithmeticOp::Subtract => checked(op, data_type, left, right, i64::checked_sub),
        ArithmeticOp::Multiply => checked(op, data_type, left, right, i64::checked_mul),
        ArithmeticOp::Divide => checked(op, data_type, left, right, i64::checked_div),
        // The remainder of the least integer by -1 is 0, though their quotient does not fit.
        ArithmeticOp::Modulo => checked(op, data_type, left, right, |a, b| {
            if b == -1 { Some(0) } else { a.checked_rem(b) }
        }),
    }
}

fn checked(
    op: ArithmeticOp,
    data_type: DataType,
    left: Node<i64>,
    right: Node<i64>,
    apply: impl Fn(i64, i64) -> Option<i64> + Copy + Send + Sync + 'static,
) -> Node<i64> {
    let (least, most) = range(data_type);
    left.zip(right, move |a, b, eval| match apply(a, b) {
        Some(value) if value >= least && value <= most => Some(value),
        _ => integer_failed(op, data_type, a, b, eval),
    })
}

#[cold]
fn integer_failed(
    op: ArithmeticOp,
    data_type: DataType,
    a: i64,
    b: i64,
    eval: &mut Eval,
) -> Option<i64> {
    let symbol = symbol(op);
    let divides = matches!(op, ArithmeticOp::Divide | ArithmeticOp::Modulo);
    eval.failed(|| {
        if divides && b == 0 {
            format!("division by zero: {a} {symbol} {b}")
        } else {
            format!("out of range of {data_type}: {a} {symbol} {b}")
        }
    })
}

/// `a op b` of floating-point numbers of a type.
///
/// A REAL is computed in 64 bits and rounded, which gives what 32 bits would.
pub(super) fn floats(
    op: ArithmeticOp,
    data_type: DataType,
    left: Node<f64>,
    right: Node<f64>,
) -> Node<f64> {
    match op {
        ArithmeticOp::Add => finite(op, data_type, left, right, |a, b| a + b),
        ArithmeticOp::Subtract => finite(op, data_type, left, right, |a, b| a - b),
        ArithmeticOp::Multiply => finite(op, data_type, left, right, |a, b| a * b),
        ArithmeticOp::Divide => finite(op, data_type, left, right, |a, b| a / b),
        ArithmeticOp::Modulo => finite(op, data_type, left, right, |a, b| a % b),
    }
}

fn finite(
    op: ArithmeticOp,
    data_type: DataType,
    left: Node<f64>,
    right: Node<f64>,
    apply: impl Fn(f64, f64) -> f64 + Copy + Send + Sync + 'static,
) -> Node<f64> {
    let is_real = data_type == DataType::Real;
    let divides = matches!(op, ArithmeticOp::Divide | ArithmeticOp::Modulo);
    let shrinks = matches!(op, ArithmeticOp::Multiply | ArithmeticOp::Divide);
    left.zip(right, move |a, b, eval| {
        let exact = apply(a, b);
        let value = if is_real {
            f64::from(exact as f32)
        } else {
            exact
        };
        let overflows = value.is_infinite() && a.is_finite() && b.is_finite();
        let underflows = shrinks && value == 0.0 && a != 0.0 && b != 0.0 && b.is_finite();
        if overflows || underflows || (divides && b == 0.0) {
            return float_failed(op, data_type, a, b, eval);
        }
        Some(value)
    })
}

#[cold]
fn float_failed(
    op: ArithmeticOp,
    data_type: DataType,
    a: f64,
    b: f64,
    eval: &mut Eval,
) -> Option<f64> {
    let symbol = symbol(op);
    let (shown_a, shown_b) = (show(a, data_type), show(b, data_type));
    eval.failed(|| {
        if b == 0.0 && matches!(op, ArithmeticOp::Divide | ArithmeticOp::Modulo) {
            format!("division by zero: {shown_a} {symbol} {shown_b}")
        } else {
            format!("out of range of {data_type}: {shown_a} {symbol} {shown_b}")
        }
    })
}

/// A floating-point number as SQL shows it.
pub(super) fn show(value: f64, data_type: DataType) -> String {
    let value = match data_type {
        DataType::Real => Value::Real(value as f32),
        _ => Value::Double(value),
    };
    value.to_string()
}

/// `-x` of an integer, or of a short decimal.
pub(super) fn negate_integer(data_type: DataType, operand: Node<i64>) -> Node<i64> {
    let (_, most) = range(data_type);
    operand.map(move |value, eval| match value.checked_neg() {
        Some(negated) if negated <= most => Some(negated),
        _ => eval.failed(|| format!("out of range of {data_type}: -({value})")),
    })
}

/// `-x` of a long decimal.
pub(super) fn negate_wide(operand: Node<i128>) -> Node<i128> {
    // 38 digits are less than 128 bits.
    operand.map(|value, _| value.checked_neg())
}

/// `-x` of a floating-point number.
pub(super) fn negate_float(operand: Node<f64>) -> Node<f64> {
    operand.map(|value, _| Some(-value))
}

/// `-x` of an interval.
pub(super) fn negate_interval(operand: Node<Interval>) -> Node<Interval> {
    operand.map(|value, eval| {
        datetime::negate(value)
            .ok()
            .or_else(|| eval.failed(|| "interval out of range: -x".to_owned()))
    })
}
