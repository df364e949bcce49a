//! The same jobs in Kafka Streams: the Java program of the folder `benches/kafka-streams`.

use std::process::{Command, Stdio};

use ferrisstreams::prelude::*;

use crate::orders::RECORDS;
use crate::ours::Job;

/// The program, where it has been built.
pub struct KafkaStreams {
    class_path: String,
    brokers: String,
}

impl KafkaStreams {
    /// The program on the class path that `FERRIS_KAFKA_STREAMS` holds, if it does.
    pub fn from_env(brokers: &str) -> Option<Self> {
        let class_path = std::env::var("FERRIS_KAFKA_STREAMS").ok()?;
        Some(KafkaStreams {
            class_path,
            brokers: brokers.to_owned(),
        })
    }

    /// Runs a job until it has read, written and committed so many orders, and tells what one of the second
    /// half cost, in nanoseconds of the process's CPU time.
    pub fn run(
        &self,
        (job, guarantee): (Job, ProcessingGuarantee),
        id: &str,
        (from, to): (&str, &str),
        records: u64,
    ) -> f64 {
        let job = match job {
            Job::Pass => "pass",
            Job::Filter => "filter",
            Job::Count => "count",
        };
        self.start((job, guarantee), id, (from, to), records)
    }

    /// Starts the application that has counted, without its state, until that is read again from the changelog,
    /// and tells what a record of it cost.
    pub fn restore(&self, guarantee: ProcessingGuarantee, id: &str, topics: (&str, &str)) -> f64 {
        self.start(("restore", guarantee), id, topics, RECORDS)
    }

    fn start(
        &self,
        (job, guarantee): (&str, ProcessingGuarantee),
        id: &str,
        (from, to): (&str, &str),
        records: u64,
    ) -> f64 {
        let guarantee = match guarantee {
            ProcessingGuarantee::AtLeastOnce => "at_least_once",
            _ => "exactly_once_v2",
        };
        let state = tempfile::tempdir().expect("a directory");
        let output = Command::new("java")
            .args([
                "-Xmx2g",
                "-cp",
                &self.class_path,
                "ferrisstreams.bench.Main",
            ])
            .args([&self.brokers, id, from, to, job, guarantee])
            .arg(records.to_string())
            .arg(state.path())
            .stderr(Stdio::inherit())
            .output()
            .expect("java is there");
        assert!(output.status.success(), "Kafka Streams: {}", output.status);
        let printed = String::from_utf8(output.stdout).expect("text");
        printed.trim().parse().expect("a number of nanoseconds")
    }
}
