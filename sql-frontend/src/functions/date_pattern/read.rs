//! Times read by patterns.

use ferrisstreams_topology::data::MICROS_PER_DAY;
use ferrisstreams_topology::data::datetime::{
    MICROS_PER_SECOND, MONTHS, WEEKDAYS, days_from_civil, read_offset, weekday,
};

use super::item::{Item, Number};
use crate::functions::argument::Failure;
use crate::functions::epoch::date_of;

/// What a text says of a time. What it does not say is as in 1970-01-01 00:00:00.
#[derive(Clone, Debug, Default)]
pub(in crate::functions) struct Moment {
    year: Option<i64>,
    month: Option<i64>,
    day: Option<i64>,
    day_of_year: Option<i64>,
    weekday: Option<i64>,
    hour: Option<i64>,
    half_hour: Option<i64>,
    is_afternoon: Option<bool>,
    minute: Option<i64>,
    second: Option<i64>,
    micros: Option<i64>,
    offset: Option<i64>,
}

/// Reads a text by a pattern.
///
/// # Errors
///
/// Where it has another form, or says what no time is.
pub(in crate::functions) fn read(text: &str, items: &[Item]) -> Result<Moment, Failure> {
    let mut reader = Reader {
        text: text.as_bytes(),
        at: 0,
        moment: Moment::default(),
    };
    let matches = reader.items(items)? && reader.at == text.len();
    if !matches {
        let rest = text.get(reader.at..).unwrap_or_default();
        return Err(format!("'{text}' has not the form of the pattern at '{rest}'").into());
    }
    Ok(reader.moment)
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    moment: Moment,
}

impl Reader<'_> {
    /// Reads what all items say; false where the text is another one.
    fn items(&mut self, items: &[Item]) -> Result<bool, Failure> {
        for item in items {
            if !self.item(item)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn rest(&self) -> &[u8] {
        &self.text[self.at..]
    }

    fn item(&mut self, item: &Item) -> Result<bool, Failure> {
        let found = match item {
            Item::Text(text) => self
                .rest()
                .starts_with(text.as_bytes())
                .then_some(text.len()),
            Item::Number { of, least, most } => return self.number(*of, *least, *most),
            Item::ShortYear => {
                let Some(value) = self.digits(2, 2) else {
                    return Ok(false);
                };
                self.moment.year = Some(2000 + value);
                Some(0)
            }
            Item::Month(name) => match self.name(&MONTHS, name.short) {
                Some((at, length)) => {
                    self.moment.month = Some(at as i64 + 1);
                    Some(length)
                }
                None => None,
            },
            Item::Weekday(name) => match self.name(&WEEKDAYS, name.short) {
                Some((at, length)) => {
                    self.moment.weekday = Some(at as i64);
                    Some(length)
                }
                None => None,
            },
            Item::Half { .. } => self.half(),
            Item::Fraction(digits) => self.fraction(*digits),
            Item::Offset(_) | Item::Zone => self.offset(),
            Item::Optional(items) => {
                let (at, moment) = (self.at, self.moment.clone());
                if !self.items(items)? {
                    (self.at, self.moment) = (at, moment);
                }
                Some(0)
            }
        };
        self.at += found.unwrap_or(0);
        Ok(found.is_some())
    }

    /// Takes a number of so many digits.
    fn digits(&mut self, least: u8, most: u8) -> Option<i64> {
        let rest = &self.text[self.at..];
        let count = rest
            .iter()
            .take(usize::from(most))
            .take_while(|byte| byte.is_ascii_digit());
        let count = count.count();
        if count < usize::from(least).max(1) {
            return None;
        }
        self.at += count;
        Some(
            rest[..count]
                .iter()
                .fold(0, |value, byte| value * 10 + i64::from(byte - b'0')),
        )
    }

    fn number(&mut self, of: Number, least: u8, most: u8) -> Result<bool, Failure> {
        let Some(value) = self.digits(least, most) else {
            return Ok(false);
        };
        let moment = &mut self.moment;
        match of {
            Number::Year => moment.year = Some(value),
            Number::Month => moment.month = Some(value),
            Number::Day => moment.day = Some(value),
            Number::DayOfYear => moment.day_of_year = Some(value),
            Number::Hour => moment.hour = Some(value),
            Number::HourFrom1 => moment.hour = Some(within("hour", value, 1, 24)? % 24),
            Number::HalfHour => moment.half_hour = Some(within("hour", value, 1, 12)? % 12),
            Number::HalfHourFrom0 => moment.half_hour = Some(within("hour", value, 0, 11)?),
            Number::Minute => moment.minute = Some(value),
            Number::Second => moment.second = Some(value),
            Number::Milli => moment.micros = Some(value * 1000),
            Number::Micro => moment.micros = Some(value),
            Number::Quarter
            | Number::Week
            | Number::WeekYear
            | Number::IsoWeekday
            | Number::Weekday => {
                return Err(format!("a time is not read by its {of:?}").into());
            }
        }
        Ok(true)
    }

    /// The name that the text goes on with, and how long it is.
    fn name(&self, names: &[&str], short: bool) -> Option<(usize, usize)> {
        names.iter().enumerate().find_map(|(at, name)| {
            let name = if short { &name[..3] } else { name };
            let found = self.rest().get(..name.len())?;
            found
                .eq_ignore_ascii_case(name.as_bytes())
                .then_some((at, name.len()))
        })
    }

    fn half(&mut self) -> Option<usize> {
        let found = self.rest().get(..2)?.to_ascii_uppercase();
        self.moment.is_afternoon = Some(match &found[..] {
            b"AM" => false,
            b"PM" => true,
            _ => return None,
        });
        Some(2)
    }

    fn fraction(&mut self, digits: u8) -> Option<usize> {
        let value = self.digits(digits, digits)?;
        // Digits behind the sixth are cut, as Java's times would be.
        self.moment.micros = Some(match digits {
            0..=6 => value * 10i64.pow(6 - u32::from(digits)),
            more => value / 10i64.pow(u32::from(more) - 6),
        });
        Some(0)
    }

    fn offset(&mut self) -> Option<usize> {
        let named = ["UTC", "GMT", "Z"].iter().find(|name| {
            let found = self.rest().get(..name.len());
            found.is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes()))
        });
        let (offset, length) = match named {
            Some(name) => (0, name.len()),
            None => read_offset(self.rest())?,
        };
        self.moment.offset = Some(offset);
        Some(length)
    }
}

