//! Texts of which parts are made unreadable.

use ferrisstreams_topology::data::DataType;

use super::argument::{Argument, Failure, Outcome, Returned};
use super::case::push;
use super::function::{Body, Call};
use super::signature::{BIGINT, Entry, Form, Gives, TEXT, entry, form};

const GIVES: Gives = Gives::Is(DataType::TEXT);

const fn counted(body: Body) -> [Form; 2] {
    [
        form(&[TEXT, BIGINT], GIVES, body),
        form(&[TEXT, BIGINT, TEXT, TEXT, TEXT, TEXT], GIVES, body).takes_null(),
    ]
}

pub(super) const FUNCTIONS: &[Entry] = &[
    entry(
        &["mask"],
        "the text with X, x, n and - (or given characters; NULL leaves them) for upper case, lower case, digits and others",
        &[
            form(&[TEXT], GIVES, mask),
            form(&[TEXT, TEXT, TEXT, TEXT, TEXT], GIVES, mask).takes_null(),
        ],
    ),
    entry(
        &["mask_left"],
        "the text with its first characters masked",
        &counted(mask_left),
    ),
    entry(
        &["mask_right"],
        "the text with its last characters masked",
        &counted(mask_right),
    ),
    entry(
        &["mask_keep_left"],
        "the text with all but its first characters masked",
        &counted(mask_keep_left),
    ),
    entry(
        &["mask_keep_right"],
        "the text with all but its last characters masked",
        &counted(mask_keep_right),
    ),
];

/// What stands for characters of each kind; none leaves them.
struct Masks {
    upper: Option<char>,
    lower: Option<char>,
    digit: Option<char>,
    other: Option<char>,
}

impl Masks {
    fn new(given: &[Argument<'_>]) -> Result<Masks, Failure> {
        let [upper, lower, digit, other] = given else {
            return Ok(Masks {
                upper: Some('X'),
                lower: Some('x'),
                digit: Some('n'),
                other: Some('-'),
            });
        };
        let character = |argument: &Argument<'_>| -> Result<Option<char>, Failure> {
            if argument.is_null() {
                return Ok(None);
            }
            let text = argument.text();
            let mut characters = text.chars();
            match (characters.next(), characters.next()) {
                (Some(c), None) => Ok(Some(c)),
                _ => Err(format!("a mask is one character, not '{text}'").into()),
            }
        };
        Ok(Masks {
            upper: character(upper)?,
            lower: character(lower)?,
            digit: character(digit)?,
            other: character(other)?,
        })
    }

    fn of(&self, c: char) -> char {
        let mask = if c.is_uppercase() {
            self.upper
        } else if c.is_lowercase() {
            self.lower
        } else if c.is_numeric() {
            self.digit
        } else {
            self.other
        };
        mask.unwrap_or(c)
    }
}

/// Masks the characters at the places that `is_masked` is told, with the length of the text.
fn masked(
    call: &mut Call<'_>,
    arguments: &[Argument<'_>],
    masks: &[Argument<'_>],
    is_masked: impl Fn(usize, usize) -> bool,
) -> Outcome {
    if arguments[0].is_null() {
        return Ok(Returned::Null);
    }
    let masks = Masks::new(masks)?;
    let text = arguments[0].text();
    let length = text.chars().count();
    for (at, c) in text.chars().enumerate() {
        push(
            call.out,
            if is_masked(at, length) {
                masks.of(c)
            } else {
                c
            },
        );
    }
    Ok(Returned::Written)
}

fn mask(call: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    masked(call, arguments, &arguments[1..], |_, _| true)
}

fn masked_by_count(
    call: &mut Call<'_>,
    arguments: &[Argument<'_>],
    is_masked: impl Fn(usize, usize, usize) -> bool,
) -> Outcome {
    if arguments[1].is_null() {
        return Ok(Returned::Null);
    }
    let given = arguments[1].integer();
    let Ok(number) = usize::try_from(given) else {
        return Err(format!("{given} characters cannot be masked or kept").into());
    };
    masked(call, arguments, &arguments[2..], |at, length| {
        is_masked(at, length, number)
    })
}

fn mask_left(call: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    masked_by_count(call, arguments, |at, _, number| at < number)
}

fn mask_right(call: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    masked_by_count(call, arguments, |at, length, number| {
        at >= length.saturating_sub(number)
    })
}

fn mask_keep_left(call: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    masked_by_count(call, arguments, |at, _, number| at >= number)
}

fn mask_keep_right(call: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    masked_by_count(call, arguments, |at, length, number| {
        at < length.saturating_sub(number)
    })
}
