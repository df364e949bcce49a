//! What tests do to a cluster that applications cannot.

use std::time::Duration;

use super::brokers::MemoryCluster;
use super::faults::Fault;
use super::log::LoggedRecord;
use super::producer::size;
use super::topic::Topic;
use super::transactions::{MarkerTarget, Markers};
use crate::cluster::{CommittedOffset, Isolation, NewTopic, ProducerRecord, TopicPartition};
use crate::error::{Error, ErrorKind, Result};
use crate::record::Headers;
use crate::time::Timestamp;

impl MemoryCluster {
    /// Makes a topic with these settings.
    ///
    /// # Errors
    ///
    /// Where there is one of that name, or the settings are wrong.
    pub fn add_topic(&self, name: &str, partitions: u32, config: &[(&str, &str)]) -> Result<()> {
        let config = config.iter().map(|&(k, v)| (k.to_owned(), v.to_owned()));
        let topic = Topic::new(&NewTopic {
            name: name.to_owned(),
            partitions,
            replication_factor: None,
            config: config.collect(),
        })?;
        let mut state = self.shared.lock();
        if state.topics.contains_key(name) {
            return Err(Error::invalid(format!("there is a topic {name} already")));
        }
        state.topics.insert(name.to_owned(), topic);
        Ok(())
    }

    /// Gives a topic more partitions, so that it has `count`.
    ///
    /// # Errors
    ///
    /// Where there is no such topic, or it would have fewer than before.
    pub fn grow_topic(&self, name: &str, count: u32) -> Result<()> {
        let mut state = self.shared.lock();
        let topic = state.topics.get_mut(name);
        let topic = topic.ok_or_else(|| Error::invalid(format!("there is no topic {name}")))?;
        topic.grow(count)?;
        self.shared.notify();
        Ok(())
    }

    /// Deletes a topic, and what groups have committed of it.
    ///
    /// # Errors
    ///
    /// Where there is no such topic.
    pub fn delete_topic(&self, name: &str) -> Result<()> {
        let mut state = self.shared.lock();
        if state.topics.remove(name).is_none() {
            return Err(Error::invalid(format!("there is no topic {name}")));
        }
        for offsets in state.offsets.values_mut() {
            offsets.forget(|of| *of.topic == *name);
        }
        self.shared.notify();
        Ok(())
    }

    /// Has a group forget all its offsets, as brokers do when it has had no members for long; those of
    /// transactions that are not over yet come nevertheless.
    pub fn expire_offsets(&self, group: &str) {
        if let Some(offsets) = self.shared.lock().offsets.get_mut(group) {
            offsets.forget(|_| true);
        }
    }

    /// Writes a record without headers, in no transaction; its offset.
    ///
    /// # Errors
    ///
    /// As [`append_record`](Self::append_record).
    pub fn append(
        &self,
        topic: &str,
        partition: u32,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        timestamp: Timestamp,
    ) -> Result<i64> {
        let record = ProducerRecord {
            key,
            value,
            timestamp,
            headers: &Headers::default(),
        };
        self.append_record(&TopicPartition::new(topic, partition), record)
    }

    /// Writes a record, in no transaction; its offset. Faults are not for these.
    ///
    /// # Errors
    ///
    /// Where there is no such partition, or the topic takes no such record.
    pub fn append_record(&self, to: &TopicPartition, record: ProducerRecord<'_>) -> Result<i64> {
        let mut state = self.shared.call();
        if let Some(refusal) = state.refusal(to, record.key, size(&record)) {
            return Err(Error::new(ErrorKind::BadRecord, refusal));
        }
        Ok(state.log_mut(to)?.append(record, None))
    }

    /// The records of a partition: all that are there, of open and of aborted transactions too; or
    /// those that readers of what is committed see.
    ///
    /// # Errors
    ///
    /// Where there is no such partition.
    pub fn records(
        &self,
        topic: &str,
        partition: u32,
        isolation: Isolation,
    ) -> Result<Vec<LoggedRecord>> {
        let state = self.shared.lock();
        let log = state.log(&TopicPartition::new(topic, partition))?;
        Ok(log.records(isolation))
    }

