//! Programs that are started again: with other settings, and while what they read and write is away.

use std::time::{Duration, Instant};

use ferrisstreams_tests::{Ferris, KafkaBroker, Record, TestDir};

const LIMIT: Duration = Duration::from_secs(40);

#[test]
fn workers_that_a_state_has_no_work_for_are_told() {
    let dir = TestDir::new();
    dir.write("orders.csv", "id\n1\n2\n");
    let script = dir.write(
        "app.sql",
        "CREATE TABLE n AS SELECT COUNT(*) AS n FROM file://orders.csv;",
    );
    let with = |workers: &str| {
        Ferris::new(["run", "--once", "--workers", workers])
            .arg(&script)
            .state_dir(dir.join("state"))
            .run()
            .assert_success()
            .stderr
    };
    for (workers, told) in [
        ("2", None),
        ("2", None),
        ("1", None),
        ("4", Some("4 workers")),
    ] {
        let said = with(workers);
        let begin = "workers were asked for, and 2 work";
        assert_eq!(said.contains(begin), told.is_some(), "{workers}: {said}");
        assert!(told.is_none_or(|told| said.contains(told)), "{said}");
    }
}

fn orders(numbers: std::ops::Range<u32>) -> Vec<Record> {
    let order = |n: u32| Record::new(n.to_string(), format!("{{\"id\":{n}}}"));
    numbers.map(order).collect()
}

/// A program over topics that is started again while the broker is away, with these columns declared.
fn goes_on_when_the_broker_is_back(columns: &str) {
    let Some(mut broker) = KafkaBroker::start() else {
        return;
    };
    let dir = TestDir::new();
    let input = broker.kafka().unique_topic("in", 1);
    let output = broker.kafka().unique_topic("out", 1);
    broker.kafka().produce(&input, orders(0..3));
    dir.write("words.csv", "word\nsome\n");
    let script = dir.write(
        "app.sql",
        format!(
            "CREATE STREAM orders {columns} FROM kafka://{input} WITH (format = 'json');\n\
             CREATE TABLE counted AS SELECT COUNT(*) AS n FROM orders;\n\
             INSERT INTO kafka://{output} SELECT id FROM orders;\n\
             SELECT * FROM counted EMIT CHANGES;\n\
             SELECT word FROM file://words.csv EMIT CHANGES;"
        ),
    );
    let bootstrap = broker.kafka().bootstrap().to_owned();
    let start = || {
        Ferris::new(["run", "--output", "csv"])
            .arg(&script)
            .arg("--bootstrap-servers")
            .arg(&bootstrap)
            .state_dir(dir.join("state"))
            .start()
    };
    let mut run = start();
    let written = broker.kafka().wait_for_records(&output, 3, LIMIT);
    assert_eq!(written.len(), 3);
    run.stdout.wait_for_text("3", LIMIT);
    run.terminate();
    run.wait(LIMIT).assert_success();
    broker.kafka().produce(&input, orders(3..5));
    broker.kill();
    let mut run = start();
    run.stderr.wait_for_text("trying again for", LIMIT);
    if !columns.is_empty() {
        // What needs no broker works.
        dir.append("words.csv", "meanwhile\n");
        run.stdout.wait_for_text("meanwhile", LIMIT);
    }
    broker.restart();
    let read = broker.kafka().wait_for_records(&output, 5, LIMIT);
    run.stdout.wait_for_text("5", LIMIT);
    run.terminate();
    run.wait(LIMIT).assert_success();
    assert_eq!(read.len(), 5);
    assert_eq!(broker.kafka().read_committed(&output).len(), 5, "each once");
}

#[test]
fn declared_topics_go_on_when_the_broker_is_back() {
    goes_on_when_the_broker_is_back("(id BIGINT)");
}

#[test]
fn topics_whose_columns_are_found_out_go_on_when_the_broker_is_back() {
    goes_on_when_the_broker_is_back("");
}

#[test]
fn a_first_start_without_a_broker_ends_and_says_what_to_do() {
    let dir = TestDir::new();
    // A port that is free again: nobody listens there.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a port")
        .port();
    for columns in ["", "(id BIGINT)"] {
        let script = dir.write(
            "app.sql",
            format!(
                "CREATE STREAM s {columns} FROM kafka://orders;\n\
                 CREATE TABLE n AS SELECT COUNT(*) AS n FROM s;"
            ),
        );
        let begun = Instant::now();
        let said = Ferris::new(["run"])
            .arg(&script)
            .arg("--bootstrap-servers")
            .arg(format!("127.0.0.1:{port}"))
            .state_dir(dir.join("state"))
            .run()
            .assert_code(2)
            .stderr;
        assert!(begun.elapsed() < Duration::from_secs(15), "{said}");
        assert!(said.contains("did not answer at 127.0.0.1"), "{said}");
        assert!(said.contains("is bootstrap.servers right"), "{said}");
    }
}
