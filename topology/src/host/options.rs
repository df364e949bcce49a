//! How a host works.

use std::time::Duration;

use crate::runtime::Emit;
use crate::time::Clock;

/// How a [`Host`](super::Host) works. The default is a commit every 100 ms, and every change of a
/// table sent at once.
#[derive(Debug, Clone)]
pub struct HostOptions {
    pub(super) commit_interval: Duration,
    pub(super) emit: Emit,
    pub(super) max_run: usize,
    pub(super) clock: Clock,
}

impl Default for HostOptions {
    fn default() -> Self {
        HostOptions {
            commit_interval: Duration::from_millis(100),
            emit: Emit::EachChange,
            max_run: 4_096,
            clock: Clock::system(),
        }
    }
}

impl HostOptions {
    /// The time after which [`commit_due`](super::Host::commit_due) says that a commit is due.
    pub fn commit_interval(self, commit_interval: Duration) -> Self {
        HostOptions {
            commit_interval,
            ..self
        }
    }

    /// When changes of tables leave. With [`Emit::AtCommit`] they do so in the call of
    /// [`feed`](super::Host::feed) or [`tick`](super::Host::tick) after which a commit is due.
    pub fn emit(self, emit: Emit) -> Self {
        HostOptions { emit, ..self }
    }

    /// The most records of a batch that are processed at once. Results do not depend on it.
    pub fn max_run(self, max_run: usize) -> Self {
        HostOptions {
            max_run: max_run.max(1),
            ..self
        }
    }

    /// Where the wall clock comes from.
    pub fn clock(self, clock: Clock) -> Self {
        HostOptions { clock, ..self }
    }
}
