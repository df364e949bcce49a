//! Bound aggregates: what is gathered of the rows of a group.

use ferrisstreams_topology::data::DataType;

use super::Scalar;
use crate::span::NodeSpan;

/// An aggregate over the rows of a group.
#[derive(Clone, Debug, PartialEq)]
pub struct Aggregate {
    /// Which aggregate.
    pub function: AggregateFunction,
    /// What it gathers, cast as the function wants it; none for `COUNT(*)`.
    pub argument: Option<Scalar>,
    /// Whether equal values count once.
    pub distinct: bool,
    /// Which rows it gathers; none for all.
    pub filter: Option<Scalar>,
    /// The type of its result.
    pub data_type: DataType,
    /// Where it stands in the statement, which does not count in comparisons.
    pub span: NodeSpan,
}

/// The aggregates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AggregateFunction {
    /// `COUNT(*)`: rows.
    CountRows,
    /// `COUNT(x)`: values that are not NULL.
    Count,
    /// `SUM(x)`: exact for integers and decimals.
    Sum,
    /// `AVG(x)`: exact for integers and decimals, rounded half up at its scale.
    Avg,
    /// `MIN(x)`.
    Min,
    /// `MAX(x)`.
    Max,
    /// `EVERY(x)`, `BOOL_AND(x)`.
    Every,
    /// `SOME(x)`, `BOOL_OR(x)`.
    Some,
    /// `BIT_AND(x)`.
    BitAnd,
    /// `BIT_OR(x)`.
    BitOr,
    /// `BIT_XOR(x)`.
    BitXor,
    /// `STDDEV_POP(x)`: standard deviation of a population.
    StddevPop,
    /// `STDDEV_SAMP(x)`, `STDDEV(x)`: standard deviation of a sample.
    StddevSamp,
    /// `VAR_POP(x)`: variance of a population.
    VarPop,
    /// `VAR_SAMP(x)`, `VARIANCE(x)`: variance of a sample.
    VarSamp,
}

impl AggregateFunction {
    /// The name, as SQL has it.
    pub const fn name(self) -> &'static str {
        match self {
            AggregateFunction::CountRows | AggregateFunction::Count => "COUNT",
            AggregateFunction::Sum => "SUM",
            AggregateFunction::Avg => "AVG",
            AggregateFunction::Min => "MIN",
            AggregateFunction::Max => "MAX",
            AggregateFunction::Every => "EVERY",
            AggregateFunction::Some => "SOME",
            AggregateFunction::BitAnd => "BIT_AND",
            AggregateFunction::BitOr => "BIT_OR",
            AggregateFunction::BitXor => "BIT_XOR",
            AggregateFunction::StddevPop => "STDDEV_POP",
            AggregateFunction::StddevSamp => "STDDEV_SAMP",
            AggregateFunction::VarPop => "VAR_POP",
            AggregateFunction::VarSamp => "VAR_SAMP",
        }
    }
}
