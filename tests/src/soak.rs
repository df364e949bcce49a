//! Tests that repeat themselves: a few times in `make test`, a hundred in `make soak`.

use std::env;

/// How often a test repeats itself: `quick` times, or `long` times under `make soak`, which sets `FERRIS_SOAK`.
///
/// `make soak` runs the tests that have `soak` in their names.
#[must_use]
pub fn rounds(quick: usize, long: usize) -> usize {
    choose(env::var_os("FERRIS_SOAK").is_some(), quick, long)
}

fn choose(soak: bool, quick: usize, long: usize) -> usize {
    if soak { long } else { quick }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn soaking_is_asked_for() {
        assert_eq!((choose(false, 10, 100), choose(true, 10, 100)), (10, 100));
    }
}
