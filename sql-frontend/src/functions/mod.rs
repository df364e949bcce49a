//! The catalog of scalar functions: their names, what they take and give, and how they are computed.
//!
//! A family of functions is a file: a table of its entries and the bodies that they name. Bodies work
//! on the values of one row; they know neither expressions nor rows. Aggregates are elsewhere.

mod argument;
mod random;
mod function;
mod text_form;
mod signature;
mod case;
mod length;
mod concat;
mod substring;
mod trim;
mod pad;
mod replace;
mod search;
mod character;
mod mask;
mod regex;
mod base64;
mod encode;
mod url;
mod json;
mod conditional;
mod sign;
mod rounding;
mod power;
mod trigonometry;
mod bits;
mod now;
mod extract;
mod time_arithmetic;
mod epoch;
mod date_add;
mod field_name;
mod date_pattern;
mod format_date;
mod catalog;

use signature::Entry;

pub use argument::{Argument, Failure, Outcome, Returned};
pub(crate) use case::write_lower;
pub use catalog::{LookupError, Resolved, lookup, lookup_operator, names, signatures};
pub(crate) use extract::missing_field;
pub(crate) use field_name::{UnknownField, unknown_field};
pub use function::{Body, Call, Function, Implementation, Lazy, Prepare, PreparedBody};
pub use random::Random;
pub use signature::ArgumentType;
pub(crate) use text_form::write_text;

/// The tables of all families.
const FAMILIES: &[&[Entry]] = &[
    case::FUNCTIONS,
    length::FUNCTIONS,
    concat::FUNCTIONS,
    substring::FUNCTIONS,
    trim::FUNCTIONS,
    pad::FUNCTIONS,
    replace::FUNCTIONS,
    search::FUNCTIONS,
    character::FUNCTIONS,
    mask::FUNCTIONS,
    regex::FUNCTIONS,
    encode::FUNCTIONS,
    url::FUNCTIONS,
    json::FUNCTIONS,
    conditional::FUNCTIONS,
    sign::FUNCTIONS,
    rounding::FUNCTIONS,
    power::FUNCTIONS,
    trigonometry::FUNCTIONS,
    bits::FUNCTIONS,
    now::FUNCTIONS,
    extract::FUNCTIONS,
    epoch::FUNCTIONS,
    date_add::FUNCTIONS,
    format_date::FUNCTIONS,
];
