//! Asking again for what passes with time, where nothing tells when it has.

use std::thread;
use std::time::{Duration, Instant};

/// Between two tries.
const PAUSE: Duration = Duration::from_millis(50);

/// Asks until the answer is not one that `passes` with time, or for so long. Who asks is told what is left of it.
pub(super) fn until_settled<T>(
    patience: Duration,
    passes: impl Fn(&T) -> bool,
    mut ask: impl FnMut(Duration) -> T,
) -> T {
    let deadline = Instant::now() + patience;
    loop {
        let answer = ask(deadline.saturating_duration_since(Instant::now()));
        if !passes(&answer) || Instant::now() >= deadline {
            return answer;
        }
        thread::sleep(PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes of answers that are given one after the other, and how many were asked for.
    fn told(answers: &[u8], patience: Duration) -> (u8, usize) {
        let mut asked = 0;
        let answer = until_settled(
            patience,
            |answer| *answer < 10,
            |left| {
                assert!(left <= patience);
                asked += 1;
                answers[(asked - 1).min(answers.len() - 1)]
            },
        );
        (answer, asked)
    }

    #[test]
    fn what_passes_is_asked_again_and_the_rest_is_an_answer() {
        const LONG: Duration = Duration::from_secs(60);
        assert_eq!(told(&[1, 2, 1, 10], LONG), (10, 4));
        assert_eq!(told(&[11, 2], LONG), (11, 1));
        // In the end whatever was said last is the answer.
        assert_eq!(told(&[3], Duration::ZERO), (3, 1));
    }
}
