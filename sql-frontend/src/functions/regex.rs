//! Regular expressions, in the syntax of the crate `regex`: without references back and looking
//! around, and therefore in linear time.

use ferrisstreams_topology::data::DataType;
use regex::{Regex, RegexBuilder};

use super::argument::{Argument, Failure, Outcome, Returned};
use super::function::{Call, Function, PreparedBody};
use super::length::count;
use super::signature::{BIGINT, Entry, Gives, TEXT, entry, prepared};

const IS_TEXT: Gives = Gives::Is(DataType::TEXT);
const IS_BOOLEAN: Gives = Gives::Is(DataType::Boolean);
const IS_INT: Gives = Gives::Is(DataType::Int);

pub(super) const FUNCTIONS: &[Entry] = &[
    entry(
        &["regexp_like"],
        "whether the pattern matches somewhere in the text; flags: i, s, m, x",
        &[
            prepared(&[TEXT, TEXT], IS_BOOLEAN, like),
            prepared(&[TEXT, TEXT, TEXT], IS_BOOLEAN, like),
        ],
    ),
    entry(
        &["regexp_replace"],
        "the text with all matches of the pattern replaced; with flags only the first, unless g is among them",
        &[
            prepared(&[TEXT, TEXT, TEXT], IS_TEXT, replace),
            prepared(&[TEXT, TEXT, TEXT, TEXT], IS_TEXT, replace),
        ],
    ),
    entry(
        &["regexp_extract"],
        "what the pattern (which comes first) matches in the text, or one of its groups",
        &[
            prepared(&[TEXT, TEXT], IS_TEXT, extract),
            prepared(&[TEXT, TEXT, BIGINT], IS_TEXT, extract),
        ],
    ),
    entry(
        &["regexp_substr"],
        "what the pattern matches in the text",
        &[prepared(&[TEXT, TEXT], IS_TEXT, substring)],
    ),
    entry(
        &["regexp_count"],
        "how often the pattern matches in the text",
        &[prepared(&[TEXT, TEXT], IS_INT, count_matches)],
    ),
    entry(
        &["regexp_instr"],
        "the place at which the pattern matches in the text, from 1; 0 if it does not",
        &[prepared(&[TEXT, TEXT], IS_INT, place)],
    ),
];

/// Flags as they are written, and whether all matches are meant.
fn compile(pattern: &str, flags: &str) -> Result<(Regex, bool), Failure> {
    let mut builder = RegexBuilder::new(pattern);
    // A dot matches the end of a line as well, as in PostgreSQL.
    builder.dot_matches_new_line(true);
    let mut all = false;
    for flag in flags.chars() {
        match flag {
            'g' => all = true,
            'i' => _ = builder.case_insensitive(true),
            'c' => _ = builder.case_insensitive(false),
            's' => _ = builder.dot_matches_new_line(true),
            'm' | 'n' => _ = builder.multi_line(true).dot_matches_new_line(false),
            'x' => _ = builder.ignore_whitespace(true),
            other => return Err(format!("no flag `{other}` of a regular expression").into()),
        }
    }
    match builder.build() {
        Ok(regex) => Ok((regex, all)),
        Err(e) => {
            let text = e.to_string();
            let reason = text
                .lines()
                .last()
                .unwrap_or_default()
                .trim_start_matches("error: ");
            Err(format!("'{pattern}' cannot be read as a regular expression: {reason}").into())
        }
    }
}

/// A body that is given the pattern at `at`: compiled once where that and the flags are constants.
fn with_pattern(
    constants: &[Option<Argument<'_>>],
    at: usize,
    flags_at: usize,
    body: impl Fn(&mut Call<'_>, &Regex, bool, &[Argument<'_>]) -> Outcome + Send + Sync + 'static,
) -> Result<PreparedBody, Failure> {
    let known = |at: usize| match constants.get(at) {
        None => Some(""),
        Some(Some(argument)) if !argument.is_null() => Some(argument.text()),
        Some(_) => None,
    };
    if let (Some(pattern), Some(flags)) = (known(at), known(flags_at)) {
        let (regex, all) = compile(pattern, flags)?;
        return Ok(Box::new(move |call, arguments| {
            body(call, &regex, all, arguments)
        }));
    }
    Ok(Box::new(move |call, arguments| {
        let flags = arguments.get(flags_at).map_or("", |flags| flags.text());
        let (regex, all) = compile(arguments[at].text(), flags)?;
        body(call, &regex, all, arguments)
    }))
}

