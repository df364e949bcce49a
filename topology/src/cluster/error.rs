//! What can go wrong with a transaction, by what is to be done.

use std::fmt;
use std::sync::Arc;

use crate::error::Error;

/// Brokers refused a record for what it is: its size, its time, a rule of the topic. The same record is
/// refused again.
#[derive(Debug)]
pub struct Refusal {
    /// The topic that the record was for.
    pub topic: Arc<str>,
    /// How many bytes its key and value have.
    pub bytes: usize,
    /// Why it was refused.
    pub error: Error,
}

/// Why a transaction cannot go on.
#[derive(Debug)]
pub enum TransactionError {
    /// It must be aborted, and its work done again: the group's metadata is of a generation or of a member
    /// that is over, a time limit passed.
    Abort(Error),
    /// It must be aborted: brokers have refused a record that was sent before.
    Refused(Refusal),
    /// The record that was to be sent was not taken, as it is larger than the producer allows. Nothing
    /// came of it, and the transaction goes on without it.
    Unsendable(Error),
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
            | TransactionError::Refused(Refusal { error: e, .. })
            | TransactionError::Unsendable(e)
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
            TransactionError::Refused(refusal) => write!(
                f,
                "the transaction must be aborted, as a record of {} bytes for {} was refused: {}",
                refusal.bytes, refusal.topic, refusal.error
            ),
            TransactionError::Unsendable(e) => write!(f, "a record cannot be sent: {e}"),
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
