//! What the client library tells by itself: troubles with brokers, records that were not delivered, and
//! lines for the log.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::statistics::Statistics;

use super::{security, statistics};

/// Hears what a client tells. Clones hear the same.
#[derive(Debug, Clone, Default)]
pub(super) struct Listener {
    heard: Arc<Mutex<Heard>>,
}

#[derive(Debug, Default)]
struct Heard {
    trouble: Option<Trouble>,
    undelivered: Option<Undelivered>,
    /// The offset of the last record that was delivered, by the topic's address and the partition.
    delivered: BTreeMap<(usize, i32), i64>,
    keeps_delivered: bool,
}

/// Why brokers cannot be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trouble {
    pub(super) kind: TroubleKind,
    /// In the words of the library.
    pub(super) reason: String,
}

/// What can be done about a [`Trouble`]; the greater kind says more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum TroubleKind {
    /// It is tried again.
    Passing,
    /// No broker can be reached; it is tried again.
    AllDown,
    /// A broker hangs up, perhaps since it expects another protocol; it is tried again.
    Suspect,
    /// The brokers do not believe who we are, or we do not believe them.
    Refused,
}

/// A record that was not delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Undelivered {
    pub(super) code: RDKafkaErrorCode,
    /// The address of its topic.
    pub(super) topic: usize,
    /// The bytes of its key and value.
    pub(super) size: usize,
}

impl Undelivered {
    /// True where the brokers refuse the record for what it is.
    pub(super) fn is_refused(&self) -> bool {
        matches!(
            self.code,
            RDKafkaErrorCode::MessageSizeTooLarge
                | RDKafkaErrorCode::InvalidTimestamp
                | RDKafkaErrorCode::InvalidRecord
                | RDKafkaErrorCode::PolicyViolation
        )
    }
}

impl Listener {
    /// One that remembers up to where records were delivered.
    pub(super) fn of_deliveries() -> Self {
        let listener = Listener::default();
        listener.lock().keeps_delivered = true;
        listener
    }

    pub(super) fn hear_delivered(&self, topic: usize, partition: i32, offset: i64) {
        let mut heard = self.lock();
        if heard.keeps_delivered {
            let last = heard.delivered.entry((topic, partition)).or_insert(offset);
            *last = offset.max(*last);
        }
    }

    /// The offset of the last record that was delivered since this was asked last, by the topic's address
    /// and the partition.
    pub(super) fn take_delivered(&self) -> BTreeMap<(usize, i32), i64> {
        std::mem::take(&mut self.lock().delivered)
    }

    fn lock(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().expect("no panic while locked")
    }

    pub(super) fn hear_trouble(&self, code: RDKafkaErrorCode, reason: &str) {
        let kind = match code {
            RDKafkaErrorCode::Authentication
            | RDKafkaErrorCode::SaslAuthenticationFailed
            | RDKafkaErrorCode::SSL => TroubleKind::Refused,
            RDKafkaErrorCode::AllBrokersDown => TroubleKind::AllDown,
            _ if security::is_alert(reason) => TroubleKind::Refused,
            _ if security::is_suspicious(reason) => TroubleKind::Suspect,
            _ => TroubleKind::Passing,
        };
        tracing::debug!(target: "librdkafka", "{code:?}: {reason}");
        self.hear(kind, reason);
    }

    /// Hears why brokers cannot be reached.
    pub(super) fn hear(&self, kind: TroubleKind, reason: &str) {
        let mut heard = self.lock();
        // "All brokers are down" says less of why than what was heard before, and so does what comes after
        // a refusal.
        let reason = match (&heard.trouble, kind) {
            (Some(before), TroubleKind::AllDown) => before.reason.clone(),
            (Some(before), kind) if before.kind > kind.max(TroubleKind::AllDown) => {
                before.reason.clone()
            }
            _ => reason.to_owned(),
        };
        let kind = heard
            .trouble
            .as_ref()
            .map_or(kind, |before| before.kind.max(kind));
        heard.trouble = Some(Trouble { kind, reason });
    }

