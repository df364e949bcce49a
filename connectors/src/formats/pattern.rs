//! Text of dates and times in a pattern of the user's, in the letters of Java's `DateTimeFormatter`.

use ferrisstreams_topology::data::ParseError;
use ferrisstreams_topology::data::datetime::{
    MICROS_PER_DAY, MICROS_PER_SECOND, MONTHS, days_from_civil, days_in_month, read_offset,
};

/// A pattern such as `yyyy-MM-dd HH:mm:ss.SSS`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimePattern {
    text: String,
    items: Vec<Item>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Item {
    /// A number with its least and greatest count of digits.
    Number(Part, usize, usize),
    /// A year of two digits, from 2000 on.
    ShortYear,
    /// The name of a month: whole, or its first three letters.
    MonthName { whole: bool },
    /// Digits of a fraction of a second.
    Fraction(usize),
    /// AM or PM.
    Half,
    /// An offset from UTC, or Z.
    Offset,
    /// The character itself.
    Literal(char),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Year,
    Month,
    Day,
    Hour,
    HalfHour,
    Minute,
    Second,
}

impl TimePattern {
    /// Reads a pattern.
    ///
    /// # Errors
    ///
    /// What is wrong with it, where a letter is not known or a quote not closed.
    pub fn parse(text: &str) -> Result<TimePattern, String> {
        let mut items = Vec::new();
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            if c == '\'' {
                quoted(&mut chars, &mut items)?;
            } else if c.is_ascii_alphabetic() {
                let mut count = 1;
                while chars.next_if_eq(&c).is_some() {
                    count += 1;
                }
                items.push(item(c, count)?);
            } else if matches!(c, '[' | ']' | '{' | '}' | '#') {
                return Err(format!("`{c}` is not supported in a pattern of times"));
            } else {
                items.push(Item::Literal(c));
            }
        }
        if !items
            .iter()
            .any(|item| matches!(item, Item::Number(Part::Year, ..) | Item::ShortYear))
        {
            return Err("a pattern of times needs a year, `yyyy`".to_owned());
        }
        Ok(TimePattern {
            text: text.to_owned(),
            items,
        })
    }

    /// The pattern as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The instant that a text of this pattern stands for, in microseconds since the epoch; in UTC
    /// where it has no offset.
    ///
    /// # Errors
    ///
    /// Where the text has another form, or there is no such time.
    pub fn read(&self, text: &str) -> Result<i64, ParseError> {
        let mut time = Time::default();
        let mut rest = text;
        for item in &self.items {
            time.take(*item, &mut rest)?;
        }
        if !rest.is_empty() {
            return Err(ParseError::Malformed);
        }
        time.micros()
    }
}

/// Text in quotes; two quotes are one.
fn quoted(
    chars: &mut std::iter::Peekable<std::str::Chars<'_>>,
    items: &mut Vec<Item>,
) -> Result<(), String> {
    if chars.next_if_eq(&'\'').is_some() {
        items.push(Item::Literal('\''));
        return Ok(());
    }
    loop {
        match chars.next() {
            None => return Err("a quote in the pattern of times is not closed".to_owned()),
            Some('\'') if chars.next_if_eq(&'\'').is_none() => return Ok(()),
            Some(c) => items.push(Item::Literal(c)),
        }
    }
}

fn item(letter: char, count: usize) -> Result<Item, String> {
    let number = |part| {
        let most = if count == 1 { 2 } else { count };
        Ok(Item::Number(part, count, most))
    };
    match (letter, count) {
        ('y' | 'u', 2) => Ok(Item::ShortYear),
        ('y' | 'u', 1) => Ok(Item::Number(Part::Year, 1, 4)),
        ('y' | 'u', 4) => number(Part::Year),
        ('M' | 'L', 1 | 2) => number(Part::Month),
        ('M' | 'L', 3) => Ok(Item::MonthName { whole: false }),
        ('M' | 'L', 4) => Ok(Item::MonthName { whole: true }),
        ('d', 1 | 2) => number(Part::Day),
        ('H', 1 | 2) => number(Part::Hour),
        ('h', 1 | 2) => number(Part::HalfHour),
        ('m', 1 | 2) => number(Part::Minute),
        ('s', 1 | 2) => number(Part::Second),
        ('S', 1..=9) => Ok(Item::Fraction(count)),
        ('a', 1) => Ok(Item::Half),
        ('X' | 'x', 1..=3) | ('Z', 1..=3) => Ok(Item::Offset),
        _ => {
            let letters = letter.to_string().repeat(count);
            Err(format!(
                "`{letters}` is not supported in a pattern of times"
            ))
        }
    }
}

