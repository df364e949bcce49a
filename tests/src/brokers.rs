//! Kafka brokers of a test's own, to be killed and started again.

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

/// A cluster of one or three brokers on free loopback ports. They are killed when it is dropped.
#[derive(Debug)]
pub struct KafkaBrokers {
    kafka: Kafka,
    nodes: Vec<Option<Child>>,
    // behind the processes, so that it is removed when nothing runs in it
    dir: TestDir,
}

impl KafkaBrokers {
    /// Starts a new, empty cluster of so many brokers, one or three, and returns when they serve requests; `None`,
    /// and a line that says so, when this run has no Kafka at all.
    #[track_caller]
    #[must_use]
    pub fn start(count: usize) -> Option<KafkaBrokers> {
        service::address("FERRIS_TEST_KAFKA")?;
        let mut brokers = KafkaBrokers {
            kafka: Kafka::at(""),
            nodes: (0..count).map(|_| None).collect(),
            dir: TestDir::new(),
        };
        for _ in 0..5 {
            let configured = brokers.script(&["configure"], &[&count.to_string()]);
            configured.expect("a cluster can be laid out");
            let addresses = brokers.script(&["addresses"], &[]);
            brokers.kafka = Kafka::at(addresses.expect("a cluster has an address").trim());
            let all: Vec<usize> = (0..count).collect();
            match brokers.launch(&all) {
                Ok(()) => return Some(brokers),
                Err(PORT_TAKEN) => all.into_iter().for_each(|node| brokers.kill(node)),
                Err(status) => panic!("the brokers could not be started: status {status}"),
            }
        }
        panic!("no free ports for brokers in five attempts");
    }

    /// How to reach them; valid across restarts.
    #[must_use]
    pub fn kafka(&self) -> &Kafka {
        &self.kafka
    }

    /// How clients reach them that say who they are: by SASL/PLAIN, as `ferris` with the password `hunter2`.
    #[must_use]
    pub fn sasl_bootstrap(&self) -> String {
        self.listener("sasl")
    }

    /// How clients reach them at one of the listeners that `scripts/kafka.sh` tells of; those with TLS are only there
    /// where there is one broker.
    #[must_use]
    pub fn listener(&self, name: &str) -> String {
        let addresses = self.script(&["addresses"], &[name]);
        let addresses = addresses.expect("a cluster has an address");
        addresses.trim().to_owned()
    }

    /// Kills one with SIGKILL. Nothing listens on its port when this returns.
    pub fn kill(&mut self, node: usize) {
        if let Some(mut child) = self.nodes[node].take() {
            // both fail only when it has ended
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Stops one in an orderly way.
    #[track_caller]
    pub fn stop(&mut self, node: usize) {
        if let Some(mut child) = self.nodes[node].take() {
            let _ = kill_process(Pid::from_child(&child), Signal::TERM);
            assert!(
                ended_within(&child, STOP_LIMIT),
                "the broker still runs {STOP_LIMIT:?} after SIGTERM"
            );
            child.wait().expect("a child of ours can be waited for");
        }
    }

    /// Stops one in the middle of whatever it does: connections stay open and nothing answers, until
    /// [`resume`](KafkaBrokers::resume).
    pub fn pause(&self, node: usize) {
        self.signal(node, Signal::STOP);
    }

    /// Lets one go on after [`pause`](KafkaBrokers::pause).
    pub fn resume(&self, node: usize) {
        self.signal(node, Signal::CONT);
    }

    /// Starts one again after [`kill`](KafkaBrokers::kill) or [`stop`](KafkaBrokers::stop), on its old port and data,
    /// and returns when it serves requests. After a kill that takes some three seconds more than the first start: the
    /// controller waits until the session of the dead broker is over.
    #[track_caller]
    pub fn restart(&mut self, node: usize) {
        assert!(self.nodes[node].is_none(), "the broker runs");
        if let Err(status) = self.launch(&[node]) {
            panic!("the broker could not be started again: status {status}");
        }
    }

    fn launch(&mut self, nodes: &[usize]) -> Result<(), i32> {
        let script = service::script("kafka.sh");
        let mut members = Vec::new();
        for node in nodes {
            let number = node + 1;
            let mut command = Command::new(&script);
            command
                .arg("node")
                .arg(self.dir.path())
                .arg(number.to_string())
                .stdin(Stdio::null());
            let child = command
                .spawn()
                .unwrap_or_else(|error| panic!("starting {}: {error}", script.display()));
            members.push(format!("{number}={}", child.id()));
            self.nodes[*node] = Some(child);
        }
        let members: Vec<&str> = members.iter().map(String::as_str).collect();
        self.script(&["wait"], &members).map(drop)
    }

    /// Runs a command of kafka.sh upon the directory of the cluster.
    fn script(&self, command: &[&str], arguments: &[&str]) -> Result<String, i32> {
        let script = service::script("kafka.sh");
        let output = Command::new(&script)
            .args(command)
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

    fn signal(&self, node: usize, signal: Signal) {
        if let Some(child) = &self.nodes[node] {
            // it has not been waited for, so that its id is no one else's
            let _ = kill_process(Pid::from_child(child), signal);
        }
    }
}

impl Drop for KafkaBrokers {
    fn drop(&mut self) {
        (0..self.nodes.len()).for_each(|node| self.kill(node));
    }
}
