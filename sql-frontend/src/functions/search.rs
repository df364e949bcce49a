//! Where a text stands in another one.

use ferrisstreams_topology::data::DataType;
use memchr::memmem;

use super::argument::{Argument, Outcome, Returned};
use super::function::Call;
use super::length::count;
use super::signature::{BIGINT, Entry, Gives, TEXT, entry, form};

const PLACE: Gives = Gives::Is(DataType::Int);
const WHETHER: Gives = Gives::Is(DataType::Boolean);

pub(super) const FUNCTIONS: &[Entry] = &[
    entry(
        &["strpos"],
        "the place of the second text in the first, from 1; 0 if it is not there",
        &[form(&[TEXT, TEXT], PLACE, strpos)],
    ),
    entry(
        &["instr"],
        "the place of the second text in the first, from a place on (backwards from the end if that is negative), of some occurrence",
        &[
            form(&[TEXT, TEXT], PLACE, strpos),
            form(&[TEXT, TEXT, BIGINT], PLACE, instr),
            form(&[TEXT, TEXT, BIGINT, BIGINT], PLACE, instr),
        ],
    ),
    entry(
        &["starts_with"],
        "whether the text begins with the other",
        &[form(&[TEXT, TEXT], WHETHER, starts_with)],
    ),
    entry(
        &["ends_with"],
        "whether the text ends with the other",
        &[form(&[TEXT, TEXT], WHETHER, ends_with)],
    ),
    entry(
        &["contains"],
        "whether the other text stands in the text",
        &[form(&[TEXT, TEXT], WHETHER, contains)],
    ),
    entry(
        &["field"],
        "the place of the first text among the others, from 1; 0 if it is none of them",
        &[form(&[TEXT, TEXT], PLACE, field).open().takes_null()],
    ),
    entry(
        &["elt"],
        "the text at a place among the others, from 1",
        &[form(&[BIGINT, TEXT], Gives::Is(DataType::TEXT), elt)
            .open()
            .takes_null()],
    ),
];

/// The place of the character at a byte.
fn place(text: &[u8], at: usize) -> i64 {
    count(&text[..at]) as i64 + 1
}

fn strpos(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    let (text, wanted) = (arguments[0].bytes(), arguments[1].bytes());
    let found = memmem::find(text, wanted).map_or(0, |at| place(text, at));
    Ok(Returned::Integer(found))
}

fn instr(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    let (text, wanted) = (arguments[0].text(), arguments[1].text());
    let start = arguments[2].integer();
    let occurrence = arguments
        .get(3)
        .map_or(1, |occurrence| occurrence.integer());
    let Some(nth) = occurrence
        .checked_sub(1)
        .and_then(|n| usize::try_from(n).ok())
    else {
        return Err(format!("instr of occurrence {occurrence}; the first one is 1").into());
    };
    let skipped = usize::try_from(start.unsigned_abs())
        .unwrap_or(usize::MAX)
        .saturating_sub(1);
    let found = if start > 0 {
        let from = text
            .char_indices()
            .nth(skipped)
            .map_or(text.len(), |(at, _)| at);
        overlapping(text, wanted).filter(|at| *at >= from).nth(nth)
    } else if start < 0 {
        // The match begins at that place from the end or before it.
        let last = text.char_indices().rev().nth(skipped).map(|(at, _)| at);
        let found: Vec<usize> = overlapping(text, wanted)
            .filter(|at| last.is_some_and(|last| *at <= last))
            .collect();
        found.into_iter().rev().nth(nth)
    } else {
        None
    };
    Ok(Returned::Integer(
        found.map_or(0, |at| place(text.as_bytes(), at)),
    ))
}

/// All places of a text in another one, also those that overlap.
fn overlapping<'a>(text: &'a str, wanted: &'a str) -> impl Iterator<Item = usize> + 'a {
    text.char_indices()
        .map(|(at, _)| at)
        .filter(move |at| text[*at..].starts_with(wanted))
}

fn starts_with(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    Ok(Returned::from(
        arguments[0].bytes().starts_with(arguments[1].bytes()),
    ))
}

fn ends_with(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    Ok(Returned::from(
        arguments[0].bytes().ends_with(arguments[1].bytes()),
    ))
}

fn contains(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    Ok(Returned::from(
        memmem::find(arguments[0].bytes(), arguments[1].bytes()).is_some(),
    ))
}

fn field(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    let (wanted, list) = (arguments[0], &arguments[1..]);
    let found = list
        .iter()
        .position(|item| !item.is_null() && *item == wanted);
    Ok(Returned::Integer(found.map_or(0, |at| at as i64 + 1)))
}

fn elt(call: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    if arguments[0].is_null() {
        return Ok(Returned::Null);
    }
    let place = usize::try_from(arguments[0].integer())
        .ok()
        .filter(|place| *place > 0);
    match place.and_then(|place| arguments.get(place)) {
        Some(Argument::Bytes(text)) => {
            call.out.extend_from_slice(text);
            Ok(Returned::Written)
        }
        _ => Ok(Returned::Null),
    }
}
