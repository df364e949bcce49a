//! What a transaction has for sinks and for other tasks, and what becomes of it where it is refused.

use std::collections::BTreeMap;

use super::{Transaction, row_refused, size};
use crate::cluster::{ProducerRecord, Refusal, TopicPartition, TransactionError};
use crate::error::{Error, ErrorKind};
use crate::graph::NodeId;
use crate::policy::{KEY_BYTES, SINK, VALUE_BYTES, dead_letter_headers, error_message};
use crate::processor::Output;
use crate::record::Headers;
use crate::run::Run;
use crate::streams::production::{ProductionExceptionHandler, cut};
use crate::streams::times;
use crate::task::Said;

/// What a record is written for.
#[derive(Debug, Clone, Copy)]
struct Cause {
    /// The record that was read, where one alone is behind it: of which node, partition and offset.
    source: Option<(NodeId, u16, i64)>,
}

impl Transaction {
    /// Writes what tasks of a number sent to a sink.
    pub(in crate::streams) fn send_output(
        &mut self,
        lane: u16,
        output: &Output,
    ) -> Result<(), TransactionError> {
        let record = &output.record;
        let key = record.key.as_deref();
        let env = self.env.clone();
        let places = &env.topics.sinks[output.sink.0 as usize];
        let to = self.partitioner.choose(key, places);
        let stamp = &output.stamp;
        let source = NodeId(stamp.input);
        let cause = Cause {
            source: (stamp.offset >= 0).then_some((source, lane, stamp.offset)),
        };
        let record = ProducerRecord {
            key,
            value: record.value.as_deref(),
            timestamp: record.timestamp,
            headers: &record.headers,
        };
        self.send(to, record, cause)
    }

    /// Writes a record, or does with it as the policy says where it is refused.
    fn send(
        &mut self,
        to: &TopicPartition,
        record: ProducerRecord<'_>,
        cause: Cause,
    ) -> Result<(), TransactionError> {
        self.begin()?;
        let mut alone = false;
        if self.refusals.suspects(to, &record) {
            alone = self.refusals.take_turn();
            if let Some(why) = self.refusals.known(to, &record) {
                return self.give_up(to, record, cause, &why);
            }
        }
        if alone {
            self.flush()?;
        }
        match self.hand_over(to, record) {
            Err(TransactionError::Unsendable(e)) => {
                return self.give_up(to, record, cause, &e.to_string());
            }
            handed => handed?,
        }
        if !alone {
            return Ok(());
        }
        let written = self.producer()?.flush();
        match written {
            Err(TransactionError::Refused(refusal)) => {
                let why = refusal.error.to_string();
                self.refusals.learn(to, &record, why);
                Err(self.refused(refusal))
            }
            written => written.map(|_| ()),
        }
    }

    /// Hands a record to the producer.
    pub(super) fn hand_over(
        &mut self,
        to: &TopicPartition,
        record: ProducerRecord<'_>,
    ) -> Result<(), TransactionError> {
        self.bytes += size(record.key, record.value);
        self.records += 1;
        let producer = self.producer.as_mut().expect("the transaction has begun");
        match producer.send(to, record) {
            Err(TransactionError::Refused(refusal)) => Err(self.refused(refusal)),
            sent => sent,
        }
    }

    /// Waits until everything is written.
    pub(super) fn flush(&mut self) -> Result<BTreeMap<TopicPartition, i64>, TransactionError> {
        match self.begin()?.flush() {
            Err(TransactionError::Refused(refusal)) => Err(self.refused(refusal)),
            flushed => flushed,
        }
    }

    /// The transaction is lost by a record that was refused.
    fn refused(&mut self, refusal: Refusal) -> TransactionError {
        if self.env.topics.is_changelog(&refusal.topic) {
            return TransactionError::Fatal(row_refused(&refusal.topic, &refusal.error));
        }
        let production = &self.env.production;
        if production.handler == ProductionExceptionHandler::Fail {
            return TransactionError::Fatal(output_refused(&refusal.topic, &refusal.error));
        }
        if (production.dead_letters.iter()).any(|letters| letters.topic == refusal.topic) {
            return TransactionError::Fatal(letter_refused(&refusal.topic, &refusal.error));
        }
        match self.refusals.suspect(&refusal, self.records) {
            Ok(()) => TransactionError::Abort(refusal.error.context(format!(
                "a record for {} was refused, and is looked for",
                refusal.topic
            ))),
            Err(e) => TransactionError::Fatal(e),
        }
    }

