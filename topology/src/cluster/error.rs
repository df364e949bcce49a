//! What can go wrong with a transaction, by what is to be done.

use std::fmt;

use crate::error::Error;

/// Why a transaction cannot go on.
#[derive(Debug)]
pub enum TransactionError {
    /// It must be aborted, and its work done again: a record was refused, the group's metadata is of a
    /// generation or of a member that is over, a time limit passed.
    Abort(Error),
    /// Another producer has taken over the id, or the brokers gave this one up: nothing more can be done
    /// with it, and a new one must be made.
    Fenced(Error),
    /// Nobody knows whether it was committed: a new producer of the same id must be made, which settles
    /// it, and what the group has committed tells.
    Unknown(Error),
    /// It can never work: a setting is wrong, a right is missing.
    Fatal(Error),
}

impl TransactionError {
    /// What went wrong.
    pub fn into_error(self) -> Error {
        match self {
            TransactionError::Abort(e)
            | TransactionError::Fenced(e)
            | TransactionError::Unknown(e)
            | TransactionError::Fatal(e) => e,
        }
    }
}

impl fmt::Display for TransactionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TransactionError::Abort(e) => write!(f, "the transaction must be aborted: {e}"),
            TransactionError::Fenced(e) => write!(f, "the producer is fenced: {e}"),
            TransactionError::Unknown(e) => {
                write!(
                    f,
                    "it is not known whether the transaction was committed: {e}"
                )
            }
            TransactionError::Fatal(e) => write!(f, "no transaction can be made: {e}"),
        }
    }
}

impl std::error::Error for TransactionError {}
