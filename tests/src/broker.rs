//! A Kafka broker of a test's own, to be killed and started again.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::brokers::KafkaBrokers;
use crate::kafka::Kafka;
use crate::service;

/// A broker of its own, on a free loopback port. It starts in one to four seconds and is killed when it is dropped.
///
/// ```no_run
/// use ferrisstreams_tests::{KafkaBroker, Record};
///
/// let Some(mut broker) = KafkaBroker::start() else { return };
/// let topic = broker.kafka().unique_topic("orders", 1);
/// broker.kafka().produce(&topic, [Record::new("a", "1")]);
/// broker.kill();
/// broker.restart();
/// assert_eq!(broker.kafka().read_committed(&topic).len(), 1);
/// ```
#[derive(Debug)]
pub struct KafkaBroker(KafkaBrokers);

impl KafkaBroker {
    /// Starts a new, empty broker and returns when it serves requests; `None`, and a line that says so, when this
    /// run has no Kafka at all.
    #[track_caller]
    #[must_use]
    pub fn start() -> Option<KafkaBroker> {
        KafkaBrokers::start(1).map(KafkaBroker)
    }

    /// How to reach it; valid across restarts.
    #[must_use]
    pub fn kafka(&self) -> &Kafka {
        self.0.kafka()
    }

    /// How clients reach it that say who they are: by SASL/PLAIN, as `ferris` with the password `hunter2`.
    #[must_use]
    pub fn sasl_bootstrap(&self) -> String {
        self.0.sasl_bootstrap()
    }

    /// As [`KafkaBrokers::listener`].
    #[must_use]
    pub fn listener(&self, name: &str) -> String {
        self.0.listener(name)
    }

    /// Where a file for TLS is: `ca.pem` (the authority that signed the broker's certificate), `client.pem` and
    /// `client.key` (a client's, `CN=ferris-client`; the key has the password `hunter2`), `other-ca.pem`.
    #[must_use]
    pub fn certificate(&self, file: &str) -> PathBuf {
        let output = Command::new(service::script("kafka.sh"))
            .arg("certificates")
            .output()
            .expect("the script runs");
        assert!(output.status.success(), "{output:?}");
        Path::new(String::from_utf8_lossy(&output.stdout).trim()).join(file)
    }

    /// As [`KafkaBrokers::kill`].
    pub fn kill(&mut self) {
        self.0.kill(0);
    }

    /// As [`KafkaBrokers::stop`].
    #[track_caller]
    pub fn stop(&mut self) {
        self.0.stop(0);
    }

    /// As [`KafkaBrokers::pause`].
    pub fn pause(&self) {
        self.0.pause(0);
    }

    /// As [`KafkaBrokers::resume`].
    pub fn resume(&self) {
        self.0.resume(0);
    }

    /// As [`KafkaBrokers::restart`].
    #[track_caller]
    pub fn restart(&mut self) {
        self.0.restart(0);
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;
    use std::time::Duration;

    use rdkafka::consumer::{BaseConsumer, Consumer};

    use super::*;
    use crate::record::{ConsumedRecord, Record};
    use crate::soak;

    #[test]
    fn soak_what_was_acknowledged_survives_every_kill() {
        let Some(mut broker) = KafkaBroker::start() else {
            return;
        };
        let address = broker.kafka().bootstrap().to_owned();
        let topic = broker.kafka().unique_topic("survivor", 1);
        let mut written = Vec::new();
        for round in 0..soak::rounds(1, 20) {
            let value = format!("round {round}");
            broker.kafka().produce(&topic, [Record::value(&value)]);
            written.push(value);
            broker.kill();
            assert!(
                TcpStream::connect(&address).is_err(),
                "nothing listens on {address}"
            );
            broker.restart();
            let values: Vec<_> = broker
                .kafka()
                .read_committed(&topic)
                .iter()
                .filter_map(ConsumedRecord::value_text)
                .collect();
            assert_eq!(values, written);
        }
        broker.stop();
        broker.restart();
        assert_eq!(broker.kafka().read_committed(&topic).len(), written.len());
    }

    #[test]
    fn a_paused_broker_answers_when_it_is_resumed() {
        let Some(broker) = KafkaBroker::start() else {
            return;
        };
        let kafka = broker.kafka();
        let topic = kafka.unique_topic("paused", 1);
        kafka.produce(&topic, [Record::value("1")]);
        let consumer: BaseConsumer = kafka.client().create().unwrap();
        let answers = || consumer.fetch_metadata(Some(&topic), Duration::from_millis(500));
        broker.pause();
        assert!(answers().is_err());
        broker.resume();
        assert_eq!(kafka.read_committed(&topic).len(), 1);
    }
}