    /// Does with a record that is refused as the policy says.
    fn give_up(
        &mut self,
        to: &TopicPartition,
        record: ProducerRecord<'_>,
        cause: Cause,
        why: &str,
    ) -> Result<(), TransactionError> {
        let env = self.env.clone();
        let production = &env.production;
        if production.handler == ProductionExceptionHandler::Fail {
            let error = Error::new(ErrorKind::BadRecord, why);
            return Err(TransactionError::Fatal(output_refused(&to.topic, &error)));
        }
        production.stats.count_failed(1);
        if production.stats.may_tell() {
            let so_far = production.stats.failed();
            tracing::warn!(sink = %to.topic, refused_so_far = so_far, "a record is refused: {why}");
        }
        if production.dead_letters.is_empty() {
            return Ok(());
        }
        let place = self
            .partitioner
            .choose(record.key, &production.dead_letters);
        let (key, key_bytes) = cut(record.key);
        let (value, value_bytes) = cut(record.value);
        let mut headers = self.told_of(record.headers, cause, why);
        headers = headers.with(SINK, to.topic.as_bytes());
        for (name, bytes) in [(KEY_BYTES, key_bytes), (VALUE_BYTES, value_bytes)] {
            if let Some(bytes) = bytes {
                headers = headers.with(name, bytes.to_string());
            }
        }
        let letter = ProducerRecord {
            key,
            value,
            timestamp: record.timestamp,
            headers: &headers,
        };
        match self.hand_over(place, letter) {
            Err(TransactionError::Unsendable(e)) => {
                Err(TransactionError::Fatal(letter_refused(&place.topic, &e)))
            }
            sent => sent,
        }
    }

    /// Headers that say what was wrong, and with which record, if one alone was behind it.
    fn told_of(&self, headers: &Headers, cause: Cause, why: &str) -> Headers {
        let source = cause.source.and_then(|(node, lane, offset)| {
            let mut inputs = self.env.topics.inputs(lane);
            let (_, from) = inputs.find(|(input, _)| *input == node)?;
            Some((from, offset))
        });
        match source {
            Some((from, offset)) => {
                dead_letter_headers(headers, why, &from.topic, from.partition, offset)
            }
            None => error_message(headers, why),
        }
    }

    /// Writes what leaves for other tasks to the topic of its exchange.
    pub(in crate::streams) fn send_run(
        &mut self,
        exchange: NodeId,
        run: Run,
    ) -> Result<(), TransactionError> {
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
        let mut refused = None;
        let sent = wire.encode(run, &mut |record| {
            let to = self.partitioner.choose(record.key, places);
            let record = ProducerRecord {
                key: record.key,
                value: record.value,
                timestamp: record.timestamp,
                headers: record.headers,
            };
            let sent = self.send(to, record, Cause { source: None });
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
}

impl Transaction {
    /// Says to all tasks behind an exchange what the time of one is that feeds them: all that it sent before
    /// is written before.
    pub(in crate::streams) fn say_time(
        &mut self,
        exchange: NodeId,
        said: Said,
    ) -> Result<(), TransactionError> {
        let env = self.env.clone();
        let headers = times::headers(said);
        self.begin()?;
        for to in env.topics.repartitions.get(&exchange).into_iter().flatten() {
            let record = ProducerRecord {
                key: None,
                value: None,
                timestamp: said.time,
                headers: &headers,
            };
            self.hand_over(to, record)?;
        }
        Ok(())
    }
}

fn output_refused(topic: &str, why: &Error) -> Error {
    Error::new(
        ErrorKind::Failed,
        format!(
            "a record cannot be written to {topic}: {why}; production_exception_handler says what else becomes \
             of such records"
        ),
    )
}

fn letter_refused(topic: &str, why: &Error) -> Error {
    Error::new(
        ErrorKind::Failed,
        format!(
            "a dead letter cannot be written to {topic}: {why}; the topic must take key and value of 64 KiB each, \
             and headers"
        ),
    )
}
