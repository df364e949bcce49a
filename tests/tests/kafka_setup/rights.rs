//! Rights that the user of an application lacks.

use ferrisstreams::prelude::*;
use ferrisstreams_tests::{Kafka, KafkaBroker, Process, Record as Written};

use crate::trial::{LIMIT, Running, Trial, counting, passing};

/// Rules about the user of the applications: what begins with one of these names lacks a right.
const RULES: [&str; 6] = [
    "--allow-principal User:ferris --operation All --topic * --group * --transactional-id *",
    "--allow-principal User:ferris --operation Describe --cluster",
    "--deny-principal User:ferris --operation Describe --topic unseen --resource-pattern-type prefixed",
    "--deny-principal User:ferris --operation Read --topic unread --group unread \
     --resource-pattern-type prefixed",
    "--deny-principal User:ferris --operation Write --topic unwritten --transactional-id unwritten \
     --resource-pattern-type prefixed",
    "--deny-principal User:ferris --operation Create --topic unmade --resource-pattern-type prefixed",
];

fn set_rules(kafka: &Kafka) {
    let set = |rule: &&str| {
        let arguments: Vec<&str> = ["--add"].into_iter().chain(rule.split(' ')).collect();
        kafka.tool("AclCommand", &arguments)
    };
    let running: Vec<Process> = RULES.iter().map(set).collect();
    for process in running {
        process.wait(LIMIT).assert_success();
    }
}

fn trials() -> [Trial; 8] {
    let trial = |id, sql, status, told| Trial {
        id,
        sql,
        status,
        told,
    };
    [
        trial(
            "a1",
            passing("unseen-in", "out"),
            2,
            &[
                "topic `unseen-in`",
                "can grant our user Describe, and Read or Write on the topic",
            ],
        ),
        trial(
            "a2",
            passing("unread-in", "out"),
            1,
            &[
                "unread-in-",
                "cannot be read",
                "can grant our user Describe and Read on the topic",
            ],
        ),
        trial(
            "a3",
            passing("in", "unwritten-out"),
            1,
            &[
                "unwritten-out",
                "may not be written",
                "can grant our user Describe and Write on the topic",
            ],
        ),
        trial(
            "a4",
            passing("in", "unseen-out"),
            1,
            &["topic `unseen-out`", "can grant our user Describe"],
        ),
        trial(
            "unmade-a",
            counting("in", "out"),
            2,
            &[
                "topic unmade-a-",
                "-changelog cannot be made",
                "can grant our user Create on the topic",
            ],
        ),
        trial(
            "unseen-a",
            counting("in", "out"),
            1,
            &["topic `unseen-a-", "can grant our user Describe"],
        ),
        trial(
            "unread-a",
            passing("in", "out"),
            1,
            &[
                "group unread-a",
                "can grant our user Describe and Read on the group",
            ],
        ),
        trial(
            "unwritten-a",
            passing("in", "out"),
            1,
            &[
                "can grant our user Describe and Write on the transactional ids that begin with the application's id",
            ],
        ),
    ]
}

#[test]
fn a_right_that_is_missing_is_named() {
    let Some(broker) = KafkaBroker::start() else {
        return;
    };
    let kafka = broker.kafka();
    set_rules(kafka);
    for topic in [
        "in",
        "out",
        "unseen-in",
        "unread-in",
        "unseen-out",
        "unwritten-out",
    ] {
        kafka.create_topic(topic, 2, &[]);
    }
    for topic in ["in", "unread-in"] {
        kafka.produce(topic, [Written::new("a", r#"{"k":"x"}"#)]);
    }
    let brokers = broker.sasl_bootstrap();
    let properties = format!(
        "bootstrap.servers = '{brokers}'\nsecurity.protocol = 'sasl_plaintext'\nsasl.mechanism = 'PLAIN'\n\
         sasl.username = 'ferris'\nsasl.password = 'hunter2'\n"
    );
    let trials = trials();
    let running: Vec<Running<'_>> = trials
        .iter()
        .map(|trial| trial.start(&properties))
        .collect();
    for running in running {
        let done = running.check();
        assert!(!done.stderr.contains("hunter2"), "{}", done.stderr);
    }

    // At least once there are no transactions, and what is not delivered tells its topic.
    let builder = StreamsBuilder::new();
    let stream = builder.stream::<String, String>("in", Consumed::plain());
    stream.to("unwritten-out", Produced::plain());
    let topology = builder.build().expect("the topology is in order");
    let config = StreamsConfig::new("alo")
        .processing_guarantee(ProcessingGuarantee::AtLeastOnce)
        .commit_interval(std::time::Duration::from_millis(50))
        .bootstrap_servers(&brokers)
        .property("security.protocol", "sasl_plaintext")
        .property("sasl.mechanism", "PLAIN")
        .property("sasl.username", "ferris")
        .property("sasl.password", "hunter2");
    let mut app = Streams::new(&topology, config).expect("its topics are there");
    app.start().expect("it is started once");
    ferrisstreams_tests::wait_until("it ends", LIMIT, || app.state() == StreamsState::Error);
    let told = app.close().expect_err("it may not write").to_string();
    for words in [
        "topic unwritten-out",
        "can grant our user Describe and Write on the topic",
    ] {
        assert!(told.contains(words), "{told}");
    }
}
