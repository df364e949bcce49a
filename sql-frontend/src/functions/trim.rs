//! Texts without what stands at their ends.

use ferrisstreams_topology::data::DataType;

use super::argument::{Argument, Outcome, Returned};
use super::function::Body;
use super::function::Call;
use super::signature::{Entry, Form, Gives, TEXT, entry, form};

const fn forms(body: Body) -> [Form; 2] {
    const GIVES: Gives = Gives::Is(DataType::TEXT);
    [form(&[TEXT], GIVES, body), form(&[TEXT, TEXT], GIVES, body)]
}

pub(super) const FUNCTIONS: &[Entry] = &[
    entry(
        &["trim", "btrim"],
        "the text without spaces, or the given characters, at both ends",
        &forms(both),
    ),
    entry(
        &["ltrim"],
        "the text without spaces, or the given characters, at its start",
        &forms(start),
    ),
    entry(
        &["rtrim"],
        "the text without spaces, or the given characters, at its end",
        &forms(end),
    ),
];

fn both(call: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    trim(call, arguments, true, true)
}

fn start(call: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    trim(call, arguments, true, false)
}

fn end(call: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    trim(call, arguments, false, true)
}

fn trim(call: &mut Call<'_>, arguments: &[Argument<'_>], start: bool, end: bool) -> Outcome {
    let mut text = arguments[0].text();
    let characters = arguments.get(1).map_or(" ", |characters| characters.text());
    if start {
        text = text.trim_start_matches(|c| characters.contains(c));
    }
    if end {
        text = text.trim_end_matches(|c| characters.contains(c));
    }
    call.out.extend_from_slice(text.as_bytes());
    Ok(Returned::Written)
}
