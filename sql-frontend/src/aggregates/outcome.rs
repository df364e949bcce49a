//! Outcomes: what an aggregate says of what its steps have gathered.

use ferrisstreams_topology::data::decimal::DecimalType;
use ferrisstreams_topology::data::{DataType, RowWriter};

use super::big::Scaled;
use super::extreme::Extreme;
use super::float::FloatPlace;
use super::interval::interval_over;
use super::number::Number;
use super::spread::Spread;
use super::state::AggState;
use crate::plan::AggregateFunction;

/// What an aggregate says, and in which type.
#[derive(Debug, Clone)]
pub(super) struct Outcome {
    pub(super) function: AggregateFunction,
    pub(super) data_type: DataType,
    /// The word that counts values; without any the result is NULL.
    pub(super) count: usize,
    pub(super) kind: OutcomeKind,
}

/// How it is found, from the places where steps keep what they gather.
#[derive(Debug, Clone)]
pub(super) enum OutcomeKind {
    /// The count.
    Count,
    /// A sum of whole numbers.
    Sum(Number),
    /// An average of whole numbers.
    Average(Number),
    /// A sum of floating-point numbers.
    FloatSum(FloatPlace),
    /// An average of floating-point numbers.
    FloatAverage(FloatPlace),
    /// A sum of intervals.
    IntervalSum { word: usize },
    /// An average of intervals.
    IntervalAverage { word: usize },
    /// A variance, or its root.
    Spread(Spread),
    /// Whether all are true, of a count of those that are.
    Every { trues: usize },
    /// Whether some is true.
    Some { trues: usize },
    /// The bits that all values have, from counts.
    CountedBitAnd { word: usize, width: u8 },
    /// The bits that some value has, from counts.
    CountedBitOr { word: usize, width: u8 },
    /// The bits that all values have, from those that some value has not.
    BitAnd { word: usize },
    /// The bits of a word.
    Bits { word: usize },
    /// The least or the greatest value.
    Extreme(Box<Extreme>),
}

/// A sum that may come to be more than its type holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Watched {
    pub(super) sum: Number,
    /// True where nothing is wrong as long as it is one of 64 bits.
    pub(super) holds_short: bool,
}

impl Outcome {
    /// Whether there may be a result that the type does not hold, which is found when it is made.
    pub(super) fn can_fail(&self) -> bool {
        match &self.kind {
            // What these are is seen at once: see `overflow`.
            OutcomeKind::Sum(_) | OutcomeKind::Average(_) => false,
            OutcomeKind::FloatSum(_)
            | OutcomeKind::FloatAverage(_)
            | OutcomeKind::IntervalSum { .. }
            | OutcomeKind::IntervalAverage { .. }
            | OutcomeKind::Spread(_) => true,
            OutcomeKind::Count
            | OutcomeKind::Every { .. }
            | OutcomeKind::Some { .. }
            | OutcomeKind::CountedBitAnd { .. }
            | OutcomeKind::CountedBitOr { .. }
            | OutcomeKind::BitAnd { .. }
            | OutcomeKind::Bits { .. }
            | OutcomeKind::Extreme(_) => false,
        }
    }

    /// The sum to be looked at, where one of less than 2^63 rows may be more than the type holds. As long
    /// as it is one of 64 bits, it is not: such a sum is less than 10^19, and stays below 10^38 with 19 more
    /// digits.
    pub(super) fn watched(&self) -> Option<Watched> {
        let (sum, can_overflow) = match &self.kind {
            OutcomeKind::Sum(sum) => (sum, self.data_type == DataType::BigInt || sum.is_wide()),
            OutcomeKind::Average(sum) => (sum, sum.is_wide()),
            _ => return None,
        };
        let more = DecimalType::holding(self.data_type).map_or(0, |to| to.scale);
        can_overflow.then_some(Watched {
            sum: *sum,
            holds_short: more <= sum.scale + 19,
        })
    }

    /// What is wrong where a sum or an average is more than its type holds.
    #[cold]
    pub(super) fn overflow(&self, state: &AggState) -> Option<String> {
        if !matches!(self.kind, OutcomeKind::Sum(_) | OutcomeKind::Average(_)) {
            return None;
        }
        self.exact(state, state.count(self.count))?.err()
    }

