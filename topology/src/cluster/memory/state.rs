//! Everything that the cluster has, and what is done to it in one piece.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use super::faults::{Fault, Faults};
use super::group::{Group, ILLEGAL_GENERATION, UNKNOWN_MEMBER};
use super::log::Log;
use super::offsets::GroupOffsets;
use super::topic::Topic;
use super::transactions::{InFlight, MarkerTarget, Markers, Transactions};
use crate::cluster::{GroupMetadata, TopicPartition};
use crate::error::{Error, ErrorKind, Result};
use crate::time::{Clock, Timestamp};

/// The state of the cluster.
pub(super) struct State {
    pub(super) topics: BTreeMap<String, Topic>,
    pub(super) offsets: BTreeMap<String, GroupOffsets>,
    pub(super) groups: BTreeMap<String, Group>,
    pub(super) transactions: Transactions,
    pub(super) faults: Faults,
    pub(super) available: bool,
    pub(super) markers: Markers,
    pub(super) transaction_timeout: Duration,
    pub(super) patience: Duration,
    pub(super) max_record_bytes: usize,
    /// What producers do not even send, if anything.
    pub(super) max_request_bytes: Option<usize>,
    numbers: u64,
}

/// What Kafka's brokers allow where nothing else was configured.
const MAX_RECORD_BYTES: usize = 1_048_588;

impl Default for State {
    fn default() -> Self {
        State {
            topics: BTreeMap::new(),
            offsets: BTreeMap::new(),
            groups: BTreeMap::new(),
            transactions: Transactions::default(),
            faults: Faults::default(),
            available: true,
            markers: Markers::AtOnce,
            transaction_timeout: Duration::from_secs(60),
            patience: Duration::from_secs(10),
            max_record_bytes: MAX_RECORD_BYTES,
            max_request_bytes: None,
            numbers: 0,
        }
    }
}

impl State {
    /// A number that nothing else has.
    pub(super) fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    /// Fails where the brokers are away, or a test wants it.
    pub(super) fn answer(&mut self, doing: &dyn fmt::Display) -> Result<()> {
        match self.faults.hits(Fault::Call) {
            true => Err(no_answer(doing)),
            false => self.reach(doing),
        }
    }

    /// Fails where the brokers are away.
    pub(super) fn reach(&self, doing: &dyn fmt::Display) -> Result<()> {
        match self.available {
            true => Ok(()),
            false => Err(no_answer(doing)),
        }
    }

    pub(super) fn log(&self, partition: &TopicPartition) -> Result<&Log> {
        let topic = self.topics.get(&*partition.topic);
        let log = topic.and_then(|topic| topic.log(partition.partition));
        log.ok_or_else(|| no_partition(partition))
    }

    pub(super) fn log_mut(&mut self, partition: &TopicPartition) -> Result<&mut Log> {
        let topic = self.topics.get_mut(&*partition.topic);
        let log = topic.and_then(|topic| topic.log_mut(partition.partition));
        log.ok_or_else(|| no_partition(partition))
    }

    /// Why a record cannot be written to a topic, if so.
    pub(super) fn refusal(
        &self,
        to: &TopicPartition,
        key: Option<&[u8]>,
        bytes: usize,
    ) -> Option<String> {
        let topic = self.topics.get(&*to.topic)?;
        let limit = topic.max_record_bytes.unwrap_or(self.max_record_bytes);
        if bytes > limit {
            return Some(format!(
                "{to} takes no record of {bytes} bytes: its limit is {limit}"
            ));
        }
        (topic.compacted && key.is_none())
            .then(|| format!("{to} is compacted and takes no record without a key"))
    }

    /// Why a producer does not even send a record of so many bytes, if so.
    pub(super) fn unsendable(&self, bytes: usize) -> Option<Error> {
        let limit = self.max_request_bytes.filter(|limit| bytes > *limit)?;
        Some(Error::new(
            ErrorKind::BadRecord,
            format!(
                "a record of {bytes} bytes cannot be sent: the limit of the producer is {limit}"
            ),
        ))
    }

    /// Why a group does not take offsets in a member's name, if so.
    pub(super) fn stranger(&self, group: &GroupMetadata) -> Option<Error> {
        self.stranger_of(group, |_| true)
    }

    /// The same where a client waits for a rebalance to end, and commits in the new generation.
    pub(super) fn stranger_in_any_generation(&self, group: &GroupMetadata) -> Option<Error> {
        self.stranger_of(group, |refusal| refusal != ILLEGAL_GENERATION)
    }

