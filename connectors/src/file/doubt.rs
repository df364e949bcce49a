//! When the content behind a path may be another than what was read.

use std::fs::File;
use std::time::{Duration, Instant, SystemTime};

use super::check::Check;
use super::stamp::Stamp;

/// Other content that does not come to rest is read after so many times the usual pause.
const PATIENCE: u32 = 4;

/// A path that leads to what may be other content. Nothing is decided before the file has been left
/// alone for a while, since files are seldom rewritten at one blow.
pub(super) struct Doubt {
    /// How the file behind the path looked last.
    pub(super) stamp: Stamp,
    /// When the doubt arose.
    since: Instant,
    /// When the file was last seen to change.
    moved: Instant,
    /// The comparison that is under way.
    pub(super) check: Option<(File, Check)>,
    /// True where the first comparison does not wait.
    pub(super) at_once: bool,
    /// True where the file that was read was looked for under other names.
    pub(super) is_sought: bool,
    /// True where the content is known to be another.
    pub(super) is_other: bool,
    /// True where nothing is known but that something was written without a change of the size: while
    /// lines are appended, a file looks like that for a moment.
    pub(super) is_mild: bool,
}

impl Doubt {
    pub(super) fn new(stamp: Stamp, at_once: bool, now: Instant) -> Self {
        Doubt {
            stamp,
            since: now,
            moved: now,
            check: None,
            at_once,
            is_sought: false,
            is_other: false,
            is_mild: false,
        }
    }

    /// The file looks like this now.
    pub(super) fn look(&mut self, stamp: Stamp, now: Instant) {
        if self.stamp != stamp {
            self.stamp = stamp;
            self.moved = now;
            self.check = None;
        }
    }

    /// Something that belongs to it is still being written.
    pub(super) fn stir(&mut self, now: Instant) {
        self.moved = now;
    }

    /// When the file will have been left alone for long enough; none where it has been.
    pub(super) fn rests_at(
        &self,
        debounce: Duration,
        now: Instant,
        clock: SystemTime,
    ) -> Option<Instant> {
        if self.moved == self.since && self.stamp.age(clock).is_some_and(|age| age >= debounce) {
            return None;
        }
        let at = (self.moved + debounce).min(self.since + debounce * PATIENCE);
        (now < at).then_some(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_rests_when_it_was_left_alone() {
        let (now, clock) = (Instant::now(), SystemTime::now());
        let pause = Duration::from_secs(1);
        let written = |ago: Duration, size| Stamp {
            size,
            modified: (clock - ago)
                .duration_since(SystemTime::UNIX_EPOCH)
                .unwrap()
                .as_nanos() as i64,
            ..Stamp::default()
        };
        let old = Doubt::new(written(pause * 2, 0), false, now);
        assert_eq!(old.rests_at(pause, now, clock), None);
        let mut fresh = Doubt::new(written(Duration::ZERO, 0), false, now);
        assert_eq!(fresh.rests_at(pause, now, clock), Some(now + pause));
        assert_eq!(fresh.rests_at(pause, now + pause, clock), None);
        for step in 1..10 {
            fresh.look(written(Duration::ZERO, step), now + pause / 2 * step as u32);
        }
        let at = now + pause / 2 * 9;
        assert_eq!(
            fresh.rests_at(pause, at, clock),
            None,
            "patience has its end"
        );
        let at = now + pause * 3;
        assert_eq!(fresh.rests_at(pause, at, clock), Some(now + pause * 4));
    }
}
