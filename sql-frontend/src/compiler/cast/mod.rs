//! Casts: values turned into values of other types.

mod kind;
mod number;
mod time;
mod from_text;
mod to_text;

pub(super) use kind::Cast;

use ferrisstreams_topology::data::DataType;

use super::code::Code;

/// The value of `input` in another type.
pub(super) fn apply(cast: Cast, input: Code) -> Code {
    let (from, to) = (cast.from, cast.to);
    match (from, to) {
        _ if from == to => input,
        (_, DataType::Varchar { length }) => to_text::cast(cast, input, length),
        (DataType::Varchar { .. }, _) => from_text::cast(cast, input.text()),
        (DataType::Boolean, _) => number::from_boolean(input),
        (_, DataType::Boolean) => number::to_boolean(input),
        _ if from.is_numeric() && to.is_numeric() => number::cast(cast, input),
        _ => time::cast(cast, input),
    }
}
