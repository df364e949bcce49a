//! From one assignment to the next, as a function of what is known.

use std::collections::{BTreeMap, BTreeSet};

use super::assignor::{Candidate, Limits, assign};
use super::record::{Assignment, InstanceRecord, Owner, Seat};

/// What a leader knows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known<'a> {
    /// The names of the members that the group has.
    pub(super) group: &'a BTreeSet<String>,
    /// What instances say of themselves, by the names of their states.
    pub(super) instances: &'a BTreeMap<String, InstanceRecord>,
    /// The name of the leader's state.
    pub(super) leader: &'a str,
    /// The fingerprint of the leader's tasks, and how many there are.
    pub(super) map: &'a str,
    pub(super) lanes: u16,
    pub(super) limits: Limits,
}

impl Known<'_> {
    /// The record of a member of the group.
    fn record(&self, member: &str) -> Option<(&String, &InstanceRecord)> {
        let mut instances = self.instances.iter();
        instances.find(|(_, record)| record.member == member && self.group.contains(member))
    }

    /// The instances that are members of the group and have these tasks.
    fn alive(&self, map: &str) -> Vec<(&String, &InstanceRecord)> {
        let of = |record: &InstanceRecord| record.map == map && self.group.contains(&record.member);
        let alive = self.instances.iter().filter(|(_, record)| of(record));
        alive.collect()
    }

    /// True where nobody can commit anything more as the owner of a task.
    fn is_free(&self, current: &Assignment, lane: u16, owner: &Owner) -> bool {
        if !self.group.contains(&owner.member) {
            return true;
        }
        if let Some((_, record)) = self.record(&owner.member) {
            let stopped = owner.stops.is_some_and(|number| record.seen >= number);
            return stopped && !record.holds.contains(&lane);
        }
        // Who has its state now has ended its transactions before it said so.
        let seat = current.members.get(&owner.member);
        let heir = seat.and_then(|seat| self.instances.get(&seat.instance));
        heir.is_some_and(|heir| self.group.contains(&heir.member))
    }
}

/// The assignment that follows; none where nothing is to change.
///
/// While any instance has the tasks of the current assignment, instances with other tasks wait: records on
/// their way between tasks would be lost to those that do not know their topics.
pub(super) fn next(current: &Assignment, known: Known<'_>) -> Option<Assignment> {
    let mut map = &*current.map;
    let mut lanes = current.lanes;
    let mut alive = known.alive(map);
    if alive.is_empty() {
        (map, lanes) = (known.map, known.lanes);
        alive = known.alive(map);
    }
    let place = |member: &str| alive.iter().position(|(_, record)| record.member == member);
    let held: BTreeMap<u16, &Owner> = current
        .owners
        .iter()
        .filter(|(lane, owner)| !known.is_free(current, **lane, owner))
        .map(|(lane, owner)| (*lane, owner))
        .collect();
    let holders = held.iter();
    let holders = holders.filter_map(|(lane, owner)| Some((*lane, place(&owner.member)?)));
    let candidates: Vec<Candidate> = alive
        .iter()
        .map(|(_, record)| Candidate {
            threads: record.threads,
            lags: record.lags.clone(),
            standby_of: standbys(current, &record.member),
            lacks: record.missing.keys().copied().collect(),
        })
        .collect();
    let target = assign(lanes, &holders.collect(), &candidates, known.limits);

    let number = current.number + 1;
    let name = |at: usize| alive[at].1.member.clone();
    let mut following = Assignment {
        number,
        leader: known.leader.to_owned(),
        ..Assignment::nothing(map, lanes)
    };
    for (instance, record) in &alive {
        let seat = Seat {
            instance: (*instance).clone(),
            server: record.server.clone(),
        };
        following.members.insert(record.member.clone(), seat);
    }
    for (lane, of) in &target.standby {
        let members = of.iter().map(|at| name(*at)).collect();
        following.standbys.insert(*lane, members);
    }
    for (lane, owner) in &held {
        let to = target.active.get(lane).map(|at| name(*at));
        let stops = match &to {
            Some(to) if *to == owner.member => None,
            _ => owner.stops.or(Some(number)),
        };
        if let (Some(to), Some(_), true) = (to, stops, known.limits.stateful) {
            // It keeps up until the task is its own.
            following.standbys.entry(*lane).or_default().insert(to);
        }
        let member = owner.member.clone();
        following.owners.insert(*lane, Owner { member, stops });
    }
    for (lane, at) in &target.active {
        following.owners.entry(*lane).or_insert_with(|| Owner {
            member: name(*at),
            stops: None,
        });
    }
    let same = Assignment {
        number: current.number,
        ..following.clone()
    } == *current;
    (!same).then_some(following)
}

