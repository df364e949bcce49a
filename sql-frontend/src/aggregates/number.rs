//! Sums and averages of whole numbers.

use ferrisstreams_topology::data::DataType;
use ferrisstreams_topology::data::decimal::{Decimal, DecimalType, WideSum, div};

use super::big::Big;
use super::state::AggState;

/// Where a number of several words stands in a state, and how many of its digits are behind the
/// point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Number {
    pub(super) word: usize,
    pub(super) len: usize,
    pub(super) scale: u8,
}

impl Number {
    /// True where values have 128 bits. Of smaller ones 2^63 have a sum of at most 38 digits.
    pub(super) fn is_wide(self) -> bool {
        self.len != 2
    }

    /// True where the sum is one of 64 bits.
    #[inline]
    pub(super) fn is_short(self, state: &AggState) -> bool {
        let words = state.number(self.word, self.len);
        let sign = ((words[0] as i64) >> 63) as u64;
        words[1..].iter().all(|word| *word == sign)
    }

    pub(super) fn big(self, state: &AggState) -> Big {
        Big::from_words(state.number(self.word, self.len), 0)
    }

    /// The sum, if it is one of a type.
    #[inline]
    pub(super) fn sum(self, state: &AggState, data_type: DataType) -> Option<i128> {
        let value = match self.len {
            2 => state.wide(self.word),
            _ => self.wide_sum(state).value()?,
        };
        let fits = match data_type {
            DataType::BigInt => i64::try_from(value).is_ok(),
            _ => value.unsigned_abs() < 10u128.pow(38),
        };
        fits.then_some(value)
    }

    /// The average of `count` values, rounded half away from zero, if it is one of a type.
    #[inline]
    pub(super) fn average(self, state: &AggState, count: i64, to: DecimalType) -> Option<i128> {
        match self.len {
            2 => {
                let sum = Decimal::new(state.wide(self.word), self.scale);
                div(sum, Decimal::new(count.into(), 0), to).ok()
            }
            _ => self.wide_sum(state).average(count, self.scale, to),
        }
    }

    fn wide_sum(self, state: &AggState) -> WideSum {
        let words = state.number(self.word, self.len);
        let sign = words.last().map_or(0, |top| ((*top as i64) >> 63) as u64);
        let mut bytes = [0; WideSum::BYTES];
        for (i, chunk) in bytes.chunks_exact_mut(8).enumerate() {
            chunk.copy_from_slice(&words.get(i).copied().unwrap_or(sign).to_le_bytes());
        }
        WideSum::from_bytes(bytes)
    }

    /// The sum in all its digits.
    pub(super) fn shown(self, state: &AggState) -> String {
        let (big, scale) = (self.big(state), usize::from(self.scale));
        let digits = format!("{big:00$}", scale + 1 + usize::from(big.is_negative()));
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        if scale == 0 {
            whole.to_owned()
        } else {
            format!("{whole}.{fraction}")
        }
    }
}
