//! Handing records to the client library, and what its refusals mean.

use std::time::{Duration, Instant};

use ferrisstreams_topology::connector::{Health, SinkRecord, Stats};
use ferrisstreams_topology::{Error, ErrorKind, Result};
use rdkafka::error::RDKafkaErrorCode as Code;

use super::failure::{in_words, lacks_right};
use super::native::{CallError, Destination, Outgoing, Producer};
use super::writing::Writing;

/// How long one wait lasts until it is looked whether the brokers are there.
const SLICE: Duration = Duration::from_millis(500);

/// How long a step may take before the sink begins anew. Longer than the timeout of transactions.
const STEP: Duration = Duration::from_secs(15);

/// A step that failed, and whether the producer may still be used.
#[derive(Debug)]
pub(super) enum Failure {
    /// The transaction must be aborted; then it may be tried again.
    Abort(Error),
    /// The producer cannot be used any more; a new one may.
    Anew(Error),
    /// Nothing helps.
    Final(Error),
}

impl Failure {
    pub(super) fn into_error(self) -> Error {
        match self {
            Failure::Abort(e) | Failure::Anew(e) | Failure::Final(e) => e,
        }
    }
}

/// The time of a record as the library takes it: none is the time of the clock. The library takes zero
/// for none, so that the first millisecond of 1970 goes out as the second.
pub(super) fn outgoing_time(timestamp: i64) -> i64 {
    match timestamp {
        -1 => 0,
        0 => 1,
        timestamp => timestamp,
    }
}

/// Queues all records; the answer is the number of their bytes.
pub(super) fn send_all(
    writing: &Writing,
    producer: &Producer,
    records: &[SinkRecord],
) -> Result<usize, Failure> {
    let mut bytes = 0;
    for record in records {
        let outgoing = Outgoing {
            key: record.key.as_deref(),
            value: record.value.as_deref(),
            timestamp: outgoing_time(record.timestamp),
            headers: &record.headers,
        };
        let size = outgoing.key.map_or(0, <[u8]>::len) + outgoing.value.map_or(0, <[u8]>::len);
        let begun = Instant::now();
        while let Err(e) = producer.send(Destination::FIRST, &outgoing) {
            if e.code != Code::QueueFull || begun.elapsed() > STEP {
                return Err(triage(writing, &e, Some(size)));
            }
            producer.serve(Duration::from_millis(10));
        }
        bytes += size;
    }
    Ok(bytes)
}

/// Repeats a call that waits, until it has an answer. Meanwhile the stats tell whether brokers are there.
pub(super) fn wait(
    writing: &Writing,
    producer: &Producer,
    stats: &Stats,
    mut call: impl FnMut(Duration) -> Result<(), CallError>,
) -> Result<(), Failure> {
    let deadline = Instant::now() + STEP;
    loop {
        let Err(e) = call(SLICE) else {
            return Ok(());
        };
        producer.serve(Duration::ZERO);
        if let Some(trouble) = producer.listener().take_trouble() {
            stats.set_health(Health::Disconnected(trouble.reason));
        }
        let passing = e.retriable || e.code == Code::OperationTimedOut;
        if !passing || e.fatal || e.abortable || Instant::now() >= deadline {
            return Err(triage(writing, &e, None));
        }
    }
}

/// What a refusal means. `size` is that of the record that was refused, where it is known.
pub(super) fn triage(writing: &Writing, e: &CallError, size: Option<usize>) -> Failure {
    let location = writing.location();
    if let Some(e) = hopeless(&location, e.code, size) {
        return Failure::Final(e);
    }
    let message = format!("cannot write {location}: {}", e.message);
    match e.code {
        Code::Fenced | Code::ProducerFenced => Failure::Final(Error::new(
            ErrorKind::Failed,
            format!(
                "{message} (another process writes under the same name; transactional_id_prefix tells \
                 them apart)"
            ),
        )),
        Code::UnsupportedFeature => Failure::Final(Error::new(
            ErrorKind::Invalid,
            format!("{message} (guarantee = 'at_least_once' needs no transactions)"),
        )),
        _ if e.abortable && !e.fatal => Failure::Abort(Error::new(ErrorKind::Unavailable, message)),
        _ => Failure::Anew(Error::new(ErrorKind::Unavailable, message)),
    }
}

/// What a client must be allowed to do to write.
fn operations(code: Code) -> &'static str {
    match code {
        Code::GroupAuthorizationFailed => "Describe and Read",
        Code::ClusterAuthorizationFailed => "IdempotentWrite",
        _ => "Describe and Write",
    }
}

/// The error of a refusal that no second try changes.
pub(super) fn hopeless(location: &str, code: Code, size: Option<usize>) -> Option<Error> {
    let (kind, message) = match code {
        Code::MessageSizeTooLarge => {
            let size = size.map_or(String::new(), |size| format!(" of {size} bytes"));
            (
                ErrorKind::BadRecord,
                format!(
                    "a record{size} is too large for {location} (message.max.bytes is the limit here, \
                     max.message.bytes that of the topic)"
                ),
            )
        }
        Code::InvalidTimestamp | Code::InvalidRecord | Code::PolicyViolation => (
            ErrorKind::BadRecord,
            format!("{location} does not take a record: {code}"),
        ),
        Code::SaslAuthenticationFailed => (
            ErrorKind::Invalid,
            format!("{location} may not be written: {code}; check sasl.username and sasl.password"),
        ),
        code if lacks_right(code) => (
            ErrorKind::Invalid,
            format!(
                "{location} may not be written: {}",
                in_words(code, operations(code))
            ),
        ),
        _ => return None,
    };
    Some(Error::new(kind, message))
}
