//! All functions, and how a call finds the one that it means.

use std::sync::Arc;

use ferrisstreams_topology::data::DataType;

use super::function::Function;
use super::signature::{ArgumentType, Entry};
use super::{FAMILIES, time_arithmetic};

/// A function that was found, and what its arguments must be cast to.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// The function.
    pub function: Arc<Function>,
    /// The types of its arguments.
    pub arguments: Vec<DataType>,
    /// The type of its result.
    pub result: DataType,
}

/// Why no function was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LookupError {
    /// There is none of that name.
    Unknown,
    /// There is one, but it does not take these arguments.
    NoOverload {
        /// What it takes.
        signatures: Vec<String>,
    },
}

/// The function of a name that takes arguments of these types.
///
/// Of several forms the one that its arguments move least for is taken.
///
/// ```
/// use ferrisstreams_sql_frontend::functions::{ArgumentType, lookup};
/// use ferrisstreams_topology::data::DataType;
///
/// let found = lookup("ABS", &[ArgumentType::Known(DataType::Int)]).expect("a function");
/// assert_eq!(found.result, DataType::Int);
/// assert!(lookup("abs", &[ArgumentType::Known(DataType::Date)]).is_err());
/// ```
///
/// # Errors
///
/// Where there is no such function, or it does not take such arguments.
pub fn lookup(name: &str, arguments: &[ArgumentType]) -> Result<Resolved, LookupError> {
    let Some((name, entry)) = find(name) else {
        return Err(LookupError::Unknown);
    };
    resolve(name, entry, arguments).ok_or_else(|| LookupError::NoOverload {
        signatures: entry.forms.iter().map(|form| form.show(name)).collect(),
    })
}

/// The operation that an operator means on dates, times and intervals.
///
/// ```
/// use ferrisstreams_sql_frontend::functions::lookup_operator;
/// use ferrisstreams_topology::data::DataType;
///
/// let found = lookup_operator("-", DataType::Date, DataType::Date).expect("an operation");
/// assert_eq!(found.result, DataType::Int);
/// ```
pub fn lookup_operator(op: &str, left: DataType, right: DataType) -> Option<Resolved> {
    let entries = time_arithmetic::OPERATORS;
    let entry = entries.iter().find(|entry| entry.names[0] == op)?;
    let arguments = [ArgumentType::Known(left), ArgumentType::Known(right)];
    resolve(entry.names[0], entry, &arguments)
}

/// The names of all functions.
pub fn names() -> impl Iterator<Item = &'static str> {
    entries()
        .flat_map(|entry| entry.names.iter().copied())
        .filter(|name| name.starts_with(|first: char| first.is_ascii_alphabetic()))
}

/// The forms of a function, each with what it gives; empty where there is none of that name.
///
/// ```
/// use ferrisstreams_sql_frontend::functions::signatures;
///
/// assert_eq!(signatures("ucase"), ["ucase(VARCHAR) -> VARCHAR: the text in upper case"]);
/// ```
pub fn signatures(name: &str) -> Vec<String> {
    let Some((name, entry)) = find(name) else {
        return Vec::new();
    };
    let show = |form: &super::signature::Form| format!("{}: {}", form.show(name), entry.about);
    entry.forms.iter().map(show).collect()
}

fn entries() -> impl Iterator<Item = &'static Entry> {
    FAMILIES.iter().copied().flatten()
}

fn find(name: &str) -> Option<(&'static str, &'static Entry)> {
    entries().find_map(|entry| {
        let known = entry
            .names
            .iter()
            .find(|known| known.eq_ignore_ascii_case(name))?;
        Some((*known, entry))
    })
}

fn resolve(name: &'static str, entry: &Entry, given: &[ArgumentType]) -> Option<Resolved> {
    let (_, form, arguments) = entry
        .forms
        .iter()
        .filter_map(|form| {
            let (cost, types) = form.matches(given)?;
            Some((cost, form, types))
        })
        .min_by_key(|(cost, ..)| *cost)?;
    let result = form.result(&arguments);
    Some(Resolved {
        function: Arc::new(Function {
            name,
            volatile: form.volatile,
            takes_null: form.takes_null,
            arguments: arguments.clone(),
            result,
            implementation: form.implementation,
        }),
        arguments,
        result,
    })
}
