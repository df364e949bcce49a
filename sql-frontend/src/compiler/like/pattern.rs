//! Patterns of LIKE: `%` stands for any characters, `_` for one.

use memchr::memmem::{self, Finder};

/// A pattern that was read.
#[derive(Debug)]
pub(super) enum Pattern {
    /// `text`
    Exact(Box<[u8]>),
    /// `text%`
    Prefix(Box<[u8]>),
    /// `%text`
    Suffix(Box<[u8]>),
    /// `%text%`
    Contains(Box<Finder<'static>>),
    /// `text%text`
    Ends(Box<[u8]>, Box<[u8]>),
    /// Anything else.
    Parts(Box<[Part]>),
}

/// A part of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// These bytes.
    Text(Box<[u8]>),
    /// Any one character.
    One,
    /// Any characters.
    Any,
}

impl Pattern {
    /// Reads a pattern in which `escape` takes the meaning from the character behind it.
    ///
    /// # Errors
    ///
    /// Where the escape character stands last.
    pub(super) fn parse(pattern: &str, escape: Option<char>) -> Result<Pattern, String> {
        let parts = parts(pattern, escape)?;
        Ok(match &parts[..] {
            [] => Pattern::Exact(Box::default()),
            [Part::Text(text)] => Pattern::Exact(text.clone()),
            [Part::Any] => Pattern::Prefix(Box::default()),
            [Part::Text(text), Part::Any] => Pattern::Prefix(text.clone()),
            [Part::Any, Part::Text(text)] => Pattern::Suffix(text.clone()),
            [Part::Any, Part::Text(text), Part::Any] => {
                Pattern::Contains(Box::new(Finder::new(&text[..]).into_owned()))
            }
            [Part::Text(first), Part::Any, Part::Text(last)] => {
                Pattern::Ends(first.clone(), last.clone())
            }
            _ => Pattern::Parts(parts.into()),
        })
    }

    /// Whether a text has this form.
    #[inline]
    pub(super) fn matches(&self, text: &[u8]) -> bool {
        match self {
            Pattern::Exact(wanted) => *text == **wanted,
            Pattern::Prefix(start) => text.starts_with(start),
            Pattern::Suffix(end) => text.ends_with(end),
            Pattern::Contains(finder) => finder.find(text).is_some(),
            Pattern::Ends(start, end) => {
                text.len() >= start.len() + end.len()
                    && text.starts_with(start)
                    && text.ends_with(end)
            }
            Pattern::Parts(parts) => matches_parts(parts, text),
        }
    }
}

fn parts(pattern: &str, escape: Option<char>) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut text = String::new();
    let flush = |text: &mut String, parts: &mut Vec<Part>| {
        if !text.is_empty() {
            parts.push(Part::Text(std::mem::take(text).into_bytes().into()));
        }
    };
    let mut characters = pattern.chars();
    while let Some(c) = characters.next() {
        if Some(c) == escape {
            match characters.next() {
                Some(escaped) => text.push(escaped),
                None => {
                    return Err(format!(
                        "LIKE pattern '{pattern}' ends with its escape character"
                    ));
                }
            }
            continue;
        }
        match c {
            '%' => {
                flush(&mut text, &mut parts);
                if parts.last() != Some(&Part::Any) {
                    parts.push(Part::Any);
                }
            }
            '_' => {
                flush(&mut text, &mut parts);
                parts.push(Part::One);
            }
            _ => text.push(c),
        }
    }
    flush(&mut text, &mut parts);
    Ok(parts)
}

/// Where a part does not match, the last `%` takes one character more. That is enough: what an
/// earlier one could take, the later one can.
fn matches_parts(parts: &[Part], text: &[u8]) -> bool {
    let (mut part, mut at) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    loop {
        let matched = match parts.get(part) {
            None => at == text.len(),
            Some(Part::Any) => {
                if let Some(Part::Text(next)) = parts.get(part + 1) {
                    match memmem::find(&text[at..], next) {
                        Some(skipped) => at += skipped,
                        None => return false,
                    }
                }
                retry = Some((part, at));
                part += 1;
                continue;
            }
            Some(Part::One) => match text.get(at) {
                Some(byte) => {
                    at += character_len(*byte);
                    true
                }
                None => false,
            },
            Some(Part::Text(wanted)) => {
                let matches = text[at..].starts_with(wanted);
                if matches {
                    at += wanted.len();
                }
                matches
            }
        };
        if matched {
            if part == parts.len() {
                return true;
            }
            part += 1;
            continue;
        }
        match retry {
            Some((any, from)) if from < text.len() => {
                at = from + character_len(text[from]);
                part = any;
            }
            _ => return false,
        }
    }
}

/// The length of the character that begins with a byte.
#[inline]
fn character_len(first: u8) -> usize {
    match first {
        0..=0x7f => 1,
        0x80..=0xdf => 2,
        0xe0..=0xef => 3,
        _ => 4,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What the standard says, character by character.
    fn slow(pattern: &[char], text: &[char]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some(('%', rest)) => (0..=text.len()).any(|skip| slow(rest, &text[skip..])),
            Some(('_', rest)) => !text.is_empty() && slow(rest, &text[1..]),
            Some((c, rest)) => text.first() == Some(c) && slow(rest, &text[1..]),
        }
    }

    #[test]
    fn escapes_take_the_meaning_away() {
        let percent = Pattern::parse(r"100\%", Some('\\')).expect("a pattern");
        assert!(percent.matches(b"100%"));
        assert!(!percent.matches(b"1000"));
        let none = Pattern::parse(r"a\%", None).expect("a pattern");
        assert!(none.matches(br"a\bc"));
        let twice = Pattern::parse("a##_", Some('#')).expect("a pattern");
        assert!(twice.matches(b"a#x"));
        assert!(Pattern::parse("a#", Some('#')).is_err());
    }

    proptest! {
        #[test]
        fn any_pattern_matches_as_the_standard_says(pattern in "[ab%_ä]{0,6}", text in "[abä]{0,7}") {
            let characters: (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
            let wanted = slow(&characters.0, &characters.1);
            let found = Pattern::parse(&pattern, Some('\\')).expect("a pattern").matches(text.as_bytes());
            prop_assert_eq!(found, wanted);
        }
    }
}
