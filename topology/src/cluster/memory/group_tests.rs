//! Groups under random joins, leaves, silences and returns: no partition is two members' at once, and
//! when all is quiet the partitions are shared evenly.

use std::collections::BTreeSet;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::*;
use crate::cluster::{Cluster, GroupEvent, Member, MemberOptions};
use crate::time::{Clock, seconds};

const PARTITIONS: u32 = 5;

/// A process that is a member.
struct Process {
    member: Box<dyn Member>,
    has: BTreeSet<u32>,
    revoked: BTreeSet<u32>,
}

impl Process {
    /// Sees one piece of news; false where there is none.
    fn poll(&mut self) -> bool {
        let Some(event) = self.member.poll(Duration::ZERO).unwrap() else {
            return false;
        };
        match event {
            GroupEvent::Assigned(partitions) => {
                for partition in partitions {
                    assert!(self.has.insert(partition), "{partition} is its already");
                }
            }
            GroupEvent::Revoked(partitions) => {
                for partition in partitions {
                    assert!(self.has.contains(&partition));
                    assert!(self.revoked.insert(partition));
                }
            }
            GroupEvent::Lost(partitions) => {
                assert_eq!(BTreeSet::from_iter(partitions), self.has);
                self.has.clear();
                self.revoked.clear();
            }
        }
        true
    }

    fn release(&mut self) {
        self.member.release();
        let revoked = std::mem::take(&mut self.revoked);
        self.has.retain(|partition| !revoked.contains(partition));
    }
}

struct Bench {
    cluster: MemoryCluster,
    clock: Clock,
    processes: Vec<Process>,
}

impl Bench {
    fn new() -> Self {
        let clock = Clock::manual(0);
        let cluster = MemoryCluster::with_clock(clock.clone());
        cluster.add_topic("t", PARTITIONS, &[]).unwrap();
        Bench {
            cluster,
            clock,
            processes: Vec::new(),
        }
    }

    fn join(&mut self) {
        let options = MemberOptions {
            group: "g".into(),
            topic: "t".into(),
            instance: None,
            session_timeout: seconds(6),
        };
        self.processes.push(Process {
            member: self.cluster.join(options).unwrap(),
            has: BTreeSet::new(),
            revoked: BTreeSet::new(),
        });
    }

    fn step(&mut self, rng: &mut StdRng) {
        if self.processes.is_empty() {
            self.join();
        }
        let one = rng.random_range(0..self.processes.len());
        match rng.random_range(0..20) {
            0 if self.processes.len() < 7 => self.join(),
            1 => self.processes.remove(one).member.leave(),
            // It dies without a word.
            2 => _ = self.processes.remove(one),
            3..5 => self.clock.advance(seconds(rng.random_range(0..4))),
            5..9 => self.processes[one].release(),
            _ => _ = self.processes[one].poll(),
        }
        self.check_owners();
    }

    /// Each partition is had by at most one of those whom the group knows.
    fn check_owners(&self) {
        let known = self.cluster.members("g");
        let mut owned = BTreeSet::new();
        for process in &self.processes {
            let metadata = process.member.metadata();
            if metadata.is_some_and(|m| known.iter().any(|name| name == m.member())) {
                for partition in &process.has {
                    assert!(owned.insert(*partition), "{partition} is two members'");
                }
            }
        }
    }

    /// All processes see all news, and answer to it, until there are none.
    fn calm(&mut self) {
        loop {
            let mut news = false;
            for process in &mut self.processes {
                while process.poll() {
                    news = true;
                }
                process.release();
            }
            if !news {
                break;
            }
        }
    }

    fn check_shares(&self) {
        let of = self.processes.len();
        let shares = self.processes.iter().map(|p| p.has.len());
        assert_eq!(shares.clone().sum::<usize>(), PARTITIONS as usize);
        let (least, most) = (shares.clone().min(), shares.max());
        assert!(most.unwrap() - least.unwrap() <= 1, "{of} members");
        let metadata = self.processes.iter().map(|p| p.member.metadata().unwrap());
        let generations: BTreeSet<i32> = metadata.map(|m| m.generation()).collect();
        assert_eq!(generations.len(), 1);
    }
}

#[test]
fn partitions_have_one_owner_and_are_shared_evenly() {
    for seed in 0..100 {
        let mut rng = StdRng::seed_from_u64(seed);
        let mut bench = Bench::new();
        for round in 0..8 {
            for _ in 0..60 {
                bench.step(&mut rng);
            }
            if bench.processes.is_empty() {
                bench.join();
            }
            // Who died is given up once the sessions of all have ended; who lives joins again.
            bench
                .clock
                .advance(seconds(if round % 2 == 0 { 7 } else { 0 }));
            bench.calm();
            bench.clock.advance(seconds(4));
            bench.calm();
            bench.clock.advance(seconds(4));
            bench.calm();
            bench.check_shares();
        }
    }
}
