//! Where output goes when files are taken away under it, and when a program sends it elsewhere.

use std::fs;
use std::time::Duration;

use ferrisstreams_tests::{Ferris, Finished, TestDir, wait_until};

const LIMIT: Duration = Duration::from_secs(10);

const LARGE: &str = "SELECT id, amount FROM file://orders.csv WHERE amount > 1.00";

/// Reads what is there, on a state that is kept.
fn once(dir: &TestDir, statements: &str) -> Finished {
    Ferris::new(["run", "--once"])
        .arg(dir.write("app.sql", statements))
        .state_dir(dir.join("state"))
        .run()
        .assert_success()
}

fn text(dir: &TestDir, name: &str) -> String {
    fs::read_to_string(dir.join(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

fn warned(run: &Finished, what: &str) {
    assert!(run.stderr.contains(what), "{what}: {}", run.stderr);
}

#[test]
fn a_file_that_is_deleted_under_its_sink_comes_back() {
    let dir = TestDir::new();
    dir.write("orders.csv", "id,amount\n1,2.00\n2,0.50\n");
    dir.write("app.sql", format!("INSERT INTO file://large.csv {LARGE};"));
    let start = || {
        Ferris::new(["run", "--output", "csv"])
            .arg(dir.join("app.sql"))
            .state_dir(dir.join("state"))
            .start()
    };
    let is_written = |line: &str| {
        let written = || fs::read_to_string(dir.join("large.csv")).unwrap_or_default();
        wait_until(line, LIMIT, || written().ends_with(line));
    };
    let mut next = 3;
    for how in 0..6 {
        let run = start();
        let line = format!("{next},5.00\n");
        dir.append("orders.csv", &line);
        is_written(&line);
        // Somebody takes it away, and the process is killed before or after it has written again.
        fs::remove_file(dir.join("large.csv")).expect("the file is there");
        next += 1;
        if how % 2 == 0 {
            let line = format!("{next},5.00\n");
            dir.append("orders.csv", &line);
            is_written(&line);
            next += 1;
        }
        run.kill();
    }
    dir.append("orders.csv", format!("{next},5.00\n"));
    let last = start();
    is_written(&format!("{next},5.00\n"));
    let said = last.kill();
    warned(&said, "is empty: the");
    // What was written shortly before the last removal may not have been noted, and comes again; nothing is
    // doubled or left out.
    let written = text(&dir, "large.csv");
    let mut ids: Vec<i32> = Vec::new();
    for line in written.lines().skip(1) {
        ids.push(line.trim_end_matches(",5.00").parse().expect("an id"));
    }
    let first = ids[0];
    assert!(ids.iter().copied().eq(first..=next), "{written}");
}

#[test]
fn a_file_of_dead_letters_that_is_deleted_comes_back() {
    let dir = TestDir::new();
    dir.write("orders.csv", "id\n1\n");
    dir.write(
        "app.sql",
        "CREATE STREAM bad (value VARCHAR) FROM file://bad.csv WITH (wait = true);\n\
         CREATE STREAM orders (id BIGINT) FROM file://orders.csv WITH (on_error = 'dead_letter:bad');\n\
         CREATE TABLE n AS SELECT COUNT(*) AS n FROM orders;",
    );
    let start = || {
        Ferris::new(["run", "--output", "csv"])
            .arg(dir.join("app.sql"))
            .state_dir(dir.join("state"))
            .start()
    };
    let send = |line: &str| {
        dir.append("orders.csv", line);
        let written = || fs::read_to_string(dir.join("bad.csv")).unwrap_or_default();
        wait_until(line, LIMIT, || written().ends_with(line));
    };
    for round in 0..3 {
        let run = start();
        send(&format!("first{round}\n"));
        fs::remove_file(dir.join("bad.csv")).expect("the file is there");
        send(&format!("second{round}\n"));
        run.kill();
    }
    let run = start();
    send("last\n");
    run.kill();
    let written = text(&dir, "bad.csv");
    // The letter before the kill may not have been noted as delivered, but is never left out.
    assert!(
        written.starts_with("value\n") && written.contains("second2\n"),
        "{written}"
    );
}

#[test]
fn another_target_is_another_sink() {
    let dir = TestDir::new();
    dir.write("orders.csv", "id,amount\n1,2.00\n");
    once(&dir, &format!("INSERT INTO file://a.csv {LARGE};"));
    dir.append("orders.csv", "2,3.00\n");
    let moved = once(&dir, &format!("INSERT INTO file://b.csv {LARGE};"));
    warned(&moved, "to file://");
    warned(&moved, "a.csv is no longer in the program");
    assert_eq!(text(&dir, "a.csv"), "id,amount\n1,2.00\n");
    assert_eq!(text(&dir, "b.csv"), "id,amount\n1,2.00\n2,3.00\n");
    // The first one back, beside it and in the other order: each goes on where it stood.
    dir.append("orders.csv", "3,4.00\n");
    let both = format!("INSERT INTO file://b.csv {LARGE};\nINSERT INTO file://a.csv {LARGE};");
    let both = once(&dir, &both);
    assert!(!both.stderr.contains("no longer"), "{}", both.stderr);
    let all = "id,amount\n1,2.00\n2,3.00\n3,4.00\n";
    assert_eq!(text(&dir, "a.csv"), all);
    assert_eq!(text(&dir, "b.csv"), all);
}

#[test]
fn a_table_that_is_written_elsewhere_is_written_as_it_is() {
    let dir = TestDir::new();
    dir.write("orders.csv", "id,amount\n1,2.00\n1,3.00\n");
    let script = |sink: &str| {
        format!(
            "CREATE TABLE spent WITH (sink = 'file://{sink}', changes = 'log') AS \
             SELECT id, SUM(amount) AS total FROM file://orders.csv GROUP BY id;"
        )
    };
    once(&dir, &script("a.jsonl"));
    let moved = once(&dir, &script("b.jsonl"));
    warned(&moved, "is written from the beginning");
    let row = "{\"op\":\"upsert\",\"id\":1,\"total\":5.00}\n";
    assert_eq!(text(&dir, "a.jsonl"), row);
    assert_eq!(text(&dir, "b.jsonl"), row);
    dir.append("orders.csv", "2,1.00\n");
    let same = once(&dir, &script("b.jsonl"));
    assert!(!same.stderr.contains("beginning"), "{}", same.stderr);
    let more = "{\"op\":\"upsert\",\"id\":2,\"total\":1.00}\n";
    assert_eq!(text(&dir, "b.jsonl"), format!("{row}{more}"));
}

#[test]
fn an_insert_that_is_taken_out_is_told_and_dropped() {
    let dir = TestDir::new();
    dir.write("orders.csv", "id,amount\n1,2.00\n");
    let insert = format!("INSERT INTO file://a.csv {LARGE};");
    let other = "CREATE TABLE n AS SELECT COUNT(*) AS n FROM file://orders.csv;";
    once(&dir, &format!("{insert}{other}"));
    warned(&once(&dir, other), "kept until the next start");
    // Back in time, it goes on.
    dir.append("orders.csv", "2,2.00\n");
    once(&dir, &format!("{insert}{other}"));
    assert_eq!(text(&dir, "a.csv"), "id,amount\n1,2.00\n2,2.00\n");
    warned(&once(&dir, other), "kept until the next start");
    warned(&once(&dir, other), "its state is dropped");
    let said = once(&dir, other).stderr;
    assert!(!said.contains("no longer"), "{said}");
    // Too late, it begins anew.
    fs::remove_file(dir.join("a.csv")).expect("the file is there");
    once(&dir, &format!("{insert}{other}"));
    assert_eq!(text(&dir, "a.csv"), "id,amount\n1,2.00\n2,2.00\n");
}
