//! Tasks move to an instance that has kept their rows up to date, while clicks come all the time.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use ferrisstreams_tests::Kafka;

use crate::trial::{Trial, end};

const LIMIT: Duration = Duration::from_secs(60);

/// How long clicks come on when all is settled.
const BEYOND: Duration = Duration::from_secs(2);

/// The tasks of a line that tells of a state.
fn tasks(line: &str) -> BTreeSet<i32> {
    let numbers = line.split(|c: char| !c.is_ascii_digit());
    numbers.filter_map(|number| number.parse().ok()).collect()
}

#[test]
fn tasks_move_to_warm_standbys_and_the_others_go_on() {
    let Some(kafka) = Kafka::shared() else { return };
    let mut trial = Trial::new(kafka);
    trial.standbys = 1;
    trial.write(2_000);
    let one = trial.start("one");
    trial.check();
    let from = trial.written();
    let two = trial.start("two");
    let deadline = Instant::now() + LIMIT;
    let running = |text: &str| -> Option<BTreeSet<i32>> {
        let last = text
            .lines()
            .rev()
            .find(|line| line.starts_with("Running"))?;
        Some(tasks(last)).filter(|tasks| tasks.len() == 6)
    };
    let moved = loop {
        assert!(Instant::now() < deadline, "no half of the tasks has moved");
        trial.trickle(25);
        if let Some(moved) = running(&two.stdout.text()) {
            break moved;
        }
    };
    let settled = Instant::now();
    while settled.elapsed() < BEYOND {
        trial.trickle(25);
    }
    trial.check();
    let silences = trial.longest_silences(from);
    assert_eq!(silences.len(), 12);
    let of = |part: bool| {
        let tasks = silences.iter();
        let of = tasks.filter(|(task, _)| moved.contains(task) == part);
        let (tasks, longest): (Vec<i32>, Vec<i64>) = of.unzip();
        format!("tasks {tasks:?}: {longest:?} ms")
    };
    // For who reads the output; how long it takes depends on the machine.
    println!("the longest silence of tasks that moved: {}", of(true));
    println!("of those that stayed: {}", of(false));
    end(one);
    end(two);
}
