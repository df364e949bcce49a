//! The topics that an application makes for itself, as `kafka-topics` sees them.

use ferrisstreams::prelude::*;
use ferrisstreams_tests::Kafka;

use crate::tool::{config, run, start};

#[test]
fn internal_topics_are_made_as_they_have_to_be() {
    let Some(kafka) = Kafka::shared() else { return };
    let words = kafka.unique_topic("internal-words", 4);
    let out = kafka.unique_topic("internal-out", 1);
    let id = words.replace("words", "app");
    let builder = StreamsBuilder::new();
    builder
        .stream::<String, String>(&words, Consumed::plain())
        .group_by(|_, word| word.clone(), Grouped::named("by-word"))
        .count(Materialized::named("counts"))
        .to_stream()
        .to(&out, Produced::json());
    let topology = builder.build().expect("the topology is in order");
    let app = start(&topology, config(&kafka, &id));
    let told = run(
        &kafka,
        "TopicCommand",
        &["--describe", "--topic", &format!("{id}-.*")],
    );
    app.close().expect("it commits");
    let line = |name: &str| {
        let topic = format!("Topic: {id}-{name}\t");
        let found = told.stdout.lines().find(|line| line.starts_with(&topic));
        found.unwrap_or_else(|| panic!("no {topic:?} in {}", told.stdout))
    };
    for (name, partitions, configs) in [
        (
            "counts-changelog",
            4,
            &[
                "cleanup.policy=compact",
                "message.timestamp.type=CreateTime",
            ][..],
        ),
        ("tasks-changelog", 4, &["cleanup.policy=compact"]),
        (
            "by-word-repartition",
            4,
            &[
                "cleanup.policy=delete",
                "retention.ms=-1",
                "segment.bytes=52428800",
            ],
        ),
        ("control", 1, &["cleanup.policy=compact"]),
        ("coordination", 1, &["cleanup.policy=compact"]),
    ] {
        let line = line(name);
        assert!(
            line.contains(&format!("PartitionCount: {partitions}\t")),
            "{line}"
        );
        for config in configs {
            assert!(line.contains(config), "{config} is not in {line}");
        }
    }
}
