//! The runs, and the mistakes that they have to find.

use std::sync::Arc;
use std::time::Duration;

use super::instance::{Instance, Process};
use super::world::{Mistake, SESSION, TRANSACTION, World};
use crate::cluster::memory::MemoryCluster;
use crate::cluster::{Isolation, TopicPartition};
use crate::dsl::{Consumed, Produced, StreamsBuilder};
use crate::streams::env::Planted;
use crate::streams::local::lines::Lines;
use crate::streams::{ProcessingGuarantee, StreamsConfig};
use crate::time::Clock;

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
    let found = (0..SEEDS).find_map(|seed| Some((seed, run(seed, Some(mistake)).err()?)));
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
fn each_record_counts_once_whatever_happens_soak() {
    run_all(ProcessingGuarantee::ExactlyOnce);
}

#[test]
fn no_record_is_lost_at_least_once_whatever_happens_soak() {
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
fn input_that_is_read_again_as_the_group_has_forgotten_it_is_found() {
    finds(Mistake::Runtime(Planted::GroupAlone));
}

#[test]
fn a_position_whose_rows_are_gone_is_found() {
    finds(Mistake::PositionKept);
}

/// What is seen of a line that a process has read, which stands still before it commits until another has
/// taken its task over.
fn seen_of_one_line(planted: Option<Planted>) -> Vec<String> {
    let clock = Clock::manual(1_000_000);
    let cluster = MemoryCluster::with_clock(clock.clone());
    cluster.add_topic("seen", 1, &[]).unwrap();
    cluster.set_patience(Duration::ZERO);
    cluster.set_transaction_timeout(TRANSACTION);
    let lines = Lines::new("lines");
    let builder = StreamsBuilder::new();
    let consumed = Consumed::<String, String>::plain().from(Arc::new(lines.clone()));
    let stream = builder.stream("lines", consumed);
    stream.to("seen", Produced::plain());
    let topology = builder.build().unwrap();
    let config = || {
        StreamsConfig::new("app")
            .commit_interval(Duration::from_millis(20))
            .session_timeout(SESSION)
            .clock(clock.clone())
    };
    let turns = |process: &mut Process| {
        (0..process.parts()).for_each(|part| drop(process.turn(part)));
        clock.advance(Duration::from_millis(7));
    };
    let positions = || {
        let records = cluster.records("app-positions", 0, Isolation::ReadUncommitted);
        records.unwrap().len()
    };
    let mut instances = [Instance::new(0).unwrap(), Instance::new(1).unwrap()];
    let [one, two] = &mut instances;
    one.start(&topology, &cluster, config(), 0, planted)
        .unwrap();
    let process = one.process.as_mut().unwrap();
    while process.app.running_tasks().is_empty() {
        turns(process);
    }
    while process.turn(1) != "worker 0 Commit" {}
    lines.append("k line");
    while process.turn(1) != "worker 0 Process" {}
    two.start(&topology, &cluster, config(), 0, planted)
        .unwrap();
    let other = two.process.as_mut().unwrap();
    let before = positions();
    while positions() == before {
        turns(other);
    }
    // It wakes, and has not heard yet that it was given up.
    assert_eq!(process.turn(1), "worker 0 Commit");
    for _ in 0..300 {
        turns(process);
        turns(other);
    }
    let seen = cluster
        .records("seen", 0, Isolation::ReadCommitted)
        .unwrap();
    let text = |bytes: Option<Vec<u8>>| String::from_utf8(bytes.unwrap()).unwrap();
    seen.into_iter().map(|record| text(record.value)).collect()
}

#[test]
fn who_was_expelled_commits_no_positions() {
    assert_eq!(seen_of_one_line(None), ["line"]);
    let planted = Some(Planted::Unfenced);
    assert_eq!(
        seen_of_one_line(planted),
        ["line", "line"],
        "the mistake shows"
    );
}

/// Counts words in a process that has a state of its own, and maybe another beside it. Their changelog is cut back
/// and grows again with other records.
struct Cutting {
    clock: Clock,
    cluster: MemoryCluster,
    instances: [Instance; 2],
    planted: Option<Planted>,
}

const COUNTS: &str = "app-counts-changelog";

impl Cutting {
    fn new(planted: Option<Planted>) -> Self {
        let clock = Clock::manual(1_000_000);
        let cluster = MemoryCluster::with_clock(clock.clone());
        for topic in ["words", "totals"] {
            cluster.add_topic(topic, 1, &[]).unwrap();
        }
        cluster.set_patience(Duration::ZERO);
        cluster.set_transaction_timeout(TRANSACTION);
        let mut cutting = Cutting {
            clock,
            cluster,
            instances: [Instance::new(0).unwrap(), Instance::new(1).unwrap()],
            planted,
        };
        cutting.start(0);
        for word in ["a", "b", "c", "d"] {
            cutting.write(word);
            // Each has a commit of its own, and its point is known.
            cutting.go_on();
        }
        assert_eq!(cutting.rows(0), "a=1 b=1 c=1 d=1");
        cutting
    }

    fn start(&mut self, at: usize) {
        let config = StreamsConfig::new("app")
            .commit_interval(Duration::from_millis(20))
            .session_timeout(SESSION)
            .num_standby_replicas(1)
            .clock(self.clock.clone());
        let (topology, planted) = (crate::streams::tests::counting(), self.planted);
        let instance = &mut self.instances[at];
        let started = instance.start(&topology, &self.cluster, config, 0, planted);
        started.unwrap();
    }

    /// A process is gone without a word.
    fn crash(&mut self, at: usize) {
        self.instances[at].process = None;
    }

    fn write(&self, word: &str) {
        let bytes = Some(word.as_bytes());
        self.cluster.append("words", 0, bytes, bytes, 1).unwrap();
    }

    /// Some four seconds pass.
    fn go_on(&mut self) {
        let processes = self.instances.iter_mut();
        let mut processes: Vec<&mut Process> =
            processes.filter_map(|i| i.process.as_mut()).collect();
        for _ in 0..600 {
            for process in &mut processes {
                (0..process.parts()).for_each(|part| drop(process.turn(part)));
            }
            self.clock.advance(Duration::from_millis(7));
        }
        let running = processes.iter().map(|p| p.app.running_tasks().len());
        assert_eq!(running.sum::<usize>(), 1);
        for process in processes {
            assert_eq!(process.app.error(), None);
        }
    }

    /// A leader is elected that lacks the rows of the last two words, and others come to stand there: that of
    /// the first word, again and again.
    fn cut(&self) {
        let records = self.cluster.records(COUNTS, 0, Isolation::ReadCommitted);
        let records = records.unwrap();
        assert_eq!(records.len(), 4);
        let cut = self.cluster.elect_unclean(COUNTS, 0, records[2].offset);
        cut.unwrap();
        let (key, value) = (records[0].key.as_deref(), records[0].value.as_deref());
        for _ in 0..20 {
            self.cluster.append(COUNTS, 0, key, value, 1).unwrap();
        }
    }

    fn rows(&self, at: usize) -> String {
        let app = &self.instances[at].process.as_ref().unwrap().app;
        let rows = app.table::<String, i64>("counts").unwrap();
        let rows = rows.scan(|_, _| true).unwrap().into_iter();
        let mut rows: Vec<String> = rows
            .map(|(word, count)| format!("{word}={count}"))
            .collect();
        rows.sort();
        rows.join(" ")
    }

    fn refused(&self, at: usize) -> Vec<String> {
        let app = &self.instances[at].process.as_ref().unwrap().app;
        app.env.refused.lock().unwrap().clone()
    }
}

#[test]
fn rows_that_an_election_cut_off_are_read_again_at_the_next_start() {
    let run = |planted| {
        let mut cutting = Cutting::new(planted);
        cutting.crash(0);
        cutting.cut();
        cutting.start(0);
        cutting.go_on();
        (cutting.rows(0), cutting.refused(0))
    };
    let (rows, refused) = run(None);
    assert_eq!(rows, "a=1 b=1");
    assert_eq!(refused.len(), 1, "{refused:?}");
    let why = "app-counts-changelog-0: the topic was cut back to offset ";
    assert!(refused[0].starts_with(why), "{refused:?}");
    let (rows, refused) = run(Some(Planted::AnyLeader));
    assert_eq!(rows, "a=1 b=1 c=1 d=1", "the mistake shows");
    assert!(refused.is_empty(), "{refused:?}");
}

#[test]
fn rows_that_an_election_cut_off_are_read_again_while_their_task_runs() {
    let run = |planted| {
        let mut cutting = Cutting::new(planted);
        cutting.cut();
        cutting.write("e");
        cutting.go_on();
        (cutting.rows(0), cutting.refused(0).len())
    };
    assert_eq!(run(None), ("a=1 b=1 e=1".to_owned(), 1));
    let mistaken = run(Some(Planted::AnyLeader));
    assert_eq!(mistaken, ("a=1 b=1 c=1 d=1 e=1".to_owned(), 0));
}

#[test]
fn rows_are_read_again_whose_changelog_ends_before_them_when_more_is_written() {
    let mut cutting = Cutting::new(None);
    let of = TopicPartition::new(COUNTS, 0);
    let end = cutting.cluster.peek_end(&of).unwrap();
    // Two more rows, so close that nobody has asked yet whose they are.
    for word in ["e", "f"] {
        cutting.write(word);
        let before = cutting.cluster.peek_end(&of);
        let process = cutting.instances[0].process.as_mut().unwrap();
        while cutting.cluster.peek_end(&of) == before {
            (0..2).for_each(|part| drop(process.turn(part)));
            cutting.clock.advance(Duration::from_millis(7));
        }
        while !process.turn(1).ends_with("Commit") {}
    }
    cutting.cluster.elect_unclean(COUNTS, 0, end).unwrap();
    cutting.write("g");
    cutting.go_on();
    assert_eq!(cutting.rows(0), "a=1 b=1 c=1 d=1 g=1");
    let refused = cutting.refused(0);
    assert!(refused.len() == 1 && refused[0].contains("written behind"));
}

#[test]
fn rows_of_standbys_that_an_election_cut_off_are_read_again() {
    let run = |planted| {
        let mut cutting = Cutting::new(planted);
        cutting.start(1);
        cutting.go_on();
        cutting.cut();
        cutting.go_on();
        let refused = cutting.refused(1).len();
        cutting.crash(0);
        cutting.go_on();
        (cutting.rows(1), refused)
    };
    assert_eq!(run(None), ("a=1 b=1".to_owned(), 1));
    let mistaken = run(Some(Planted::AnyLeader));
    assert_eq!(mistaken, ("a=1 b=1 c=1 d=1".to_owned(), 0));
}

#[test]
fn elections_that_lose_nothing_have_nothing_read_again() {
    let mut cutting = Cutting::new(None);
    cutting.start(1);
    for word in ["a", "b"] {
        cutting.cluster.elect(COUNTS, 0).unwrap();
        cutting.write(word);
        cutting.go_on();
        cutting.cluster.elect(COUNTS, 0).unwrap();
        let at = usize::from(word == "b");
        cutting.crash(at);
        cutting.cluster.elect(COUNTS, 0).unwrap();
        cutting.start(at);
        cutting.go_on();
        assert!(cutting.refused(0).is_empty() && cutting.refused(1).is_empty());
    }
    let rows = cutting.rows(0) + &cutting.rows(1);
    assert_eq!(rows, "a=2 b=2 c=1 d=1");
}
