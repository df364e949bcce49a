//! How an embedded topology runs.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::connector::{Sink, Source};
use crate::time::Clock;

/// When changes of a table leave for a sink, or for another task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Emit {
    /// At each commit, one change a key.
    #[default]
    AtCommit,
    /// Every change, at once.
    EachChange,
}

/// How an embedded topology runs. The default is one worker, a commit every 100 ms while records
/// come in slowly, and sources read without end.
#[derive(Clone)]
pub struct EmbeddedOptions {
    pub(super) workers: u16,
    pub(super) commit_interval: Duration,
    pub(super) emit: Emit,
    pub(super) bounded: bool,
    pub(super) max_run: usize,
    pub(super) clock: Clock,
    pub(super) sources: BTreeMap<String, Arc<dyn Source>>,
    pub(super) sinks: BTreeMap<String, Arc<dyn Sink>>,
    pub(super) rebuild: Vec<String>,
}

impl Default for EmbeddedOptions {
    fn default() -> Self {
        EmbeddedOptions {
            workers: 1,
            commit_interval: Duration::from_millis(100),
            emit: Emit::default(),
            bounded: false,
            max_run: 4_096,
            clock: Clock::system(),
            sources: BTreeMap::new(),
            sinks: BTreeMap::new(),
            rebuild: Vec::new(),
        }
    }
}

impl EmbeddedOptions {
    /// The number of threads that process records.
    ///
    /// State that was made by so many keeps being shared by so many, whatever is asked for later.
    pub fn workers(self, workers: u16) -> Self {
        EmbeddedOptions {
            workers: workers.max(1),
            ..self
        }
    }

    /// The time between commits while records come in slowly. While a backlog is read commits are
    /// rarer, so that they take at most a fifth of the time.
    pub fn commit_interval(self, commit_interval: Duration) -> Self {
        EmbeddedOptions {
            commit_interval,
            ..self
        }
    }

    /// When changes of tables leave.
    pub fn emit(self, emit: Emit) -> Self {
        EmbeddedOptions { emit, ..self }
    }

    /// Has every source end at the end that is seen when it is opened, and the topology with them.
    pub fn bounded(self) -> Self {
        EmbeddedOptions {
            bounded: true,
            ..self
        }
    }

    /// The most records that are processed at once.
    pub fn max_run(self, max_run: usize) -> Self {
        EmbeddedOptions {
            max_run: max_run.max(1),
            ..self
        }
    }

    /// Where the wall clock comes from.
    pub fn clock(self, clock: Clock) -> Self {
        EmbeddedOptions { clock, ..self }
    }

    /// Has a source of the topology read from here.
    pub fn source(mut self, name: &str, source: Arc<dyn Source>) -> Self {
        self.sources.insert(name.to_owned(), source);
        self
    }

    /// Has a sink of the topology write here.
    pub fn sink(mut self, name: &str, sink: Arc<dyn Sink>) -> Self {
        self.sinks.insert(name.to_owned(), sink);
        self
    }

    /// Has the state of a query be made anew from its sources, dropping what is there.
    pub fn rebuild(mut self, query: &str) -> Self {
        self.rebuild.push(query.to_owned());
        self
    }
}