fn within(what: &str, value: i64, least: i64, most: i64) -> Result<i64, Failure> {
    if value < least || value > most {
        return Err(format!("there is no {what} {value}").into());
    }
    Ok(value)
}

impl Moment {
    /// The date, as days since 1970-01-01.
    pub(in crate::functions) fn date(&self) -> Result<i64, Failure> {
        let year = within("year", self.year.unwrap_or(1970), 1, 9999)?;
        let date = match self.day_of_year {
            Some(day) if self.month.is_none() && self.day.is_none() => {
                let first = i64::from(days_from_civil(year as i32, 1, 1));
                let next = i64::from(days_from_civil(year as i32 + 1, 1, 1));
                first + within("day of the year", day, 1, next - first)? - 1
            }
            _ => date_of(year, self.month.unwrap_or(1), self.day.unwrap_or(1))?,
        };
        match self.weekday {
            Some(wanted) if i64::from(weekday(date as i32)) != wanted => {
                Err("the day of the week is not that of the date".into())
            }
            _ => Ok(date),
        }
    }

    /// The time of day, in microseconds.
    pub(in crate::functions) fn time(&self) -> Result<i64, Failure> {
        let hour = match (self.hour, self.half_hour) {
            (Some(hour), _) => hour,
            (None, Some(hour)) => hour + 12 * i64::from(self.is_afternoon.unwrap_or(false)),
            (None, None) => 0,
        };
        let hour = within("hour", hour, 0, 23)?;
        let minute = within("minute", self.minute.unwrap_or(0), 0, 59)?;
        let second = within("second", self.second.unwrap_or(0), 0, 59)?;
        let seconds = (hour * 60 + minute) * 60 + second;
        Ok(seconds * MICROS_PER_SECOND + self.micros.unwrap_or(0))
    }

    /// The timestamp in UTC, of a time in a zone so many microseconds ahead unless it says its own.
    pub(in crate::functions) fn timestamp(&self, ahead: i64) -> Result<i64, Failure> {
        let local = self.date()? * MICROS_PER_DAY + self.time()?;
        Ok(local - self.offset.unwrap_or(ahead))
    }
}
