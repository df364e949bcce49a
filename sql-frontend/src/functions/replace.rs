//! Texts with other characters in the place of some.

use ferrisstreams_topology::data::DataType;
use memchr::memmem;

use super::argument::{Argument, Outcome, Returned};
use super::case::push;
use super::function::Call;
use super::signature::{BIGINT, BYTES, Entry, Gives, TEXT, entry, form};

const GIVES: Gives = Gives::Is(DataType::TEXT);

pub(super) const FUNCTIONS: &[Entry] = &[
    entry(
        &["replace"],
        "the text with each occurrence of the second text replaced by the third",
        &[form(&[TEXT, TEXT, TEXT], GIVES, replace)],
    ),
    entry(
        &["translate"],
        "the text with each character of the second text replaced by the one at its place in the third",
        &[form(&[TEXT, TEXT, TEXT], GIVES, translate)],
    ),
    entry(
        &["overlay"],
        "the text with the second text in the place of the characters from a place on",
        &[
            form(&[TEXT, TEXT, BIGINT], GIVES, overlay),
            form(&[TEXT, TEXT, BIGINT, BIGINT], GIVES, overlay),
        ],
    ),
    entry(
        &["reverse"],
        "the characters, or the bytes, from the last to the first",
        &[
            form(&[TEXT], GIVES, reverse),
            form(&[BYTES], Gives::Is(DataType::Bytes), reverse_bytes),
        ],
    ),
];

fn replace(call: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    let (text, from, to) = (
        arguments[0].bytes(),
        arguments[1].bytes(),
        arguments[2].bytes(),
    );
    if from.is_empty() {
        call.out.extend_from_slice(text);
        return Ok(Returned::Written);
    }
    let mut end = 0;
    for at in memmem::find_iter(text, from) {
        call.out.extend_from_slice(&text[end..at]);
        call.out.extend_from_slice(to);
        end = at + from.len();
    }
    call.out.extend_from_slice(&text[end..]);
    Ok(Returned::Written)
}

fn translate(call: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    let (from, to) = (arguments[1].text(), arguments[2].text());
    for c in arguments[0].text().chars() {
        match from.chars().position(|known| known == c) {
            None => push(call.out, c),
            // What has no partner goes.
            Some(place) => {
                if let Some(other) = to.chars().nth(place) {
                    push(call.out, other);
                }
            }
        }
    }
    Ok(Returned::Written)
}

fn overlay(call: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    let (text, other) = (arguments[0].text(), arguments[1].text());
    let start = arguments[2].integer();
    if start < 1 {
        return Err(format!("overlay from {start}; the first place is 1").into());
    }
    let count = match arguments.get(3) {
        Some(count) => count.integer(),
        None => other.chars().count() as i64,
    };
    let before = (start - 1) as usize;
    let after = usize::try_from((start - 1).saturating_add(count)).unwrap_or(0);
    text.chars().take(before).for_each(|c| push(call.out, c));
    call.out.extend_from_slice(other.as_bytes());
    text.chars().skip(after).for_each(|c| push(call.out, c));
    Ok(Returned::Written)
}

fn reverse(call: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    arguments[0]
        .text()
        .chars()
        .rev()
        .for_each(|c| push(call.out, c));
    Ok(Returned::Written)
}

fn reverse_bytes(call: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    call.out.extend(arguments[0].bytes().iter().rev());
    Ok(Returned::Written)
}
