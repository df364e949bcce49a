//! Brokers that are not there, topics that are not there or not as they have to be, and wrong passwords.

use ferrisstreams::prelude::*;
use ferrisstreams_tests::Kafka;

use crate::trial::{Trial, counting, passing};

#[test]
fn brokers_that_are_not_there_are_told() {
    if Kafka::shared().is_none() {
        return;
    }
    let trial = Trial {
        id: "nowhere",
        sql: passing("in", "out"),
        status: 2,
        told: &[
            "did not answer at 127.0.0.1:9",
            "is bootstrap.servers right, and is the broker running?",
        ],
    };
    trial.start("bootstrap.servers = '127.0.0.1:9'\n").check();
}

#[test]
fn topics_that_are_missing_or_are_not_as_they_have_to_be_are_told() {
    let Some(kafka) = Kafka::shared() else { return };
    kafka.create_topic("setup-in", 2, &[]);
    kafka.create_topic("setup-out", 1, &[]);
    // Topics that look like those of an application, and are not what it needs.
    kafka.create_topic(
        "setup-wide-tasks-changelog",
        5,
        &[("cleanup.policy", "compact")],
    );
    kafka.create_topic(
        "setup-deleting-tasks-changelog",
        2,
        &[("cleanup.policy", "delete")],
    );
    kafka.create_topic(
        "setup-stamping-control",
        1,
        &[
            ("cleanup.policy", "compact"),
            ("message.timestamp.type", "LogAppendTime"),
        ],
    );
    let trial = |id, sql, status, told| Trial {
        id,
        sql,
        status,
        told,
    };
    let good = || counting("setup-in", "setup-out");
    let trials = [
        trial(
            "setup-a",
            passing("setup-on", "setup-out"),
            2,
            &["no topic `setup-on`", "did you mean `setup-in`?"],
        ),
        trial(
            "setup-b",
            passing("setup-in", "setup-uot"),
            2,
            &[
                "setup-uot",
                "did you mean `setup-out`?; partitions = N has it made",
            ],
        ),
        trial(
            "setup-wide",
            good(),
            2,
            &[
                "topic setup-wide-tasks-changelog has 5 partitions and the application needs 2",
                "start the application anew under another id",
            ],
        ),
        trial(
            "setup-deleting",
            good(),
            2,
            &[
                "setup-deleting-tasks-changelog has cleanup.policy=delete",
                "needs cleanup.policy=compact; set it so",
            ],
        ),
        trial(
            "setup-stamping",
            good(),
            2,
            &[
                "setup-stamping-control has message.timestamp.type=LogAppendTime",
                "=CreateTime; set it so",
            ],
        ),
    ];
    let properties = format!("bootstrap.servers = '{}'\n", kafka.bootstrap());
    let running: Vec<_> = trials
        .iter()
        .map(|trial| trial.start(&properties))
        .collect();
    for running in running {
        running.check();
    }
}

#[test]
fn topics_that_meet_have_the_same_number_of_partitions() {
    let Some(kafka) = Kafka::shared() else { return };
    let clicks = kafka.unique_topic("setup-clicks", 3);
    let plans = kafka.unique_topic("setup-plans", 4);
    let out = kafka.unique_topic("setup-joined", 1);
    let builder = StreamsBuilder::new();
    let materialized = Materialized::named("plans");
    let table = builder.table::<String, String>(&plans, Consumed::plain(), materialized);
    builder
        .stream::<String, String>(&clicks, Consumed::plain())
        .join(
            &table,
            |click, plan| format!("{click} {plan}"),
            Joined::named("joined"),
        )
        .to(&out, Produced::plain());
    let topology = builder.build().expect("the topology is in order");
    let config = StreamsConfig::new(&out).bootstrap_servers(kafka.bootstrap());
    let told = Streams::new(&topology, config)
        .expect_err("they do not fit")
        .to_string();
    for words in [
        &*clicks,
        &plans,
        "partitions: records of one key would be in different tasks",
        "give them the same number",
    ] {
        assert!(told.contains(words), "{told}");
    }
}
