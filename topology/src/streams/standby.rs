//! Keeping the rows of tasks up to date that run elsewhere, so that they can be taken over at once.

use std::time::Duration;

use super::env::Env;
use super::metrics::ReplicaMetrics;
use super::replica::{Ends, Replica};
use crate::cluster::{LogReader, TopicPartition};
use crate::connector::RawBatch;
use crate::error::Result;
use crate::time::Timestamp;

/// How often it is found out where changelogs end.
const RENEW: Duration = Duration::from_secs(1);

/// The rows of the tasks of a number that run elsewhere.
pub(super) struct Standby {
    /// By this it is known that an answer is to this standby's question.
    pub(super) number: u64,
    /// None until it is known what there is.
    replica: Option<Replica>,
    /// When brokers were asked last, if they have answered.
    answered: Option<Timestamp>,
}

/// What was found out.
pub(super) enum Progress {
    /// What there is to be read.
    Begins(Replica),
    /// Where changelogs end by now.
    Renewed(Ends),
}

impl Standby {
    pub(super) fn new(number: u64) -> Self {
        Standby {
            number,
            replica: None,
            answered: None,
        }
    }

    /// What is to be asked next, by somebody who can wait for the answer.
    pub(super) fn question(
        &mut self,
        env: &std::sync::Arc<Env>,
        lane: u16,
    ) -> impl FnOnce() -> Result<Progress> + Send + 'static {
        self.answered = None;
        let known: Option<Vec<TopicPartition>> = self.replica.as_ref().map(Replica::partitions);
        let env = env.clone();
        move || match known {
            None => Replica::prepare(&env, lane).map(Progress::Begins),
            Some(partitions) => Ends::ask(&env, &partitions).map(Progress::Renewed),
        }
    }

    /// Takes note of an answer.
    ///
    /// # Errors
    ///
    /// Where the state cannot be read or written, or a changelog is not there; of kind
    /// [`Unavailable`](crate::ErrorKind::Unavailable) where it is to be asked again.
    pub(super) fn answer(
        &mut self,
        progress: Progress,
        env: &Env,
        reader: &mut dyn LogReader,
        metrics: impl FnOnce() -> ReplicaMetrics,
    ) -> Result<()> {
        self.wait(env);
        let goes_on = match (progress, &mut self.replica) {
            (Progress::Begins(mut replica), None) => {
                replica.begin(env, metrics())?;
                replica.assign(reader)?;
                self.replica = Some(replica);
                true
            }
            (Progress::Renewed(ends), Some(replica)) => replica.renew(env, &ends)?,
            _ => true,
        };
        if !goes_on && let Some(replica) = self.replica.take() {
            // What was read and is not in the state is read again, if it is still there.
            replica.unassign(reader);
        }
        Ok(())
    }

    /// Asks again after a while.
    pub(super) fn wait(&mut self, env: &Env) {
        self.answered = Some(env.clock.now());
    }

    /// True where it is to be found out again where changelogs end.
    pub(super) fn is_due(&self, env: &Env) -> bool {
        self.answered
            .is_some_and(|since| env.has_passed(RENEW, since))
    }

    /// Writes what was read of a changelog, if it is one of these tasks.
    ///
    /// # Errors
    ///
    /// Where the state cannot be written.
    pub(super) fn take(
        &mut self,
        env: &Env,
        from: &TopicPartition,
        batch: &RawBatch,
    ) -> Result<bool> {
        match &mut self.replica {
            Some(replica) => replica.take(env, from, batch),
            None => Ok(false),
        }
    }

    /// How many offsets are still to be read, as far as it is known.
    pub(super) fn lag(&self) -> Option<u64> {
        self.replica.as_ref().map(Replica::lag)
    }

    /// Has a reader read no more.
    pub(super) fn end(self, reader: &mut dyn LogReader) {
        if let Some(replica) = self.replica {
            replica.unassign(reader);
        }
    }
}
