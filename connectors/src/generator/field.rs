//! What a column of a generated row holds.

use ferrisstreams_topology::connector::ConnectorError;
use ferrisstreams_topology::data::{DataType, Field, RowWriter, Value, datetime};

use super::random::{random, within};
use crate::options::{OptionReader, invalid};

/// How the values of a column are made.
pub(super) struct Generated {
    column: u64,
    /// How many of a thousand values are NULL.
    nulls: u64,
    how: How,
}

enum How {
    /// One of some values.
    Words(Vec<Value>),
    /// A count, which begins again after so many rows, where it would leave the type.
    Sequence {
        start: i128,
        step: i128,
        count: i128,
        kind: Kind,
    },
    /// Any number of a range.
    Range { least: i128, most: i128, kind: Kind },
}

/// What a whole number stands for.
#[derive(Clone)]
enum Kind {
    Integer,
    Decimal,
    /// Thousandths.
    Float,
    Boolean,
    /// Text: a prefix and the number.
    Text(String),
}

impl Generated {
    /// Takes the options of a column: `NAME.words`, `NAME.start` and `NAME.step`, `NAME.min` and
    /// `NAME.max`, `NAME.nulls`.
    ///
    /// # Errors
    ///
    /// Where one is wrong, or two say different things.
    pub(super) fn take(
        options: &mut OptionReader,
        field: &Field,
        column: usize,
    ) -> Result<Generated, ConnectorError> {
        let option = |name: &str| format!("{}.{name}", field.name);
        let nulls = options
            .take_integer(&option("nulls"), 0..=100)?
            .unwrap_or(0);
        if nulls > 0 && !field.nullable {
            let message = format!("column {} is declared NOT NULL", field.name);
            return Err(invalid(&option("nulls"), message));
        }
        let mut settings = Settings {
            field,
            words: options.take_text(&option("words")),
            start: options.take_text(&option("start")),
            step: options.take_text(&option("step")),
            min: options.take_text(&option("min")),
            max: options.take_text(&option("max")),
        };
        Ok(Generated {
            column: column as u64,
            nulls: nulls as u64 * 10,
            how: settings.how()?,
        })
    }

    /// Writes the value of a row as column `index`.
    pub(super) fn write(&self, seed: u64, row: u64, writer: &mut RowWriter<'_>, index: usize) {
        let number = random(seed, self.column, row);
        // Another number than that of the value, so that NULL comes to all values alike.
        if self.nulls > 0 && random(!seed, self.column, row) % 1000 < self.nulls {
            return;
        }
        match &self.how {
            How::Words(words) => {
                let at = within(number, 0, words.len() as i128 - 1);
                words[at as usize].write(writer, index);
            }
            How::Sequence {
                start,
                step,
                count,
                kind,
            } => kind.write(start + step * (i128::from(row) % count), writer, index),
            How::Range { least, most, kind } => {
                kind.write(within(number, *least, *most), writer, index)
            }
        }
    }
}

impl Kind {
    fn write(&self, number: i128, writer: &mut RowWriter<'_>, index: usize) {
        match self {
            Kind::Integer => writer.set_integer(index, number as i64),
            Kind::Decimal => writer.set_wide(index, number),
            Kind::Float => writer.set_float(index, number as f64 / 1000.0),
            Kind::Boolean => writer.set_bool(index, number % 2 != 0),
            Kind::Text(prefix) => writer.set_text(index, &format!("{prefix}-{number}")),
        }
    }
}

/// The options of a column.
struct Settings<'a> {
    field: &'a Field,
    words: Option<String>,
    start: Option<String>,
    step: Option<String>,
    min: Option<String>,
    max: Option<String>,
}

