//! What must be so, at each step and at the end.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::query::{self, APPLICATION, PARTITIONS};
use super::world::World;
use crate::cluster::memory::Markers;
use crate::cluster::{Cluster as _, Isolation, TopicPartition};
use crate::streams::ProcessingGuarantee;

/// How many rounds of turns everything that is left to be done takes at most.
const ROUNDS: usize = 2_000;

impl World {
    /// What the group has committed never goes back.
    pub(super) fn check_offsets(&mut self) -> Result<(), String> {
        let moved = [query::MOVED, query::MOVED_USERS, query::MOVED_BY_TIME];
        let topics = ["words", "users", "app-positions"];
        for topic in topics.into_iter().chain(moved) {
            for partition in 0..PARTITIONS {
                let of = TopicPartition::new(topic, partition);
                let Some(at) = self.cluster.peek_committed(APPLICATION, &of) else {
                    continue;
                };
                let before = self.committed.insert((topic, partition), at.offset);
                if before.is_some_and(|before| before > at.offset) {
                    return Err(format!("{of} went back from {before:?} to {}", at.offset));
                }
            }
        }
        Ok(())
    }

    /// No task has two members that may commit it, and no two members have different tasks.
    pub(super) fn check_owners(&mut self) -> Result<(), String> {
        let group = self.cluster.members(APPLICATION);
        let mut owners: BTreeMap<u16, usize> = BTreeMap::new();
        let mut version = None;
        for instance in &self.instances {
            let Some(process) = &instance.process else {
                continue;
            };
            let Some((_, lanes)) = process.holds().filter(|(name, _)| group.contains(name)) else {
                continue;
            };
            if !lanes.is_empty() {
                let other = version.replace(process.version);
                if other.is_some_and(|other| other != process.version) {
                    return Err(format!("{other:?} and {version:?} run side by side"));
                }
            }
            for lane in lanes {
                if let Some(other) = owners.insert(lane, instance.number) {
                    let at = instance.number;
                    return Err(format!("task {lane} is that of {other} and of {at}"));
                }
            }
        }
        Ok(())
    }

    /// Everything heals, and what is left is done.
    pub(super) fn settle(&mut self) -> Result<(), String> {
        self.trace.note("everything heals".to_owned());
        self.cluster.clear_faults();
        self.cluster.set_markers(Markers::AtOnce);
        self.cluster.write_markers();
        // Behind those of processes that have crashed nothing can be read.
        self.cluster.expire_transactions();
        for at in 0..self.instances.len() {
            if let Some(process) = &mut self.instances[at].process {
                process.paused_until = 0;
            }
        }
        let runs = |world: &World| world.instances.iter().any(|i| i.lives_on());
        for _ in 0..ROUNDS {
            if !runs(self) {
                let free =
                    (0..self.instances.len()).find(|at| self.instances[*at].process.is_none());
                if let Some(at) = free {
                    self.start(at);
                }
            }
            for at in 0..self.instances.len() {
                let parts = self.instances[at].process.as_ref().map_or(0, |p| p.parts());
                for part in (0..parts).rev() {
                    for _ in 0..5 {
                        self.turn(at, part)?;
                    }
                }
            }
            self.pass(Duration::from_millis(7));
            self.check_offsets()?;
            self.check_owners()?;
            self.check_times()?;
            if self.is_done() && self.have_times_come()? {
                return Ok(());
            }
        }
        Err("the input is not processed to its end".to_owned())
    }

    fn is_done(&self) -> bool {
        let mut running = BTreeSet::new();
        for instance in &self.instances {
            if let Some(process) = &instance.process {
                if process.closing {
                    return false;
                }
                running.extend(process.app.running_tasks());
            }
        }
        let all = (0_u32..).zip(&self.words).all(|(partition, words)| {
            let of = TopicPartition::new("words", partition);
            let at = self.cluster.peek_committed(APPLICATION, &of);
            at.map_or(0, |at| at.offset) == words.len() as i64
        });
        let files = self.lines_seen() >= self.files.lines.all().len()
            && (self.guarantee == ProcessingGuarantee::AtLeastOnce
                || self.last_counts("profile-groups") == self.profile_groups());
        all && files && self.has_moved() && running.len() == PARTITIONS as usize
    }

    /// True where all that travels between tasks has arrived and was processed, and all users as well.
    fn has_moved(&self) -> bool {
        let topics = [
            "users",
            query::MOVED,
            query::MOVED_USERS,
            query::MOVED_BY_TIME,
            "app-profiles-for-words-repartition",
        ];
        let places = (0..PARTITIONS).flat_map(|n| topics.map(|topic| (topic, n)));
        places.into_iter().all(|(topic, partition)| {
            let of = TopicPartition::new(topic, partition);
            let end = self.cluster.offsets(&of, Isolation::ReadUncommitted);
            let at = self.cluster.peek_committed(APPLICATION, &of);
            end.is_ok_and(|there| at.map_or(0, |at| at.offset) == there.end)
        })
    }

