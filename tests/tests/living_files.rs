//! Tables over files that grow, are rewritten, cut, rotated, deleted and brought back while they are read.

use std::fs;
use std::time::Duration;

use ferrisstreams_tests::{Ferris, Process, TestDir};

const LIMIT: Duration = Duration::from_secs(10);

/// Counts and sums by user, each change a line.
fn start(dir: &TestDir) -> Process {
    dir.write(
        "app.sql",
        "CREATE TABLE spent AS SELECT user_id, COUNT(*) AS orders, SUM(amount) AS total FROM file://orders.csv GROUP BY user_id;\n\
         SELECT * FROM spent EMIT CHANGES;\n",
    );
    Ferris::new(["run", "--output", "csv"])
        .arg(dir.join("app.sql"))
        .state_dir(dir.join("state"))
        .start()
}

/// The table as a run that begins again at the state finds it.
fn table(dir: &TestDir) -> Vec<String> {
    let run = Ferris::new(["run", "--once", "--output", "csv"])
        .arg(dir.write("table.sql", "CREATE TABLE spent AS SELECT user_id, COUNT(*) AS orders, SUM(amount) AS total FROM file://orders.csv GROUP BY user_id;\n"))
        .state_dir(dir.join("state"))
        .run()
        .assert_success();
    run.stdout.lines().skip(2).map(str::to_owned).collect()
}

#[test]
fn appended_lines_move_the_table() {
    let dir = TestDir::new();
    dir.write("orders.csv", "user_id,amount\na,1.00\nb,2.50\n");
    let mut run = start(&dir);
    run.stdout.wait_for_text("a,1,1.00", LIMIT);
    dir.append("orders.csv", "a,0.25\n");
    run.stdout.wait_for_text("a,2,1.25", LIMIT);
    // Half a line waits for its end.
    dir.append("orders.csv", "b,1");
    dir.append("orders.csv", "0.00\nc,1.00\n");
    run.stdout.wait_for_text("c,1,1.00", LIMIT);
    run.terminate();
    run.wait(LIMIT).assert_success();
    assert_eq!(table(&dir), ["a,2,1.25", "b,2,12.50", "c,1,1.00"]);
}

#[test]
fn a_rewritten_file_gives_the_differences() {
    let dir = TestDir::new();
    dir.write("orders.csv", "user_id,amount\na,1.00\nb,2.50\nc,3.00\n");
    let mut run = start(&dir);
    run.stdout.wait_for_text("c,1,3.00", LIMIT);
    dir.replace("orders.csv", "user_id,amount\na,1.00\nb,7.00\nd,4.00\n");
    run.stdout.wait_for_text("d,1,4.00", LIMIT);
    run.terminate();
    let said = run.wait(LIMIT).assert_success().stdout;
    assert!(
        said.contains("b,1,7.00") && said.contains("-- deleted: c"),
        "{said}"
    );
    assert_eq!(
        said.matches("\na,1,1.00\n").count(),
        2,
        "once as it came, once at the end: {said}"
    );
    assert_eq!(table(&dir), ["a,1,1.00", "b,1,7.00", "d,1,4.00"]);
}

#[test]
fn a_rewritten_file_is_taken_back_from_what_it_shares_with_other_sources() {
    let dir = TestDir::new();
    dir.write("orders.csv", "user_id,amount\na,1\na,1\nb,2\nc,3\n");
    let queries = "
        CREATE STREAM made (user_id VARCHAR, amount INT) FROM generator://made
          WITH ('rows' = '2', 'user_id.words' = 'a', 'amount.min' = '10', 'amount.max' = '10');
        CREATE STREAM orders (user_id VARCHAR, amount INT) FROM file://orders.csv;
        CREATE STREAM everything AS SELECT * FROM orders UNION ALL SELECT * FROM made;
        CREATE TABLE names (id VARCHAR PRIMARY KEY, city VARCHAR);
        INSERT INTO names VALUES ('a', 'Oslo'), ('b', 'Rome'), ('c', 'Rome'), ('d', 'Bonn');
        CREATE TABLE cities AS
          SELECT city, SUM(amount) AS total FROM everything JOIN names ON user_id = id GROUP BY city;
        CREATE TABLE differing AS SELECT DISTINCT * FROM everything;
        CREATE TABLE kept AS SELECT * FROM everything;
        CREATE TABLE spent AS
          SELECT user_id, COUNT(*) AS n, SUM(amount) AS total, MIN(amount) AS least, COUNT(DISTINCT amount) AS differing
          FROM everything GROUP BY user_id;
        CREATE TABLE whole AS SELECT COUNT(*) AS n, SUM(amount) AS total FROM everything WHERE amount > 1;";
    let watched = format!("{queries}\nSELECT * FROM spent EMIT CHANGES;");
    let mut run = Ferris::new(["run", "--output", "csv"])
        .arg(dir.write("app.sql", watched))
        .state_dir(dir.join("state"))
        .start();
    run.stdout.wait_for_text("c,1,3,3,1", LIMIT);
    dir.replace("orders.csv", "user_id,amount\na,1\nb,7\nd,4\n");
    run.stdout.wait_for_text("-- deleted: c", LIMIT);
    run.terminate();
    let run = run.wait(LIMIT).assert_success();
    assert!(!run.stderr.contains("is added"), "{}", run.stderr);
    let tables = Ferris::new(["run", "--once", "--output", "csv"])
        .arg(dir.write("tables.sql", queries))
        .state_dir(dir.join("state"))
        .run()
        .assert_success();
    assert_eq!(
        tables.stdout,
        "-- cities\ncity,total\nBonn,4\nOslo,21\nRome,7\n\
         -- differing\nuser_id,amount\na,1\na,10\nb,7\nd,4\n\
         -- kept\nuser_id,amount\na,1\na,10\na,10\nb,7\nd,4\n\
         -- spent\nuser_id,n,total,least,differing\na,3,21,1,2\nb,1,7,7,1\nd,1,4,4,1\n\
         -- whole\nn,total\n4,31\n"
    );
}

