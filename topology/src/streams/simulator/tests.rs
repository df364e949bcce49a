//! The runs, and the mistakes that they have to find.

use super::world::{Mistake, World};
use crate::streams::ProcessingGuarantee;
use crate::streams::env::Planted;

const STEPS: usize = 1_000;
const SEEDS: u64 = 200;
const SOAK: u64 = 2_000;

/// A run; what was wrong, with the last steps.
fn run(seed: u64, mistake: Option<Mistake>) -> Result<String, String> {
    run_with(seed, mistake, ProcessingGuarantee::ExactlyOnce)
}

fn run_with(
    seed: u64,
    mistake: Option<Mistake>,
    guarantee: ProcessingGuarantee,
) -> Result<String, String> {
    let mut world = World::new(seed, mistake, guarantee)?;
    let ran = attempt(&mut world);
    let trace = world.trace.shown();
    match ran {
        Ok(()) => Ok(trace),
        Err(e) => Err(format!("{trace}\nseed {seed}: {e}")),
    }
}

fn attempt(world: &mut World) -> Result<(), String> {
    for _ in 0..STEPS {
        world.step()?;
        world.check_offsets()?;
        world.check_owners()?;
        world.check_times()?;
    }
    world.settle()?;
    match world.guarantee {
        ProcessingGuarantee::ExactlyOnce => world.check_all(),
        ProcessingGuarantee::AtLeastOnce => world.check_nothing_lost(),
    }
}

fn finds(mistake: Mistake) {
    let found = (0..SOAK).find_map(|seed| Some((seed, run(seed, Some(mistake)).err()?)));
    let found = found
        .as_ref()
        .map(|(seed, told)| (seed, told.lines().last()));
    eprintln!("{mistake:?} is found by seed {found:?}");
    assert!(found.is_some(), "{mistake:?} is not found");
}

/// Runs all seeds, or the one that the environment asks for.
fn run_all(guarantee: ProcessingGuarantee) {
    let soak = std::env::var_os("FERRIS_SOAK").is_some();
    let one = std::env::var("FERRIS_SEED")
        .ok()
        .and_then(|s| s.parse().ok());
    let seeds = match one {
        Some(seed) => seed..seed + 1,
        None => 0..if soak { SOAK } else { SEEDS },
    };
    let wrong = |seed| run_with(seed, None, guarantee).err();
    let wrong: Vec<String> = seeds.filter_map(wrong).collect();
    let told = wrong.iter().filter_map(|e| e.lines().last());
    let told: Vec<&str> = told.collect();
    if let Some(first) = wrong.first() {
        panic!("{first}\n\nof all seeds:\n{}", told.join("\n"));
    }
}

#[test]
fn each_record_counts_once_whatever_happens() {
    run_all(ProcessingGuarantee::ExactlyOnce);
}

#[test]
fn no_record_is_lost_at_least_once_whatever_happens() {
    run_all(ProcessingGuarantee::AtLeastOnce);
}

#[test]
fn a_run_is_the_same_by_its_seed() {
    for seed in [3, 4, 5] {
        assert_eq!(run(seed, None), run(seed, None));
    }
}

#[test]
fn offsets_that_are_committed_before_the_rows_are_found() {
    finds(Mistake::Runtime(Planted::OffsetsFirst));
}

#[test]
fn rows_that_stand_behind_the_last_stable_offset_and_are_not_read_are_found() {
    finds(Mistake::Runtime(Planted::StableOnly));
}

#[test]
fn a_commit_in_the_name_of_who_has_joined_again_is_found() {
    finds(Mistake::Runtime(Planted::FreshMetadata));
}

#[test]
fn two_versions_side_by_side_are_found() {
    finds(Mistake::Runtime(Planted::AnyMap));
}

#[test]
fn a_time_that_runs_ahead_is_found() {
    finds(Mistake::Runtime(Planted::GreatestTime));
}

#[test]
fn a_position_whose_rows_are_gone_is_found() {
    finds(Mistake::PositionKept);
}
