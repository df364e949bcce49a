//! What is wrong is told: statements at their place before anything runs, records counted, the world retried.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use ferrisstreams_tests::{Ferris, Finished, Kafka, TestDir};

const LIMIT: Duration = Duration::from_secs(10);

fn run(dir: &TestDir, sql: &str) -> Finished {
    let script = dir.write("app.sql", sql);
    Ferris::new(["run", "--once", "--output", "csv"])
        .arg(script)
        .current_dir(dir.path())
        .run()
}

/// A statement that is wrong: exit status 2, nothing on standard output, and all of these on standard error.
fn refused(sql: &str, says: &[&str]) {
    let dir = TestDir::new();
    dir.write("orders.csv", "order_id,user_id,amount\n1,a,1.50\n");
    let finished = run(&dir, sql).assert_code(2);
    assert_eq!(finished.stdout, "", "{sql}");
    for text in says {
        assert!(
            finished.stderr.contains(text),
            "{text:?} is not said of {sql}\n{}",
            finished.stderr
        );
    }
    assert!(!finished.stderr.contains("panicked"), "{}", finished.stderr);
}

#[test]
fn names_that_nobody_knows() {
    refused(
        "CREATE TABLE t AS\nSELECT user_id,\n       SUM(amont) AS total\nFROM file://orders.csv GROUP BY user_id;",
        &[
            "app.sql:3:12",
            "no column `amont`",
            "did you mean `amount`",
            "^^^^^",
        ],
    );
    refused(
        "CREATE TABLE t AS SELECT * FROM order_s;",
        &["no stream or table `order_s`"],
    );
    refused(
        "CREATE TABLE t AS SELECT uper(user_id) FROM file://orders.csv;",
        &["no function `uper`", "did you mean `upper`"],
    );
    refused(
        "CREATE STREAM s FROM file://orders.csv WITH (delimeter = ';');",
        &["delimeter", "did you mean `delimiter`"],
    );
    refused(
        "CREATE STREAM s FROM flie://orders.csv;",
        &["flie", "did you mean `file`"],
    );
    refused("CREATE STREAM s FROM mongodb://a/b;", &["mongodb"]);
}

#[test]
fn several_mistakes_are_told_at_once() {
    refused(
        "SELECT nothing FROM file://orders.csv;\nSELECT 1 +;\nSELECT order_id FROM file://orders.csv WHERE amount;\n",
        &["no column `nothing`", "app.sql:2:", "app.sql:3:"],
    );
}

#[test]
fn text_that_does_not_belong_there() {
    refused(
        "SELECT order_id FROM file://orders.csv; nonsense",
        &["nonsense", "app.sql:1:41"],
    );
    refused(
        "SELECT order_id FROM file://orders.csv ) ;",
        &["app.sql:1:40"],
    );
    refused("SELECT 'no end", &["app.sql:1:8"]);
}

#[test]
fn types_that_do_not_fit() {
    refused(
        "SELECT order_id + user_id FROM file://orders.csv;",
        &["BIGINT", "VARCHAR"],
    );
    refused(
        "SELECT SUM(user_id) FROM file://orders.csv;",
        &["SUM(VARCHAR) does not exist"],
    );
    refused(
        "SELECT CASE WHEN amount > 1 THEN 1 ELSE 'x' END FROM file://orders.csv;",
        &["'x'"],
    );
}

#[test]
fn a_query_nested_a_thousand_deep() {
    let deep = format!("SELECT {}1{};", "(".repeat(1_000), ")".repeat(1_000));
    refused(&deep, &["nested too deeply"]);
    let deep = format!(
        "SELECT * FROM {}file://orders.csv{};",
        "(SELECT * FROM ".repeat(1_000),
        " t)".repeat(1_000)
    );
    refused(&deep, &["nested too deeply"]);
    let deep = format!("SELECT {}1;", "NOT ".repeat(1_000));
    refused(&deep, &["nested too deeply"]);
}

#[test]
fn files_that_are_not_there_or_say_nothing() {
    refused(
        "CREATE TABLE t AS SELECT * FROM file://nowhere.csv;",
        &["nowhere.csv"],
    );
    let dir = TestDir::new();
    dir.write("empty.csv", "");
    let finished = run(&dir, "CREATE TABLE t AS SELECT * FROM file://empty.csv;").assert_code(2);
    assert!(finished.stderr.contains("CREATE"), "{}", finished.stderr);
}

