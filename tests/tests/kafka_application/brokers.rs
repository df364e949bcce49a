//! Brokers of a cluster of three are killed, one after the other, while an application is at work.

use std::time::Duration;

use ferrisstreams_tests::{KafkaBrokers, Process, soak};

use crate::trial::{Trial, end};

#[test]
fn brokers_are_killed_and_nothing_is_lost_or_doubled_soak() {
    let Some(mut brokers) = KafkaBrokers::start(3) else {
        return;
    };
    let mut trial = Trial::new(brokers.kafka().clone());
    trial.standbys = 1;
    trial.write(2_000);
    let names = ["one", "two"];
    let mut processes = names.map(|name| Some(trial.start(name)));
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
        // Who starts again finds other leaders than before, which have all that its rows are of.
        let process = &mut processes[round % 2];
        end_with_rows(process.take());
        *process = Some(trial.start(names[round % 2]));
        trial.write(500);
        trial.check();
    }
    processes.into_iter().for_each(end_with_rows);
}

/// Ends a process that never gave rows up.
fn end_with_rows(process: Option<Process>) {
    let process = process.expect("it runs");
    let log = process.stderr.text();
    assert!(!log.contains("read again"), "rows were given up: {log}");
    end(process);
}
