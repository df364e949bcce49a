//! The group of an application, as `kafka-consumer-groups` sees it.

use ferrisstreams::prelude::*;
use ferrisstreams_tests::{Kafka, Record as Written};

use crate::tool::{Told, config, describe, passing, run, start, wait_until};

const TOOL: &str = "consumer.group.ConsumerGroupCommand";

/// What is told of a topic's partitions, by their numbers.
fn told(kafka: &Kafka, group: &str, topic: &str) -> Vec<Told> {
    let all = describe(kafka, group).into_iter();
    let of_topic = all.filter(|((of, _), _)| of == topic);
    of_topic.map(|(_, told)| told).collect()
}

fn lags(kafka: &Kafka, group: &str, topic: &str) -> Vec<i64> {
    let told = told(kafka, group, topic).into_iter();
    told.map(|told| told.lag).collect()
}

/// Writes so many records to a partition.
fn write(kafka: &Kafka, topic: &str, partition: i32, count: usize) {
    let record = |at| Written::new("k", format!("word {at}")).partition(partition);
    kafka.produce(topic, (0..count).map(record));
}

#[test]
fn offsets_ends_and_lags_are_told() {
    let Some(kafka) = Kafka::shared() else { return };
    let words = kafka.unique_topic("group-words", 3);
    let (middle, out) = (
        kafka.unique_topic("group-middle", 1),
        kafka.unique_topic("group-out", 1),
    );
    for guarantee in [
        ProcessingGuarantee::ExactlyOnce,
        ProcessingGuarantee::AtLeastOnce,
    ] {
        let id = words.replace("words", &format!("{guarantee:?}"));
        let before = kafka.read_committed(&out).len();
        let offset = |partition: i32| {
            let records = kafka.read_committed(&words).into_iter();
            records
                .filter(|record| record.partition == partition)
                .count() as i64
        };
        let config =
            |name: &str| config(&kafka, &format!("{id}-{name}")).processing_guarantee(guarantee);
        // The topic in the middle is written in transactions, whose marks have offsets too.
        let (first, second) = (passing(&words, &middle), passing(&middle, &out));
        let one = start(&first, config("one"));
        let two = start(&second, config("two"));
        write(&kafka, &words, 0, 5);
        write(&kafka, &words, 1, 7);
        let written = kafka.read_committed(&words).len();
        let copied = || kafka.read_committed(&middle).len();
        wait_until("all are passed on", || {
            copied() >= written && kafka.read_committed(&out).len() >= before + copied()
        });
        let (of_one, of_two) = (format!("{id}-one"), format!("{id}-two"));
        wait_until("nothing is behind", || {
            let all = lags(&kafka, &of_one, &words);
            // Of a partition in which nothing ever was there is nothing to tell.
            all.iter().all(|lag| *lag <= 0) && all.iter().filter(|lag| **lag == 0).count() >= 2
        });
        wait_until(
            "nothing is behind in what was written in transactions",
            || lags(&kafka, &of_two, &middle) == [0],
        );
        for (at, told) in told(&kafka, &of_one, &words).iter().enumerate().take(2) {
            let end = offset(at as i32);
            let all = Told {
                offset: end,
                end,
                lag: 0,
            };
            assert_eq!(*told, all, "{guarantee:?}, partition {at}");
        }
        one.close().expect("it commits");
        two.close().expect("it commits");
        write(&kafka, &words, 1, 4);
        let ends = (offset(0), offset(1));
        let stopped = told(&kafka, &of_one, &words);
        assert_eq!(
            stopped[..2],
            [
                Told {
                    offset: ends.0,
                    end: ends.0,
                    lag: 0
                },
                Told {
                    offset: ends.1 - 4,
                    end: ends.1,
                    lag: 4
                },
            ],
            "{guarantee:?}"
        );
    }
}

#[test]
fn offsets_that_are_set_by_hand_are_taken_where_the_application_stands_still() {
    let Some(kafka) = Kafka::shared() else { return };
    let words = kafka.unique_topic("reset-words", 2);
    let out = kafka.unique_topic("reset-out", 1);
    let id = words.replace("words", "app");
    let topology = passing(&words, &out);
    write(&kafka, &words, 0, 10);
    write(&kafka, &words, 1, 6);
    let app = start(&topology, config(&kafka, &id));
    let passed = || kafka.read_committed(&out).len();
    wait_until("all are passed on", || passed() == 16);
    let reset = |to: &[&str]| {
        let of_group = ["--reset-offsets", "--group", &id, "--topic", &words];
        let arguments: Vec<&str> = of_group.iter().chain(to).copied().collect();
        run(&kafka, TOOL, &arguments)
    };
    // A group that has members keeps its offsets, and the tool says so.
    let told = reset(&["--to-earliest", "--execute"]);
    let told = told.stdout + &told.stderr;
    assert!(
        told.contains("not inactive") || told.contains("inactive"),
        "{told}"
    );
    app.close().expect("it commits");

    reset(&["--to-earliest", "--execute"]);
    let app = start(&topology, config(&kafka, &id));
    wait_until("all are passed on again", || passed() == 32);
    app.close().expect("it commits");

    reset(&["--shift-by", "-2", "--execute"]);
    write(&kafka, &words, 1, 1);
    let app = start(&topology, config(&kafka, &id));
    wait_until("the last two of each and the new one are passed on", || {
        passed() >= 37
    });
    app.close().expect("it commits");
    assert_eq!(passed(), 37);
}
