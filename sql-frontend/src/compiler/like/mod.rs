//! `x LIKE pattern`.

mod pattern;
mod like;

pub(super) use like::{Like, like};
