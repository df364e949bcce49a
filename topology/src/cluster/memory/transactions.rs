//! Transactional ids: whose they are, what is open, and which markers are still to be written.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use crate::cluster::{Refusal, TopicPartition, TransactionError};
use crate::error::{Error, ErrorKind};
use crate::time::Timestamp;

/// A transaction that was begun and neither committed nor aborted.
pub(super) struct Ongoing {
    /// Which one it is, of all of the cluster.
    pub(super) number: u64,
    /// When the brokers first heard of it.
    pub(super) since: Option<Timestamp>,
    /// The offset behind its last record, by partition.
    pub(super) ends: BTreeMap<TopicPartition, i64>,
    /// The groups that it has offsets of.
    pub(super) groups: BTreeSet<String>,
    /// Why it can only be aborted.
    pub(super) failed: Option<String>,
    /// The first record that was refused, until its producer is told.
    refused: Option<Refusal>,
}

impl Ongoing {
    /// From now on it can only be aborted.
    pub(super) fn fail(&mut self, error: Error) -> TransactionError {
        self.failed = Some(error.to_string());
        TransactionError::Abort(error)
    }

    /// A record is refused, of which the producer does not know yet.
    pub(super) fn refuse(&mut self, refusal: Refusal) {
        self.refused.get_or_insert(refusal);
    }

    /// Tells the producer of a record that was refused, if one was: the transaction can only be aborted
    /// then.
    pub(super) fn take_refusal(&mut self) -> Result<(), TransactionError> {
        let Some(refusal) = self.refused.take() else {
            return Ok(());
        };
        self.failed = Some(refusal.error.to_string());
        Err(TransactionError::Refused(refusal))
    }
}

/// Where the marker of a transaction belongs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum MarkerTarget {
    /// The offsets of a group that the transaction has.
    Group(String),
    /// A partition that the transaction has written to.
    Partition(TopicPartition),
}

impl fmt::Display for MarkerTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MarkerTarget::Group(group) => write!(f, "group {group}"),
            MarkerTarget::Partition(partition) => write!(f, "{partition}"),
        }
    }
}

/// When the markers of a transaction are written that was committed or aborted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Markers {
    /// Before the call returns.
    #[default]
    AtOnce,
    /// Later: that of the offsets of a group after so many further calls of any kind, that of the
    /// first partition after so many more, and so on.
    After(u32),
    /// When the test says so.
    Held,
}

/// A marker that is to be written.
pub(super) struct InFlight {
    id: String,
    pub(super) number: u64,
    pub(super) committed: bool,
    pub(super) target: MarkerTarget,
    /// After how many calls; none where the test says when.
    calls: Option<u64>,
}

/// What is known of a transactional id.
struct Owned {
    epoch: u64,
    /// How long a transaction may be open.
    timeout: Duration,
    /// Why earlier producers of the id can do nothing more.
    reason: &'static str,
    ongoing: Option<Ongoing>,
}

impl Owned {
    /// Until when its transaction may be open, if the brokers know of one.
    fn deadline(&self, most: Duration) -> Option<Timestamp> {
        let since = self.ongoing.as_ref()?.since?;
        let limit = Timestamp::try_from(self.timeout.min(most).as_millis());
        Some(since.saturating_add(limit.unwrap_or(Timestamp::MAX)))
    }
}

/// All transactional ids, and the markers in flight.
#[derive(Default)]
pub(super) struct Transactions {
    ids: BTreeMap<String, Owned>,
    in_flight: Vec<InFlight>,
    numbers: u64,
}

impl Transactions {
    /// Gives an id to a new producer; the epoch to know it by.
    pub(super) fn take_over(&mut self, id: &str, timeout: Duration) -> u64 {
        let owned = self.ids.entry(id.to_owned()).or_insert(Owned {
            epoch: 0,
            timeout,
            reason: "",
            ongoing: None,
        });
        owned.epoch += 1;
        owned.timeout = timeout;
        owned.reason = "another producer has taken the id over";
        owned.epoch
    }

    /// Begins a transaction.
    pub(super) fn begin(&mut self, id: &str, epoch: u64) -> Result<(), TransactionError> {
        let number = self.numbers;
        let owned = self.owned(id, epoch)?;
        if owned.ongoing.is_some() {
            return Err(misuse(id, "begin", "one has begun"));
        }
        owned.ongoing = Some(Ongoing {
            number,
            since: None,
            ends: BTreeMap::new(),
            groups: BTreeSet::new(),
            failed: None,
            refused: None,
        });
        self.numbers += 1;
        Ok(())
    }

