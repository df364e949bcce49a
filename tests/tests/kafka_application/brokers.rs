//! Brokers of a cluster of three are killed, one after the other, while an application is at work.

use std::time::Duration;

use ferrisstreams_tests::{KafkaBrokers, soak};

use crate::trial::{Trial, end};

#[test]
fn brokers_are_killed_and_nothing_is_lost_or_doubled_soak() {
    let Some(mut brokers) = KafkaBrokers::start(3) else {
        return;
    };
    let mut trial = Trial::new(brokers.kafka().clone());
    trial.standbys = 1;
    trial.write(2_000);
    let one = trial.start("one");
    let two = trial.start("two");
    trial.check();
    for round in 0..soak::rounds(2, 10) {
        let node = round % 3;
        trial.write(500);
        brokers.kill(node);
        // The others have all that was acknowledged, and take what comes.
        trial.write(500);
        trial.check();
        brokers.restart(node);
        brokers.kafka().wait_until_in_sync(Duration::from_secs(60));
        trial.write(500);
        trial.check();
    }
    for process in [one, two] {
        let log = process.stderr.text();
        assert!(!log.contains("read again"), "rows were given up: {log}");
        end(process);
    }
}
