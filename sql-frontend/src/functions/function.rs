//! A function with the signature that was chosen for a call.

use std::fmt;

use ferrisstreams_topology::data::DataType;

use super::argument::{Argument, Failure, Outcome};
use super::random::Random;

/// A function with the types that it takes and gives.
#[derive(Clone)]
pub struct Function {
    /// The name it was called by, in lower case.
    pub name: &'static str,
    /// Whether it may give another value next time.
    pub volatile: bool,
    /// Whether it is called with NULL; otherwise it is NULL where an argument is.
    pub takes_null: bool,
    /// The types of its arguments.
    pub arguments: Vec<DataType>,
    /// The type of its result.
    pub result: DataType,
    /// How it is computed.
    pub implementation: Implementation,
}

/// How a function is computed.
#[derive(Clone, Copy)]
pub enum Implementation {
    /// By calling this for each row.
    Plain(Body),
    /// By calling what this makes of the arguments that are constants, so that a pattern is read once.
    Prepared(Prepare),
    /// By the compiler, since not all arguments are evaluated, and their type does not matter.
    Lazy(Lazy),
}

/// What computes a function for a row.
pub type Body = fn(&mut Call<'_>, &[Argument<'_>]) -> Outcome;

/// What computes a prepared function for a row.
pub type PreparedBody = Box<dyn Fn(&mut Call<'_>, &[Argument<'_>]) -> Outcome + Send + Sync>;

/// Prepares a function for arguments of which the constant ones are given.
pub type Prepare = fn(&Function, &[Option<Argument<'_>>]) -> Result<PreparedBody, Failure>;

/// Functions that do not evaluate all their arguments, or take any type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lazy {
    /// The first argument that is not NULL.
    Coalesce,
    /// The first of two arguments, NULL where it equals the second.
    NullIf,
    /// The greatest argument; NULL does not count.
    Greatest,
    /// The least argument; NULL does not count.
    Least,
    /// The argument itself.
    Same,
}

/// What a call has besides its arguments.
pub struct Call<'c> {
    /// The function, with its types.
    pub function: &'c Function,
    /// Microseconds since 1970-01-01 00:00:00 UTC.
    pub now: i64,
    /// Where text and bytes are appended.
    pub out: &'c mut Vec<u8>,
    /// Where random numbers come from.
    pub random: &'c mut Random,
}

impl Call<'_> {
    /// The scale of an argument that is a decimal.
    pub fn scale(&self, argument: usize) -> u8 {
        match self.function.arguments[argument] {
            DataType::Decimal { scale, .. } => scale,
            other => unreachable!("a decimal is wanted, not {other}"),
        }
    }
}

/// Functions are the same where name and types are.
impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.arguments == other.arguments && self.result == other.result
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arguments: Vec<String> = self.arguments.iter().map(DataType::to_string).collect();
        write!(
            f,
            "{}({}) -> {}",
            self.name,
            arguments.join(", "),
            self.result
        )
    }
}