/// A time as far as it was read.
#[derive(Default)]
struct Time {
    year: i32,
    month: Option<u32>,
    day: Option<u32>,
    hour: u32,
    half_hour: Option<u32>,
    is_afternoon: bool,
    minute: u32,
    second: u32,
    micros: i64,
    /// How many microseconds it is ahead of UTC.
    ahead: i64,
}

impl Time {
    fn take(&mut self, item: Item, rest: &mut &str) -> Result<(), ParseError> {
        match item {
            Item::Literal(c) => *rest = rest.strip_prefix(c).ok_or(ParseError::Malformed)?,
            Item::Number(part, least, most) => {
                let value = digits(rest, least, most)?;
                self.set(part, value);
            }
            Item::ShortYear => self.year = 2000 + digits(rest, 2, 2)? as i32,
            Item::MonthName { whole } => self.month = Some(month(rest, whole)?),
            Item::Fraction(count) => {
                let value = i64::from(digits(rest, count, count)?);
                let shift = 6 - count as i32;
                self.micros = if shift >= 0 {
                    value * 10i64.pow(shift.unsigned_abs())
                } else {
                    value / 10i64.pow(shift.unsigned_abs())
                };
            }
            Item::Half => {
                let (half, tail) = rest.split_at_checked(2).ok_or(ParseError::Malformed)?;
                self.is_afternoon = half.eq_ignore_ascii_case("pm");
                if !self.is_afternoon && !half.eq_ignore_ascii_case("am") {
                    return Err(ParseError::Malformed);
                }
                *rest = tail;
            }
            Item::Offset => self.ahead = offset(rest)?,
        }
        Ok(())
    }

    fn set(&mut self, part: Part, value: u32) {
        match part {
            Part::Year => self.year = value as i32,
            Part::Month => self.month = Some(value),
            Part::Day => self.day = Some(value),
            Part::Hour => self.hour = value,
            Part::HalfHour => self.half_hour = Some(value),
            Part::Minute => self.minute = value,
            Part::Second => self.second = value,
        }
    }

    fn micros(&self) -> Result<i64, ParseError> {
        let (month, day) = (self.month.unwrap_or(1), self.day.unwrap_or(1));
        let hour = match self.half_hour {
            Some(hour) if (1..=12).contains(&hour) => {
                hour % 12 + if self.is_afternoon { 12 } else { 0 }
            }
            Some(_) => return Err(ParseError::OutOfRange),
            None => self.hour,
        };
        let is_date = self.year >= 1
            && (1..=12).contains(&month)
            && day >= 1
            && day <= days_in_month(self.year, month);
        if !is_date || hour > 23 || self.minute > 59 || self.second > 59 {
            return Err(ParseError::OutOfRange);
        }
        let midnight = i64::from(days_from_civil(self.year, month, day)) * MICROS_PER_DAY;
        let seconds = i64::from((hour * 60 + self.minute) * 60 + self.second);
        Ok(midnight + seconds * MICROS_PER_SECOND + self.micros - self.ahead)
    }
}

fn digits(rest: &mut &str, least: usize, most: usize) -> Result<u32, ParseError> {
    let count = rest
        .bytes()
        .take(most)
        .take_while(u8::is_ascii_digit)
        .count();
    if count < least {
        return Err(ParseError::Malformed);
    }
    let (number, tail) = rest.split_at(count);
    *rest = tail;
    number.parse().map_err(|_| ParseError::OutOfRange)
}

fn month(rest: &mut &str, whole: bool) -> Result<u32, ParseError> {
    for (at, name) in MONTHS.iter().enumerate() {
        let name = if whole { name } else { &name[..3] };
        if let Some((start, tail)) = rest.split_at_checked(name.len())
            && start.eq_ignore_ascii_case(name)
        {
            *rest = tail;
            return Ok(at as u32 + 1);
        }
    }
    Err(ParseError::Malformed)
}

