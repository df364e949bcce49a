//! How much a worker does at a time.

/// How many records a run has at most: fewer once transactions have taken too long, and slowly more again.
#[derive(Debug)]
pub(super) struct Pace {
    most: usize,
    now: usize,
}

impl Pace {
    pub(super) fn new(most: usize) -> Self {
        let most = most.max(1);
        Pace { most, now: most }
    }

    /// The most records of a run.
    pub(super) fn run(&self) -> usize {
        self.now
    }

    /// A transaction ran out of time.
    pub(super) fn halve(&mut self) {
        self.now = (self.now / 2).max(1);
    }

    /// A transaction had time left.
    pub(super) fn recover(&mut self) {
        self.now = (self.now * 2).min(self.most);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_halved_down_to_a_record_and_doubled_again() {
        let mut pace = Pace::new(5);
        let mut runs = vec![pace.run()];
        for _ in 0..3 {
            pace.halve();
            runs.push(pace.run());
        }
        for _ in 0..4 {
            pace.recover();
            runs.push(pace.run());
        }
        assert_eq!(runs, [5, 2, 1, 1, 2, 4, 5, 5]);
    }
}
