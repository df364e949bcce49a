//! What is kept of a group.

use super::exact_sum::ExactSum;

/// What the aggregates of a plan have gathered of the rows of one group.
///
/// It is words of 64 bits, the number of rows first, whose meaning stands in the plan; and beside
/// them what has no fixed width. A state of few aggregates is copied without allocation.
#[derive(Debug, Clone, PartialEq)]
pub struct AggState {
    words: Words,
    extras: Option<Box<Extras>>,
}

/// How many words lie within a state: enough for rows, values and two sums.
const FEW: usize = 6;

#[derive(Debug, Clone, PartialEq)]
enum Words {
    /// Those that there are not are zero.
    Few([u64; FEW]),
    Many(Box<[u64]>),
}

impl Words {
    #[inline]
    fn all(&self) -> &[u64] {
        match self {
            Words::Few(words) => words,
            Words::Many(words) => words,
        }
    }

    #[inline]
    fn all_mut(&mut self) -> &mut [u64] {
        match self {
            Words::Few(words) => words,
            Words::Many(words) => words,
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
struct Extras(Vec<Extra>);

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
    /// The state with these words.
    pub(super) fn new(words: &[u64], extras: Vec<Extra>) -> Self {
        let words = if words.len() <= FEW {
            let mut few = [0; FEW];
            few[..words.len()].copy_from_slice(words);
            Words::Few(few)
        } else {
            Words::Many(words.into())
        };
        let extras = (!extras.is_empty()).then(|| Box::new(Extras(extras)));
        AggState { words, extras }
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
        self.word(0) as i64
    }

    /// True where nothing is known of the group that the state of no row does not say.
    #[inline]
    pub(super) fn is_nothing(&self) -> bool {
        self.words.all().iter().all(|word| *word == 0)
            && self.extras().iter().all(Extra::is_nothing)
    }

    /// The words, perhaps with zeros behind them.
    pub(super) fn words(&self) -> &[u64] {
        self.words.all()
    }

    pub(super) fn extras(&self) -> &[Extra] {
        self.extras.as_ref().map_or(&[], |extras| &extras.0)
    }

    fn extra(&self, at: usize) -> &Extra {
        &self.extras()[at]
    }

    fn extra_mut(&mut self, at: usize) -> &mut Extra {
        let extras = self
            .extras
            .as_mut()
            .expect("a plan that uses extras has them in its states");
        &mut extras.0[at]
    }

    #[inline]
    pub(super) fn word(&self, at: usize) -> u64 {
        self.words.all()[at]
    }

    #[inline]
    pub(super) fn set_word(&mut self, at: usize, word: u64) {
        self.words.all_mut()[at] = word;
    }

    /// A word that counts.
    #[inline]
    pub(super) fn count(&self, at: usize) -> i64 {
        self.word(at) as i64
    }

    #[inline]
    pub(super) fn add_count(&mut self, at: usize, weight: i64) {
        let word = &mut self.words.all_mut()[at];
        *word = word.wrapping_add(weight as u64);
    }

    /// Two words as one number.
    #[inline]
    pub(super) fn wide(&self, at: usize) -> i128 {
        let words = self.number(at, 2);
        (u128::from(words[1]) << 64 | u128::from(words[0])) as i128
    }

    #[inline]
    pub(super) fn set_wide(&mut self, at: usize, value: i128) {
        let words = &mut self.words.all_mut()[at..at + 2];
        words[0] = value as u64;
        words[1] = (value >> 64) as u64;
    }

    /// The words of a number of `len` words.
    #[inline]
    pub(super) fn number(&self, at: usize, len: usize) -> &[u64] {
        &self.words.all()[at..at + len]
    }

    /// Adds to a number of `len` words one of at most as many, both in two's complement.
    #[inline]
    pub(super) fn add_number(&mut self, at: usize, len: usize, value: &[u64]) {
        let sign = value.last().map_or(0, |top| ((*top as i64) >> 63) as u64);
        let mut carry = false;
        for (i, word) in self.words.all_mut()[at..at + len].iter_mut().enumerate() {
            let (sum, over) = word.overflowing_add(value.get(i).copied().unwrap_or(sign));
            let (sum, again) = sum.overflowing_add(u64::from(carry));
            *word = sum;
            carry = over || again;
        }
    }

    pub(super) fn sum(&self, extra: usize) -> &ExactSum {
        match self.extra(extra) {
            Extra::Sum(sum) => sum,
            other => unreachable!("a sum was looked for where {other:?} is"),
        }
    }

    pub(super) fn sum_mut(&mut self, extra: usize) -> &mut ExactSum {
        match self.extra_mut(extra) {
            Extra::Sum(sum) => sum,
            other => unreachable!("a sum was looked for where {other:?} is"),
        }
    }

    pub(super) fn bytes(&self, extra: usize) -> Option<&[u8]> {
        match self.extra(extra) {
            Extra::Bytes(bytes) => bytes.as_deref(),
            other => unreachable!("a value was looked for where {other:?} is"),
        }
    }

    pub(super) fn set_bytes(&mut self, extra: usize, bytes: Option<&[u8]>) {
        *self.extra_mut(extra) = Extra::Bytes(bytes.map(Into::into));
    }

    /// About how many bytes it takes beside its own.
    pub(super) fn heap_bytes(&self) -> usize {
        let words = match &self.words {
            Words::Few(_) => 0,
            Words::Many(words) => words.len() * 8 + 16,
        };
        let extras = self.extras().iter().map(|extra| match extra {
            Extra::Bytes(Some(bytes)) => size_of::<Extra>() + bytes.len() + 16,
            _ => size_of::<Extra>(),
        });
        words + extras.sum::<usize>()
    }
}
