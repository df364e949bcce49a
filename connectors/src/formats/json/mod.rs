//! JSON objects: the members that columns want, found without reading the others.

mod value;
mod members;
mod prefix;
mod scanner;

pub(super) use members::members;
pub(super) use scanner::JsonReader;
