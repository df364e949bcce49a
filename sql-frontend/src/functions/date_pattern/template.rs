//! Templates of PostgreSQL's TO_CHAR, for times.

use super::item::{Case, Item, Name, Number, Offset};
use super::java::push_text;
use crate::functions::argument::Failure;

/// Reads a template.
///
/// # Errors
///
/// Where a quote has no partner.
pub(in crate::functions) fn parse(template: &str) -> Result<Vec<Item>, Failure> {
    let mut items = Vec::new();
    let mut rest = template;
    while let Some(c) = rest.chars().next() {
        if let Some(quoted) = rest.strip_prefix('"') {
            let Some((text, after)) = quoted.split_once('"') else {
                return Err(
                    format!("template '{template}' has a quote without its partner").into(),
                );
            };
            push_text(&mut items, text);
            rest = after;
            continue;
        }
        let (bare, unpadded) = match rest.strip_prefix("FM").or_else(|| rest.strip_prefix("fm")) {
            Some(bare) => (bare, true),
            None => (rest, false),
        };
        if let Some((item, length)) = keyword(bare, unpadded) {
            items.push(item);
            rest = &bare[length..];
            continue;
        }
        push_text(&mut items, &rest[..c.len_utf8()]);
        rest = &rest[c.len_utf8()..];
    }
    Ok(items)
}

/// Numbers by their keywords, longer ones before those that they begin with, each with its digits.
const NUMBERS: &[(&str, Number, u8)] = &[
    ("HH24", Number::Hour, 2),
    ("HH12", Number::HalfHour, 2),
    ("HH", Number::HalfHour, 2),
    ("MI", Number::Minute, 2),
    ("MS", Number::Milli, 3),
    ("MM", Number::Month, 2),
    ("SS", Number::Second, 2),
    ("US", Number::Micro, 6),
    ("YYYY", Number::Year, 4),
    ("IYYY", Number::WeekYear, 4),
    ("IW", Number::Week, 2),
    ("ID", Number::IsoWeekday, 1),
    ("DDD", Number::DayOfYear, 3),
    ("DD", Number::Day, 2),
    ("Q", Number::Quarter, 1),
];

/// The keyword that a text begins with, and its length.
fn keyword(text: &str, unpadded: bool) -> Option<(Item, usize)> {
    if let Some((item, length)) = name(text, unpadded) {
        return Some((item, length));
    }
    let begins = |word: &str| {
        text.get(..word.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(word))
    };
    if let Some((word, of, digits)) = NUMBERS.iter().find(|(word, ..)| begins(word)) {
        let item = Item::Number {
            of: *of,
            least: if unpadded { 1 } else { *digits },
            most: *digits,
        };
        return Some((item, word.len()));
    }
    let offset = Offset {
        zulu: false,
        short: true,
        colon: true,
    };
    let others = [
        ("YY", Item::ShortYear),
        (
            "AM",
            Item::Half {
                upper: text.starts_with(['A', 'P']),
            },
        ),
        (
            "PM",
            Item::Half {
                upper: text.starts_with(['A', 'P']),
            },
        ),
        ("TZH", Item::Offset(offset)),
        ("TZ", Item::Zone),
        ("OF", Item::Offset(offset)),
        (
            "D",
            Item::Number {
                of: Number::Weekday,
                least: 1,
                most: 1,
            },
        ),
    ];
    let found = others.into_iter().find(|(word, _)| begins(word));
    found.map(|(word, item)| (item, word.len()))
}

/// The name of a month or day, in the case of its keyword.
fn name(text: &str, unpadded: bool) -> Option<(Item, usize)> {
    let forms = [
        ("month", false, true),
        ("mon", true, true),
        ("day", false, false),
        ("dy", true, false),
    ];
    for (word, short, is_month) in forms {
        let Some(written) = text.get(..word.len()) else {
            continue;
        };
        if !written.eq_ignore_ascii_case(word) {
            continue;
        }
        let mut letters = written.chars();
        let first = letters.next().is_some_and(char::is_uppercase);
        let case = match (first, letters.next().is_some_and(char::is_uppercase)) {
            (true, true) => Case::Upper,
            (true, false) => Case::Title,
            (false, _) => Case::Lower,
        };
        let name = Name {
            short,
            case,
            padded: !short && !unpadded,
        };
        let item = if is_month {
            Item::Month(name)
        } else {
            Item::Weekday(name)
        };
        return Some((item, word.len()));
    }
    None
}
