//! Literals with words: typed strings, intervals, lengths of time.

use nom::Parser;
use nom::combinator::cut;

use super::data_type::{begins_typed_literal, data_type};
use super::fault::{Wanted, diagnosed};
use super::terminal::{digits, string};
use super::tokens::{Parsed, Tokens, meant};
use crate::ast::{
    Duration, DurationKind, ExprKind, IntervalFields, IntervalLiteral, TimeUnit, TypedLiteral,
};
use crate::error::Diagnostic;
use crate::lexer::{Keyword, TokenKind};

/// The unit that the next token names.
pub(super) fn time_unit_at(i: Tokens<'_>) -> Option<TimeUnit> {
    Some(match i.kind().keyword()? {
        Keyword::Microsecond | Keyword::Microseconds => TimeUnit::Microsecond,
        Keyword::Millisecond | Keyword::Milliseconds => TimeUnit::Millisecond,
        Keyword::Second | Keyword::Seconds => TimeUnit::Second,
        Keyword::Minute | Keyword::Minutes => TimeUnit::Minute,
        Keyword::Hour | Keyword::Hours => TimeUnit::Hour,
        Keyword::Day | Keyword::Days => TimeUnit::Day,
        Keyword::Week | Keyword::Weeks => TimeUnit::Week,
        Keyword::Month | Keyword::Months => TimeUnit::Month,
        Keyword::Year | Keyword::Years => TimeUnit::Year,
        _ => return None,
    })
}

/// Units for "did you mean".
const UNITS: &[Keyword] = &[
    Keyword::Milliseconds,
    Keyword::Millisecond,
    Keyword::Seconds,
    Keyword::Second,
    Keyword::Minutes,
    Keyword::Minute,
    Keyword::Hours,
    Keyword::Hour,
    Keyword::Days,
    Keyword::Day,
    Keyword::Weeks,
    Keyword::Week,
];

fn time_unit(i: Tokens<'_>) -> Parsed<'_, TimeUnit> {
    match time_unit_at(i) {
        Some(unit) => Ok((i.advance(), unit)),
        None => {
            // Candidates for "did you mean"; the list would be too long to be read.
            for unit in UNITS {
                i.want(Wanted::Rare(*unit));
            }
            i.fail(Wanted::Thing("a unit of time"))
        }
    }
}

/// Whether a word is a mistyped unit.
fn names_unit(word: &str) -> bool {
    let units: Vec<&str> = UNITS.iter().map(|unit| unit.text()).collect();
    meant(word, &units).is_some()
}

/// Whether an interval literal begins here, not a column called `interval`.
pub(super) fn is_interval(i: Tokens<'_>) -> bool {
    let next = i.peek_at(1).kind;
    i.is_keyword(Keyword::Interval) && matches!(next, TokenKind::String | TokenKind::Integer)
}

/// `INTERVAL '1 day'`, `INTERVAL '1' DAY`, `INTERVAL '1 2' DAY TO HOUR`, `INTERVAL 1 DAY`.
pub(super) fn interval(i: Tokens<'_>) -> Parsed<'_, IntervalLiteral> {
    let i = i.advance();
    if i.is(TokenKind::Integer) {
        let (i, (text, from)) = (digits("a number"), cut(time_unit)).parse(i)?;
        let fields = Some(IntervalFields { from, to: None });
        return Ok((i, IntervalLiteral { text, fields }));
    }
    let (i, text) = string("a string")(i)?;
    // `INTERVAL '1' HUOR` would be one second called huor.
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number && i.is(TokenKind::Word) && names_unit(i.text()) {
        return cut(time_unit)
            .parse(i)
            .map(|(i, _)| (i, IntervalLiteral { text, fields: None }));
    }
    let Some(from) = time_unit_at(i) else {
        return Ok((i, IntervalLiteral { text, fields: None }));
    };
    let (i, to) = match i.advance() {
        i if i.is_keyword(Keyword::To) => cut(time_unit).map(Some).parse(i.advance())?,
        i => (i, None),
    };
    if i.is(TokenKind::LeftParen) {
        return diagnosed(Diagnostic::not_supported(
            "a precision of an interval",
            i.span(),
        ));
    }
    let fields = Some(IntervalFields { from, to });
    Ok((i, IntervalLiteral { text, fields }))
}

/// Whether a typed string begins here: `DATE '...'`, `TIMESTAMP WITH TIME ZONE '...'`.
pub(super) fn is_typed_literal(i: Tokens<'_>) -> bool {
    let is_string = |ahead| i.peek_at(ahead).kind == TokenKind::String;
    let of_one_word = i.kind().keyword().is_some_and(begins_typed_literal) && is_string(1);
    let is_zoned =
        |zoned| i.are_keywords(&[Keyword::Timestamp, zoned, Keyword::Time, Keyword::Zone]);
    of_one_word
        || i.are_keywords(&[Keyword::Double, Keyword::Precision]) && is_string(2)
        || (is_zoned(Keyword::With) || is_zoned(Keyword::Without)) && is_string(4)
}

/// A type and a string.
pub(super) fn typed(i: Tokens<'_>) -> Parsed<'_, ExprKind> {
    (data_type, cut(string("a string")))
        .map(|(data_type, text)| ExprKind::Typed(Box::new(TypedLiteral { data_type, text })))
        .parse(i)
}

/// `30 SECONDS`, `INTERVAL '30' SECOND`.
pub(super) fn duration(i: Tokens<'_>) -> Parsed<'_, Duration> {
    let start = i.span();
    let (i, kind) = match is_interval(i) {
        true => interval.map(DurationKind::Interval).parse(i)?,
        false => (digits("a length of time"), cut(time_unit))
            .map(|(amount, unit)| DurationKind::Units { amount, unit })
            .parse(i)?,
    };
    let span = i.span_since(start);
    Ok((i, Duration { kind, span }))
}
