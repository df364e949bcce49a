//! Transactional ids: whose they are, what is open, and which markers are still to be written.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::cluster::{TopicPartition, TransactionError};
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
}

impl Ongoing {
    /// From now on it can only be aborted.
    pub(super) fn fail(&mut self, error: Error) -> TransactionError {
        self.failed = Some(error.to_string());
        TransactionError::Abort(error)
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
    /// Why earlier producers of the id can do nothing more.
    reason: &'static str,
    ongoing: Option<Ongoing>,
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
    pub(super) fn take_over(&mut self, id: &str) -> u64 {
        let owned = self.ids.entry(id.to_owned()).or_insert(Owned {
            epoch: 0,
            reason: "",
            ongoing: None,
        });
        owned.epoch += 1;
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

    /// Takes the ids from their producers whose transactions have been open for too long.
    pub(super) fn expire(&mut self, before: Timestamp) -> Vec<String> {
        let mut expired = Vec::new();
        for (id, owned) in &mut self.ids {
            let since = owned.ongoing.as_ref().and_then(|ongoing| ongoing.since);
            if since.is_some_and(|since| since < before) {
                owned.epoch += 1;
                owned.reason = "its transaction was open for longer than the transaction timeout";
                expired.push(id.clone());
            }
        }
        expired
    }

    /// When the transaction began that has been open for longest.
    pub(super) fn oldest(&self) -> Option<Timestamp> {
        let ongoing = self.ids.values().filter_map(|o| o.ongoing.as_ref());
        ongoing.filter_map(|ongoing| ongoing.since).min()
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