    /// Compacts a topic: of each key only the newest committed record stays, up to the last stable
    /// offset.
    ///
    /// # Errors
    ///
    /// Where there is no such topic, or its `cleanup.policy` has no `compact`.
    pub fn compact(&self, topic: &str) -> Result<()> {
        self.clean(topic, true)
    }

    /// Compacts a topic as [`compact`](Self::compact) does, and drops the records without a value.
    ///
    /// # Errors
    ///
    /// As [`compact`](Self::compact).
    pub fn drop_tombstones(&self, topic: &str) -> Result<()> {
        self.clean(topic, false)
    }

    fn clean(&self, topic: &str, tombstones: bool) -> Result<()> {
        let mut state = self.shared.lock();
        let Some(cleaned) = state.topics.get_mut(topic) else {
            let message = format!("cannot compact {topic}: there is no such topic");
            return Err(Error::new(ErrorKind::NotFound, message));
        };
        if !cleaned.compacted {
            return Err(Error::invalid(format!(
                "cannot compact {topic}: its cleanup.policy does not say so"
            )));
        }
        for log in cleaned.logs_mut() {
            log.compact(tombstones);
        }
        Ok(())
    }

    /// Has another broker lead a partition, which has all of its records: the epoch of the leader goes up by
    /// one.
    ///
    /// # Errors
    ///
    /// Where there is no such partition.
    pub fn elect(&self, topic: &str, partition: u32) -> Result<()> {
        let mut state = self.shared.lock();
        state
            .log_mut(&TopicPartition::new(topic, partition))?
            .elect();
        Ok(())
    }

    /// Has another broker lead a partition that lacks all records from an offset on, as Kafka does where
    /// `unclean.leader.election.enable` is set: they are lost, and others will stand at their offsets. Of a
    /// transaction that loses its end and not all of its records these count as aborted.
    ///
    /// ```
    /// use ferrisstreams_topology::cluster::memory::MemoryCluster;
    /// use ferrisstreams_topology::cluster::{Cluster, Cut, TopicPartition};
    ///
    /// let cluster = MemoryCluster::new();
    /// cluster.add_topic("orders", 1, &[])?;
    /// let orders = TopicPartition::new("orders", 0);
    /// for value in ["1 pear", "2 pears", "3 pears"] {
    ///     cluster.append("orders", 0, Some(b"bob"), Some(value.as_bytes()), 1_000)?;
    /// }
    /// let before = cluster.leader_ends(&[orders.clone()])?[0].expect("it is told");
    /// cluster.elect_unclean("orders", 0, 1)?;
    /// cluster.append("orders", 0, Some(b"bob"), Some(b"9 apples"), 2_000)?;
    /// let cuts = cluster.cuts(&[(orders, before)])?;
    /// assert_eq!(cuts, [Some(Cut { end: Some(1) })]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Where there is no such partition, or it does not have the offset.
    pub fn elect_unclean(&self, topic: &str, partition: u32, cut_to: i64) -> Result<()> {
        let mut state = self.shared.lock();
        let log = state.log_mut(&TopicPartition::new(topic, partition))?;
        let there = log.offsets(Isolation::ReadUncommitted);
        if !(there.first..=there.end).contains(&cut_to) {
            return Err(Error::invalid(format!(
                "cannot cut {topic}-{partition} back to offset {cut_to}: it has {} to {}",
                there.first, there.end
            )));
        }
        log.elect_without(cut_to);
        self.shared.notify();
        Ok(())
    }

    /// The names of the members of a group, in the order in which they joined.
    pub fn members(&self, group: &str) -> Vec<String> {
        let state = self.shared.call();
        let members = state.groups.get(group).map(|g| g.member_names());
        members.into_iter().flatten().map(str::to_owned).collect()
    }

    /// What a group has committed of a partition, without those transactions that are still to be over;
    /// this is no call, and no time goes by.
    pub fn peek_committed(&self, group: &str, of: &TopicPartition) -> Option<CommittedOffset> {
        let state = self.shared.lock();
        state.offsets.get(group)?.committed(of)
    }