    /// A sum or an average of whole numbers, if this is one of some; or why it has none.
    #[inline]
    fn exact(&self, state: &AggState, count: i64) -> Option<Result<i128, String>> {
        if count <= 0 {
            return None;
        }
        match &self.kind {
            OutcomeKind::Sum(sum) => {
                let value = sum.sum(state, self.data_type);
                Some(value.ok_or_else(|| self.does_not_hold(&sum.shown(state))))
            }
            OutcomeKind::Average(sum) => {
                let value = sum.average(state, count, self.decimal());
                let shown = || self.does_not_hold(&format!("{} / {count}", sum.shown(state)));
                Some(value.ok_or_else(shown))
            }
            _ => None,
        }
    }

    /// Writes the result. The answer is a reason where there is none that the type holds.
    #[inline]
    pub(super) fn write(
        &self,
        state: &AggState,
        writer: &mut RowWriter<'_>,
        column: usize,
    ) -> Result<(), String> {
        let count = state.count(self.count);
        match &self.kind {
            OutcomeKind::Count => writer.set_integer(column, count),
            OutcomeKind::Extreme(extreme) => extreme.write(state, writer, column),
            _ if count <= 0 => {}
            OutcomeKind::Sum(_) | OutcomeKind::Average(_) => {
                if let Some(value) = self.exact(state, count) {
                    writer.set_wide(column, value?);
                }
            }
            OutcomeKind::FloatSum(sum) => {
                let value = self.float(sum.special(state), sum.sum_over(state, 1))?;
                writer.set_float(column, value);
            }
            OutcomeKind::FloatAverage(sum) => {
                let average = sum.sum_over(state, count.unsigned_abs());
                let value = self.float(sum.special(state), average)?;
                writer.set_float(column, value);
            }
            OutcomeKind::Spread(spread) => {
                if let Some(measure) = spread.measure(state) {
                    let special = spread.is_nan(state).then_some(f64::NAN);
                    writer.set_float(column, self.float(special, measure)?);
                }
            }
            OutcomeKind::IntervalSum { word } => {
                let value = interval_over(state, *word, 1);
                writer.set_interval(column, value.ok_or_else(|| self.out_of_range())?);
            }
            OutcomeKind::IntervalAverage { word } => {
                let value = interval_over(state, *word, count);
                writer.set_interval(column, value.ok_or_else(|| self.out_of_range())?);
            }
            OutcomeKind::Every { trues } => writer.set_bool(column, state.count(*trues) == count),
            OutcomeKind::Some { trues } => writer.set_bool(column, state.count(*trues) > 0),
            OutcomeKind::CountedBitAnd { word, width } => {
                let bits = gathered(*width, |bit| state.count(word + bit) == count);
                writer.set_integer(column, bits);
            }
            OutcomeKind::CountedBitOr { word, width } => {
                let bits = gathered(*width, |bit| state.count(word + bit) > 0);
                writer.set_integer(column, bits);
            }
            OutcomeKind::BitAnd { word } => writer.set_integer(column, !state.word(*word) as i64),
            OutcomeKind::Bits { word } => writer.set_integer(column, state.word(*word) as i64),
        }
        Ok(())
    }

    fn decimal(&self) -> DecimalType {
        DecimalType::holding(self.data_type).expect("an average of whole numbers is a decimal")
    }

    /// A number in the range of the type, or what it is instead.
    fn float(&self, special: Option<f64>, value: Scaled) -> Result<f64, String> {
        if let Some(special) = special {
            return Ok(special);
        }
        let fits = |value: &f64| self.data_type != DataType::Real || (*value as f32).is_finite();
        let value = value.to_f64().filter(fits);
        value.ok_or_else(|| self.out_of_range())
    }

    fn does_not_hold(&self, value: &str) -> String {
        let name = self.function.name();
        format!(
            "{name} gives {value}, which {} does not hold",
            self.data_type
        )
    }

    fn out_of_range(&self) -> String {
        format!(
            "{} is out of range of {}",
            self.function.name(),
            self.data_type
        )
    }
}

/// The bits for which `has` holds, as a signed number of `width` bits.
fn gathered(width: u8, has: impl Fn(usize) -> bool) -> i64 {
    let width = usize::from(width);
    let bits = (0..width).fold(0u64, |bits, bit| bits | u64::from(has(bit)) << bit);
    let unused = 64 - width;
    (bits << unused) as i64 >> unused
}
