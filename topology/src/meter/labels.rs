//! What tells counters of the same name apart.

use metrics::{Counter, Gauge, Histogram, Label, SharedString, counter, gauge, histogram};

/// The labels of what something counts.
#[derive(Debug, Clone)]
pub(crate) struct Labels(Vec<Label>);

impl Labels {
    /// Names and values.
    pub(crate) fn new<const N: usize>(labels: [(&'static str, &str); N]) -> Self {
        let labels = labels.into_iter();
        Labels(
            labels
                .map(|(name, value)| Label::new(name, value.to_owned()))
                .collect(),
        )
    }

    /// The same, and one more.
    pub(crate) fn with(&self, name: &'static str, value: impl Into<SharedString>) -> Self {
        let mut labels = self.clone();
        labels.0.push(Label::new(name, value));
        labels
    }

    pub(crate) fn counter(&self, name: &'static str) -> Counter {
        counter!(name, self.0.clone())
    }

    pub(crate) fn histogram(&self, name: &'static str) -> Histogram {
        histogram!(name, self.0.clone())
    }

    pub(crate) fn gauge(&self, name: &'static str) -> Gauge {
        gauge!(name, self.0.clone())
    }

    pub(crate) fn level(&self, name: &'static str) -> Level {
        Level(self.gauge(name))
    }
}

/// A gauge of something that may go away: it is 0 then, as a recorder cannot be told to forget it.
#[derive(Debug)]
pub(crate) struct Level(Gauge);

impl Level {
    pub(crate) fn set(&self, value: f64) {
        self.0.set(value);
    }
}

impl Drop for Level {
    fn drop(&mut self) {
        self.0.set(0.0);
    }
}

/// A counter of something that counts by itself, and may do so from 0 on again.
#[derive(Debug)]
pub(crate) struct Total {
    counter: Counter,
    told: u64,
}

impl Total {
    pub(crate) fn new(counter: Counter) -> Self {
        Total::since(counter, 0)
    }

    /// Of something that has counted so far already.
    pub(crate) fn since(counter: Counter, told: u64) -> Self {
        Total { counter, told }
    }

    /// So much was counted so far.
    pub(crate) fn tell(&mut self, count: u64) {
        self.counter.increment(count.saturating_sub(self.told));
        self.told = count;
    }
}
