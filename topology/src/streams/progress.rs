//! How far a task's rows are that are brought up to date.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How far the rows of a task are that is taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RestoreProgress {
    /// The number of the task.
    pub task: u16,
    /// How many offsets of its changelogs were to be read when it began.
    pub total: u64,
    /// How many of them were read.
    pub restored: u64,
    /// Since when.
    pub elapsed: Duration,
}

impl RestoreProgress {
    /// True where the task can run.
    pub fn is_done(&self) -> bool {
        self.restored >= self.total
    }

    /// Offsets that were read in a second, on average.
    pub fn rate(&self) -> f64 {
        self.restored as f64 / self.elapsed.as_secs_f64().max(0.001)
    }

    /// How long it still takes at that rate; none where nothing was read yet.
    pub fn remaining_time(&self) -> Option<Duration> {
        let missing = self.total.saturating_sub(self.restored) as f64;
        let seconds = missing / self.rate();
        Duration::try_from_secs_f64(seconds).ok()
    }
}

/// The tasks that are taken over.
#[derive(Debug, Default)]
pub(super) struct Restores(BTreeMap<u16, (u64, Instant, u64)>);

impl Restores {
    /// So many offsets are missing of a task.
    pub(super) fn note(&mut self, task: u16, missing: u64) -> RestoreProgress {
        let entry = self.0.entry(task);
        let (total, since, left) = entry.or_insert((missing, Instant::now(), missing));
        // There may be more than there was.
        *total = missing.max(*total);
        *left = missing;
        progress(task, *total, *since, missing)
    }

    /// A task runs, if it was taken over.
    pub(super) fn end(&mut self, task: u16) -> Option<RestoreProgress> {
        let (total, since, _) = self.0.remove(&task)?;
        Some(progress(task, total, since, 0))
    }

    /// A task is not to run here after all.
    pub(super) fn forget(&mut self, task: u16) {
        self.0.remove(&task);
    }

    /// All that are under way.
    pub(super) fn all(&self) -> Vec<RestoreProgress> {
        let all = self.0.iter();
        all.map(|(task, (total, since, left))| progress(*task, *total, *since, *left))
            .collect()
    }
}

fn progress(task: u16, total: u64, since: Instant, missing: u64) -> RestoreProgress {
    RestoreProgress {
        task,
        total,
        restored: total.saturating_sub(missing),
        elapsed: since.elapsed(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_goes_from_nothing_to_all() {
        let mut restores = Restores::default();
        assert_eq!(restores.note(3, 0).total, 0, "it is not known yet");
        let begun = restores.note(3, 1_000);
        assert_eq!((begun.total, begun.restored), (1_000, 0));
        assert_eq!(begun.remaining_time(), None);
        let half = restores.note(3, 500);
        assert_eq!((half.total, half.restored), (1_000, 500));
        assert!(half.remaining_time().unwrap() <= half.elapsed.max(Duration::from_millis(1)) * 2);
        assert!(!half.is_done());
        assert_eq!(restores.all().len(), 1);
        assert!(restores.end(3).unwrap().is_done());
        assert_eq!(restores.end(3), None);
    }
}
