//! Texts made longer.

use ferrisstreams_topology::data::DataType;

use super::argument::{Argument, Failure, Outcome, Returned};
use super::case::push;
use super::function::Call;
use super::length::count;
use super::signature::{BIGINT, Entry, Gives, TEXT, entry, form};

const GIVES: Gives = Gives::Is(DataType::TEXT);

/// No text is made longer than this, so that a mistaken number does not take all memory.
const MOST_BYTES: usize = 64 << 20;

pub(super) const FUNCTIONS: &[Entry] = &[
    entry(
        &["lpad"],
        "the text filled up at its start to a length, or cut to it",
        &[
            form(&[TEXT, BIGINT], GIVES, lpad),
            form(&[TEXT, BIGINT, TEXT], GIVES, lpad),
        ],
    ),
    entry(
        &["rpad"],
        "the text filled up at its end to a length, or cut to it",
        &[
            form(&[TEXT, BIGINT], GIVES, rpad),
            form(&[TEXT, BIGINT, TEXT], GIVES, rpad),
        ],
    ),
    entry(
        &["repeat"],
        "the text a number of times",
        &[form(&[TEXT, BIGINT], GIVES, repeat)],
    ),
    entry(
        &["space"],
        "a number of spaces",
        &[form(&[BIGINT], GIVES, space)],
    ),
];

fn check(bytes: usize, times: usize) -> Result<(), Failure> {
    match bytes.checked_mul(times) {
        Some(total) if total <= MOST_BYTES => Ok(()),
        _ => Err(format!("a text of {times} times {bytes} bytes is too long").into()),
    }
}

/// What fills a text up, and how many characters of the text itself are kept.
fn padding(arguments: &[Argument<'_>]) -> Result<(Vec<u8>, usize), Failure> {
    let wanted = usize::try_from(arguments[1].integer()).unwrap_or(0);
    let fill = arguments.get(2).map_or(" ", |fill| fill.text());
    let length = count(arguments[0].bytes());
    check(fill.len().max(1), wanted)?;
    let mut padding = Vec::new();
    if !fill.is_empty() {
        let missing = wanted.saturating_sub(length);
        fill.chars()
            .cycle()
            .take(missing)
            .for_each(|c| push(&mut padding, c));
    }
    Ok((padding, wanted.min(length)))
}

fn kept(text: &str, characters: usize) -> &[u8] {
    let end = text
        .char_indices()
        .nth(characters)
        .map_or(text.len(), |(at, _)| at);
    &text.as_bytes()[..end]
}

fn lpad(call: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    let (padding, characters) = padding(arguments)?;
    call.out.extend_from_slice(&padding);
    call.out
        .extend_from_slice(kept(arguments[0].text(), characters));
    Ok(Returned::Written)
}

fn rpad(call: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    let (padding, characters) = padding(arguments)?;
    call.out
        .extend_from_slice(kept(arguments[0].text(), characters));
    call.out.extend_from_slice(&padding);
    Ok(Returned::Written)
}

fn repeated(call: &mut Call<'_>, text: &[u8], times: i64) -> Outcome {
    let times = usize::try_from(times).unwrap_or(0);
    check(text.len(), times)?;
    for _ in 0..times {
        call.out.extend_from_slice(text);
    }
    Ok(Returned::Written)
}

fn repeat(call: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    repeated(call, arguments[0].bytes(), arguments[1].integer())
}

fn space(call: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    repeated(call, b" ", arguments[0].integer())
}
