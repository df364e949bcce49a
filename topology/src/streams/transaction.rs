//! The transactions of a worker: all that its tasks do between two commits.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::changelog;
use super::env::Env;
#[cfg(test)]
use super::env::Planted;
use super::mark::Mark;
use super::partitioner::Partitioner;
use crate::cluster::{
    CommittedOffset, ProducerRecord, TopicPartition, TransactionError, TransactionalProducer,
};
use crate::error::{Error, ErrorKind};
use crate::graph::NodeId;
use crate::processor::Output;
use crate::record::Headers;
use crate::run::Run;
use crate::store::Commit;

/// How many bytes a transaction has at most before it is committed early.
const FULL: usize = 32 << 20;

/// The transactions of a worker, one after the other.
pub(super) struct Transaction {
    env: Arc<Env>,
    /// By this the cluster knows the producer.
    id: String,
    /// None until it is needed, and where it must be made anew.
    producer: Option<Box<dyn TransactionalProducer>>,
    /// True where one was begun and is not over.
    open: bool,
    /// How many losses of tasks the worker knows of: the tasks that it works at were taken after these.
    /// There may have been another that it was not told of yet, even before the transaction begins.
    losses: u64,
    bytes: usize,
    partitioner: Partitioner,
    headers: Headers,
}

impl Transaction {
    pub(super) fn new(env: Arc<Env>, id: String) -> Self {
        Transaction {
            env,
            id,
            producer: None,
            open: false,
            losses: 0,
            bytes: 0,
            partitioner: Partitioner::default(),
            headers: Headers::default(),
        }
    }

    /// Has whoever had the id before commit nothing more, and ends what was left open.
    ///
    /// # Errors
    ///
    /// Where the brokers refuse, or do not answer.
    pub(super) fn take_over(&mut self) -> Result<(), Error> {
        match self.producer() {
            Ok(_) => Ok(()),
            Err(e) => Err(e.into_error()),
        }
    }

    /// True where something was written since the last commit.
    pub(super) fn is_open(&self) -> bool {
        self.open
    }

    /// The worker knows of so many losses, and has dropped the tasks that were lost.
    pub(super) fn know_of(&mut self, losses: u64) {
        self.losses = losses;
    }

    /// True where it should not grow.
    pub(super) fn is_full(&self) -> bool {
        self.bytes >= FULL
    }

    /// The producer, made if there is none; what an earlier one of its id left open is over then.
    fn producer(&mut self) -> Result<&mut dyn TransactionalProducer, TransactionError> {
        if self.producer.is_none() {
            let made = self.env.cluster.producer(&self.id);
            let made = made.map_err(|e| match e.kind() {
                ErrorKind::Unavailable => TransactionError::Fenced(e),
                _ => TransactionError::Fatal(e),
            })?;
            self.producer = Some(made);
        }
        Ok(&mut **self.producer.as_mut().expect("it was made above"))
    }

    /// The producer, in a transaction.
    fn begin(&mut self) -> Result<&mut dyn TransactionalProducer, TransactionError> {
        if !self.open {
            self.producer()?.begin()?;
            self.open = true;
        }
        self.producer()
    }

    /// Writes what was sent to a sink.
    pub(super) fn send_output(&mut self, output: &Output) -> Result<(), TransactionError> {
        self.begin()?;
        let record = &output.record;
        let (key, value) = (record.key.as_deref(), record.value.as_deref());
        self.bytes += size(key, value);
        let places = &self.env.topics.sinks[output.sink.0 as usize];
        let to = self.partitioner.choose(key, places);
        let producer = self.producer.as_mut().expect("the transaction has begun");
        producer.send(
            to,
            ProducerRecord {
                key,
                value,
                timestamp: record.timestamp,
                headers: &record.headers,
            },
        )
    }

    /// Writes what leaves for other tasks to the topic of its exchange.
    pub(super) fn send_run(&mut self, exchange: NodeId, run: Run) -> Result<(), TransactionError> {
        let env = self.env.clone();
        let fatal = |e: Error| TransactionError::Fatal(e);
        let (Some(places), Some(wire)) = (
            env.topics.repartitions.get(&exchange),
            &env.graph.node(exchange).wire,
        ) else {
            let name = &env.graph.node(exchange).name;
            return Err(fatal(Error::state(format!(
                "{name} has no topic to travel through"
            ))));
        };
        self.begin()?;
        let mut refused = None;
        let sent = wire.encode(run, &mut |record| {
            let to = self.partitioner.choose(record.key, places);
            self.bytes += size(record.key, record.value);
            let producer = self.producer.as_mut().expect("the transaction has begun");
            let sent = producer.send(
                to,
                ProducerRecord {
                    key: record.key,
                    value: record.value,
                    timestamp: record.timestamp,
                    headers: record.headers,
                },
            );
            sent.map_err(|e| {
                let told = Error::new(ErrorKind::Unavailable, e.to_string());
                refused = Some(e);
                told
            })
        });
        match (sent, refused) {
            (Ok(()), _) => Ok(()),
            (Err(_), Some(e)) => Err(e),
            (Err(e), None) => Err(fatal(e)),
        }
    }

