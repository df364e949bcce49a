//! The transactions of a worker: all that its tasks do between two commits.

mod output;

use std::sync::Arc;

use super::changelog;
use super::env::Env;
#[cfg(test)]
use super::env::Planted;
use super::mark::Mark;
use super::partitioner::Partitioner;
use super::production::Refusals;
use crate::cluster::{
    CommittedOffset, LogPoint, Producer, ProducerKind, ProducerRecord, TopicPartition,
    TransactionError,
};
use crate::error::{Error, ErrorKind};
use crate::record::Headers;
use crate::store::{Commit, FamilyWrites, META};
use crate::time::Timestamp;

/// How many bytes a transaction has at most before it is committed early.
const FULL: usize = 32 << 20;

/// How many records.
const MANY: usize = 500_000;

/// The transactions of a worker, one after the other.
pub(super) struct Transaction {
    env: Arc<Env>,
    kind: ProducerKind,
    /// None until it is needed, and where it must be made anew.
    producer: Option<Box<dyn Producer>>,
    /// True where one was begun and is not over.
    open: bool,
    /// How many losses of tasks the worker knows of: the tasks that it works at were taken after these.
    /// There may have been another that it was not told of yet, even before the transaction begins.
    losses: u64,
    bytes: usize,
    records: usize,
    /// When it was begun, if it is open.
    begun: Timestamp,
    partitioner: Partitioner,
    headers: Headers,
    refusals: Refusals,
}

impl Transaction {
    pub(super) fn new(env: Arc<Env>, id: String) -> Self {
        let kind = match env.transaction_limit {
            Some(timeout) => ProducerKind::Transactional { id, timeout },
            None => ProducerKind::Idempotent,
        };
        Transaction {
            env,
            kind,
            producer: None,
            open: false,
            losses: 0,
            bytes: 0,
            records: 0,
            begun: 0,
            partitioner: Partitioner::default(),
            headers: Headers::default(),
            refusals: Refusals::default(),
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
        let many = self.bytes >= FULL || self.records >= MANY;
        many || self.is_late() || (self.open && self.room() == 0)
    }

    /// How many records more it should have; few where it is looked for which one was refused.
    pub(super) fn room(&self) -> usize {
        self.refusals.room()
    }

    /// True where it has taken half of its time.
    pub(super) fn is_late(&self) -> bool {
        let limit = self.env.transaction_limit.filter(|_| self.open);
        limit.is_some_and(|limit| self.env.has_passed(limit / 2, self.begun))
    }

    /// The producer, made if there is none; what an earlier one of its id left open is over then.
    fn producer(&mut self) -> Result<&mut dyn Producer, TransactionError> {
        if self.producer.is_none() {
            let made = self.env.cluster.producer(&self.kind);
            let made = made.map_err(|e| match e.kind() {
                ErrorKind::Unavailable => TransactionError::Fenced(e),
                _ => TransactionError::Fatal(e),
            })?;
            self.producer = Some(made);
        }
        Ok(&mut **self.producer.as_mut().expect("it was made above"))
    }

    /// The producer, in a transaction.
    fn begin(&mut self) -> Result<&mut dyn Producer, TransactionError> {
        if !self.open {
            self.producer()?.begin()?;
            self.open = true;
            self.begun = self.env.clock.now();
        }
        self.producer()
    }

    /// Writes rows to their changelogs, those that are in the state already first, and commits them with the
    /// offsets and the output. The commit remembers how far its changelogs go.
    pub(super) fn commit(
        &mut self,
        commit: &mut Commit,
        built: &[FamilyWrites],
        offsets: &[(TopicPartition, CommittedOffset)],
    ) -> Result<(), TransactionError> {
        let env = self.env.clone();
        // Where nothing can be taken back, who has lost tasks must not write their rows: they would come
        // behind those of the next owner.
        let standing = &env.standing;
        if self.kind == ProducerKind::Idempotent
            && (standing.metadata(self.losses).is_none() || standing.may_have_been_given_up())
        {
            return Err(lost());
        }
        #[cfg(test)]
        let offsets = self.commit_offsets_first(offsets)?;
        self.begin()?;
        // Where nothing can be taken back, sources have been read no further than all else is written.
        let early = match self.kind {
            ProducerKind::Idempotent => Some(false),
            ProducerKind::Transactional { .. } => None,
        };
        self.send_rows(built.iter(), early)?;
        self.send_rows(commit.writes.iter(), early)?;
        let mut ends = self.flush()?;
        let Some(group) = env.standing.metadata(self.began_after()) else {
            return Err(lost());
        };
        let producer = self.begin()?;
        if !offsets.is_empty() {
            producer.send_offsets(offsets, &group)?;
        }
        if early.is_some() {
            let remembered = commit.writes.iter().filter(|w| w.family().name() == META);
            self.send_rows(remembered, Some(true))?;
            ends = self.flush()?;
        }
        for (partition, end) in &ends {
            // Where a record was sent twice, its place may not be told.
            if env.topics.is_changelog(&partition.topic) && *end > 0 {
                let point = point_before(&env, partition, *end)?;
                Mark::new(&env, partition, *end, point).put(commit, partition);
            }
        }
        let producer = self.begin()?;
        let committed = producer.commit();
        if matches!(committed, Err(TransactionError::Unknown(_))) {
            self.producer = None;
        }
        committed?;
        self.close();
        self.refusals.committed();
        Ok(())
    }

    /// Writes rows to their changelogs; with `positions` only how far sources were read, or all but that.
    fn send_rows<'a>(
        &mut self,
        rows: impl Iterator<Item = &'a FamilyWrites>,
        positions: Option<bool>,
    ) -> Result<(), TransactionError> {
        let env = self.env.clone();
        // Rows are of now; the time of what happened is in them.
        let now = env.clock.now();
        let headers = self.headers.clone();
        let logged = changelog::for_each_record(&env.topics, rows, |record| {
            let to = record.to;
            if positions.is_some_and(|wanted| wanted != record.is_position(&env.topics)) {
                return Ok(());
            }
            let record = ProducerRecord {
                key: Some(record.key),
                value: record.value,
                timestamp: now,
                headers: &headers,
            };
            let sent = self.hand_over(to, record);
            sent.map_err(|e| match e {
                TransactionError::Unsendable(e) => {
                    Failure::Transaction(TransactionError::Fatal(row_refused(&to.topic, &e)))
                }
                e => Failure::Transaction(e),
            })
        });
        logged.map_err(Failure::into_transaction_error)
    }

