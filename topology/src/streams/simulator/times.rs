//! What must be so of the times of tasks.

use std::collections::{BTreeMap, BTreeSet};

use super::query::{self, PARTITIONS};
use super::world::{FOR_EVER, World};
use crate::cluster::{Isolation, TopicPartition};
use crate::streams::ProcessingGuarantee;
use crate::time::{NO_TIMESTAMP, Timestamp};

const TASKS: &str = "app-tasks-changelog";

/// The name of the tasks that read the words.
const READERS: &str = "words";

/// The times of tasks as they were last written.
#[derive(Default)]
pub(super) struct Times {
    ends: BTreeMap<u32, i64>,
    /// By the name of the task and its number.
    of: BTreeMap<(String, u32), Timestamp>,
}

impl Times {
    /// The times of the tasks of a name, by their numbers.
    fn of(&self, name: &str) -> Vec<Timestamp> {
        let of = |lane| self.of.get(&(name.to_owned(), lane)).copied();
        let all = (0..PARTITIONS).map(of);
        all.map(|time| time.unwrap_or(NO_TIMESTAMP)).collect()
    }
}

impl World {
    /// No time goes back, and that of a task that others feed is not ahead of the time of any of them: or,
    /// where these are not waited for when they are silent, of all of them.
    ///
    /// Transactions may be open or aborted, whose times are those of the same records when they are processed
    /// again. Without transactions what a task says and what it remembers are not written together.
    pub(super) fn check_times(&mut self) -> Result<(), String> {
        if self.guarantee == ProcessingGuarantee::AtLeastOnce || !self.read_times()? {
            return Ok(());
        }
        let bound = self.bound();
        let times = self.times.of(query::BY_TIME);
        match times.iter().all(|time| *time <= bound) {
            true => Ok(()),
            false => Err(format!(
                "the times of tasks are {times:?}, and those who feed them are at {:?}",
                self.times.of(READERS)
            )),
        }
    }

    /// The greatest time that a task may have which others feed.
    fn bound(&self) -> Timestamp {
        let feeding = self.times.of(READERS).into_iter();
        let bound = if self.idle == FOR_EVER {
            feeding.min()
        } else {
            feeding.max()
        };
        bound.expect("there are partitions")
    }

    /// True where tasks that others feed have the time that they are to have when nothing is to be done.
    pub(super) fn have_times_come(&mut self) -> Result<bool, String> {
        self.read_times()?;
        let bound = self.bound();
        let times = self.times.of(query::BY_TIME);
        Ok(times.iter().all(|time| *time == bound))
    }

    /// Reads the times that tasks have written; false where there are none that are new.
    fn read_times(&mut self) -> Result<bool, String> {
        let mut news = false;
        for lane in 0..PARTITIONS {
            let of = TopicPartition::new(TASKS, lane);
            let Some(end) = self.cluster.peek_end(&of) else {
                continue;
            };
            if self.times.ends.insert(lane, end) == Some(end) {
                continue;
            }
            news = true;
            let records = self
                .cluster
                .records(TASKS, lane, Isolation::ReadUncommitted);
            for record in records.map_err(|e| e.to_string())? {
                let (Some(key), Some(value)) = (record.key, record.value) else {
                    continue;
                };
                let key = String::from_utf8(key).expect("keys of tasks are text");
                let Some(name) = key.strip_prefix(&format!("time/{lane}/")) else {
                    continue;
                };
                let value = value.try_into().expect("a time has eight bytes");
                let time = Timestamp::from_be_bytes(value);
                self.times.of.insert((name.to_owned(), lane), time);
            }
        }
        Ok(news)
    }

    /// Each word has come to the step that goes by time, none of them late where its time waits for all who
    /// feed it; and what it has said of time goes on.
    pub(super) fn check_ticks(&self) -> Result<(), String> {
        let mut missing: BTreeMap<String, usize> = BTreeMap::new();
        for (_, word) in self.words.iter().flatten() {
            *missing.entry(word.clone()).or_default() += 1;
        }
        let mut last: BTreeMap<String, Timestamp> = BTreeMap::new();
        for (_, value) in (0..PARTITIONS).flat_map(|n| self.records("ticks", n)) {
            let mut words = value.split(' ');
            match (words.next(), words.next(), words.next(), words.next()) {
                (Some("time"), Some(time), Some("of"), Some(lane)) => {
                    let time: Timestamp = time.parse().expect("a time");
                    let before = last.insert(lane.to_owned(), time);
                    if before.is_some_and(|before| before >= time) {
                        return Err(format!(
                            "time went from {before:?} to {time} in task {lane}"
                        ));
                    }
                }
                (Some(word), late, ..) => {
                    if late.is_some() && self.idle == FOR_EVER {
                        return Err(format!("{word} came late"));
                    }
                    match missing.get_mut(word) {
                        Some(1) => drop(missing.remove(word)),
                        Some(times) => *times -= 1,
                        None => return Err(format!("{word} came to {word} once too often")),
                    }
                }
                (None, ..) => return Err("nothing came".to_owned()),
            }
        }
        match missing.is_empty() {
            true => Ok(()),
            false => Err(format!("{missing:?} did not come")),
        }
    }

    /// Each word has come to the step that goes by time, if not only once.
    pub(super) fn check_ticks_come(&self) -> Result<(), String> {
        let come = (0..PARTITIONS).flat_map(|n| self.records("ticks", n));
        let come: BTreeSet<String> = come
            .filter_map(|(_, value)| value.split(' ').next().map(str::to_owned))
            .collect();
        let mut words = self.words.iter().flatten();
        match words.find(|(_, word)| !come.contains(word)) {
            None => Ok(()),
            Some((_, word)) => Err(format!("{word} did not come to where it goes by time")),
        }
    }
}
