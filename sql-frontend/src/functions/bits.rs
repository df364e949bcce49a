//! Integers as bits.

use super::argument::{Argument, Outcome, Returned};
use super::function::{Body, Call};
use super::signature::{BIGINT, Entry, Form, Gives, INT, entry, form};

const SAME: Gives = Gives::Like(0);

const fn of_two(body: Body) -> [Form; 2] {
    [
        form(&[INT, INT], SAME, body),
        form(&[BIGINT, BIGINT], SAME, body),
    ]
}

pub(super) const FUNCTIONS: &[Entry] = &[
    entry(&["bitand"], "the bits that both have", &of_two(and)),
    entry(&["bitor"], "the bits that one or both have", &of_two(or)),
    entry(&["bitxor"], "the bits that one of both has", &of_two(xor)),
    entry(
        &["bitnot"],
        "the bits that it has not",
        &[form(&[INT], SAME, not), form(&[BIGINT], SAME, not)],
    ),
    entry(
        &["shiftleft"],
        "the bits moved up by a number of places from 0 to 63",
        &[form(&[BIGINT, INT], SAME, left)],
    ),
    entry(
        &["shiftright"],
        "the bits moved down by a number of places from 0 to 63, with copies of the sign",
        &[form(&[BIGINT, INT], SAME, right)],
    ),
];

fn and(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    Ok(Returned::Integer(
        arguments[0].integer() & arguments[1].integer(),
    ))
}

fn or(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    Ok(Returned::Integer(
        arguments[0].integer() | arguments[1].integer(),
    ))
}

fn xor(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    Ok(Returned::Integer(
        arguments[0].integer() ^ arguments[1].integer(),
    ))
}

fn not(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    Ok(Returned::Integer(!arguments[0].integer()))
}

fn places(argument: Argument<'_>) -> Result<u32, super::argument::Failure> {
    let places = argument.integer();
    match u32::try_from(places) {
        Ok(places) if places < 64 => Ok(places),
        _ => Err(format!("{places} is no number of bits from 0 to 63").into()),
    }
}

fn left(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    Ok(Returned::Integer(
        arguments[0].integer() << places(arguments[1])?,
    ))
}

fn right(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    Ok(Returned::Integer(
        arguments[0].integer() >> places(arguments[1])?,
    ))
}