    /// Writes rows to their changelogs and commits them with the offsets and the output. The commit
    /// remembers how far its changelogs go.
    pub(super) fn commit(
        &mut self,
        commit: &mut Commit,
        offsets: &[(TopicPartition, CommittedOffset)],
    ) -> Result<(), TransactionError> {
        let env = self.env.clone();
        // Rows are of now; the time of what happened is in them.
        let now = env.clock.now();
        let headers = self.headers.clone();
        #[cfg(test)]
        let offsets = self.commit_offsets_first(offsets)?;
        let producer = self.begin()?;
        let logged = changelog::for_each_record(&env.topics, commit, |record| {
            let sent = producer.send(
                record.to,
                ProducerRecord {
                    key: Some(record.key),
                    value: record.value,
                    timestamp: now,
                    headers: &headers,
                },
            );
            sent.map_err(Failure::Transaction)
        });
        logged.map_err(Failure::into_transaction_error)?;
        let ends: BTreeMap<TopicPartition, i64> = producer.flush()?;
        for (partition, end) in &ends {
            if env.topics.is_changelog(&partition.topic) {
                Mark::new(&env, partition, *end).put(commit, partition);
            }
        }
        let Some(group) = env.standing.metadata(self.began_after()) else {
            return Err(TransactionError::Abort(Error::new(
                ErrorKind::Unavailable,
                "tasks were lost since the transaction began",
            )));
        };
        let producer = self.begin()?;
        if !offsets.is_empty() {
            producer.send_offsets(offsets, &group)?;
        }
        let committed = producer.commit();
        if matches!(committed, Err(TransactionError::Unknown(_))) {
            self.producer = None;
        }
        committed?;
        self.open = false;
        self.bytes = 0;
        Ok(())
    }

    /// After how many losses of tasks that was begun which is committed.
    fn began_after(&self) -> u64 {
        #[cfg(test)]
        if self.env.planted == Some(Planted::FreshMetadata) {
            return self.env.standing.losses();
        }
        self.losses
    }

    /// Commits the output and the offsets before the rows, where that mistake was planted; the offsets
    /// that are still to be committed.
    #[cfg(test)]
    fn commit_offsets_first<'a>(
        &mut self,
        offsets: &'a [(TopicPartition, CommittedOffset)],
    ) -> Result<&'a [(TopicPartition, CommittedOffset)], TransactionError> {
        if self.env.planted != Some(Planted::OffsetsFirst) || offsets.is_empty() {
            return Ok(offsets);
        }
        self.begin()?;
        let Some(group) = self.env.standing.metadata(self.began_after()) else {
            return Ok(offsets);
        };
        let producer = self.begin()?;
        producer.send_offsets(offsets, &group)?;
        producer.commit()?;
        producer.begin()?;
        Ok(&[])
    }

    /// Takes back what was written since the last commit. A producer that cannot is given up: the next
    /// one of its id settles what became of its transaction.
    pub(super) fn abort(&mut self) -> Result<(), TransactionError> {
        if !std::mem::take(&mut self.open) {
            return Ok(());
        }
        self.bytes = 0;
        let aborted = match &mut self.producer {
            Some(producer) => producer.abort(),
            None => Ok(()),
        };
        match aborted {
            Ok(()) if self.producer.is_some() => return Ok(()),
            Ok(()) => {}
            Err(TransactionError::Fatal(e)) => return Err(TransactionError::Fatal(e)),
            Err(e) => tracing::warn!("a producer is given up: {e}"),
        }
        self.producer = None;
        // Until it is settled, the offsets of the tasks are not told.
        match self.producer() {
            Err(TransactionError::Fatal(e)) => Err(TransactionError::Fatal(e)),
            Err(e) => {
                tracing::warn!("no new producer can be made yet: {e}");
                Ok(())
            }
            Ok(_) => Ok(()),
        }
    }
}

fn size(key: Option<&[u8]>, value: Option<&[u8]>) -> usize {
    64 + key.map_or(0, <[u8]>::len) + value.map_or(0, <[u8]>::len)
}

/// What can be wrong where rows are written to changelogs.
enum Failure {
    Transaction(TransactionError),
    Rows(Error),
}

impl From<Error> for Failure {
    fn from(e: Error) -> Self {
        Failure::Rows(e)
    }
}

impl Failure {
    fn into_transaction_error(self) -> TransactionError {
        match self {
            Failure::Transaction(e) => e,
            Failure::Rows(e) => TransactionError::Fatal(e),
        }
    }
}
