//! Arithmetic on decimals: in 64 bits where the types of operands and result allow it.

use std::cmp::Ordering;

use ferrisstreams_topology::data::decimal::{self, Decimal, DecimalType};
use ferrisstreams_topology::data::{ArithmeticError, MAX_COMPACT_PRECISION, MAX_DECIMAL_PRECISION};

use super::code::Code;
use super::eval::Eval;
use super::node::Node;
use crate::plan::ArithmeticOp;

/// 10^`digits` in 64 bits; at most 18 digits.
pub(super) fn short_power(digits: u8) -> i64 {
    10i64.pow(u32::from(digits))
}

/// 10^`digits` in 128 bits; at most 38 digits.
pub(super) fn power(digits: u8) -> i128 {
    10i128.pow(u32::from(digits))
}

/// A decimal of `precision` digits times 10^`digits`, if that has at most 38; otherwise as it was,
/// widened.
pub(super) fn scaled_up(code: Code, precision: u8, digits: u8) -> Result<Code, Node<i128>> {
    let wanted = precision + digits;
    if wanted > MAX_DECIMAL_PRECISION {
        return Err(code.widened());
    }
    if let (Code::Int(_), true) = (&code, wanted <= MAX_COMPACT_PRECISION) {
        let Code::Int(node) = code else {
            unreachable!("just seen")
        };
        let factor = short_power(digits);
        return Ok(Code::Int(match node {
            Node::Constant(value) => Node::Constant(value.map(|value| value * factor)),
            node => node.map(move |value, _| Some(value * factor)),
        }));
    }
    let factor = power(digits);
    Ok(match code.widened() {
        // A constant often has fewer digits than its type.
        Node::Constant(Some(value)) => constant(value * factor),
        node => Code::Wide(node.map(move |value, _| Some(value * factor))),
    })
}

fn constant(value: i128) -> Code {
    match i64::try_from(value) {
        Ok(short) => Code::Int(Node::Constant(Some(short))),
        Err(_) => Code::Wide(Node::Constant(Some(value))),
    }
}

/// `a op b` of decimals with their own types, as a decimal of a type.
pub(super) fn arithmetic(
    op: ArithmeticOp,
    left: (Code, DecimalType),
    right: (Code, DecimalType),
    to: DecimalType,
) -> Code {
    let ((left, left_type), (right, right_type)) = (left, right);
    let failed = Failed {
        op,
        left: left_type.scale,
        right: right_type.scale,
        to,
    };
    if to.precision > MAX_COMPACT_PRECISION {
        return Code::Wide(wide(left.widened(), right.widened(), failed));
    }
    Code::Int(match (left, right) {
        (Code::Int(left), Code::Int(right)) => short(left, right, failed),
        (left, right) => wide(left.widened(), right.widened(), failed).map(|value, _| {
            // The result fits its precision, which is at most 18 digits.
            i64::try_from(value).ok()
        }),
    })
}

/// What an operation is, for the message where it fails.
#[derive(Clone, Copy)]
struct Failed {
    op: ArithmeticOp,
    left: u8,
    right: u8,
    to: DecimalType,
}

impl Failed {
    #[cold]
    fn report<T>(self, a: i128, b: i128, error: ArithmeticError, eval: &mut Eval) -> Option<T> {
        let symbol = super::arithmetic::symbol(self.op);
        let (a, b) = (Decimal::new(a, self.left), Decimal::new(b, self.right));
        eval.failed(|| match error {
            ArithmeticError::DivisionByZero => format!("division by zero: {a} {symbol} {b}"),
            ArithmeticError::Overflow => {
                let DecimalType { precision, scale } = self.to;
                format!("out of range of DECIMAL({precision}, {scale}): {a} {symbol} {b}")
            }
        })
    }
}

/// Operands and result in 64 bits.
fn short(left: Node<i64>, right: Node<i64>, failed: Failed) -> Node<i64> {
    let Failed {
        op,
        left: s1,
        right: s2,
        to,
    } = failed;
    let limit = short_power(to.precision);
    let check = move |a: i64, b: i64, value: Option<i64>, eval: &mut Eval| match value {
        Some(value) if value.unsigned_abs() < limit as u64 => Some(value),
        _ => failed.report(
            i128::from(a),
            i128::from(b),
            ArithmeticError::Overflow,
            eval,
        ),
    };
    // The scale of a sum is the larger one; that of a product is the sum. Types of at most 18 digits
    // never give up digits behind the point.
    match op {
        ArithmeticOp::Add | ArithmeticOp::Subtract if to.scale == s1.max(s2) => {
            let (f1, f2) = (short_power(to.scale - s1), short_power(to.scale - s2));
            let sign = if op == ArithmeticOp::Add { 1 } else { -1 };
            left.zip(right, move |a, b, eval| {
                let sum = a
                    .checked_mul(f1)
                    .and_then(|x| x.checked_add(b.checked_mul(f2)?.checked_mul(sign)?));
                check(a, b, sum, eval)
            })
        }
        ArithmeticOp::Multiply if to.scale == s1 + s2 => {
            left.zip(right, move |a, b, eval| check(a, b, a.checked_mul(b), eval))
        }
        _ => left.zip(right, move |a, b, eval| {
            let (a, b) = (i128::from(a), i128::from(b));
            match apply(failed, a, b) {
                Ok(value) => i64::try_from(value).ok(),
                Err(error) => failed.report(a, b, error, eval),
            }
        }),
    }
}

