//! Waiting for what announces itself by no event.

use std::thread;
use std::time::{Duration, Instant};

/// Waits until `holds` returns true, by asking again and again.
///
/// Use it only where no event can be waited for. The question is asked after 1 ms first, then at intervals that grow
/// to 20 ms.
///
/// # Panics
///
/// When it does not hold within `limit`; the message says `what` was waited for.
///
/// ```
/// use ferrisstreams_tests::wait_until;
/// use std::time::Duration;
///
/// let mut left = 3;
/// wait_until("the countdown is over", Duration::from_secs(10), || {
///     left -= 1;
///     left == 0
/// });
/// ```
#[track_caller]
pub fn wait_until(what: &str, limit: Duration, mut holds: impl FnMut() -> bool) {
    wait_for(what, limit, || holds().then_some(()));
}

/// Waits until `look` returns something, by asking again and again as [`wait_until`] does, and returns it.
///
/// # Panics
///
/// When there is nothing within `limit`.
#[track_caller]
pub fn wait_for<T>(what: &str, limit: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + limit;
    let mut interval = Duration::from_millis(1);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(
            Instant::now() < deadline,
            "waited {limit:?} in vain: {what}"
        );
        thread::sleep(interval);
        interval = (interval * 2).min(Duration::from_millis(20));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_found_is_returned() {
        let mut asked = 0;
        let found = wait_for("the third answer", Duration::from_secs(10), || {
            asked += 1;
            (asked == 3).then_some("here")
        });
        assert_eq!((asked, found), (3, "here"));
    }

    #[test]
    #[should_panic(expected = "waited 5ms in vain: pigs fly")]
    fn what_never_holds_is_named() {
        wait_until("pigs fly", Duration::from_millis(5), || false);
    }
}
