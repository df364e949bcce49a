//! Outcomes: what an aggregate says of what its steps have gathered.

use ferrisstreams_topology::data::decimal::{Decimal, DecimalType, WideSum, div};
use ferrisstreams_topology::data::{DataType, Interval, MICROS_PER_DAY, RowWriter};

use super::big::{Big, Scaled};
use super::exact_sum::ExactSum;
use super::extreme::Extreme;
use super::state::AggState;
use crate::plan::AggregateFunction;

/// What an aggregate says, and in which type.
#[derive(Debug, Clone)]
pub(super) struct Outcome {
    pub(super) function: AggregateFunction,
    pub(super) data_type: DataType,
    pub(super) kind: OutcomeKind,
}

/// How it is found, from the places where steps keep what they gather.
#[derive(Debug, Clone)]
pub(super) enum OutcomeKind {
    /// A count.
    Count { word: usize },
    /// A sum of whole numbers.
    Sum { sum: Number, count: usize },
    /// An average of whole numbers, which have so many digits behind the point.
    Average { sum: Number, count: usize, scale: u8 },
    /// A sum of floating-point numbers.
    FloatSum { sum: FloatPlace, count: usize },
    /// An average of floating-point numbers.
    FloatAverage { sum: FloatPlace, count: usize },
    /// A sum of intervals.
    IntervalSum { word: usize, count: usize },
    /// An average of intervals.
    IntervalAverage { word: usize, count: usize },
    /// A variance, or its root, of whole numbers with so many digits behind the point.
    Variance { sum: Number, squares: Number, scale: u8, spread: Spread },
    /// A variance, or its root, of floating-point numbers.
    FloatVariance { sum: FloatPlace, squares: usize, spread: Spread },
    /// Whether all are true.
    Every { trues: usize, count: usize },
    /// Whether some is true.
    Some { trues: usize, count: usize },
    /// The bits that all values have, from counts.
    CountedBitAnd { word: usize, width: u8, count: usize },
    /// The bits that some value has, from counts.
    CountedBitOr { word: usize, width: u8, count: usize },
    /// The bits that all values have, from those that some value has not.
    BitAnd { word: usize, count: usize },
    /// The bits of a word.
    Bits { word: usize, count: usize },
    /// The least or the greatest value.
    Extreme(Box<Extreme>),
}

/// Where a number of several words stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Number {
    pub(super) word: usize,
    pub(super) len: usize,
}

/// Where a sum of floating-point numbers stands: three counts, and an extra.
#[derive(Debug, Clone, Copy)]
pub(super) struct FloatPlace {
    pub(super) word: usize,
    pub(super) extra: usize,
}

/// Which measure of spread.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spread {
    pub(super) count: usize,
    /// Whether the values are a sample, so that one less is divided by.
    pub(super) sample: bool,
    /// Whether the root is wanted.
    pub(super) root: bool,
}

/// What there is of a result: a value; nothing, which is NULL; or a reason why there is none.
type Found<T> = Result<Option<T>, String>;

impl Outcome {
    /// Writes the result. The answer is a reason where there is none that the type holds.
    #[inline]
    pub(super) fn write(
        &self,
        state: &AggState,
        writer: &mut RowWriter<'_>,
        column: usize,
    ) -> Result<(), String> {
        match &self.kind {
            OutcomeKind::Count { word } => writer.set_integer(column, state.count(*word)),
            OutcomeKind::Sum { sum, count } => {
                if let Some(sum) = self.sum(state, *sum, *count)? {
                    writer.set_wide(column, sum);
                }
            }
            OutcomeKind::Average { sum, count, scale } => {
                if let Some(average) = self.average(state, *sum, *count, *scale)? {
                    writer.set_wide(column, average);
                }
            }
            OutcomeKind::Extreme(extreme) => extreme.write(state, writer, column),
            OutcomeKind::Every { trues, count } => {
                if let Some(count) = counted(state, *count) {
                    writer.set_bool(column, state.count(*trues) == count);
                }
            }
            OutcomeKind::Some { trues, count } => {
                if counted(state, *count).is_some() {
                    writer.set_bool(column, state.count(*trues) > 0);
                }
            }
            OutcomeKind::IntervalSum { word, count } => {
                if let Some(interval) = self.interval(state, *word, *count, false)? {
                    writer.set_interval(column, interval);
                }
            }
            OutcomeKind::IntervalAverage { word, count } => {
                if let Some(interval) = self.interval(state, *word, *count, true)? {
                    writer.set_interval(column, interval);
                }
            }
            OutcomeKind::FloatSum { .. }
            | OutcomeKind::FloatAverage { .. }
            | OutcomeKind::Variance { .. }
            | OutcomeKind::FloatVariance { .. } => {
                if let Some(value) = self.float(state)? {
                    writer.set_float(column, value);
                }
            }
            OutcomeKind::CountedBitAnd { .. }
            | OutcomeKind::CountedBitOr { .. }
            | OutcomeKind::BitAnd { .. }
            | OutcomeKind::Bits { .. } => {
                if let Some(bits) = self.bits(state) {
                    writer.set_integer(column, bits);
                }
            }
        }
        Ok(())
    }