fn standbys(current: &Assignment, member: &str) -> BTreeSet<u16> {
    let of = current.standbys.iter();
    of.filter(|(_, members)| members.contains(member))
        .map(|(lane, _)| *lane)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        standbys: 0,
        warmups: 2,
        acceptable_lag: 100,
        stateful: false,
    };

    /// What is known, to be changed by tests.
    struct Scene {
        group: BTreeSet<String>,
        instances: BTreeMap<String, InstanceRecord>,
        current: Assignment,
        limits: Limits,
    }

    impl Scene {
        fn new(lanes: u16) -> Self {
            Scene {
                group: BTreeSet::new(),
                instances: BTreeMap::new(),
                current: Assignment {
                    leader: "A".into(),
                    ..Assignment::nothing("map", lanes)
                },
                limits: LIMITS,
            }
        }

        /// An instance joins under a name.
        fn join(&mut self, instance: &str, member: &str) -> &mut InstanceRecord {
            self.group.insert(member.to_owned());
            let record = InstanceRecord::new(1, "map", None);
            self.instances.insert(instance.to_owned(), record);
            let record = self.instances.get_mut(instance).unwrap();
            record.member = member.to_owned();
            record
        }

        /// An instance has done what the assignment says.
        fn follow(&mut self, instance: &str) {
            let record = self.instances.get_mut(instance).unwrap();
            record.seen = self.current.number;
            record.holds = self.current.share(&record.member).active;
        }

        /// The next assignment in words: `a a b!` has task 2 stop at `b`; with its number.
        fn next(&mut self) -> String {
            let known = Known {
                group: &self.group,
                instances: &self.instances,
                leader: "A",
                map: "map",
                lanes: self.current.lanes,
                limits: self.limits,
            };
            if let Some(next) = next(&self.current, known) {
                self.current = next;
            }
            let owners = self.current.owners.values();
            let owners: Vec<String> = owners
                .map(|owner| match owner.stops {
                    None => owner.member.clone(),
                    Some(_) => format!("{}!", owner.member),
                })
                .collect();
            format!("{}: {}", self.current.number, owners.join(" "))
        }
    }

    #[test]
    fn a_task_moves_once_its_owner_has_let_go() {
        let mut scene = Scene::new(4);
        assert_eq!(scene.next(), "0: ", "nobody is there");
        scene.join("A", "a");
        assert_eq!(scene.next(), "1: a a a a");
        scene.follow("A");
        assert_eq!(scene.next(), "1: a a a a", "nothing has changed");
        scene.join("B", "b");
        assert_eq!(scene.next(), "2: a! a! a a");
        assert_eq!(scene.next(), "2: a! a! a a", "it has not heard of it");
        scene.follow("A");
        assert_eq!(scene.next(), "3: b b a a");
        scene.follow("A");
        scene.follow("B");
        assert_eq!(scene.next(), "3: b b a a");
    }

    #[test]
    fn what_was_said_before_a_task_was_given_does_not_free_it() {
        let mut scene = Scene::new(2);
        scene.join("A", "a");
        assert_eq!(scene.next(), "1: a a");
        // `a` has not seen that it has tasks: that it holds none says nothing.
        scene.join("B", "b");
        assert_eq!(scene.next(), "2: a! a");
        let a = scene.instances.get_mut("A").unwrap();
        a.seen = 1;
        assert_eq!(scene.next(), "2: a! a");
        scene.follow("A");
        assert_eq!(scene.next(), "3: b a");
    }

    #[test]
    fn who_is_no_member_has_nothing() {
        let mut scene = Scene::new(4);
        scene.join("A", "a");
        scene.join("B", "b");
        assert_eq!(scene.next(), "1: a b a b");
        scene.group.remove("b");
        assert_eq!(scene.next(), "2: a a a a");
        // It comes back under another name.
        scene.join("B", "c");
        assert_eq!(scene.next(), "3: a! a! a a");
        scene.group.remove("a");
        assert_eq!(scene.next(), "4: c c c c");
    }

    #[test]
    fn who_has_the_state_takes_what_its_former_process_had() {
        let mut scene = Scene::new(2);
        scene.join("A", "a");
        scene.join("B", "b");
        assert_eq!(scene.next(), "1: a b");
        // The former process is still a member: its session is not over.
        scene.join("B", "b2");
        assert_eq!(scene.next(), "2: a b2");
        assert!(!scene.current.members.contains_key("b"));
    }

    #[test]
    fn other_tasks_wait_until_nobody_has_the_former_ones() {
        let mut scene = Scene::new(2);
        scene.join("A", "a").map = "old".into();
        scene.current.map = "old".into();
        assert_eq!(scene.next(), "1: a a");
        scene.join("B", "b");
        assert_eq!(scene.next(), "1: a a");
        assert!(!scene.current.members.contains_key("b"), "it waits");
        scene.group.remove("a");
        assert_eq!(scene.next(), "2: b b");
        assert_eq!(scene.current.map, "map");
    }

    #[test]
    fn the_next_owner_keeps_up_while_a_task_is_on_its_way() {
        let mut scene = Scene::new(2);
        scene.limits.stateful = true;
        scene.join("A", "a");
        assert_eq!(scene.next(), "1: a a");
        scene.follow("A");
        scene.join("B", "b");
        assert_eq!(scene.next(), "2: a a");
        assert_eq!(scene.current.share("b").standby, [0].into(), "it warms up");
        scene.instances.get_mut("B").unwrap().lags = [(0, 3)].into();
        assert_eq!(scene.next(), "3: a! a");
        assert_eq!(scene.current.share("b").standby, [0].into());
        scene.follow("A");
        assert_eq!(scene.next(), "4: b a");
        assert!(scene.current.standbys.is_empty());
    }

    /// Members that come, go, hear late and say late: a task never has two that may commit it.
    #[test]
    fn no_task_has_two_owners() {
        use rand::rngs::StdRng;
        use rand::{Rng, SeedableRng};
        for seed in 0..300 {
            let mut rng = StdRng::seed_from_u64(seed);
            let mut scene = Scene::new(5);
            scene.limits.stateful = rng.random_bool(0.5);
            // What each member really does, by name: the assignment it has heard of, and what it holds.
            let mut truth: BTreeMap<String, (u64, BTreeSet<u16>)> = BTreeMap::new();
            let mut history = vec![scene.current.clone()];
            for step in 0..200 {
                let at = format!("I{}", rng.random_range(0..3));
                let member = scene.instances.get(&at).map(|r| r.member.clone());
                let member = member.filter(|m| scene.group.contains(m));
                match (rng.random_range(0..10), member) {
                    (0..2, None) => {
                        let name = format!("m{step}");
                        scene.join(&at, &name);
                        truth.insert(name, (0, BTreeSet::new()));
                    }
                    (0, Some(member)) => {
                        scene.group.remove(&member);
                        truth.remove(&member);
                    }
                    (1..4, Some(member)) => {
                        // It hears of some assignment that it has not heard of.
                        let (seen, holds) = truth.get_mut(&member).unwrap();
                        let heard = rng.random_range(*seen..=scene.current.number);
                        if heard > *seen {
                            (*seen, *holds) =
                                (heard, history[heard as usize].share(&member).active);
                        }
                    }
                    (4..6, Some(member)) => {
                        let (seen, holds) = truth[&member].clone();
                        let record = scene.instances.get_mut(&at).unwrap();
                        (record.seen, record.holds) = (seen, holds);
                        record.lags = (0..5)
                            .map(|lane| (lane, rng.random_range(0..200)))
                            .collect();
                    }
                    (6..10, _) => {
                        let before = scene.current.number;
                        scene.next();
                        if scene.current.number > before {
                            history.push(scene.current.clone());
                        }
                    }
                    _ => {}
                }
                for lane in 0..5 {
                    let able = truth.iter().filter(|(_, (_, holds))| holds.contains(&lane));
                    assert!(able.count() <= 1, "seed {seed}, step {step}: task {lane}");
                }
            }
        }
    }
}
