//! Values on their way to a function.

use crate::functions::Argument;

/// A value whose text may stand in the memory of the evaluation.
#[derive(Clone, Copy)]
pub(super) enum Held<'a> {
    Value(Argument<'a>),
    Scratch(usize, usize),
}

impl<'a> Held<'a> {
    /// The value.
    #[inline]
    pub(super) fn argument(self, scratch: &'a [u8]) -> Argument<'a> {
        match self {
            Held::Value(value) => value,
            Held::Scratch(start, end) => Argument::Bytes(&scratch[start..end]),
        }
    }

    #[inline]
    pub(super) fn is_null(self) -> bool {
        matches!(self, Held::Value(Argument::Null))
    }
}
