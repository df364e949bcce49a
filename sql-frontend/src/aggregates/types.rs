//! The types that aggregates take, and those of what they give.

use ferrisstreams_topology::data::DataType;
use ferrisstreams_topology::data::decimal::{average_type, sum_type};

use crate::plan::AggregateFunction;

/// The type that an aggregate wants its argument in, and the type of its result, for an argument of
/// a type; none where it does not take such.
///
/// ```
/// use ferrisstreams_sql_frontend::aggregates::result_type;
/// use ferrisstreams_sql_frontend::plan::AggregateFunction;
/// use ferrisstreams_topology::data::DataType;
///
/// let sum = result_type(AggregateFunction::Sum, DataType::SmallInt);
/// assert_eq!(sum, Some((DataType::SmallInt, DataType::BigInt)));
/// assert_eq!(result_type(AggregateFunction::Sum, DataType::TEXT), None);
/// ```
pub fn result_type(
    function: AggregateFunction,
    argument: DataType,
) -> Option<(DataType, DataType)> {
    let result = match function {
        AggregateFunction::CountRows | AggregateFunction::Count => DataType::BigInt,
        AggregateFunction::Sum => sum_type(argument)?,
        AggregateFunction::Avg if argument == DataType::Interval => DataType::Interval,
        AggregateFunction::Avg => average_type(argument)?,
        AggregateFunction::Min | AggregateFunction::Max => argument,
        AggregateFunction::Every | AggregateFunction::Some => {
            (argument == DataType::Boolean).then_some(DataType::Boolean)?
        }
        AggregateFunction::BitAnd | AggregateFunction::BitOr | AggregateFunction::BitXor => {
            argument.is_integer().then_some(argument)?
        }
        AggregateFunction::StddevPop
        | AggregateFunction::StddevSamp
        | AggregateFunction::VarPop
        | AggregateFunction::VarSamp => argument.is_numeric().then_some(DataType::Double)?,
    };
    Some((argument, result))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_by_function_and_argument() {
        let decimal = |precision, scale| DataType::Decimal { precision, scale };
        let cases = [
            (
                AggregateFunction::Count,
                DataType::Bytes,
                Some(DataType::BigInt),
            ),
            (
                AggregateFunction::Sum,
                DataType::Int,
                Some(DataType::BigInt),
            ),
            (
                AggregateFunction::Sum,
                DataType::BigInt,
                Some(decimal(38, 0)),
            ),
            (AggregateFunction::Sum, decimal(10, 2), Some(decimal(38, 2))),
            (AggregateFunction::Sum, DataType::Real, Some(DataType::Real)),
            (
                AggregateFunction::Sum,
                DataType::Interval,
                Some(DataType::Interval),
            ),
            (AggregateFunction::Sum, DataType::Boolean, None),
            (
                AggregateFunction::Avg,
                DataType::TinyInt,
                Some(decimal(38, 6)),
            ),
            (AggregateFunction::Avg, decimal(12, 9), Some(decimal(38, 9))),
            (
                AggregateFunction::Avg,
                DataType::Real,
                Some(DataType::Double),
            ),
            (
                AggregateFunction::Avg,
                DataType::Interval,
                Some(DataType::Interval),
            ),
            (AggregateFunction::Avg, DataType::Date, None),
            (AggregateFunction::Min, DataType::TEXT, Some(DataType::TEXT)),
            (
                AggregateFunction::Max,
                DataType::Boolean,
                Some(DataType::Boolean),
            ),
            (
                AggregateFunction::Every,
                DataType::Boolean,
                Some(DataType::Boolean),
            ),
            (AggregateFunction::Some, DataType::Int, None),
            (
                AggregateFunction::BitXor,
                DataType::SmallInt,
                Some(DataType::SmallInt),
            ),
            (AggregateFunction::BitAnd, decimal(5, 0), None),
            (
                AggregateFunction::VarPop,
                decimal(5, 0),
                Some(DataType::Double),
            ),
            (AggregateFunction::StddevSamp, DataType::Interval, None),
        ];
        for (function, argument, wanted) in cases {
            let result = result_type(function, argument);
            assert_eq!(
                result,
                wanted.map(|result| (argument, result)),
                "{function:?}({argument})"
            );
        }
    }
}