/// Anything in 128 bits.
fn wide(left: Node<i128>, right: Node<i128>, failed: Failed) -> Node<i128> {
    let Failed {
        op,
        left: s1,
        right: s2,
        to,
    } = failed;
    let slow = move |a: i128, b: i128, eval: &mut Eval| match apply(failed, a, b) {
        Ok(value) => Some(value),
        Err(error) => failed.report(a, b, error, eval),
    };
    let limit = power(to.precision);
    let fits = move |value: &i128| value.unsigned_abs() < limit as u128;
    match op {
        ArithmeticOp::Add | ArithmeticOp::Subtract if to.scale == s1 && to.scale == s2 => {
            let sign = if op == ArithmeticOp::Add { 1 } else { -1 };
            left.zip(right, move |a, b, eval| {
                let sum = if sign == 1 {
                    a.checked_add(b)
                } else {
                    a.checked_sub(b)
                };
                sum.filter(fits).or_else(|| slow(a, b, eval))
            })
        }
        ArithmeticOp::Multiply if to.scale == s1 + s2 => left.zip(right, move |a, b, eval| {
            a.checked_mul(b).filter(fits).or_else(|| slow(a, b, eval))
        }),
        _ => left.zip(right, slow),
    }
}

#[inline]
fn apply(failed: Failed, a: i128, b: i128) -> Result<i128, ArithmeticError> {
    let Failed {
        op,
        left,
        right,
        to,
    } = failed;
    let (x, y) = (Decimal::new(a, left), Decimal::new(b, right));
    match op {
        ArithmeticOp::Add => decimal::add(x, y, to),
        ArithmeticOp::Subtract => decimal::sub(x, y, to),
        ArithmeticOp::Multiply => decimal::mul(x, y, to),
        ArithmeticOp::Divide => match short_quotient(x, y, to) {
            Some(value) => Ok(value),
            None => decimal::div(x, y, to),
        },
        ArithmeticOp::Modulo => decimal::rem(x, y, to),
    }
}

/// A quotient of which all parts fit 64 bits, as those of amounts do.
#[inline]
fn short_quotient(a: Decimal, b: Decimal, to: DecimalType) -> Option<i128> {
    let shift = (to.scale + b.scale)
        .checked_sub(a.scale)
        .filter(|shift| *shift <= 18)?;
    let dividend = i64::try_from(a.unscaled)
        .ok()?
        .checked_mul(short_power(shift))?;
    let divisor = i64::try_from(b.unscaled)
        .ok()
        .filter(|divisor| *divisor != 0)?;
    let (x, y) = (dividend.unsigned_abs(), divisor.unsigned_abs());
    let (quotient, rest) = (x / y, x % y);
    // Rounded half away from zero.
    let magnitude = i128::from(quotient) + i128::from(rest >= y - rest);
    let negative = (dividend < 0) != (divisor < 0);
    let value = if negative { -magnitude } else { magnitude };
    decimal::fits(value, to.precision).then_some(value)
}

/// A decimal with its scale.
pub(super) struct Scaled {
    pub(super) node: Node<i128>,
    pub(super) scale: u8,
}

impl Scaled {
    #[inline]
    fn get(&self, row: &[u8], eval: &mut Eval) -> Option<Decimal> {
        let unscaled = self.node.get(row, eval)?;
        Some(Decimal::new(unscaled, self.scale))
    }
}

/// How decimals of any scales stand to one another, where neither can be brought to the other's scale
/// in 128 bits.
pub(super) fn order(
    left: Scaled,
    right: Scaled,
) -> impl Fn(&[u8], &mut Eval) -> Option<Ordering> + Send + Sync + 'static {
    move |row, eval| {
        let (left, right) = (left.get(row, eval), right.get(row, eval));
        Some(decimal::compare(left?, right?))
    }
}

/// `a IS NOT DISTINCT FROM b` if `equal`, otherwise `a IS DISTINCT FROM b`, of decimals with their
/// scales.
pub(super) fn distinct(left: Scaled, right: Scaled, equal: bool) -> Node<bool> {
    Node::code(move |row, eval| {
        let same = match (left.get(row, eval), right.get(row, eval)) {
            (Some(left), Some(right)) => decimal::compare(left, right).is_eq(),
            (left, right) => left.is_none() && right.is_none(),
        };
        Some(same == equal)
    })
}
