//! JSON objects: the members that columns want, found without reading the others.

mod value;
mod members;
mod prefix;
mod stretch;
mod shape;
mod habit;
mod scanner;

pub(super) use members::members;
pub(super) use scanner::JsonReader;
#[cfg(test)]
mod random_tests;