    /// The end of a partition, if it is there; this is no call, and no time goes by.
    #[cfg(test)]
    pub(crate) fn peek_end(&self, of: &TopicPartition) -> Option<i64> {
        let state = self.shared.lock();
        let log = state.log(of).ok()?;
        Some(log.offsets(Isolation::ReadUncommitted).end)
    }

    /// How long a transaction may be open at most before it is aborted and its producer fenced, whatever
    /// the producer asked for; a minute unless set.
    pub fn set_transaction_timeout(&self, timeout: Duration) {
        self.shared.lock().transaction_timeout = timeout;
    }

    /// Aborts all open transactions that have written something, and fences their producers, as if
    /// their time had run out; how many there were.
    pub fn expire_transactions(&self) -> usize {
        let mut state = self.shared.lock();
        let expired = state.expire_transactions(Timestamp::MAX);
        self.shared.notify();
        expired
    }

    /// How long [`committed`](crate::cluster::Cluster::committed) waits for open transactions, by the
    /// time that passes for the process, before it gives up; ten seconds unless set.
    pub fn set_patience(&self, patience: Duration) {
        self.shared.lock().patience = patience;
    }

    /// When markers are written from now on. While they are in flight the transaction is committed or
    /// aborted and the call that did it has returned, but readers and
    /// [`committed`](crate::cluster::Cluster::committed) do not know yet. The next transaction of the
    /// same id, and the next producer of it, wait for them; which writes them.
    pub fn set_markers(&self, markers: Markers) {
        self.shared.lock().markers = markers;
    }

    /// Where markers are in flight to, those of the transaction that ended first standing first.
    pub fn markers_in_flight(&self) -> Vec<MarkerTarget> {
        let state = self.shared.lock();
        let in_flight = state.transactions.in_flight();
        in_flight.map(|marker| marker.target.clone()).collect()
    }

    /// Writes the markers that are in flight to one place; how many there were.
    pub fn write_markers_to(&self, target: &MarkerTarget) -> usize {
        let mut state = self.shared.lock();
        let markers = state.transactions.land(|marker| marker.target == *target);
        let written = markers.len();
        state.write(markers);
        self.shared.notify();
        written
    }

    /// Writes all markers that are in flight; how many there were.
    pub fn write_markers(&self) -> usize {
        let mut state = self.shared.lock();
        let markers = state.transactions.land(|_| true);
        let written = markers.len();
        state.write(markers);
        self.shared.notify();
        written
    }

    /// Lets the next calls of a kind fail, `times` of them, in place of what was asked for of the kind
    /// before.
    pub fn fail_next(&self, fault: Fault, times: u32) {
        self.fail_after(fault, 0, times);
    }

    /// Lets calls of a kind fail, `times` of them after `passing` ones that do not.
    pub fn fail_after(&self, fault: Fault, passing: u32, times: u32) {
        self.shared.lock().faults.plan(fault, passing, times);
    }

    /// Lets no call fail any more that was to.
    pub fn clear_faults(&self) {
        self.shared.lock().faults.clear();
    }

    /// The size in bytes of key, value and headers above which records are refused, where the topic has
    /// no `max.message.bytes`; about a mebibyte unless set.
    pub fn set_max_record_bytes(&self, bytes: usize) {
        self.shared.lock().max_record_bytes = bytes;
    }

    /// The size in bytes of key, value and headers above which producers do not even send a record; there is
    /// no such limit unless set.
    pub fn set_max_request_bytes(&self, bytes: usize) {
        self.shared.lock().max_request_bytes = Some(bytes);
    }

    /// Takes the brokers away, or brings them back. While they are away calls fail with an error of kind
    /// [`Unavailable`](ErrorKind::Unavailable), readers and members have no news, nothing times out, and
    /// whoever commits or aborts does not get to know whether that was done: it was not. When they are
    /// back, the sessions of members begin anew.
    pub fn set_available(&self, available: bool) {
        let mut state = self.shared.lock();
        let back = available && !state.available;
        state.available = available;
        if back {
            let now = self.shared.now();
            for group in state.groups.values_mut() {
                group.hear_all(now);
            }
            for topic in state.topics.values_mut() {
                topic.logs_mut().iter().for_each(|log| log.wake());
            }
        }
        self.shared.notify();
    }
}