#[test]
fn a_file_that_may_not_be_read() {
    let dir = TestDir::new();
    let path = dir.write("secret.csv", "a\n1\n");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).expect("it is ours");
    if fs::read(&path).is_ok() {
        // Whoever runs the tests may read everything; a directory in its place cannot be read by anybody.
        fs::remove_file(&path).expect("it is ours");
        fs::create_dir(&path).expect("the name is free");
    }
    let finished = run(&dir, "CREATE TABLE t AS SELECT * FROM file://secret.csv;").assert_code(2);
    assert!(
        finished.stderr.contains("secret.csv"),
        "{}",
        finished.stderr
    );
}

#[test]
fn records_that_cannot_be_read_are_counted_and_told() {
    let dir = TestDir::new();
    dir.write(
        "orders.csv",
        "id,amount\n1,1.00\nx,2.00\n3\n4,4.00,5\n5,five\n6,6.00\n",
    );
    dir.write("orders.jsonl", "{\"id\":1,\"amount\":1.00}\n{\"id\":2,\n\n[]\n{\"id\":\"x\",\"amount\":1}\n{\"id\":6,\"amount\":6.00}\n");
    for file in ["orders.csv", "orders.jsonl"] {
        let sql = format!(
            "CREATE STREAM orders (id BIGINT, amount DECIMAL(10, 2)) FROM file://{file};\n\
             CREATE TABLE total AS SELECT COUNT(*) AS orders, SUM(amount) AS total, MAX(id) AS last FROM orders;\n"
        );
        let finished = run(&dir, &sql).assert_success();
        assert!(
            finished.stdout.contains("2,7.00,6"),
            "{file}: {}",
            finished.stdout
        );
        assert!(
            finished.stderr.contains("records could not be read"),
            "{file}: {}",
            finished.stderr
        );
    }
}

#[test]
fn a_sum_that_its_type_does_not_hold_is_null_and_told() {
    let dir = TestDir::new();
    let much = "9".repeat(38);
    dir.write("much.csv", format!("k,v\n1,{much}\n1,{much}\n2,5\n"));
    let sql = "CREATE STREAM much (k BIGINT, v DECIMAL(38, 0)) FROM file://much.csv;\n\
               CREATE TABLE total AS SELECT k, SUM(v) AS total FROM much GROUP BY k;\n";
    let finished = run(&dir, sql).assert_success();
    assert!(finished.stdout.contains("1,\n2,5\n"), "{}", finished.stdout);
    assert!(
        finished
            .stderr
            .contains("which DECIMAL(38, 0) does not hold"),
        "{}",
        finished.stderr
    );
}

#[test]
fn a_bad_record_stops_a_query_that_asks_for_it() {
    let dir = TestDir::new();
    dir.write("orders.csv", "id\n1\nx\n");
    let sql = "CREATE STREAM orders (id BIGINT) FROM file://orders.csv WITH (on_error = 'fail');\n\
               CREATE TABLE total AS SELECT COUNT(*) AS orders FROM orders;\n";
    let finished = run(&dir, sql).assert_code(1);
    assert!(
        finished.stderr.contains("id") && finished.stderr.contains('x'),
        "{}",
        finished.stderr
    );
}

#[test]
fn numbers_that_are_rounded_are_counted_and_told() {
    let dir = TestDir::new();
    dir.write(
        "orders.csv",
        "id,amount\n1,1.005\n2,2.50\n3,3.500\n4,1e-3\n5,1.5e1\n",
    );
    let sql = "CREATE STREAM orders (id BIGINT, amount DECIMAL(6, 2)) FROM file://orders.csv;\n\
               CREATE TABLE total AS SELECT SUM(amount) AS total FROM orders;\n";
    let finished = run(&dir, sql).assert_success();
    assert_eq!(finished.stdout, "-- total\ntotal\n22.01\n");
    assert!(
        finished
            .stderr
            .contains("WARN numbers have more digits behind the point than their columns keep")
            && finished.stderr.contains("2 numbers were rounded"),
        "{}",
        finished.stderr
    );
    dir.write("orders.csv", "id,amount\n1,1.00\n2,2.50\n");
    let finished = run(&dir, sql).assert_success();
    assert!(!finished.stderr.contains("round"), "{}", finished.stderr);
}

