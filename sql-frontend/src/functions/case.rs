//! Upper and lower case.

use ferrisstreams_topology::data::DataType;

use super::argument::{Argument, Outcome, Returned};
use super::function::Call;
use super::signature::{Entry, Gives, TEXT, entry, form};

const GIVES: Gives = Gives::Is(DataType::TEXT);

pub(super) const FUNCTIONS: &[Entry] = &[
    entry(
        &["upper", "ucase"],
        "the text in upper case",
        &[form(&[TEXT], GIVES, upper)],
    ),
    entry(
        &["lower", "lcase"],
        "the text in lower case",
        &[form(&[TEXT], GIVES, lower)],
    ),
    entry(
        &["initcap"],
        "the text with each word's first letter in upper case, the others in lower case",
        &[form(&[TEXT], GIVES, initcap)],
    ),
];

fn upper(call: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    let bytes = arguments[0].bytes();
    let start = call.out.len();
    if bytes.is_ascii() {
        call.out.extend_from_slice(bytes);
        call.out[start..].make_ascii_uppercase();
    } else {
        let upper = arguments[0].text().chars().flat_map(char::to_uppercase);
        upper.for_each(|c| push(call.out, c));
    }
    Ok(Returned::Written)
}

fn lower(call: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    write_lower(call.out, arguments[0].bytes());
    Ok(Returned::Written)
}

/// Appends text in lower case.
pub(crate) fn write_lower(out: &mut Vec<u8>, text: &[u8]) {
    let start = out.len();
    if text.is_ascii() {
        out.extend_from_slice(text);
        out[start..].make_ascii_lowercase();
        return;
    }
    let text = std::str::from_utf8(text).expect("text in a row is UTF-8");
    text.chars()
        .flat_map(char::to_lowercase)
        .for_each(|c| push(out, c));
}

fn initcap(call: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    let mut inside = false;
    for c in arguments[0].text().chars() {
        if inside {
            c.to_lowercase().for_each(|c| push(call.out, c));
        } else {
            c.to_uppercase().for_each(|c| push(call.out, c));
        }
        inside = c.is_alphanumeric();
    }
    Ok(Returned::Written)
}

/// Appends a character.
#[inline]
pub(super) fn push(out: &mut Vec<u8>, c: char) {
    out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}
