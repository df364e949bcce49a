//! Numbers with fewer digits.
//!
//! Decimals are rounded from the middle away from zero, floating-point numbers to the even neighbour,
//! as in PostgreSQL; to a number of digits by their shortest text form.

use ferrisstreams_topology::data::decimal::{self, Decimal, DecimalType, Rounding, round_to};
use ferrisstreams_topology::data::{DataType, MAX_DECIMAL_PRECISION, text};

use super::argument::{Argument, Outcome, Returned};
use super::function::Body;
use super::function::Call;
use super::signature::{DOUBLE, Entry, Form, Gives, INT, Parameter, entry, form};

const INTEGER: Parameter = Parameter::Integer;
const DECIMAL: Parameter = Parameter::Decimal;
const SAME: Gives = Gives::Like(0);

const fn to_whole(of_decimal: Body, of_float: Body) -> [Form; 3] {
    [
        form(&[INTEGER], SAME, same),
        form(&[DECIMAL], Gives::Of(whole), of_decimal),
        form(&[DOUBLE], SAME, of_float),
    ]
}

const fn to_digits(
    of_decimal: Body,
    of_float: Body,
    of_digits: Body,
    of_float_digits: Body,
) -> [Form; 6] {
    [
        form(&[INTEGER], SAME, same),
        form(&[DECIMAL], Gives::Of(whole), of_decimal),
        form(&[DOUBLE], SAME, of_float),
        form(&[INTEGER, INT], SAME, of_digits),
        form(&[DECIMAL, INT], Gives::Of(with_carry), of_digits),
        form(&[DOUBLE, INT], SAME, of_float_digits),
    ]
}

pub(super) const FUNCTIONS: &[Entry] = &[
    entry(
        &["ceil", "ceiling"],
        "the least whole number that is not less",
        &to_whole(ceil, ceil_float),
    ),
    entry(
        &["floor"],
        "the greatest whole number that is not greater",
        &to_whole(floor, floor_float),
    ),
    entry(
        &["round"],
        "the nearest whole number, or the nearest with that many digits behind the point",
        &to_digits(round, round_float, round_digits, round_float_digits),
    ),
    entry(
        &["trunc", "truncate"],
        "the number without its digits behind the point, or with only that many",
        &to_digits(trunc, trunc_float, trunc_digits, trunc_float_digits),
    ),
];

fn size(data_type: DataType) -> DecimalType {
    DecimalType::holding(data_type).expect("the signature wants decimals")
}

/// The type of whole numbers that decimals are rounded to: one digit more, as of 9.9.
fn whole(arguments: &[DataType]) -> DataType {
    let size = size(arguments[0]);
    let more = u8::from(size.scale > 0);
    let precision = (size.integer_digits() + more).clamp(1, MAX_DECIMAL_PRECISION);
    DecimalType::new(precision, 0).into()
}

/// The type of numbers with fewer digits behind the point, which may have one more before it.
fn with_carry(arguments: &[DataType]) -> DataType {
    let size = size(arguments[0]);
    DecimalType::new((size.precision + 1).min(MAX_DECIMAL_PRECISION), size.scale).into()
}

fn same(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    Ok(Returned::Integer(arguments[0].integer()))
}

fn rounded(call: &Call<'_>, value: Argument<'_>, rounding: Rounding) -> Outcome {
    let scale = call.scale(0);
    let rounded = round_to(Decimal::new(value.wide(), scale), 0, rounding)?;
    Ok(Returned::Wide(rounded / 10i128.pow(u32::from(scale))))
}

fn ceil(call: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    rounded(call, arguments[0], Rounding::Ceiling)
}

fn floor(call: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    rounded(call, arguments[0], Rounding::Floor)
}

fn round(call: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    rounded(call, arguments[0], Rounding::HalfUp)
}

fn trunc(call: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    rounded(call, arguments[0], Rounding::Down)
}

fn ceil_float(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    Ok(Returned::Float(arguments[0].float().ceil()))
}

fn floor_float(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    Ok(Returned::Float(arguments[0].float().floor()))
}

fn round_float(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    Ok(Returned::Float(arguments[0].float().round_ties_even()))
}

fn trunc_float(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    Ok(Returned::Float(arguments[0].float().trunc()))
}

/// An integer or a decimal, at its own scale.
fn at_digits(call: &Call<'_>, arguments: &[Argument<'_>], rounding: Rounding) -> Outcome {
    let scale = match call.function.arguments[0] {
        DataType::Decimal { scale, .. } => scale,
        _ => 0,
    };
    let digits = arguments[1].integer() as i32;
    let value = Decimal::new(arguments[0].wide(), scale);
    Ok(Returned::Wide(round_to(value, digits, rounding)?))
}

fn round_digits(call: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    at_digits(call, arguments, Rounding::HalfUp)
}

fn trunc_digits(call: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    at_digits(call, arguments, Rounding::Down)
}

fn float_at_digits(arguments: &[Argument<'_>], rounding: Rounding) -> Outcome {
    let (value, digits) = (arguments[0].float(), arguments[1].integer() as i32);
    // Beyond these bounds a double has no digits to lose, or nothing but them.
    if !value.is_finite() || value.abs() >= 1e17 && digits >= 0 || digits > 20 {
        return Ok(Returned::Float(value));
    }
    if value.abs() >= 1e38 {
        return Err(format!("{value} cannot be rounded to {digits} digits").into());
    }
    let mut written = Vec::with_capacity(32);
    text::write_f64(&mut written, value);
    let scale = if value.abs() < 1e17 { 20 } else { 0 };
    let exact = decimal::parse_rounded(&written, DecimalType::new(MAX_DECIMAL_PRECISION, scale))?;
    let rounded = round_to(Decimal::new(exact, scale), digits, rounding)?;
    Ok(Returned::Float(decimal::to_f64(Decimal::new(
        rounded, scale,
    ))))
}

fn round_float_digits(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    float_at_digits(arguments, Rounding::HalfUp)
}

fn trunc_float_digits(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    float_at_digits(arguments, Rounding::Down)
}
