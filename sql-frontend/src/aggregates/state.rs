//! What is kept of a group.

use smallvec::{SmallVec, smallvec};

use super::exact_sum::ExactSum;

/// What the aggregates of a plan have gathered of the rows of one group.
///
/// It is words of 64 bits, the number of rows first, whose meaning stands in the plan; and beside
/// them what has no fixed width. A state of few aggregates is copied without allocation.
#[derive(Debug, Clone, PartialEq)]
pub struct AggState {
    words: SmallVec<[u64; 6]>,
    extras: Box<[Extra]>,
}

/// A part of a state that has no fixed width.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Extra {
    /// An exact sum of floating-point numbers.
    Sum(ExactSum),
    /// A value of variable width, if there is one.
    Bytes(Option<Box<[u8]>>),
}

impl Extra {
    fn is_nothing(&self) -> bool {
        match self {
            Extra::Sum(sum) => sum.is_zero(),
            Extra::Bytes(bytes) => bytes.is_none(),
        }
    }
}

impl AggState {
    /// The state of no row.
    pub(super) fn of_nothing(words: usize, extras: &[Extra]) -> Self {
        AggState::new(smallvec![0; words], extras.to_vec())
    }

    pub(super) fn new(words: SmallVec<[u64; 6]>, extras: Vec<Extra>) -> Self {
        AggState {
            words,
            extras: extras.into(),
        }
    }

    /// True where the group has rows. While a row was taken back that is still to be added, it may
    /// have none, or fewer, and yet be kept.
    #[inline]
    pub fn has_rows(&self) -> bool {
        self.rows() > 0
    }

    /// The number of rows, which may be negative for a while.
    #[inline]
    pub(super) fn rows(&self) -> i64 {
        self.words[0] as i64
    }

    /// True where nothing is known of the group that the state of no row does not say.
    #[inline]
    pub(super) fn is_nothing(&self) -> bool {
        self.words.iter().all(|word| *word == 0) && self.extras.iter().all(Extra::is_nothing)
    }

    pub(super) fn words(&self) -> &[u64] {
        &self.words
    }

    pub(super) fn extras(&self) -> &[Extra] {
        &self.extras
    }

    #[inline]
    pub(super) fn word(&self, at: usize) -> u64 {
        self.words[at]
    }

    #[inline]
    pub(super) fn set_word(&mut self, at: usize, word: u64) {
        self.words[at] = word;
    }

    /// A word that counts.
    #[inline]
    pub(super) fn count(&self, at: usize) -> i64 {
        self.words[at] as i64
    }

    #[inline]
    pub(super) fn add_count(&mut self, at: usize, weight: i64) {
        self.words[at] = self.words[at].wrapping_add(weight as u64);
    }

    /// Two words as one number.
    #[inline]
    pub(super) fn wide(&self, at: usize) -> i128 {
        (u128::from(self.words[at + 1]) << 64 | u128::from(self.words[at])) as i128
    }

    #[inline]
    pub(super) fn set_wide(&mut self, at: usize, value: i128) {
        self.words[at] = value as u64;
        self.words[at + 1] = (value >> 64) as u64;
    }

    /// The words of a number of `len` words.
    pub(super) fn number(&self, at: usize, len: usize) -> &[u64] {
        &self.words[at..at + len]
    }

    /// Adds to a number of `len` words one of at most as many, both in two's complement.
    #[inline]
    pub(super) fn add_number(&mut self, at: usize, len: usize, value: &[u64]) {
        let sign = value.last().map_or(0, |top| ((*top as i64) >> 63) as u64);
        let mut carry = false;
        for (i, word) in self.words[at..at + len].iter_mut().enumerate() {
            let (sum, over) = word.overflowing_add(value.get(i).copied().unwrap_or(sign));
            let (sum, again) = sum.overflowing_add(u64::from(carry));
            *word = sum;
            carry = over || again;
        }
    }

    pub(super) fn sum(&self, extra: usize) -> &ExactSum {
        match &self.extras[extra] {
            Extra::Sum(sum) => sum,
            other => unreachable!("a sum was looked for where {other:?} is"),
        }
    }

    pub(super) fn sum_mut(&mut self, extra: usize) -> &mut ExactSum {
        match &mut self.extras[extra] {
            Extra::Sum(sum) => sum,
            other => unreachable!("a sum was looked for where {other:?} is"),
        }
    }

    pub(super) fn bytes(&self, extra: usize) -> Option<&[u8]> {
        match &self.extras[extra] {
            Extra::Bytes(bytes) => bytes.as_deref(),
            other => unreachable!("a value was looked for where {other:?} is"),
        }
    }

    pub(super) fn set_bytes(&mut self, extra: usize, bytes: Option<&[u8]>) {
        self.extras[extra] = Extra::Bytes(bytes.map(Into::into));
    }

    /// About how many bytes it takes beside its own.
    pub(super) fn heap_bytes(&self) -> usize {
        let words = if self.words.spilled() { self.words.capacity() * 8 } else { 0 };
        let extras = self.extras.iter().map(|extra| match extra {
            Extra::Bytes(Some(bytes)) => size_of::<Extra>() + bytes.len() + 16,
            _ => size_of::<Extra>(),
        });
        words + extras.sum::<usize>()
    }
}
