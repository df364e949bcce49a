//! What a cast is, for all that does one.

use std::fmt::Display;

use ferrisstreams_topology::data::DataType;

use crate::compiler::eval::Eval;

/// A cast.
#[derive(Clone, Copy, Debug)]
pub(in crate::compiler) struct Cast {
    /// The type of the value.
    pub(in crate::compiler) from: DataType,
    /// The type that is wanted.
    pub(in crate::compiler) to: DataType,
    /// Whether a value that does not fit is NULL without being a failure.
    pub(in crate::compiler) forgiving: bool,
}

impl Cast {
    /// Gives NULL for a value that does not fit.
    #[cold]
    pub(super) fn failed<T>(self, value: impl Display, why: &str, eval: &mut Eval) -> Option<T> {
        if !self.forgiving {
            eval.fail(|| format!("{} {value} cast to {}: {why}", self.from, self.to));
        }
        None
    }
}
