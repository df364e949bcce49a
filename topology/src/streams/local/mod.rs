//! Sources that are no topics, such as files: read by the tasks of number 0, wherever these run.
//!
//! How far each was read is a record of a compacted topic of the application's own, written in the
//! transaction of the output and the rows, and read again like a changelog by whoever takes the tasks over.
//! With it goes an offset of that topic, so that the group has a say in who commits.

mod source;
mod position;
mod gate;
mod open;
mod reading;
mod rebuild;
mod readings;
#[cfg(test)]
pub(super) mod lines;
#[cfg(test)]
mod tests;

pub(super) use self::gate::{Gate, Loaded};
pub(super) use self::open::open;
pub(super) use self::position::{POSITION, forget_unfinished};
pub(super) use self::reading::Reading;
pub(super) use self::readings::Readings;
pub(super) use self::source::LocalSources;