    /// How many different lines were passed on.
    fn lines_seen(&self) -> usize {
        let all = (0..PARTITIONS).flat_map(|partition| self.records("seen-lines", partition));
        all.collect::<BTreeSet<_>>().len()
    }

    /// How many profiles have each ending.
    fn profile_groups(&self) -> BTreeMap<String, i64> {
        let mut groups = BTreeMap::new();
        for line in self.files.profiles.all() {
            *groups.entry(query::ending(&line)).or_default() += 1;
        }
        groups
    }

    /// Lines are passed on once, in their order, and counted; and words meet profiles, which are loaded where words wait for that.
    fn check_files(&self) -> Result<(), String> {
        let mut seen = Vec::new();
        for partition in 0..PARTITIONS {
            let records = self.records("seen-lines", partition);
            let number = |(_, value): &(String, String)| value[1..].parse::<usize>().unwrap();
            if !records.is_sorted_by_key(number) {
                return Err(format!("lines are in another order: {records:?}"));
            }
            let lines = records.iter().map(|(key, value)| format!("{key} {value}"));
            seen.extend(lines);
        }
        let mut lines = self.files.lines.all();
        lines.sort();
        seen.sort();
        if seen != lines {
            return Err(format!("the lines seen are {seen:?}, not {lines:?}"));
        }
        let mut totals: BTreeMap<String, i64> = BTreeMap::new();
        for line in &lines {
            let (key, _) = line.split_once(' ').expect("a key and a value");
            *totals.entry(key.to_owned()).or_default() += 1;
        }
        self.check_totals("line-totals", &totals)?;
        for (partition, words) in (0_u32..).zip(&self.words) {
            let profiled = self.records("profiled", partition);
            let joined = |(found, word): (&(String, String), &(String, String))| {
                let row = if self.files.load_first { "Some(" } else { "" };
                found.0 == word.0 && found.1.starts_with(&format!("{} by {row}", word.1))
            };
            if profiled.len() != words.len() || !profiled.iter().zip(words).all(joined) {
                return Err(format!(
                    "profiled/{partition} is {profiled:?}, not {words:?}"
                ));
            }
        }
        Ok(())
    }

    /// The last count of each key of a topic, of those that have one.
    fn last_counts(&self, topic: &str) -> BTreeMap<String, i64> {
        let mut groups: BTreeMap<String, i64> = BTreeMap::new();
        for partition in 0..PARTITIONS {
            let records = self
                .cluster
                .records(topic, partition, Isolation::ReadCommitted)
                .expect("the topic is there");
            for record in records {
                let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
                let key = text(record.key.unwrap());
                match record.value.map(text).filter(|count| count != "null") {
                    Some(count) => groups.insert(key, count.parse().unwrap()),
                    None => groups.remove(&key),
                };
            }
        }
        groups
    }

    pub(super) fn records(&self, topic: &str, partition: u32) -> Vec<(String, String)> {
        let records = self
            .cluster
            .records(topic, partition, Isolation::ReadCommitted)
            .expect("the topic is there");
        let text = |bytes: Option<Vec<u8>>| String::from_utf8(bytes.unwrap()).unwrap();
        let records = records.into_iter();
        records.map(|r| (text(r.key), text(r.value))).collect()
    }

    /// The output and the tables are those that the input asks for.
    pub(super) fn check_all(&self) -> Result<(), String> {
        let mut expected: BTreeMap<String, i64> = BTreeMap::new();
        let mut endings: BTreeMap<String, i64> = BTreeMap::new();
        for (partition, words) in (0_u32..).zip(&self.words) {
            self.check_seen(partition, words)?;
            for (key, word) in words {
                *expected.entry(key.clone()).or_default() += 1;
                *endings.entry(query::ending(word)).or_default() += 1;
            }
        }
        self.check_totals("totals", &expected)?;
        self.check_totals("endings", &endings)?;
        self.check_groups()?;
        self.check_ticks()?;
        self.check_files()?;
        self.check_tables(&expected)
    }