#[test]
fn a_query_that_fails_leaves_the_others_alone() {
    let dir = TestDir::new();
    dir.write("orders.csv", "id,shop\n1,a\nx,b\n3,a\n");
    let sql = "CREATE STREAM strict (id BIGINT, shop VARCHAR) FROM file://orders.csv WITH (on_error = 'fail');\n\
               CREATE STREAM words (id VARCHAR, shop VARCHAR) FROM file://orders.csv;\n\
               CREATE TABLE total AS SELECT shop, SUM(id) AS ids FROM strict GROUP BY shop;\n\
               CREATE TABLE behind AS SELECT COUNT(*) AS shops FROM total;\n\
               CREATE TABLE others AS SELECT shop, COUNT(*) AS n FROM words GROUP BY shop;\n\
               SHOW QUERIES;\n";
    let once = Ferris::new(["run", "--once", "--output", "csv"])
        .arg(dir.write("app.sql", sql))
        .run()
        .assert_code(1);
    let failed = "failed: total.source-1: column id: `x` is not of type BIGINT";
    assert!(
        once.stdout.starts_with("-- others\nshop,n\na,2\nb,1\n")
            && once.stdout.contains(
                "behind,a table,stopped with a query that failed\nothers,a table,running\n"
            )
            && once.stdout.contains(failed),
        "{}",
        once.stdout
    );
    assert!(!once.stdout.contains("-- total"), "{}", once.stdout);
    assert!(
        once.stderr
            .contains("error: query total failed: total.source-1: column id: `x`")
            && once.stderr.trim_end().ends_with("; with it stopped behind"),
        "{}",
        once.stderr
    );

    let mut run = Ferris::new(["run", "--output", "csv"])
        .arg(dir.join("app.sql"))
        .state_dir(dir.join("state"))
        .start();
    run.stderr.wait_for_text(failed, LIMIT);
    dir.append("orders.csv", "4,c\n");
    run.stderr.wait_for_text("3 rows", LIMIT);
    run.terminate();
    let run = run.wait(LIMIT).assert_code(1);
    assert!(
        run.stdout.contains("-- others\nshop,n\na,2\nb,1\nc,1\n"),
        "{}",
        run.stdout
    );
    assert!(
        run.stderr.contains("error: query total failed"),
        "{}",
        run.stderr
    );
}

#[test]
fn where_nothing_is_left_to_run_it_ends() {
    let dir = TestDir::new();
    dir.write("orders.csv", "id\n1\nx\n");
    let sql = "CREATE STREAM orders (id BIGINT) FROM file://orders.csv WITH (on_error = 'fail');\n\
               CREATE TABLE total AS SELECT COUNT(id) AS orders FROM orders;\n";
    let mut run = Ferris::new(["run"])
        .arg(dir.write("app.sql", sql))
        .state_dir(dir.join("state"))
        .start();
    run.stderr.wait_for_text("error: query total failed", LIMIT);
    run.wait(LIMIT).assert_code(1);
}

