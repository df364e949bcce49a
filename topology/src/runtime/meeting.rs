//! Where the workers wait for one another.
//!
//! Unlike a barrier of the standard library it can be called off, so that the end of one worker is
//! not the end of all progress without a word.

use std::sync::{Condvar, Mutex};

/// A place where a number of threads meet, again and again.
pub(super) struct Meeting {
    of: usize,
    inner: Mutex<Inner>,
    changed: Condvar,
}

#[derive(Default)]
struct Inner {
    here: usize,
    held: u64,
    off: bool,
}

impl Meeting {
    pub(super) fn new(of: usize) -> Self {
        Meeting {
            of,
            inner: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    /// Waits until all are here; false where the meeting was called off.
    pub(super) fn wait(&self) -> bool {
        let mut inner = self.inner.lock().expect("no panic while locked");
        if inner.off {
            return false;
        }
        inner.here += 1;
        if inner.here == self.of {
            inner.here = 0;
            inner.held += 1;
            self.changed.notify_all();
            return true;
        }
        let held = inner.held;
        while inner.held == held && !inner.off {
            inner = self.changed.wait(inner).expect("no panic while locked");
        }
        inner.held != held
    }

    /// Nobody waits here any more.
    pub(super) fn call_off(&self) {
        self.inner.lock().expect("no panic while locked").off = true;
        self.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_meet_until_it_is_called_off() {
        let meeting = Meeting::new(3);
        std::thread::scope(|scope| {
            let waiting: Vec<_> = (0..2)
                .map(|_| scope.spawn(|| (0..10).filter(|_| meeting.wait()).count()))
                .collect();
            for _ in 0..7 {
                assert!(meeting.wait());
            }
            meeting.call_off();
            assert!(!meeting.wait());
            for thread in waiting {
                assert_eq!(thread.join().unwrap(), 7);
            }
        });
    }
}
