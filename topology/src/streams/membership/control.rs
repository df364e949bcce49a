//! The control topic, as an instance reads and writes it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::record::{Assignment, ControlRecord, InstanceRecord, decode};
use crate::cluster::{
    Cluster, Isolation, LogReader, Producer, ProducerKind, ProducerRecord, TopicPartition,
    TransactionError,
};
use crate::connector::Waker;
use crate::error::{Error, ErrorKind, Result};
use crate::record::Headers;
use crate::time::Timestamp;

/// How many records are taken at a time.
const BATCH: usize = 1_024;

/// How long a record that is not committed keeps others from reading on.
const TIMEOUT: Duration = Duration::from_secs(10);

/// What the control topic says.
pub(in crate::streams) struct Control {
    cluster: Arc<dyn Cluster>,
    topic: TopicPartition,
    reader: Box<dyn LogReader>,
    /// Everything before this was read.
    position: i64,
    /// Everything before this was there when the instance began.
    begun_at: i64,
    /// Why the application ends, if an instance has said so since.
    ends: Option<String>,
    assignment: Option<Assignment>,
    instances: BTreeMap<String, InstanceRecord>,
}

impl Control {
    /// Reads the topic from its beginning on.
    ///
    /// # Errors
    ///
    /// Where it cannot be read.
    pub(in crate::streams) fn open(
        cluster: &Arc<dyn Cluster>,
        topic: &str,
        waker: Waker,
    ) -> Result<Self> {
        let mut control = Control {
            cluster: cluster.clone(),
            topic: TopicPartition::new(topic, 0),
            reader: cluster.reader(waker)?,
            position: 0,
            begun_at: 0,
            ends: None,
            assignment: None,
            instances: BTreeMap::new(),
        };
        control.begun_at = control.end()?;
        control.go_to_beginning()?;
        Ok(control)
    }

    fn go_to_beginning(&mut self) -> Result<()> {
        let there = self
            .cluster
            .offsets(&self.topic, Isolation::ReadCommitted)?;
        self.position = there.first;
        self.reader.assign(&self.topic, there.first)
    }

    /// Reads what is there.
    ///
    /// # Errors
    ///
    /// Where it cannot be read, or was written by others.
    pub(in crate::streams) fn read(&mut self) -> Result<()> {
        loop {
            let batch = match self.reader.poll(BATCH) {
                Ok(Some((_, batch))) => batch,
                Ok(None) => return Ok(()),
                // What was deleted meanwhile was out of date.
                Err(e) if e.kind() == ErrorKind::NotFound => return self.go_to_beginning(),
                Err(e) => return Err(e),
            };
            for at in 0..batch.len() {
                let (Some(key), Some(value)) = (batch.key(at), batch.value(at)) else {
                    continue;
                };
                match decode(key, value)? {
                    ControlRecord::Assignment(assignment) => self.assignment = Some(assignment),
                    ControlRecord::Instance(instance, record) => {
                        // An application that was ended before may be started again.
                        if let Some(why) = &record.ends
                            && batch.offset(at) >= self.begun_at
                        {
                            self.ends =
                                Some(format!("instance {instance} ends the application: {why}"));
                        }
                        self.instances.insert(instance, record);
                    }
                    ControlRecord::Unknown => {}
                }
            }
            self.position = batch.end;
        }
    }

    /// Behind what was read.
    pub(super) fn position(&self) -> i64 {
        self.position
    }

    /// Why the application ends, if an instance has said since this one began that all shall.
    pub(in crate::streams) fn ends(&self) -> Option<&str> {
        self.ends.as_deref()
    }

    /// The last assignment.
    pub(in crate::streams) fn assignment(&self) -> Option<&Assignment> {
        self.assignment.as_ref()
    }

    /// What instances say of themselves, by the names of their states.
    pub(super) fn instances(&self) -> &BTreeMap<String, InstanceRecord> {
        &self.instances
    }

    /// The partition that it is.
    pub(super) fn topic(&self) -> &TopicPartition {
        &self.topic
    }

    /// Behind the last record that somebody has written, whether it is committed or not.
    ///
    /// # Errors
    ///
    /// Where the brokers do not answer.
    pub(super) fn end(&self) -> Result<i64> {
        let there = self
            .cluster
            .offsets(&self.topic, Isolation::ReadUncommitted)?;
        Ok(there.end)
    }

    /// Writes what an instance says of itself.
    ///
    /// # Errors
    ///
    /// Where the brokers do not take it.
    pub(in crate::streams) fn tell(
        &self,
        producing: &mut Producing,
        instance: &str,
        record: &InstanceRecord,
        now: Timestamp,
    ) -> Result<()> {
        let key = super::record::instance_key(instance);
        let value = super::record::encode(record);
        producing.write(&*self.cluster, &self.topic, &key, &value, now)?;
        Ok(())
    }
}

/// Writes records of the control topic, each by itself.
pub(in crate::streams) struct Producing {
    kind: ProducerKind,
    producer: Option<Box<dyn Producer>>,
}

impl Producing {
    /// Under a transactional id: whoever else has it can write no more once this one begins.
    pub(super) fn alone(id: String) -> Self {
        let kind = ProducerKind::Transactional {
            id,
            timeout: TIMEOUT,
        };
        Producing {
            kind,
            producer: None,
        }
    }

    /// Beside others. Nobody waits for the end of a transaction where the process dies.
    pub(in crate::streams) fn beside_others() -> Self {
        Producing {
            kind: ProducerKind::Idempotent,
            producer: None,
        }
    }

    /// True where others of its id can write no more.
    pub(super) fn is_ready(&self) -> bool {
        self.producer.is_some()
    }

    /// Has others of its id write no more, and ends what they left open.
    ///
    /// # Errors
    ///
    /// Where the brokers refuse, or do not answer.
    pub(super) fn fence(&mut self, cluster: &dyn Cluster) -> Result<&mut dyn Producer> {
        if self.producer.is_none() {
            self.producer = Some(cluster.producer(&self.kind)?);
        }
        Ok(&mut **self.producer.as_mut().expect("it was made above"))
    }

    /// Writes a record; the offset behind it.
    ///
    /// # Errors
    ///
    /// Where the brokers do not take it, or may have: then the next producer of the id settles it.
    pub(super) fn write(
        &mut self,
        cluster: &dyn Cluster,
        to: &TopicPartition,
        key: &str,
        value: &[u8],
        now: Timestamp,
    ) -> Result<i64> {
        let headers = Headers::default();
        let record = ProducerRecord {
            key: Some(key.as_bytes()),
            value: Some(value),
            timestamp: now,
            headers: &headers,
        };
        let producer = self.fence(cluster)?;
        let mut attempt = || -> Result<i64, TransactionError> {
            producer.begin()?;
            producer.send(to, record)?;
            let ends = producer.flush()?;
            producer.commit()?;
            Ok(ends.get(to).copied().unwrap_or(0))
        };
        attempt().map_err(|e| {
            self.producer = None;
            match e {
                TransactionError::Fatal(e) => e,
                e => Error::new(ErrorKind::Unavailable, e.into_error().to_string()),
            }
        })
    }
}
