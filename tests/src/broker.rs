//! A Kafka broker of a test's own, to be killed and started again.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::files::TestDir;
use crate::kafka::Kafka;
use crate::process::ended_within;
use crate::service;

/// How long an orderly stop may take.
const STOP_LIMIT: Duration = Duration::from_secs(30);
/// The exit status of `kafka.sh wait` when somebody else has the port.
const PORT_TAKEN: i32 = 3;

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
pub struct KafkaBroker {
    kafka: Kafka,
    node: Option<Child>,
    // behind the process, so that it is removed when nothing runs in it
    dir: TestDir,
}

impl KafkaBroker {
    /// Starts a new, empty broker and returns when it serves requests; `None`, and a line that says so, when this
    /// run has no Kafka at all.
    #[track_caller]
    #[must_use]
    pub fn start() -> Option<KafkaBroker> {
        service::address("FERRIS_TEST_KAFKA")?;
        let mut broker = KafkaBroker {
            kafka: Kafka::at(""),
            node: None,
            dir: TestDir::new(),
        };
        for _ in 0..5 {
            broker
                .script(&["configure"])
                .expect("a cluster can be laid out");
            broker.kafka = Kafka::at(
                broker
                    .script(&["addresses"])
                    .expect("a cluster has an address")
                    .trim(),
            );
            match broker.launch() {
                Ok(()) => return Some(broker),
                Err(PORT_TAKEN) => broker.kill(),
                Err(status) => panic!("the broker could not be started: status {status}"),
            }
        }
        panic!("no free port for a broker in five attempts");
    }

    /// How to reach it; valid across restarts.
    #[must_use]
    pub fn kafka(&self) -> &Kafka {
        &self.kafka
    }

    /// How clients reach it that say who they are: by SASL/PLAIN, as `ferris` with the password `hunter2`.
    #[must_use]
    pub fn sasl_bootstrap(&self) -> String {
        let addresses = self.script(&["sasl-addresses"]);
        let addresses = addresses.expect("a cluster has an address");
        addresses.trim().to_owned()
    }

    /// Kills it with SIGKILL. Nothing listens on its port when this returns.
    pub fn kill(&mut self) {
        if let Some(mut node) = self.node.take() {
            // both fail only when it has ended
            let _ = node.kill();
            let _ = node.wait();
        }
    }

    /// Stops it in an orderly way.
    #[track_caller]
    pub fn stop(&mut self) {
        if let Some(mut node) = self.node.take() {
            let _ = kill_process(Pid::from_child(&node), Signal::TERM);
            assert!(
                ended_within(&node, STOP_LIMIT),
                "the broker still runs {STOP_LIMIT:?} after SIGTERM"
            );
            node.wait().expect("a child of ours can be waited for");
        }
    }

    /// Stops it in the middle of whatever it does: connections stay open and nothing answers, until
    /// [`resume`](KafkaBroker::resume).
    pub fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on after [`pause`](KafkaBroker::pause).
    pub fn resume(&self) {
        self.signal(Signal::CONT);
    }

    /// Starts it again after [`kill`](KafkaBroker::kill) or [`stop`](KafkaBroker::stop), on its old port and data,
    /// and returns when it serves requests. After a kill that takes some three seconds more than the first start: the
    /// controller waits until the session of the dead broker is over.
    #[track_caller]
    pub fn restart(&mut self) {
        assert!(self.node.is_none(), "the broker runs");
        if let Err(status) = self.launch() {
            panic!("the broker could not be started again: status {status}");
        }
    }

    fn launch(&mut self) -> Result<(), i32> {
        let script = service::script("kafka.sh");
        let mut command = Command::new(&script);
        command
            .arg("node")
            .arg(self.dir.path())
            .arg("1")
            .stdin(Stdio::null());
        let node = command
            .spawn()
            .unwrap_or_else(|error| panic!("starting {}: {error}", script.display()));
        let member = format!("1={}", node.id());
        self.node = Some(node);
        self.script(&["wait", &member]).map(drop)
    }

    /// Runs a command of kafka.sh upon the directory of the broker.
    fn script(&self, command: &[&str]) -> Result<String, i32> {
        let script = service::script("kafka.sh");
        let (name, arguments) = command.split_first().expect("a command has a name");
        let output = Command::new(&script)
            .arg(name)
            .arg(self.dir.path())
            .args(arguments)
            .stderr(Stdio::inherit())
            .output();
        let output = output.unwrap_or_else(|error| panic!("running {}: {error}", script.display()));
        match output.status.code() {
            Some(0) => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
            status => Err(status.unwrap_or(-1)),
        }
    }

    fn signal(&self, signal: Signal) {
        if let Some(node) = &self.node {
            // it has not been waited for, so that its id is no one else's
            let _ = kill_process(Pid::from_child(node), signal);
        }
    }
}

impl Drop for KafkaBroker {
    fn drop(&mut self) {
        self.kill();
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

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
