//! Powers, roots and logarithms, of floating-point numbers.

use ferrisstreams_topology::data::DataType;

use super::argument::{Argument, Failure, Outcome, Returned};
use super::function::Call;
use super::signature::{DOUBLE, Entry, Gives, entry, form};

const GIVES: Gives = Gives::Is(DataType::Double);

pub(super) const FUNCTIONS: &[Entry] = &[
    entry(
        &["power", "pow"],
        "the first number to the power of the second",
        &[form(&[DOUBLE, DOUBLE], GIVES, power)],
    ),
    entry(
        &["sqrt"],
        "the square root",
        &[form(&[DOUBLE], GIVES, sqrt)],
    ),
    entry(&["cbrt"], "the cube root", &[form(&[DOUBLE], GIVES, cbrt)]),
    entry(&["exp"], "e to that power", &[form(&[DOUBLE], GIVES, exp)]),
    entry(
        &["ln"],
        "the natural logarithm",
        &[form(&[DOUBLE], GIVES, ln)],
    ),
    entry(
        &["log10"],
        "the logarithm to the base 10",
        &[form(&[DOUBLE], GIVES, log10)],
    ),
    entry(
        &["log"],
        "the logarithm to the base 10, or to the base that comes first",
        &[
            form(&[DOUBLE], GIVES, log10),
            form(&[DOUBLE, DOUBLE], GIVES, log),
        ],
    ),
];

/// A result that is finite where what it is made of is.
pub(super) fn finite(result: f64, of: &[f64]) -> Outcome {
    if result.is_infinite() && of.iter().all(|value| value.is_finite()) {
        return Err("out of range".into());
    }
    Ok(Returned::Float(result))
}

fn power(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    let (base, exponent) = (arguments[0].float(), arguments[1].float());
    if base == 0.0 && exponent < 0.0 {
        return Err(format!("zero to the negative power {exponent}").into());
    }
    if base < 0.0 && exponent.is_finite() && exponent.fract() != 0.0 {
        return Err(format!("the negative number {base} to the power {exponent}").into());
    }
    finite(base.powf(exponent), &[base, exponent])
}

fn sqrt(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    let value = arguments[0].float();
    if value < 0.0 {
        return Err(format!("the square root of the negative number {value}").into());
    }
    Ok(Returned::Float(value.sqrt()))
}

fn cbrt(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    Ok(Returned::Float(arguments[0].float().cbrt()))
}

fn exp(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    let value = arguments[0].float();
    finite(value.exp(), &[value])
}

fn positive(value: f64) -> Result<f64, Failure> {
    if value <= 0.0 {
        return Err(format!("the logarithm of {value}").into());
    }
    Ok(value)
}

fn ln(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    Ok(Returned::Float(positive(arguments[0].float())?.ln()))
}

fn log10(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    Ok(Returned::Float(positive(arguments[0].float())?.log10()))
}

fn log(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    let (base, value) = (
        positive(arguments[0].float())?,
        positive(arguments[1].float())?,
    );
    if base == 1.0 {
        return Err("a logarithm to the base 1".into());
    }
    // The usual bases are exact, a quotient of logarithms is not.
    Ok(Returned::Float(if base == 2.0 {
        value.log2()
    } else if base == 10.0 {
        value.log10()
    } else {
        value.ln() / base.ln()
    }))
}
