//! What the threads of an application tell one another.

use std::collections::BTreeMap;
use std::sync::mpsc::Sender;

use super::epochs::Leaders;
use super::local::{Loaded, Reading};
use super::restore::Restore;
use super::standby::Progress;
use crate::cluster::TransactionError;
use crate::error::{Error, ErrorKind, Result};

/// What a worker is told.
pub(super) enum Command {
    /// Tasks of these numbers are to run here.
    Assign(Vec<u16>),
    /// The rows of tasks are to be kept up to date here.
    Standby(Vec<u16>),
    /// What has to be read to keep rows up to date.
    Keep(u16, u64, Result<Progress>),
    /// Tasks go to others: what they did is committed first, and then it is said so. Rows of tasks that do
    /// not run are kept up to date no more.
    Revoke(Vec<u16>, Sender<()>),
    /// Tasks have gone to others; the number of losses so far.
    Lose(Vec<u16>, u64),
    /// What has to be read before tasks can run.
    Restore(u16, u64, Result<Restore>),
    /// The sources of tasks that are no topics, once they were opened.
    Opened(u16, u64, Result<Vec<Reading>>),
    /// What is known of tables that are to be loaded before tasks of a number read their streams.
    Loaded(u16, Result<Loaded>),
    /// Who leads the changelogs, and whether that is as the state has it.
    Led(Result<Leaders>),
    /// Commits and ends.
    Close,
}

/// What a worker says of itself.
#[derive(Debug)]
pub(super) enum Report {
    /// These tasks run.
    Running(u16),
    /// So many offsets of changelogs are to be read before tasks of a number run; none where that is not known yet.
    Restoring(u16, Option<u64>),
    /// Tasks cannot run here yet, and why.
    Waiting(u16, String),
    /// What this process would need to run tasks, and is not there.
    Missing(BTreeMap<u16, String>),
    /// So many offsets of changelogs are behind of tasks whose rows are kept up to date.
    Standby(u16, u64),
    /// How far the rows that are here are behind.
    Lags(Result<BTreeMap<u16, u64>>),
    /// What has changed of the topics that are read, in words.
    Watched(Result<Option<String>>),
    /// All instances are to end, for this reason.
    EndAll(String),
    /// The worker has ended; with what was wrong, if anything was.
    Ended(Option<String>),
}

/// How an attempt ends that cannot go on.
pub(super) enum Stop {
    /// What was done since the last commit must be done again.
    Again(Error),
    /// Nothing can be done any more.
    Fatal(Error),
}

impl From<TransactionError> for Stop {
    fn from(e: TransactionError) -> Self {
        match e {
            TransactionError::Fatal(e) | TransactionError::Unsendable(e) => Stop::Fatal(e),
            e => Stop::Again(e.into_error()),
        }
    }
}

impl From<Error> for Stop {
    fn from(e: Error) -> Self {
        match e.kind() {
            ErrorKind::Unavailable => Stop::Again(e),
            _ => Stop::Fatal(e),
        }
    }
}
