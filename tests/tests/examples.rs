//! The example programs, as somebody would run them.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use ferrisstreams_tests::{Kafka, Process, Record, TestDir, example};

#[test]
fn a_consumer_service_goes_on_where_it_was_stopped() {
    let Some(kafka) = Kafka::shared() else { return };
    let orders = kafka.unique_topic("service-orders", 3);
    let spent = kafka.unique_topic("service-spent", 1);
    let mut expected: BTreeMap<String, i64> = BTreeMap::new();
    let records: Vec<Record> = (0..300_i64)
        .map(|at| {
            let (user, cents) = (format!("u{}", at % 7), (at * 37) % 1_000);
            *expected.entry(user.clone()).or_default() += cents;
            let amount = format!("{}.{:02}", cents / 100, cents % 100);
            let order = format!(r#"{{"user_id": "{user}", "amount": "{amount}"}}"#);
            Record::new(&user, order).partition((at % 3) as i32)
        })
        .collect();
    kafka.produce(&orders, records);
    let dir = TestDir::new();
    for _ in 0..2 {
        let mut service = Command::new(example("consumer_service"));
        service
            .args(["--bootstrap-servers", kafka.bootstrap()])
            .args(["--orders", &orders, "--spent", &spent, "--until", "150"])
            .arg("--state")
            .arg(dir.join("state"));
        Process::start(&mut service)
            .wait(Duration::from_secs(60))
            .assert_success();
    }
    let mut latest: BTreeMap<String, i64> = BTreeMap::new();
    for record in kafka.read_committed(&spent) {
        let user = record.key_text().expect("a user");
        let total = record.value_text().expect("a sum");
        let digits: String = total.chars().filter(char::is_ascii_digit).collect();
        assert_eq!(
            total.trim_matches('"').split('.').nth(1).map(str::len),
            Some(2),
            "{total}"
        );
        latest.insert(
            user.trim_matches('"').to_owned(),
            digits.parse().expect("cents"),
        );
    }
    assert_eq!(latest, expected);
}