    pub(super) fn hear_undelivered(&self, undelivered: Undelivered) {
        let mut heard = self.lock();
        // Others of a batch are given up for the sake of the one that is refused.
        let known = heard.undelivered.as_ref();
        if known.is_none_or(|known| !known.is_refused() && undelivered.is_refused()) {
            heard.undelivered = Some(undelivered);
        }
    }

    /// What is wrong with the brokers since this was asked last.
    pub(super) fn take_trouble(&self) -> Option<Trouble> {
        self.lock().trouble.take()
    }

    /// The first record that was not delivered since this was asked last; one that was refused for what it
    /// is before all others.
    pub(super) fn take_undelivered(&self) -> Option<Undelivered> {
        self.lock().undelivered.take()
    }
}

/// Logs a line of the library.
pub(super) fn log(level: RDKafkaLogLevel, facility: &str, line: &str) {
    use RDKafkaLogLevel as Level;
    // Properties of a cluster are given to all its clients, whether they are for them or not.
    let level = if facility == "CONFWARN" {
        Level::Debug
    } else {
        level
    };
    match level {
        Level::Emerg | Level::Alert | Level::Critical | Level::Error | Level::Warning => {
            tracing::warn!(target: "librdkafka", "{facility}: {line}");
        }
        // Mostly connections that brokers close.
        Level::Notice | Level::Info | Level::Debug => {
            tracing::debug!(target: "librdkafka", "{facility}: {line}")
        }
    }
}

impl ClientContext for Listener {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        // That a broker hangs up is told in the log alone; what is an error is told as one too.
        let is_error = matches!(
            level,
            RDKafkaLogLevel::Emerg
                | RDKafkaLogLevel::Alert
                | RDKafkaLogLevel::Critical
                | RDKafkaLogLevel::Error
        );
        if facility == "FAIL" && !is_error && security::is_suspicious(line) {
            let reason = line.split_once("]: ").map_or(line, |(_, reason)| reason);
            self.hear_trouble(RDKafkaErrorCode::BrokerTransportFailure, reason);
        }
        log(level, facility, line);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        if let Some(code) = error.rdkafka_error_code() {
            self.hear_trouble(code, reason);
        }
    }

    fn stats(&self, told: Statistics) {
        statistics::tell(&told);
    }
}

impl ConsumerContext for Listener {}

/// What hears of troubles among the other things that a client tells.
pub(super) trait WithListener: ClientContext {
    fn listener(&self) -> &Listener;
}

impl WithListener for Listener {
    fn listener(&self) -> &Listener {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_record_that_was_refused_is_told_before_those_that_went_with_it() {
        use RDKafkaErrorCode as Code;
        let listener = Listener::default();
        for (code, size) in [
            (Code::PurgeQueue, 1),
            (Code::InvalidTimestamp, 2),
            (Code::MessageSizeTooLarge, 3),
            (Code::PurgeQueue, 4),
        ] {
            let topic = 7;
            listener.hear_undelivered(Undelivered { code, topic, size });
        }
        assert_eq!(listener.take_undelivered().unwrap().size, 2);
        assert_eq!(listener.take_undelivered(), None);
    }

    #[test]
    fn the_first_reason_stays_when_all_are_down() {
        let listener = Listener::default();
        listener.hear_trouble(
            RDKafkaErrorCode::BrokerTransportFailure,
            "connection refused",
        );
        listener.hear_trouble(RDKafkaErrorCode::AllBrokersDown, "1/1 brokers are down");
        let trouble = listener.take_trouble().unwrap();
        assert_eq!(trouble.kind, TroubleKind::AllDown);
        assert_eq!(trouble.reason, "connection refused");
        assert_eq!(listener.take_trouble(), None);
    }
}