    fn stranger_of(&self, group: &GroupMetadata, counts: impl Fn(&str) -> bool) -> Option<Error> {
        let refusal = match self.groups.get(group.group()) {
            Some(known) => known.refusal(group).filter(|refusal| counts(refusal))?,
            None => UNKNOWN_MEMBER,
        };
        Some(Error::new(
            ErrorKind::Closed,
            format!(
                "cannot send offsets of group {} as member {} of generation {}: {refusal}",
                group.group(),
                group.member(),
                group.generation()
            ),
        ))
    }

    /// Ends the open transaction of an id, and writes its markers or sends them off.
    pub(super) fn end_transaction(&mut self, id: &str, committed: bool) {
        let markers = self.transactions.end(id, committed, self.markers);
        match self.markers {
            Markers::AtOnce => self.write(markers),
            Markers::After(_) | Markers::Held => self.transactions.send_off(markers),
        }
    }

    /// Writes the markers of an id that are in flight: who wants to go on with the id waits for them.
    pub(super) fn settle(&mut self, id: &str) {
        let markers = self.transactions.land_of(id);
        self.write(markers);
    }

    /// Writes markers.
    pub(super) fn write(&mut self, markers: Vec<InFlight>) {
        for marker in markers {
            match &marker.target {
                MarkerTarget::Group(group) => {
                    if let Some(offsets) = self.offsets.get_mut(group) {
                        offsets.mark(marker.number, marker.committed);
                    }
                }
                MarkerTarget::Partition(partition) => {
                    if let Ok(log) = self.log_mut(partition) {
                        log.mark(marker.number, marker.committed);
                    }
                }
            }
        }
    }

    /// A call goes by; true where markers wait for calls.
    pub(super) fn pass(&mut self) -> bool {
        let Some(markers) = self.transactions.pass() else {
            return false;
        };
        self.write(markers);
        true
    }

    /// Aborts the transactions that have been open for as long as they may by then, and takes their
    /// producers' ids away.
    pub(super) fn expire_transactions(&mut self, now: Timestamp) -> usize {
        let expired = self.transactions.expire(now, self.transaction_timeout);
        for id in &expired {
            self.end_transaction(id, false);
        }
        expired.len()
    }

    /// Ends what has timed out; true where there was such.
    pub(super) fn expire(&mut self, now: Timestamp) -> bool {
        if !self.available {
            return false;
        }
        let mut expired = self.expire_transactions(now) > 0;
        for group in self.groups.values_mut() {
            expired |= group.expire(now);
        }
        expired
    }

    /// When something times out next, if nothing else happens.
    fn deadline(&self) -> Option<Timestamp> {
        let transaction = self.transactions.deadline(self.transaction_timeout);
        let transaction = transaction.map(|deadline| deadline.saturating_add(1));
        let members = self.groups.values().filter_map(Group::deadline);
        members.chain(transaction).min()
    }
}

/// The state, and who waits for it to change.
pub(super) struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    clock: Clock,
}

impl Shared {
    pub(super) fn new(clock: Clock) -> Self {
        Shared {
            state: Mutex::default(),
            changed: Condvar::new(),
            clock,
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The state as it stands.
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic while locked")
    }

    /// The state, for a call: time goes by for markers in flight, and what has timed out has ended.
    pub(super) fn call(&self) -> MutexGuard<'_, State> {
        let mut state = self.lock();
        let passed = state.pass();
        if state.expire(self.now()) | passed {
            self.notify();
        }
        state
    }

    /// Wakes who waits for a change.
    pub(super) fn notify(&self) {
        self.changed.notify_all();
    }

    /// Waits for a change, until `end` at most; what has timed out by then has ended.
    pub(super) fn wait<'a>(
        &self,
        state: MutexGuard<'a, State>,
        end: Instant,
    ) -> MutexGuard<'a, State> {
        let mut left = end.saturating_duration_since(Instant::now());
        if let (Some(deadline), true) = (state.deadline(), state.available) {
            let until = (deadline - self.now()).max(1) as u64;
            left = left.min(Duration::from_millis(until));
        }
        let waited = self.changed.wait_timeout(state, left);
        let mut state = waited.expect("no panic while locked").0;
        if state.expire(self.now()) {
            self.notify();
        }
        state
    }
}

/// An error that may pass.
pub(super) fn unavailable(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Unavailable, message)
}

fn no_answer(doing: &dyn fmt::Display) -> Error {
    unavailable(format!("cannot {doing}: the brokers do not answer"))
}

fn no_partition(partition: &TopicPartition) -> Error {
    Error::new(
        ErrorKind::NotFound,
        format!("there is no partition {partition}"),
    )
}
