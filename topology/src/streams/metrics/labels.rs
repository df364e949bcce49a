//! What tells counters of the same name apart.

use metrics::{Counter, Gauge, Histogram, Label, SharedString, counter, gauge, histogram};

use super::super::env::Env;

/// The labels of what something counts.
#[derive(Debug, Clone)]
pub(in super::super) struct Labels(Vec<Label>);

impl Labels {
    /// Those of everything in an instance.
    pub(in super::super) fn of(env: &Env) -> Self {
        Labels(vec![
            Label::new("application_id", env.application.clone()),
            Label::new("instance", env.instance.clone()),
        ])
    }

    /// The same, and one more.
    pub(super) fn with(&self, name: &'static str, value: impl Into<SharedString>) -> Self {
        let mut labels = self.clone();
        labels.0.push(Label::new(name, value));
        labels
    }

    /// Those of a task.
    pub(super) fn of_task(&self, task: u16) -> Self {
        self.with("task", task.to_string())
    }

    pub(super) fn counter(&self, name: &'static str) -> Counter {
        counter!(name, self.0.clone())
    }

    pub(super) fn histogram(&self, name: &'static str) -> Histogram {
        histogram!(name, self.0.clone())
    }

    pub(super) fn gauge(&self, name: &'static str) -> Gauge {
        gauge!(name, self.0.clone())
    }

    pub(super) fn level(&self, name: &'static str) -> Level {
        Level(self.gauge(name))
    }
}

/// A gauge of something that may go away: it is 0 then, as a recorder cannot be told to forget it.
#[derive(Debug)]
pub(super) struct Level(Gauge);

impl Level {
    pub(super) fn set(&self, value: f64) {
        self.0.set(value);
    }
}

impl Drop for Level {
    fn drop(&mut self) {
        self.0.set(0.0);
    }
}

/// A counter of something that counts by itself, from 0 on each time that it is made.
#[derive(Debug)]
pub(super) struct Total {
    counter: Counter,
    told: u64,
}

impl Total {
    pub(super) fn new(counter: Counter) -> Self {
        Total { counter, told: 0 }
    }

    /// So much was counted so far.
    pub(super) fn tell(&mut self, count: u64) {
        self.counter.increment(count.saturating_sub(self.told));
        self.told = count;
    }
}