#[test]
fn bad_records_go_where_dead_letters_go() {
    let dir = TestDir::new();
    dir.write("orders.csv", "id,amount\n1,1.00\n2,\"x,y\"\n3,3.00\n");
    let queries = |to: &str| {
        format!(
            "CREATE STREAM bad (source VARCHAR, \"position\" BIGINT, error VARCHAR, value VARCHAR)\n\
             FROM file://bad.csv WITH (wait = true);\n\
             CREATE STREAM orders (id BIGINT, amount DECIMAL(6, 2)) FROM file://orders.csv\n\
             WITH (on_error = 'dead_letter:{to}');\n\
             CREATE TABLE total AS SELECT SUM(amount) AS total FROM orders;\n"
        )
    };
    let once = |sql: String| {
        Ferris::new(["run", "--once", "--output", "csv"])
            .arg(dir.write("app.sql", sql))
            .state_dir(dir.join("state"))
            .run()
    };
    let finished = once(queries("bad")).assert_success();
    assert_eq!(finished.stdout, "-- total\ntotal\n4.00\n");
    let header = "source,position,error,value\n";
    let first =
        "orders,17,\"column amount: `x,y` is not of type DECIMAL(6, 2)\",\"2,\"\"x,y\"\"\"\n";
    let written = |name: &str| fs::read_to_string(dir.join(name)).expect("it was written");
    assert_eq!(written("bad.csv"), format!("{header}{first}"));
    // Each comes once, however often the program begins again.
    dir.append("orders.csv", "4\n");
    once(queries("bad")).assert_success();
    once(queries("bad")).assert_success();
    let second = "orders,32,the line has 1 field and not 2: `4`,4\n";
    assert_eq!(written("bad.csv"), format!("{header}{first}{second}"));

    let finished = Ferris::new(["run", "--once"])
        .arg(dir.write("uri.sql", queries("file://bad.json")))
        .run()
        .assert_success();
    let written = written("bad.json");
    assert!(
        written.starts_with(
            "{\"query\":\"total\",\"source\":\"orders\",\"partition\":0,\"position\":17,"
        ) && written.lines().count() == 2,
        "{written}"
    );
    assert!(
        finished.stderr.contains("2 records could not be read"),
        "{}",
        finished.stderr
    );
}

#[test]
fn dead_letters_that_have_nowhere_to_go() {
    let dir = TestDir::new();
    dir.write("orders.csv", "id\n1\n");
    let refused = |bad: &str, to: &str| {
        let sql = format!(
            "{bad};\n\
             CREATE STREAM orders (id BIGINT) FROM file://orders.csv WITH (on_error = 'dead_letter:{to}');\n\
             CREATE TABLE total AS SELECT COUNT(id) AS n FROM orders;\n"
        );
        run(&dir, &sql).assert_code(2).stderr
    };
    let bad = "CREATE STREAM bad (error VARCHAR) FROM file://bad.csv WITH (wait = true)";
    for (bad, to, wanted) in [
        (
            bad,
            "bed",
            "dead letters of `orders` go to `bed`, which nobody declares",
        ),
        (bad, "bed", "did you mean `bad`?"),
        (
            bad,
            "orders",
            "dead letters of `orders` cannot go to `orders`, which they come from",
        ),
        (bad, "total", "rows of this table are nowhere but here"),
        (
            bad,
            "nowhere://x",
            "no connector knows the scheme `nowhere`",
        ),
        (
            "CREATE STREAM bad (eror VARCHAR) FROM file://bad.csv WITH (wait = true)",
            "bad",
            "dead letters have nothing for a column `eror`",
        ),
        (
            "CREATE STREAM bad (\"position\" INT) FROM file://bad.csv WITH (wait = true)",
            "bad",
            "the column `position` of dead letters is BIGINT, not INT",
        ),
    ] {
        let told = refused(bad, to);
        assert!(told.contains(wanted), "{wanted}: {told}");
    }
}

#[test]
fn a_topic_or_a_broker_that_is_not_there() {
    let dir = TestDir::new();
    let script = dir.write(
        "app.sql",
        "CREATE TABLE t AS SELECT * FROM kafka://nobody-made-this;",
    );
    let refused = Ferris::new(["run", "--once", "--bootstrap-servers", "127.0.0.1:9"])
        .arg(&script)
        .run()
        .assert_code(2);
    assert!(refused.stderr.contains("127.0.0.1:9"), "{}", refused.stderr);
    let Some(kafka) = Kafka::shared() else { return };
    let missing = Ferris::new(["run", "--once", "--bootstrap-servers", kafka.bootstrap()])
        .arg(&script)
        .run()
        .assert_code(2);
    assert!(
        missing.stderr.contains("nobody-made-this"),
        "{}",
        missing.stderr
    );
}

#[test]
fn a_command_line_that_is_wrong() {
    Ferris::new(["rum"]).run().assert_code(2);
    Ferris::new(["run", "nowhere.sql"]).run().assert_code(2);
    let dir = TestDir::new();
    let config = dir.write("ferris.toml", "wrokers = 2\n");
    let script = dir.write("app.sql", "SELECT 1;");
    let finished = Ferris::new(["run"])
        .arg(script)
        .arg("--config")
        .arg(config)
        .run()
        .assert_code(2);
    assert!(finished.stderr.contains("wrokers"), "{}", finished.stderr);
}