    fn close(&mut self) {
        self.open = false;
        self.bytes = 0;
        self.records = 0;
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
        if !self.open {
            return Ok(());
        }
        self.close();
        self.refusals.aborted();
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

/// The point of the rows of a changelog to which more were written up to `end`: whose log these went to is asked
/// for beside the commits. A log that ends no further than it did before was cut back, whatever was known of it:
/// nothing that is here of it counts any more.
fn point_before(
    env: &Env,
    partition: &TopicPartition,
    end: i64,
) -> Result<Option<LogPoint>, TransactionError> {
    let mark = Mark::read(&env.state, partition).map_err(TransactionError::Fatal)?;
    let Some(mark) = mark.filter(|mark| !mark.is_of_another(env, partition)) else {
        return Ok(None);
    };
    if end > mark.offset {
        return Ok(mark.point);
    }
    let why = format!(
        "they go to {}, and what was written behind them ends at {end}: the topic was cut back by an election",
        mark.offset
    );
    env.tell_refused(partition, &why);
    let mut forgotten = Commit::default();
    Mark::forget(&mut forgotten, partition);
    let forgotten = env.state.commit(forgotten, false);
    forgotten.map_err(TransactionError::Fatal)?;
    let error = Error::new(ErrorKind::Unavailable, format!("{partition}: {why}"));
    Err(TransactionError::Abort(error))
}

fn lost() -> TransactionError {
    TransactionError::Abort(Error::new(
        ErrorKind::Unavailable,
        "tasks were lost since the transaction began",
    ))
}

/// A row is missing from its changelog wherever the task goes next, so it cannot be left out.
fn row_refused(topic: &str, why: &Error) -> Error {
    Error::new(
        ErrorKind::Failed,
        format!(
            "a row cannot be written to its changelog {topic}: {why}; raise max.message.bytes of the topic, and \
             message.max.bytes of the clients, above its size and start again"
        ),
    )
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
