//! Instances come, go, are killed, and sleep.

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use ferrisstreams_tests::{Kafka, Process, soak};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::trial::{Trial, end};

#[test]
fn instances_share_the_work_and_take_over_from_one_another() {
    let Some(kafka) = Kafka::shared() else { return };
    let mut trial = Trial::new(kafka);
    trial.write(2_000);
    let one = trial.start("one");
    trial.check();
    let two = trial.start("two");
    let three = trial.start("three");
    for _ in 0..5 {
        trial.write(1_000);
    }
    trial.check();
    end(one);
    trial.write(1_000);
    trial.check();
    two.kill();
    trial.write(1_000);
    trial.check();
    end(three);
    // The state of one was left behind: it goes on from there.
    let one = trial.start("one");
    trial.write(1_000);
    trial.check();
    end(one);
}

#[test]
fn killed_instances_lose_nothing_and_double_nothing_soak() {
    let Some(kafka) = Kafka::shared() else { return };
    let mut random = StdRng::seed_from_u64(4);
    let mut trial = Trial::new(kafka);
    let names = ["one", "two", "three"];
    let mut running: BTreeMap<&str, Process> = BTreeMap::new();
    for round in 0..soak::rounds(10, 200) {
        let name = names[random.random_range(0..names.len())];
        match running.remove(name) {
            None => {
                running.insert(name, trial.start(name));
            }
            Some(process) if random.random_range(0..4) == 0 => end(process),
            Some(process) => {
                let told = process.kill().stderr;
                assert!(!told.contains("read again"), "rows were given up: {told}");
            }
        }
        trial.write(random.random_range(1..500));
        // The moment of the next kill is to be hit by no event.
        thread::sleep(Duration::from_millis(random.random_range(100..1_500)));
        if round % 50 == 49 {
            running.entry("one").or_insert_with(|| trial.start("one"));
            trial.check();
        }
    }
    running.entry("one").or_insert_with(|| trial.start("one"));
    trial.check();
    running.into_values().for_each(end);
}

#[test]
fn an_instance_that_slept_past_its_session_is_fenced_and_comes_back() {
    let Some(kafka) = Kafka::shared() else { return };
    let mut trial = Trial::new(kafka);
    trial.write(1_000);
    let one = trial.start("one");
    trial.check();
    trial.write(500);
    one.pause();
    let two = trial.start("two");
    trial.write(1_000);
    // Only when the sleeper's session has ended are all tasks the other's.
    trial.check();
    one.resume();
    trial.write(1_000);
    trial.check();
    end(two);
    trial.write(1_000);
    trial.check();
    end(one);
}
