//! Parts of texts, by the places of their characters.

use ferrisstreams_topology::data::DataType;

use super::argument::{Argument, Outcome, Returned};
use super::function::Call;
use super::length::count;
use super::signature::{BIGINT, BYTES, Entry, Gives, TEXT, entry, form};

const GIVES: Gives = Gives::Is(DataType::TEXT);
const GIVES_BYTES: Gives = Gives::Is(DataType::Bytes);

pub(super) const FUNCTIONS: &[Entry] = &[
    entry(
        &["substring", "substr"],
        "the characters from a place on, the first being 1, as many as are wanted",
        &[
            form(&[TEXT, BIGINT], GIVES, substring),
            form(&[TEXT, BIGINT, BIGINT], GIVES, substring),
            form(&[BYTES, BIGINT], GIVES_BYTES, substring),
            form(&[BYTES, BIGINT, BIGINT], GIVES_BYTES, substring),
        ],
    ),
    entry(
        &["left"],
        "the first characters; all but the last ones where the number is negative",
        &[form(&[TEXT, BIGINT], GIVES, left)],
    ),
    entry(
        &["right"],
        "the last characters; all but the first ones where the number is negative",
        &[form(&[TEXT, BIGINT], GIVES, right)],
    ),
    entry(
        &["split_part"],
        "the part of that number between separators; negative numbers count from the end",
        &[form(&[TEXT, TEXT, BIGINT], GIVES, split_part)],
    ),
];

fn substring(call: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    let bytes = arguments[0].bytes();
    let start = arguments[1].integer();
    let end = match arguments.get(2).map(|length| length.integer()) {
        None => i64::MAX,
        Some(length) if length < 0 => {
            return Err(format!("substring of a negative length: {length}").into());
        }
        Some(length) => start.saturating_add(length),
    };
    // Places before the first count for the length, as the standard has it.
    let before = usize::try_from(start.saturating_sub(1)).unwrap_or(0);
    let until = usize::try_from(end.saturating_sub(1)).unwrap_or(0);
    let part = if call.function.result == DataType::Bytes || bytes.is_ascii() {
        &bytes[before.min(bytes.len())..until.clamp(before.min(bytes.len()), bytes.len())]
    } else {
        characters(arguments[0].text(), before, until)
    };
    call.out.extend_from_slice(part);
    Ok(Returned::Written)
}

/// The characters from one place up to another, from 0.
fn characters(text: &str, start: usize, end: usize) -> &[u8] {
    let mut places = text.char_indices().map(|(at, _)| at);
    let from = places.by_ref().nth(start).unwrap_or(text.len());
    if end <= start {
        return &[];
    }
    let to = places.nth(end - start - 1).unwrap_or(text.len());
    &text.as_bytes()[from..to]
}

/// The number of characters that a count of `left` and `right` means.
fn clamped(wanted: i64, text: &[u8]) -> usize {
    let wanted = if wanted < 0 {
        wanted.saturating_add(count(text) as i64).max(0)
    } else {
        wanted
    };
    usize::try_from(wanted).unwrap_or(usize::MAX)
}

fn left(call: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    let text = arguments[0].text();
    let wanted = clamped(arguments[1].integer(), text.as_bytes());
    call.out.extend_from_slice(characters(text, 0, wanted));
    Ok(Returned::Written)
}

fn right(call: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    let text = arguments[0].text();
    let wanted = clamped(arguments[1].integer(), text.as_bytes());
    let skipped = count(text.as_bytes()).saturating_sub(wanted);
    call.out
        .extend_from_slice(characters(text, skipped, usize::MAX));
    Ok(Returned::Written)
}

fn split_part(call: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    let (text, separator) = (arguments[0].text(), arguments[1].text());
    let number = arguments[2].integer();
    if number == 0 {
        return Err("split_part counts parts from 1, and 0 was given".into());
    }
    let index = usize::try_from(number.unsigned_abs() - 1).unwrap_or(usize::MAX);
    let part = if separator.is_empty() {
        (index == 0).then_some(text)
    } else if number > 0 {
        text.split(separator).nth(index)
    } else {
        text.rsplit(separator).nth(index)
    };
    call.out
        .extend_from_slice(part.unwrap_or_default().as_bytes());
    Ok(Returned::Written)
}