/// An offset in microseconds: `Z`, `+01`, `+0130`, `+01:30`.
fn offset(rest: &mut &str) -> Result<i64, ParseError> {
    if let Some(tail) = rest.strip_prefix('Z') {
        *rest = tail;
        return Ok(0);
    }
    let (offset, length) = read_offset(rest.as_bytes()).ok_or(ParseError::Malformed)?;
    *rest = &rest[length..];
    Ok(offset)
}

#[cfg(test)]
mod tests {
    use ferrisstreams_topology::data::datetime::write_timestamp;

    use super::*;

    fn read(pattern: &str, text: &str) -> Result<String, ParseError> {
        let micros = TimePattern::parse(pattern).expect(pattern).read(text)?;
        let mut out = Vec::new();
        write_timestamp(&mut out, micros);
        Ok(String::from_utf8(out).expect("ASCII"))
    }

    #[test]
    fn times_in_patterns() {
        for (pattern, text, time) in [
            (
                "yyyy-MM-dd HH:mm:ss",
                "2024-02-29 12:30:05",
                "2024-02-29 12:30:05",
            ),
            (
                "yyyy-MM-dd'T'HH:mm:ss.SSSX",
                "2024-02-29T12:30:05.250Z",
                "2024-02-29 12:30:05.25",
            ),
            (
                "yyyy-MM-dd'T'HH:mm:ssXXX",
                "2024-02-29T12:30:05+01:30",
                "2024-02-29 11:00:05",
            ),
            ("yyyyMMddHHmmss", "20240229123005", "2024-02-29 12:30:05"),
            ("d/M/yy h:mm a", "1/2/24 12:05 am", "2024-02-01 00:05:00"),
            ("d/M/yy h:mm a", "31/12/24 1:05 PM", "2024-12-31 13:05:00"),
            ("dd MMM yyyy", "05 Mar 2021", "2021-03-05 00:00:00"),
            ("MMMM d, yyyy", "March 5, 2021", "2021-03-05 00:00:00"),
            (
                "yyyy-MM-dd HH:mm:ss.SSSSSSSSS Z",
                "2024-01-01 00:00:00.123456789 -0500",
                "2024-01-01 05:00:00.123456",
            ),
            ("yyyy''MM", "2024'02", "2024-02-01 00:00:00"),
        ] {
            assert_eq!(read(pattern, text).as_deref(), Ok(time), "{pattern} {text}");
        }
    }

    #[test]
    fn other_text_is_refused() {
        for (pattern, text, error) in [
            ("yyyy-MM-dd", "2024-2-29", ParseError::Malformed),
            ("yyyy-MM-dd", "2024-02-29 ", ParseError::Malformed),
            ("yyyy-MM-dd", "2023-02-29", ParseError::OutOfRange),
            ("yyyy-MM-dd HH", "2024-01-01 24", ParseError::OutOfRange),
            ("yyyy h", "2024 13", ParseError::OutOfRange),
            ("yyyy-MM-dd X", "2024-01-01 ", ParseError::Malformed),
            ("yyyy X", "2024 +1", ParseError::Malformed),
            ("yyyy X", "2024 +19:00", ParseError::Malformed),
            ("yyyy X", "2024 +01:ä", ParseError::Malformed),
            ("yyyy a", "2024 ä", ParseError::Malformed),
            ("MMM yyyy", "Mai 2024", ParseError::Malformed),
        ] {
            assert_eq!(read(pattern, text), Err(error), "{pattern} {text}");
        }
    }

    #[test]
    fn patterns_that_are_none() {
        for (pattern, error) in [
            ("", "a pattern of times needs a year, `yyyy`"),
            ("HH:mm", "a pattern of times needs a year, `yyyy`"),
            ("yyyy-DDD", "`DDD` is not supported in a pattern of times"),
            ("yyyy'T", "a quote in the pattern of times is not closed"),
            ("yyyy[-MM]", "`[` is not supported in a pattern of times"),
            ("yyyy VV", "`VV` is not supported in a pattern of times"),
        ] {
            assert_eq!(
                TimePattern::parse(pattern),
                Err(error.to_owned()),
                "{pattern}"
            );
        }
    }
}
