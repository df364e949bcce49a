//! `x LIKE pattern`.

mod pattern;
mod matching;

pub(super) use matching::{Like, like};
