//! Characters and their numbers.

use ferrisstreams_topology::data::DataType;

use super::argument::{Argument, Outcome, Returned};
use super::case::push;
use super::function::Call;
use super::signature::{BIGINT, Entry, Gives, TEXT, entry, form};

pub(super) const FUNCTIONS: &[Entry] = &[
    entry(
        &["chr"],
        "the character of a number of Unicode",
        &[form(&[BIGINT], Gives::Is(DataType::TEXT), chr)],
    ),
    entry(
        &["ascii"],
        "the number of the first character in Unicode; 0 for an empty text",
        &[form(&[TEXT], Gives::Is(DataType::Int), ascii)],
    ),
];

fn chr(call: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    let number = arguments[0].integer();
    match u32::try_from(number).ok().and_then(char::from_u32) {
        // As in PostgreSQL, whose text has no zero.
        None | Some('\0') => Err(format!("no character has the number {number}").into()),
        Some(c) => {
            push(call.out, c);
            Ok(Returned::Written)
        }
    }
}

fn ascii(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    let first = arguments[0].text().chars().next();
    Ok(Returned::Integer(
        first.map_or(0, |c| i64::from(u32::from(c))),
    ))
}
