//! A cluster, the instances of an application, and the input so far.

use std::collections::BTreeMap;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::instance::Instance;
use super::query::{self, APPLICATION, Files, KEYS, PARTITIONS};
use super::times::Times;
use super::trace::Trace;
use crate::cluster::memory::MemoryCluster;
use crate::graph::Topology;
use crate::streams::env::Planted;
use crate::streams::{ProcessingGuarantee, StreamsConfig};
use crate::time::Clock;

pub(super) const SESSION: Duration = Duration::from_millis(1_000);
pub(super) const TRANSACTION: Duration = Duration::from_millis(3_000);

/// For how long tasks wait for one that says nothing: longer than any run takes, or not.
pub(super) const FOR_EVER: Duration = Duration::from_secs(1 << 30);
const SILENCE: Duration = Duration::from_millis(200);

/// After how many steps instances have other tasks.
const UPGRADE: u64 = 600;

/// A mistake that is made on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mistake {
    Runtime(Planted),
    /// A state loses rows and keeps its place in their changelog.
    PositionKept,
}

/// Everything that a run is about.
pub(super) struct World {
    pub(super) rng: StdRng,
    pub(super) clock: Clock,
    pub(super) cluster: MemoryCluster,
    pub(super) topology: Topology,
    pub(super) instances: Vec<Instance>,
    /// The words of each partition, as keys and values.
    pub(super) words: Vec<Vec<(String, String)>>,
    pub(super) users: BTreeMap<String, String>,
    pub(super) files: Files,
    /// True where there is next to nothing in topics, and what is committed is of files alone.
    pub(super) files_alone: bool,
    pub(super) written: usize,
    pub(super) steps: u64,
    standbys: usize,
    lag: u64,
    pub(super) held: bool,
    pub(super) mistake: Option<Mistake>,
    pub(super) guarantee: ProcessingGuarantee,
    pub(super) trace: Trace,
    /// What the group had committed of each input when it was last looked at.
    pub(super) committed: BTreeMap<(&'static str, u32), i64>,
    /// For how long tasks wait with their time for one that says nothing.
    pub(super) idle: Duration,
    /// The times that tasks had when it was last looked at.
    pub(super) times: Times,
}

impl World {
    pub(super) fn new(
        seed: u64,
        mistake: Option<Mistake>,
        guarantee: ProcessingGuarantee,
    ) -> Result<World, String> {
        let clock = Clock::manual(1_000_000);
        let cluster = MemoryCluster::with_clock(clock.clone());
        for topic in [
            "words",
            "users",
            "totals",
            "seen",
            "joined",
            "endings",
            "groups",
            "seen-lines",
            "line-totals",
            "profile-groups",
            "profiled",
            "ticks",
        ] {
            let added = cluster.add_topic(topic, PARTITIONS, &[]);
            added.map_err(|e| e.to_string())?;
        }
        cluster.set_patience(Duration::ZERO);
        cluster.set_transaction_timeout(TRANSACTION);
        let instances = (0..3).map(Instance::new).collect::<Result<_, _>>();
        let files = Files::new(seed % 2 == 1);
        let mut world = World {
            standbys: (seed % 3) as usize,
            lag: [0, 5, 1_000][(seed / 3 % 3) as usize],
            rng: StdRng::seed_from_u64(seed),
            clock,
            cluster,
            topology: query::topology(&files),
            files,
            files_alone: seed % 4 == 3,
            instances: instances.map_err(|e| e.to_string())?,
            words: vec![Vec::new(); PARTITIONS as usize],
            users: BTreeMap::new(),
            written: 0,
            steps: 0,
            held: false,
            mistake,
            guarantee,
            trace: Trace::default(),
            committed: BTreeMap::new(),
            idle: if seed.is_multiple_of(2) {
                FOR_EVER
            } else {
                SILENCE
            },
            times: Times::default(),
        };
        for number in 0..KEYS {
            world.write_user(number);
        }
        world.replace_profiles();
        world.start(0);
        Ok(world)
    }

    pub(super) fn config(&self) -> StreamsConfig {
        StreamsConfig::new(APPLICATION)
            .processing_guarantee(self.guarantee)
            .commit_interval(Duration::from_millis(20))
            .session_timeout(SESSION)
            .num_stream_threads(2)
            .offsets_refresh(Duration::from_millis(700))
            .max_task_idle(self.idle)
            .num_standby_replicas(self.standbys)
            .acceptable_recovery_lag(self.lag)
            .clock(self.clock.clone())
    }

    /// Starts an instance that is not there; the brokers may not answer to it.
    pub(super) fn start(&mut self, at: usize) {
        let planted = match self.mistake {
            Some(Mistake::Runtime(planted)) => Some(planted),
            _ => None,
        };
        let config = self.config();
        let version = self.steps / UPGRADE;
        let instance = &mut self.instances[at];
        let started = instance.start(&self.topology, &self.cluster, config, version, planted);
        let outcome = started.map_or_else(|e| e.to_string(), |()| "ok".to_owned());
        self.trace.note(format!("start {at}: {outcome}"));
    }

    /// The next record for a key, in the order of time.
    pub(super) fn write_word(&mut self) {
        let key = query::key(self.rng.random_range(0..KEYS));
        let partition = query::partition_of(&key);
        let value = format!("w{}", self.written);
        self.append("words", &key, &value);
        self.words[partition as usize].push((key, value));
    }

    pub(super) fn write_user(&mut self, number: usize) {
        let key = query::key(number);
        let value = format!("{key}-{}", self.written);
        self.append("users", &key, &value);
        self.users.insert(key, value);
    }

    pub(super) fn write_line(&mut self) {
        let key = query::key(self.rng.random_range(0..KEYS));
        self.written += 1;
        self.files.lines.append(&format!("{key} l{}", self.written));
    }

    /// Each key has a profile, always.
    pub(super) fn replace_profiles(&mut self) {
        let mut lines = Vec::new();
        for number in 0..KEYS + self.rng.random_range(0..9) {
            let ending = self.rng.random_range(0..5);
            lines.push(format!("{} p{ending}", query::key(number)));
        }
        self.files.profiles.replace(lines);
    }

    fn append(&mut self, topic: &str, key: &str, value: &str) {
        self.written += 1;
        let at = query::partition_of(key);
        let (key, value) = (Some(key.as_bytes()), Some(value.as_bytes()));
        let appended = self
            .cluster
            .append(topic, at, key, value, self.written as i64);
        appended.expect("the topic is there and takes records");
    }

    /// Whether an instance has turns now.
    pub(super) fn is_awake(&self, at: usize) -> bool {
        let process = self.instances[at].process.as_ref();
        process.is_some_and(|process| process.paused_until <= self.steps)
    }

    /// Gives a part of an instance its turn.
    pub(super) fn turn(&mut self, at: usize, part: usize) -> Result<(), String> {
        let instance = &mut self.instances[at];
        let Some(process) = &mut instance.process else {
            return Ok(());
        };
        let what = process.turn(part);
        self.trace.note(format!("{at}: {what}"));
        if let Some(refused) = process.app.env.refused.lock().unwrap().pop() {
            return Err(format!(
                "rows of {at} are read again without need: {refused}"
            ));
        }
        if process.has_ended() {
            let error = process.app.error();
            instance.process = None;
            self.trace.note(format!("{at} has ended"));
            if let Some(error) = error {
                return Err(format!("instance {at} failed: {error}"));
            }
        }
        Ok(())
    }
}