#[test]
fn a_file_that_is_cut_is_read_again() {
    let dir = TestDir::new();
    let path = dir.write("orders.csv", "user_id,amount\na,1.00\nb,2.50\nc,3.00\n");
    let mut run = start(&dir);
    run.stdout.wait_for_text("c,1,3.00", LIMIT);
    let file = fs::OpenOptions::new()
        .write(true)
        .open(&path)
        .expect("the file is there");
    file.set_len("user_id,amount\na,1.00\n".len() as u64)
        .expect("it can be cut");
    run.stdout.wait_for_text("-- deleted: c", LIMIT);
    dir.append("orders.csv", "a,5.00\n");
    run.stdout.wait_for_text("a,2,6.00", LIMIT);
    run.terminate();
    run.wait(LIMIT).assert_success();
    assert_eq!(table(&dir), ["a,2,6.00"]);
}

#[test]
fn a_deleted_file_is_told_and_its_rows_stay() {
    let dir = TestDir::new();
    let path = dir.write("orders.csv", "user_id,amount\na,1.00\n");
    let mut run = start(&dir);
    run.stdout.wait_for_text("a,1,1.00", LIMIT);
    fs::remove_file(&path).expect("the file is there");
    run.stderr.wait_for_text("file not found", LIMIT);
    // It comes back as it was, and more.
    dir.replace("orders.csv", "user_id,amount\na,1.00\nb,1.00\n");
    run.stdout.wait_for_text("b,1,1.00", LIMIT);
    run.stderr.wait_for_text("live", LIMIT);
    run.terminate();
    let said = run.wait(LIMIT).assert_success().stdout;
    assert!(!said.contains("deleted"), "{said}");
    assert_eq!(table(&dir), ["a,1,1.00", "b,1,1.00"]);
}

#[test]
fn a_rotated_log_can_be_read_on() {
    let dir = TestDir::new();
    let path = dir.write("orders.csv", "user_id,amount\na,1.00\n");
    dir.write(
        "app.sql",
        "CREATE STREAM orders (user_id VARCHAR, amount DECIMAL(10, 2)) FROM file://orders.csv WITH (rewrite = 'append');\n\
         CREATE TABLE spent AS SELECT user_id, SUM(amount) AS total FROM orders GROUP BY user_id;\n\
         SELECT * FROM spent EMIT CHANGES;\n",
    );
    let mut run = Ferris::new(["run", "--output", "csv"])
        .arg(dir.join("app.sql"))
        .state_dir(dir.join("state"))
        .start();
    run.stdout.wait_for_text("a,1.00", LIMIT);
    fs::rename(&path, dir.join("orders.csv.1")).expect("it can be moved");
    dir.append("orders.csv.1", "a,2.00\n");
    dir.replace("orders.csv", "user_id,amount\na,4.00\n");
    run.stdout.wait_for_text("a,7.00", LIMIT);
    run.terminate();
    run.wait(LIMIT).assert_success();
}

#[test]
fn a_table_over_a_file_follows_it() {
    let dir = TestDir::new();
    dir.write("orders.csv", "order_id,user_id\n1,a\n2,b\n");
    dir.write("users.csv", "user_id,tier\na,free\nb,basic\n");
    dir.write(
        "app.sql",
        "CREATE TABLE users AS SELECT * FROM file://users.csv;\n\
         CREATE TABLE tiers AS SELECT tier, COUNT(*) AS users FROM users GROUP BY tier;\n\
         SELECT * FROM tiers EMIT CHANGES;\n",
    );
    let mut run = Ferris::new(["run", "--output", "csv"])
        .arg(dir.join("app.sql"))
        .state_dir(dir.join("state"))
        .start();
    run.stdout.wait_for_text("free,1", LIMIT);
    dir.replace("users.csv", "user_id,tier\na,gold\nb,basic\nc,basic\n");
    run.stdout.wait_for_text("gold,1", LIMIT);
    run.terminate();
    let said = run.wait(LIMIT).assert_success().stdout;
    assert!(
        said.contains("basic,2") && said.contains("-- deleted: free"),
        "{said}"
    );
}
