//! Patterns of Java's DateTimeFormatter.

use super::item::{Case, Item, Name, Number, Offset};
use crate::functions::argument::Failure;

/// Reads a pattern.
///
/// # Errors
///
/// Where a letter has no meaning, or one that is not supported.
pub(in crate::functions) fn parse(pattern: &str) -> Result<Vec<Item>, Failure> {
    let mut groups = vec![Vec::new()];
    let characters: Vec<char> = pattern.chars().collect();
    let mut at = 0;
    while at < characters.len() {
        let c = characters[at];
        let count = characters[at..]
            .iter()
            .take_while(|other| **other == c)
            .count();
        match c {
            '\'' => {
                let (text, end) = quoted(&characters, at, pattern)?;
                push_text(top(&mut groups), &text);
                at = end;
                continue;
            }
            '[' => groups.push(Vec::new()),
            ']' => {
                let inner = groups.pop().expect("there is always one");
                if groups.is_empty() {
                    return Err(format!("pattern '{pattern}' closes more than it opens").into());
                }
                top(&mut groups).push(Item::Optional(inner));
            }
            letter if letter.is_ascii_alphabetic() => {
                let item = item(letter, count).ok_or_else(|| {
                    let letters: String = characters[at..at + count].iter().collect();
                    Failure::from(format!("pattern '{pattern}': `{letters}` is not supported"))
                })?;
                top(&mut groups).push(item);
                at += count;
                continue;
            }
            '{' | '}' | '#' => {
                return Err(format!("pattern '{pattern}': `{c}` stands only in quotes").into());
            }
            other => push_text(top(&mut groups), other.encode_utf8(&mut [0; 4])),
        }
        at += 1;
    }
    let items = groups.pop().expect("there is always one");
    if !groups.is_empty() {
        return Err(format!("pattern '{pattern}' opens more than it closes").into());
    }
    Ok(items)
}

fn top(groups: &mut [Vec<Item>]) -> &mut Vec<Item> {
    groups.last_mut().expect("there is always one")
}

pub(super) fn push_text(items: &mut Vec<Item>, text: &str) {
    match items.last_mut() {
        Some(Item::Text(before)) => before.push_str(text),
        _ => items.push(Item::Text(text.to_owned())),
    }
}

/// A text in quotes, and where it ends; two quotes are one.
fn quoted(characters: &[char], start: usize, pattern: &str) -> Result<(String, usize), Failure> {
    if characters.get(start + 1) == Some(&'\'') {
        return Ok(("'".to_owned(), start + 2));
    }
    let mut text = String::new();
    let mut at = start + 1;
    while let Some(&c) = characters.get(at) {
        if c == '\'' {
            if characters.get(at + 1) != Some(&'\'') {
                return Ok((text, at + 1));
            }
            at += 1;
        }
        text.push(c);
        at += 1;
    }
    Err(format!("pattern '{pattern}' has a quote without its partner").into())
}

fn number(of: Number, count: usize, most: u8) -> Option<Item> {
    // A single letter is a number as it is, several say how many digits.
    let most = if count == 1 { most } else { count as u8 };
    (count <= usize::from(most)).then_some(Item::Number {
        of,
        least: count as u8,
        most,
    })
}

fn name(short: bool) -> Name {
    Name {
        short,
        case: Case::Title,
        padded: false,
    }
}

fn item(letter: char, count: usize) -> Option<Item> {
    match (letter, count) {
        ('y' | 'u', 2) => Some(Item::ShortYear),
        ('y' | 'u', 1 | 3 | 4) => number(Number::Year, count, 4),
        ('Q' | 'q', 1 | 2) => number(Number::Quarter, count, 1),
        ('M' | 'L', 1 | 2) => number(Number::Month, count, 2),
        ('M' | 'L', 3) => Some(Item::Month(name(true))),
        ('M' | 'L', 4) => Some(Item::Month(name(false))),
        ('d', 1 | 2) => number(Number::Day, count, 2),
        ('D', 1..=3) => number(Number::DayOfYear, count, 3),
        ('E', 1..=3) => Some(Item::Weekday(name(true))),
        ('E', 4) => Some(Item::Weekday(name(false))),
        ('a', 1) => Some(Item::Half { upper: true }),
        ('H', 1 | 2) => number(Number::Hour, count, 2),
        ('k', 1 | 2) => number(Number::HourFrom1, count, 2),
        ('h', 1 | 2) => number(Number::HalfHour, count, 2),
        ('K', 1 | 2) => number(Number::HalfHourFrom0, count, 2),
        ('m', 1 | 2) => number(Number::Minute, count, 2),
        ('s', 1 | 2) => number(Number::Second, count, 2),
        ('S', 1..=9) => Some(Item::Fraction(count as u8)),
        ('X' | 'x', 1..=3) => Some(Item::Offset(Offset {
            zulu: letter == 'X',
            short: count == 1,
            colon: count == 3,
        })),
        ('Z', 1..=3) => Some(Item::Offset(Offset {
            zulu: false,
            short: false,
            colon: false,
        })),
        ('Z', 5) => Some(Item::Offset(Offset {
            zulu: true,
            short: false,
            colon: true,
        })),
        ('V', 2) | ('z', 1..=3) => Some(Item::Zone),
        _ => None,
    }
}
