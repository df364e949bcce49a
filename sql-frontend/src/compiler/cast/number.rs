//! Casts between numbers, and of booleans.

use ferrisstreams_topology::data::decimal::{self, Decimal, DecimalType};
use ferrisstreams_topology::data::{ArithmeticError, DataType, Physical, text};

use super::Cast;
use crate::compiler::arithmetic::{range, show};
use crate::compiler::code::Code;
use crate::compiler::decimal::{power, short_power};
use crate::compiler::node::Node;

const RANGE: &str = "out of range";

pub(super) fn from_boolean(input: Code) -> Code {
    match input {
        Code::Bool(node) => Code::Int(node.map(|value, _| Some(i64::from(value)))),
        _ => unreachable!("a boolean is of the class of booleans"),
    }
}

pub(super) fn to_boolean(input: Code) -> Code {
    match input {
        Code::Int(node) => Code::Bool(node.map(|value, _| Some(value != 0))),
        _ => unreachable!("only integers are cast to booleans"),
    }
}

/// A number in another type of numbers.
pub(super) fn cast(cast: Cast, input: Code) -> Code {
    let (from, to) = (cast.from, cast.to);
    match (DecimalType::holding(from), DecimalType::holding(to)) {
        (Some(_), Some(_)) if from.is_integer() && to.is_integer() => integer(cast, input),
        (Some(size), Some(_)) if to.is_integer() => decimal_to_integer(cast, size, input),
        (Some(size), Some(wanted)) => to_decimal(cast, size, wanted, input),
        (Some(size), None) => to_float(cast, size, input),
        (None, Some(_)) if to.is_integer() => float_to_integer(cast, input),
        (None, Some(wanted)) => float_to_decimal(cast, wanted, input),
        (None, None) => float(cast, input),
    }
}

fn ints(input: Code) -> Node<i64> {
    match input {
        Code::Int(node) => node,
        _ => unreachable!("integers are of the class of integers"),
    }
}

fn floats(input: Code) -> Node<f64> {
    match input {
        Code::Float(node) => node,
        _ => unreachable!("floating-point numbers are of their class"),
    }
}

fn integer(cast: Cast, input: Code) -> Code {
    let (least, most) = range(cast.to);
    let (from_least, from_most) = range(cast.from);
    if from_least >= least && from_most <= most {
        return input;
    }
    Code::Int(ints(input).map(move |value, eval| {
        if value >= least && value <= most {
            Some(value)
        } else {
            cast.failed(value, RANGE, eval)
        }
    }))
}

fn decimal_to_integer(cast: Cast, size: DecimalType, input: Code) -> Code {
    let (least, most) = range(cast.to);
    Code::Int(input.widened().map(move |unscaled, eval| {
        let value = Decimal::new(unscaled, size.scale);
        match decimal::to_i64(value) {
            Ok(whole) if whole >= least && whole <= most => Some(whole),
            _ => cast.failed(value, RANGE, eval),
        }
    }))
}

/// An integer or decimal as a decimal.
fn to_decimal(cast: Cast, size: DecimalType, to: DecimalType, input: Code) -> Code {
    let is_wide = DataType::from(to).physical() == Physical::I128;
    let widens = to.scale >= size.scale && to.integer_digits() >= size.integer_digits();
    let digits = to.scale.saturating_sub(size.scale);
    if widens && !is_wide {
        // Then neither is wide, and no value can fail to fit.
        let node = ints(input);
        if digits == 0 {
            return Code::Int(node);
        }
        let factor = short_power(digits);
        return Code::Int(node.map(move |value, _| Some(value * factor)));
    }
    if widens {
        let node = input.widened();
        if digits == 0 {
            return Code::Wide(node);
        }
        let factor = power(digits);
        return Code::Wide(node.map(move |value, _| Some(value * factor)));
    }
    let rescaled = input.widened().map(move |unscaled, eval| {
        let value = Decimal::new(unscaled, size.scale);
        match decimal::rescale(value, to) {
            Ok(rescaled) => Some(rescaled),
            Err(_) => cast.failed(value, RANGE, eval),
        }
    });
    short_or_wide(is_wide, rescaled)
}

/// A decimal that fits its type, in the width that it has there.
fn short_or_wide(is_wide: bool, node: Node<i128>) -> Code {
    if is_wide {
        Code::Wide(node)
    } else {
        Code::Int(node.map(|value, _| i64::try_from(value).ok()))
    }
}

fn to_float(cast: Cast, size: DecimalType, input: Code) -> Code {
    let is_real = cast.to == DataType::Real;
    let rounded = move |value: f64| {
        if is_real {
            f64::from(value as f32)
        } else {
            value
        }
    };
    if cast.from.is_integer() {
        return Code::Float(ints(input).map(move |value, _| {
            Some(if is_real {
                f64::from(value as f32)
            } else {
                value as f64
            })
        }));
    }
    Code::Float(
        input.widened().map(move |unscaled, _| {
            Some(rounded(decimal::to_f64(Decimal::new(unscaled, size.scale))))
        }),
    )
}

fn float_to_integer(cast: Cast, input: Code) -> Code {
    let (least, most) = range(cast.to);
    Code::Int(floats(input).map(move |value, eval| {
        // From the middle to the even neighbour, as in PostgreSQL.
        let whole = value.round_ties_even();
        // 2^63 is a double, while the greatest integer is not.
        let fits = whole >= least as f64 && whole < most as f64 + 1.0;
        if fits && (whole as i64) <= most {
            Some(whole as i64)
        } else {
            cast.failed(show(value, cast.from), RANGE, eval)
        }
    }))
}

fn float_to_decimal(cast: Cast, to: DecimalType, input: Code) -> Code {
    let is_wide = DataType::from(to).physical() == Physical::I128;
    let is_real = cast.from == DataType::Real;
    let node = floats(input).map(move |value, eval| {
        let unscaled = if is_real {
            real_to_decimal(value as f32, to)
        } else {
            decimal::from_f64(value, to)
        };
        match unscaled {
            Ok(unscaled) => Some(unscaled),
            Err(_) => cast.failed(show(value, cast.from), RANGE, eval),
        }
    });
    short_or_wide(is_wide, node)
}

/// By the shortest text form, which has fewer digits than that of the same number in 64 bits.
fn real_to_decimal(value: f32, to: DecimalType) -> Result<i128, ArithmeticError> {
    if !value.is_finite() {
        return Err(ArithmeticError::Overflow);
    }
    let mut digits = Vec::with_capacity(24);
    text::write_f32(&mut digits, value);
    decimal::parse_rounded(&digits, to).map_err(|_| ArithmeticError::Overflow)
}

fn float(cast: Cast, input: Code) -> Code {
    if cast.to == DataType::Double {
        return input;
    }
    Code::Float(floats(input).map(move |value, eval| {
        let real = f64::from(value as f32);
        if (real.is_infinite() && value.is_finite()) || (real == 0.0 && value != 0.0) {
            return cast.failed(show(value, cast.from), RANGE, eval);
        }
        Some(real)
    }))
}
