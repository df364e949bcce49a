//! Magnitude and sign, and remainders.

use ferrisstreams_topology::data::DataType;
use ferrisstreams_topology::data::decimal::{self, Decimal, DecimalType};

use super::argument::{Argument, Failure, Outcome, Returned};
use super::function::Call;
use super::signature::{BIGINT, DOUBLE, Entry, Gives, INT, Parameter, entry, form};

const REAL: Parameter = Parameter::Is(DataType::Real);
const INTEGER: Parameter = Parameter::Integer;
const DECIMAL: Parameter = Parameter::Decimal;
const SAME: Gives = Gives::Like(0);
const IS_INT: Gives = Gives::Is(DataType::Int);

pub(super) const FUNCTIONS: &[Entry] = &[
    entry(
        &["abs"],
        "the number without its sign",
        &[
            form(&[INTEGER], SAME, abs),
            form(&[DECIMAL], SAME, abs_decimal),
            form(&[REAL], SAME, abs_float),
            form(&[DOUBLE], SAME, abs_float),
        ],
    ),
    entry(
        &["sign"],
        "-1, 0 or 1",
        &[
            form(&[INTEGER], IS_INT, sign),
            form(&[DECIMAL], IS_INT, sign_decimal),
            form(&[DOUBLE], IS_INT, sign_float),
        ],
    ),
    entry(
        &["mod"],
        "the remainder, with the sign of the first number",
        &[
            form(&[INT, INT], SAME, remainder),
            form(&[BIGINT, BIGINT], SAME, remainder),
            form(
                &[DECIMAL, DECIMAL],
                Gives::Of(remainder_type),
                remainder_decimal,
            ),
            form(&[DOUBLE, DOUBLE], SAME, remainder_float),
        ],
    ),
];

fn abs(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    let value = arguments[0].integer();
    match value.checked_abs() {
        Some(value) => Ok(Returned::Integer(value)),
        None => Err(format!("out of range: {value}").into()),
    }
}

fn abs_decimal(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    Ok(Returned::Wide(arguments[0].wide().abs()))
}

fn abs_float(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    Ok(Returned::Float(arguments[0].float().abs()))
}

fn sign(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    Ok(Returned::Integer(arguments[0].integer().signum()))
}

fn sign_decimal(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    Ok(Returned::Integer(arguments[0].wide().signum() as i64))
}

fn sign_float(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    let value = arguments[0].float();
    if value.is_nan() {
        return Err("NaN has no sign".into());
    }
    Ok(Returned::Integer(if value == 0.0 {
        0
    } else {
        value.signum() as i64
    }))
}

fn remainder(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    let (a, b) = (arguments[0].integer(), arguments[1].integer());
    if b == 0 {
        return Err(Failure::from(format!("division by zero: {a} % 0")));
    }
    Ok(Returned::Integer(a.wrapping_rem(b)))
}

fn size(data_type: DataType) -> DecimalType {
    DecimalType::holding(data_type).expect("the signature wants decimals")
}

fn remainder_type(arguments: &[DataType]) -> DataType {
    decimal::rem_type(size(arguments[0]), size(arguments[1])).into()
}

fn remainder_decimal(call: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    let a = Decimal::new(arguments[0].wide(), call.scale(0));
    let b = Decimal::new(arguments[1].wide(), call.scale(1));
    Ok(Returned::Wide(decimal::rem(
        a,
        b,
        size(call.function.result),
    )?))
}

fn remainder_float(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    let (a, b) = (arguments[0].float(), arguments[1].float());
    if b == 0.0 {
        return Err(Failure::from(format!("division by zero: {a} % 0")));
    }
    Ok(Returned::Float(a % b))
}