    fn sum(&self, state: &AggState, sum: Number, count: usize) -> Found<i128> {
        if counted(state, count).is_none() {
            return Ok(None);
        }
        let value = match sum.len {
            2 => Some(state.wide(sum.word)),
            _ => wide_sum(state, sum).value(),
        };
        let fits = |value: &i128| match self.data_type {
            DataType::BigInt => i64::try_from(*value).is_ok(),
            _ => value.unsigned_abs() < 10u128.pow(38),
        };
        match value.filter(fits) {
            Some(value) => Ok(Some(value)),
            None => Err(self.failure(&self.shown_sum(state, sum))),
        }
    }

    fn average(&self, state: &AggState, sum: Number, count: usize, scale: u8) -> Found<i128> {
        let Some(count) = counted(state, count) else {
            return Ok(None);
        };
        let DataType::Decimal { precision, scale: to } = self.data_type else {
            unreachable!("an average of whole numbers is a decimal");
        };
        let to = DecimalType::new(precision, to);
        let average = match sum.len {
            // What has 64 bits in all of its values has too few digits to fail.
            2 => div(Decimal::new(state.wide(sum.word), scale), Decimal::new(count.into(), 0), to).ok(),
            _ => wide_sum(state, sum).average(count, scale, to),
        };
        match average {
            Some(average) => Ok(Some(average)),
            None => Err(self.failure(&format!("{} / {count}", self.shown_sum(state, sum)))),
        }
    }

    /// A sum in the digits of its type.
    fn shown_sum(&self, state: &AggState, sum: Number) -> String {
        let big = Big::from_words(state.number(sum.word, sum.len), 0);
        match self.kind {
            OutcomeKind::Average { scale, .. } => with_point(&big, scale),
            _ => match self.data_type {
                DataType::Decimal { scale, .. } => with_point(&big, scale),
                _ => big.to_string(),
            },
        }
    }

    fn failure(&self, value: &str) -> String {
        format!("{} gives {value}, which {} does not hold", self.function.name(), self.data_type)
    }

    fn float(&self, state: &AggState) -> Found<f64> {
        let (scaled, special) = match &self.kind {
            OutcomeKind::FloatSum { sum, count } | OutcomeKind::FloatAverage { sum, count } => {
                let Some(count) = counted(state, *count) else {
                    return Ok(None);
                };
                let total = state.sum(sum.extra).to_big().to_scaled();
                let total = total.shifted(ExactSum::EXPONENT);
                let divides = matches!(self.kind, OutcomeKind::FloatAverage { .. });
                let divisor = if divides { count.unsigned_abs() } else { 1 };
                let scaled = total.over(Big::from_u128(divisor.into()).to_scaled());
                (scaled, special(state, sum.word))
            }
            OutcomeKind::Variance { sum, squares, scale, spread } => {
                let total = Big::from_words(state.number(sum.word, sum.len), 0);
                let squares = Big::from_words(state.number(squares.word, squares.len), 0);
                let unit = Big::power_of_ten(2 * u32::from(*scale));
                let Some(variance) = variance(state, *spread, &total, &squares, &unit) else {
                    return Ok(None);
                };
                (spread.measure(variance), None)
            }
            OutcomeKind::FloatVariance { sum, squares, spread } => {
                let total = state.sum(sum.extra).to_big();
                let squares = state.sum(*squares).to_big();
                let unit = Big::from_u128(1);
                let Some(variance) = variance(state, *spread, &total, &squares, &unit) else {
                    return Ok(None);
                };
                let variance = variance.shifted(ExactSum::SQUARES_EXPONENT);
                (spread.measure(variance), special(state, sum.word).map(|_| f64::NAN))
            }
            other => unreachable!("{other:?} is no floating-point number"),
        };
        if let Some(special) = special {
            return Ok(Some(special));
        }
        let value = scaled.to_f64();
        let fits = |value: &f64| self.data_type != DataType::Real || (*value as f32).is_finite();
        match value.filter(fits) {
            Some(value) => Ok(Some(value)),
            None => Err(format!("{} is out of range of {}", self.function.name(), self.data_type)),
        }
    }