    /// The open transaction, if there is one, of the producer that has the id.
    pub(super) fn open(
        &mut self,
        id: &str,
        epoch: u64,
    ) -> Result<Option<&mut Ongoing>, TransactionError> {
        Ok(self.owned(id, epoch)?.ongoing.as_mut())
    }

    /// The open transaction that something is to be done in.
    pub(super) fn ongoing(
        &mut self,
        id: &str,
        epoch: u64,
        doing: &str,
    ) -> Result<&mut Ongoing, TransactionError> {
        match self.open(id, epoch)? {
            None => Err(misuse(id, doing, "none has begun")),
            Some(Ongoing {
                failed: Some(failed),
                ..
            }) => Err(TransactionError::Abort(Error::new(
                ErrorKind::Failed,
                format!("cannot {doing} in a transaction that failed: {failed}"),
            ))),
            Some(ongoing) => Ok(ongoing),
        }
    }

    /// Ends the open transaction of an id; its markers, all still to be written.
    pub(super) fn end(&mut self, id: &str, committed: bool, markers: Markers) -> Vec<InFlight> {
        let Some(ongoing) = self.ids.get_mut(id).and_then(|o| o.ongoing.take()) else {
            return Vec::new();
        };
        let groups = ongoing.groups.into_iter().map(MarkerTarget::Group);
        let partitions = ongoing.ends.into_keys().map(MarkerTarget::Partition);
        let targets = (1_u64..).zip(groups.chain(partitions));
        targets
            .map(|(nth, target)| InFlight {
                id: id.to_owned(),
                number: ongoing.number,
                committed,
                target,
                calls: match markers {
                    Markers::After(calls) => Some(nth * u64::from(calls)),
                    Markers::AtOnce | Markers::Held => None,
                },
            })
            .collect()
    }

    /// Takes markers as being in flight.
    pub(super) fn send_off(&mut self, markers: Vec<InFlight>) {
        self.in_flight.extend(markers);
    }

    /// Markers that are in flight, in the order of their transactions' ends.
    pub(super) fn in_flight(&self) -> impl Iterator<Item = &InFlight> {
        self.in_flight.iter()
    }

    /// Takes those markers from the ones in flight that are to be written now.
    pub(super) fn land(&mut self, now: impl Fn(&InFlight) -> bool) -> Vec<InFlight> {
        let (landed, left) = std::mem::take(&mut self.in_flight)
            .into_iter()
            .partition(now);
        self.in_flight = left;
        landed
    }

    /// Takes the markers of an id that are in flight.
    pub(super) fn land_of(&mut self, id: &str) -> Vec<InFlight> {
        self.land(|marker| marker.id == id)
    }

    /// A call has been made: takes the markers that waited for it. None where no marker waits for
    /// calls.
    pub(super) fn pass(&mut self) -> Option<Vec<InFlight>> {
        let mut waiting = false;
        for calls in self.in_flight.iter_mut().filter_map(|m| m.calls.as_mut()) {
            waiting = true;
            *calls = calls.saturating_sub(1);
        }
        waiting.then(|| self.land(|marker| marker.calls == Some(0)))
    }

    /// Takes the ids from their producers whose transactions have been open for too long: for longer than
    /// the producer asked for, or than `most`.
    pub(super) fn expire(&mut self, now: Timestamp, most: Duration) -> Vec<String> {
        let mut expired = Vec::new();
        for (id, owned) in &mut self.ids {
            if owned.deadline(most).is_some_and(|deadline| deadline < now) {
                owned.epoch += 1;
                owned.reason = "its transaction was open for longer than the transaction timeout";
                expired.push(id.clone());
            }
        }
        expired
    }

    /// When the next transaction has been open for as long as it may.
    pub(super) fn deadline(&self, most: Duration) -> Option<Timestamp> {
        let deadlines = self.ids.values().filter_map(|owned| owned.deadline(most));
        deadlines.min()
    }

    fn owned(&mut self, id: &str, epoch: u64) -> Result<&mut Owned, TransactionError> {
        let owned = self.ids.get_mut(id).expect("an id that a producer has");
        if owned.epoch == epoch {
            return Ok(owned);
        }
        Err(TransactionError::Fenced(Error::new(
            ErrorKind::Closed,
            format!(
                "the producer of transactional id {id} can do nothing more: {}",
                owned.reason
            ),
        )))
    }
}

/// A call that is not possible now.
fn misuse(id: &str, doing: &str, reason: &str) -> TransactionError {
    TransactionError::Fatal(Error::invalid(format!(
        "cannot {doing} in a transaction of {id}: {reason}"
    )))
}