    /// Whatever was read was passed on, joined and counted, if not more than once.
    pub(super) fn check_nothing_lost(&self) -> Result<(), String> {
        let mut expected: BTreeMap<String, i64> = BTreeMap::new();
        let mut endings: BTreeMap<String, i64> = BTreeMap::new();
        for (partition, words) in (0_u32..).zip(&self.words) {
            let seen: BTreeSet<_> = self.records("seen", partition).into_iter().collect();
            let joined = self.records("joined", partition).into_iter();
            let joined: BTreeSet<String> = joined.map(|(_, value)| value).collect();
            for (key, word) in words {
                let of_word = format!("{word} by {key}-");
                let is_joined = joined.iter().any(|value| value.starts_with(&of_word));
                if !is_joined || !seen.contains(&(key.clone(), word.clone())) {
                    return Err(format!("{word} of {key} is lost"));
                }
                *expected.entry(key.clone()).or_default() += 1;
                *endings.entry(query::ending(word)).or_default() += 1;
            }
        }
        self.check_ticks_come()?;
        self.check_counted("totals", &expected)?;
        self.check_counted("endings", &endings)
    }

    fn check_counted(&self, topic: &str, expected: &BTreeMap<String, i64>) -> Result<(), String> {
        let mut totals: BTreeMap<String, i64> = BTreeMap::new();
        for partition in 0..PARTITIONS {
            for (key, total) in self.records(topic, partition) {
                totals.insert(key, total.parse().map_err(|e| format!("{total}: {e}"))?);
            }
        }
        let short = |(key, count): &(&String, &i64)| totals.get(*key).is_none_or(|t| t < *count);
        match expected.iter().find(short) {
            None => Ok(()),
            Some((key, count)) => Err(format!(
                "{topic} of {key} is {:?} in the end, and not {count} at least",
                totals.get(key)
            )),
        }
    }

    fn check_seen(&self, partition: u32, words: &[(String, String)]) -> Result<(), String> {
        let seen = self.records("seen", partition);
        if seen != words {
            let at = seen.iter().zip(words).take_while(|(a, b)| a == b).count();
            return Err(format!(
                "seen/{partition} has {} records and should have {}; they differ from {at} on: {:?} and {:?}",
                seen.len(),
                words.len(),
                seen.get(at),
                words.get(at)
            ));
        }
        let joined = self.records("joined", partition).into_iter();
        let joined: Vec<(String, String)> = joined
            .map(|(key, value)| {
                let word = value.split_once(&format!(" by {key}-"));
                let word = word.map_or(value.as_str(), |(word, _)| word).to_owned();
                (key, word)
            })
            .collect();
        match joined == words {
            true => Ok(()),
            false => Err(format!("joined/{partition} is {joined:?}, not {words:?}")),
        }
    }

    fn check_totals(&self, topic: &str, expected: &BTreeMap<String, i64>) -> Result<(), String> {
        let mut totals: BTreeMap<String, i64> = BTreeMap::new();
        for partition in 0..PARTITIONS {
            for (key, total) in self.records(topic, partition) {
                let total: i64 = total.parse().map_err(|e| format!("{total}: {e}"))?;
                let before = totals.insert(key.clone(), total);
                if before.is_some_and(|before| before >= total) {
                    return Err(format!("{topic} of {key} went from {before:?} to {total}"));
                }
            }
        }
        match totals == *expected {
            true => Ok(()),
            false => Err(format!("{topic} are {totals:?}, not {expected:?}")),
        }
    }

    /// The last that was said of each ending is how many users have it.
    fn check_groups(&self) -> Result<(), String> {
        let mut expected: BTreeMap<String, i64> = BTreeMap::new();
        for user in self.users.values() {
            *expected.entry(query::ending(user)).or_default() += 1;
        }
        let groups = self.last_counts("groups");
        match groups == expected {
            true => Ok(()),
            false => Err(format!("groups are {groups:?}, not {expected:?}")),
        }
    }

    /// Each key is in the tables of the instance that runs its task.
    fn check_tables(&self, expected: &BTreeMap<String, i64>) -> Result<(), String> {
        for instance in &self.instances {
            let Some(process) = &instance.process else {
                continue;
            };
            let running = process.app.running_tasks();
            let is_here = |key: &String| running.contains(&(query::partition_of(key) as u16));
            let counts = process.app.table::<String, i64>("counts").unwrap();
            let users = process.app.table::<String, String>("users-by-id").unwrap();
            for (key, count) in expected.iter().filter(|(key, _)| is_here(key)) {
                let found = counts.get(key.clone()).map_err(|e| e.to_string())?;
                if found != Some(*count) {
                    let at = instance.number;
                    return Err(format!("{key} is {found:?} in {at}, not {count}"));
                }
            }
            for (key, user) in self.users.iter().filter(|(key, _)| is_here(key)) {
                let found = users.get(key.clone()).map_err(|e| e.to_string())?;
                if found.as_ref() != Some(user) {
                    let at = instance.number;
                    return Err(format!("user {key} is {found:?} in {at}, not {user}"));
                }
            }
        }
        Ok(())
    }
}
