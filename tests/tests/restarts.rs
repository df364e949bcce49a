//! Programs that are started again with other settings.

use ferrisstreams_tests::{Ferris, TestDir};

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