impl Settings<'_> {
    fn wrong(&self, option: &str, message: impl Into<String>) -> ConnectorError {
        invalid(&format!("{}.{option}", self.field.name), message)
    }

    fn how(&mut self) -> Result<How, ConnectorError> {
        let is_sequence = self.start.is_some() || self.step.is_some();
        let is_range = self.min.is_some() || self.max.is_some();
        let ways = [self.words.is_some(), is_sequence, is_range];
        if ways.iter().filter(|way| **way).count() > 1 {
            let name = &self.field.name;
            let message =
                format!("column {name} has words, or start and step, or min and max: one of these");
            return Err(self.wrong(if is_sequence { "start" } else { "min" }, message));
        }
        if let Some(words) = self.words.take() {
            return self.of_words(&words);
        }
        let (kind, least, most) = self.kind()?;
        let (lowest, highest) = range(self.field.data_type);
        if is_sequence {
            let start = self.number("start", self.start.as_deref())?.unwrap_or(0);
            let step = self.step()?;
            let way = if step < 0 {
                start - lowest
            } else {
                highest - start
            };
            let count = way.checked_div(step.abs()).map_or(1, |steps| steps + 1);
            return Ok(How::Sequence {
                start,
                step,
                count,
                kind,
            });
        }
        let least = self.number("min", self.min.as_deref())?.unwrap_or(least);
        let most = self
            .number("max", self.max.as_deref())?
            .unwrap_or(most.clamp(least, highest.max(least)));
        if most < least {
            return Err(self.wrong(
                "max",
                format!(
                    "the greatest value of {} is less than its least",
                    self.field.name
                ),
            ));
        }
        Ok(How::Range { least, most, kind })
    }

    fn of_words(&self, words: &str) -> Result<How, ConnectorError> {
        let data_type = self.field.data_type;
        let word = |word: &str| {
            Value::parse(word.trim(), data_type).map_err(|e| {
                self.wrong("words", format!("`{}` is no {data_type}: {e}", word.trim()))
            })
        };
        words
            .split(',')
            .map(word)
            .collect::<Result<_, _>>()
            .map(How::Words)
    }

    /// What numbers stand for, and the range of those that are made where no option says it.
    fn kind(&self) -> Result<(Kind, i128, i128), ConnectorError> {
        let day = i128::from(datetime::MICROS_PER_DAY);
        // The days of 2024.
        let (first, last) = (19_723, 20_088);
        Ok(match self.field.data_type {
            DataType::TinyInt => (Kind::Integer, 0, 99),
            DataType::SmallInt | DataType::Int | DataType::BigInt => (Kind::Integer, 0, 999),
            DataType::Decimal { precision, scale } => {
                let digits = (scale + 3).min(precision);
                (Kind::Decimal, 0, 10i128.pow(u32::from(digits)) - 1)
            }
            DataType::Real | DataType::Double => (Kind::Float, 0, 999_999),
            DataType::Boolean => (Kind::Boolean, 0, 1),
            DataType::Varchar { length: None } => (Kind::Text(self.field.name.clone()), 0, 999),
            DataType::Date => (Kind::Integer, first, last),
            DataType::Time => (Kind::Integer, 0, day - 1),
            DataType::Timestamp | DataType::TimestampTz => {
                (Kind::Integer, first * day, last * day + day - 1)
            }
            DataType::Varchar { length: Some(_) } | DataType::Bytes | DataType::Interval => {
                let message = format!(
                    "values of column {} are not made up: name some",
                    self.field.name
                );
                return Err(self
                    .wrong("words", message)
                    .help(format!("{}.words = 'one, another'", self.field.name)));
            }
        })
    }

    /// A value of the column's type as the number that stands for it.
    fn number(&self, option: &str, text: Option<&str>) -> Result<Option<i128>, ConnectorError> {
        let Some(text) = text else { return Ok(None) };
        let as_type = match self.field.data_type {
            DataType::Varchar { .. } => DataType::BigInt,
            DataType::Real | DataType::Double => DataType::Decimal {
                precision: 38,
                scale: 3,
            },
            other => other,
        };
        let value = Value::parse(text.trim(), as_type)
            .map_err(|e| self.wrong(option, format!("`{text}` is no {as_type}: {e}")))?;
        match value {
            Value::Integer(value)
            | Value::Time(value)
            | Value::Timestamp(value)
            | Value::TimestampTz(value) => Ok(Some(value.into())),
            Value::Date(value) => Ok(Some(value.into())),
            Value::Decimal { unscaled, .. } => Ok(Some(unscaled)),
            _ => {
                let message = format!(
                    "values of type {} have no order to be made in",
                    self.field.data_type
                );
                Err(self.wrong(option, message))
            }
        }
    }

    /// How far a sequence goes from row to row: a number, or a span of time.
    fn step(&self) -> Result<i128, ConnectorError> {
        let Some(text) = &self.step else {
            return Ok(match self.field.data_type {
                DataType::Time | DataType::Timestamp | DataType::TimestampTz => 1_000_000,
                DataType::Decimal { scale, .. } => 10i128.pow(u32::from(scale)),
                DataType::Real | DataType::Double => 1000,
                _ => 1,
            });
        };
        match self.field.data_type {
            DataType::Date | DataType::Time | DataType::Timestamp | DataType::TimestampTz => {
                let span = datetime::parse_interval(text.trim().as_bytes());
                let span = span.ok().filter(|span| span.months == 0);
                let Some(span) = span else {
                    return Err(self.wrong("step", format!("`{text}` is no span of days or less")));
                };
                let days = i128::from(span.days);
                Ok(if self.field.data_type == DataType::Date {
                    days
                } else {
                    days * i128::from(datetime::MICROS_PER_DAY) + i128::from(span.micros)
                })
            }
            _ => Ok(self.number("step", Some(text))?.unwrap_or(1)),
        }
    }
}

/// The numbers that stand for values of a type.
fn range(data_type: DataType) -> (i128, i128) {
    let day = i128::from(datetime::MICROS_PER_DAY);
    let (first, last) = (
        i128::from(datetime::MIN_DATE),
        i128::from(datetime::MAX_DATE),
    );
    let bits = |bits: u32| (-(1i128 << (bits - 1)), (1i128 << (bits - 1)) - 1);
    match data_type {
        DataType::Decimal { precision, .. } => {
            let most = 10i128.pow(u32::from(precision)) - 1;
            (-most, most)
        }
        DataType::Date => (first, last),
        DataType::Time => (0, day - 1),
        DataType::Timestamp | DataType::TimestampTz => (first * day, last * day + day - 1),
        DataType::TinyInt => bits(8),
        DataType::SmallInt => bits(16),
        DataType::Int => bits(32),
        _ => bits(64),
    }
}