/// Where no flags are taken.
const NO_FLAGS: usize = usize::MAX;

fn like(_: &Function, constants: &[Option<Argument<'_>>]) -> Result<PreparedBody, Failure> {
    with_pattern(constants, 1, 2, |_, regex, _, arguments| {
        Ok(Returned::from(regex.is_match(arguments[0].text())))
    })
}

fn replace(_: &Function, constants: &[Option<Argument<'_>>]) -> Result<PreparedBody, Failure> {
    with_pattern(constants, 1, 3, |call, regex, all, arguments| {
        let (text, replacement) = (arguments[0].text(), arguments[2].text());
        let limit = if all || arguments.len() == 3 {
            usize::MAX
        } else {
            1
        };
        let mut end = 0;
        for captures in regex.captures_iter(text).take(limit) {
            let whole = captures.get_match();
            call.out
                .extend_from_slice(&text.as_bytes()[end..whole.start()]);
            expand(call.out, replacement, &captures);
            end = whole.end();
        }
        call.out.extend_from_slice(&text.as_bytes()[end..]);
        Ok(Returned::Written)
    })
}

/// Appends a replacement, in which `\1` and `$1` stand for a group, `\&` for the match.
fn expand(out: &mut Vec<u8>, replacement: &str, captures: &regex::Captures<'_>) {
    let group = |out: &mut Vec<u8>, digit: u8| {
        if let Some(found) = captures.get(usize::from(digit - b'0')) {
            out.extend_from_slice(found.as_str().as_bytes());
        }
    };
    let mut bytes = replacement.bytes().peekable();
    while let Some(byte) = bytes.next() {
        match (byte, bytes.peek().copied()) {
            (b'\\' | b'$', Some(digit @ b'0'..=b'9')) => {
                bytes.next();
                group(out, digit);
            }
            (b'\\', Some(b'&')) => {
                bytes.next();
                group(out, b'0');
            }
            (b'\\', Some(escaped)) if !escaped.is_ascii_alphanumeric() => {
                bytes.next();
                out.push(escaped);
            }
            _ => out.push(byte),
        }
    }
}

fn extract(_: &Function, constants: &[Option<Argument<'_>>]) -> Result<PreparedBody, Failure> {
    with_pattern(constants, 0, NO_FLAGS, |call, regex, _, arguments| {
        let group = arguments.get(2).map_or(0, |group| group.integer());
        let Ok(group) = usize::try_from(group) else {
            return Err(format!("no group {group} of a regular expression").into());
        };
        found(
            call,
            regex
                .captures(arguments[1].text())
                .and_then(|captures| captures.get(group)),
        )
    })
}

fn substring(_: &Function, constants: &[Option<Argument<'_>>]) -> Result<PreparedBody, Failure> {
    with_pattern(constants, 1, NO_FLAGS, |call, regex, _, arguments| {
        found(call, regex.find(arguments[0].text()))
    })
}

fn found(call: &mut Call<'_>, found: Option<regex::Match<'_>>) -> Outcome {
    Ok(match found {
        None => Returned::Null,
        Some(found) => {
            call.out.extend_from_slice(found.as_str().as_bytes());
            Returned::Written
        }
    })
}

fn count_matches(
    _: &Function,
    constants: &[Option<Argument<'_>>],
) -> Result<PreparedBody, Failure> {
    with_pattern(constants, 1, NO_FLAGS, |_, regex, _, arguments| {
        Ok(Returned::Integer(
            regex.find_iter(arguments[0].text()).count() as i64,
        ))
    })
}

fn place(_: &Function, constants: &[Option<Argument<'_>>]) -> Result<PreparedBody, Failure> {
    with_pattern(constants, 1, NO_FLAGS, |_, regex, _, arguments| {
        let text = arguments[0].text();
        let found = regex.find(text);
        let place = found.map_or(0, |found| {
            count(&text.as_bytes()[..found.start()]) as i64 + 1
        });
        Ok(Returned::Integer(place))
    })
}