    fn bits(&self, state: &AggState) -> Option<i64> {
        match self.kind {
            OutcomeKind::CountedBitAnd { word, width, count } => {
                let count = counted(state, count)?;
                Some(gathered(width, |bit| state.count(word + bit) == count))
            }
            OutcomeKind::CountedBitOr { word, width, count } => {
                counted(state, count)?;
                Some(gathered(width, |bit| state.count(word + bit) > 0))
            }
            OutcomeKind::BitAnd { word, count } => {
                counted(state, count).map(|_| !state.word(word) as i64)
            }
            OutcomeKind::Bits { word, count } => counted(state, count).map(|_| state.word(word) as i64),
            ref other => unreachable!("{other:?} is no bits"),
        }
    }

    fn interval(&self, state: &AggState, word: usize, count: usize, average: bool) -> Found<Interval> {
        let Some(count) = counted(state, count) else {
            return Ok(None);
        };
        let (months, days) = (i128::from(state.count(word)), i128::from(state.count(word + 1)));
        let divisor = if average { i128::from(count) } else { 1 };
        // What is left of a month goes to days of which it has 30, what is left of a day to its time.
        let days = months % divisor * 30 + days;
        let day = i128::from(MICROS_PER_DAY);
        let micros = rounded_quotient(days % divisor * day + state.wide(word + 2), divisor);
        let interval = i32::try_from(months / divisor)
            .ok()
            .zip(i32::try_from(days / divisor).ok())
            .zip(i64::try_from(micros).ok())
            .map(|((months, days), micros)| Interval { months, days, micros });
        match interval {
            Some(interval) => Ok(Some(interval)),
            None => Err(format!("{} is out of range of INTERVAL", self.function.name())),
        }
    }
}

impl Spread {
    fn measure(self, variance: Scaled) -> Scaled {
        if self.root { variance.root() } else { variance }
    }
}

/// A count of values, where there are some.
#[inline]
fn counted(state: &AggState, word: usize) -> Option<i64> {
    Some(state.count(word)).filter(|count| *count > 0)
}

fn wide_sum(state: &AggState, sum: Number) -> WideSum {
    let words = state.number(sum.word, sum.len);
    let sign = words.last().map_or(0, |top| ((*top as i64) >> 63) as u64);
    let mut bytes = [0; WideSum::BYTES];
    for (i, chunk) in bytes.chunks_exact_mut(8).enumerate() {
        chunk.copy_from_slice(&words.get(i).copied().unwrap_or(sign).to_le_bytes());
    }
    WideSum::from_bytes(bytes)
}

fn with_point(big: &Big, scale: u8) -> String {
    let scale = usize::from(scale);
    let digits = format!("{big:00$}", scale + 1 + usize::from(big.is_negative()));
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    if scale == 0 { whole.to_owned() } else { format!("{whole}.{fraction}") }
}

/// What a sum of floating-point numbers is that are not all finite.
fn special(state: &AggState, word: usize) -> Option<f64> {
    let (nan, above, below) = (state.count(word), state.count(word + 1), state.count(word + 2));
    match (nan > 0, above > 0, below > 0) {
        (false, false, false) => None,
        (false, true, false) => Some(f64::INFINITY),
        (false, false, true) => Some(f64::NEG_INFINITY),
        _ => Some(f64::NAN),
    }
}

/// (n · Σx² - (Σx)²) / (n · n), or n · (n - 1) for a sample, in units of 1 / `unit`. The numerator is
/// exact, so that nothing is lost where the values are large and lie close together.
fn variance(
    state: &AggState,
    spread: Spread,
    total: &Big,
    squares: &Big,
    unit: &Big,
) -> Option<Scaled> {
    let count = u128::from(counted(state, spread.count)?.unsigned_abs());
    let divisor = if spread.sample { count - 1 } else { count };
    if divisor == 0 {
        return None;
    }
    let numerator = squares.times(&Big::from_u128(count)).minus(&total.times(total));
    // Only while a value is missing that was taken back before it was added.
    if numerator.is_negative() {
        return None;
    }
    let denominator = Big::from_u128(count * divisor).times(unit);
    Some(numerator.to_scaled().over(denominator.to_scaled()))
}

/// The bits for which `has` holds, as a signed number of `width` bits.
fn gathered(width: u8, has: impl Fn(usize) -> bool) -> i64 {
    let width = usize::from(width);
    let bits = (0..width).fold(0u64, |bits, bit| bits | u64::from(has(bit)) << bit);
    let unused = 64 - width;
    (bits << unused) as i64 >> unused
}

/// The quotient, rounded half away from zero.
fn rounded_quotient(value: i128, divisor: i128) -> i128 {
    let (quotient, rest) = (value / divisor, value % divisor);
    if rest.abs() >= divisor - rest.abs() && rest != 0 {
        quotient + value.signum()
    } else {
        quotient
    }
}
