//! Whether the topics that are read still have the partitions that the tasks were made for.
//!
//! A topic that gains partitions has keys in other places from then on, and partitions that no task reads. Producers
//! learn of them by and by, so an application that goes on would build on a part of its input and say nothing.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::env::Env;
use crate::error::Result;
use crate::time::Timestamp;

/// When an instance asks for the partitions of the topics that it reads.
pub(super) struct TopicWatch {
    every: Duration,
    /// True while somebody asks.
    pending: bool,
    /// When it was asked last.
    last: Timestamp,
}

impl TopicWatch {
    /// Of topics that were looked up just now.
    pub(super) fn new(env: &Env, every: Duration) -> Self {
        TopicWatch {
            every,
            pending: false,
            last: env.clock.now(),
        }
    }

    /// True where it is to be asked now, which is noted.
    pub(super) fn begins(&mut self, env: &Env) -> bool {
        if self.pending || !env.has_passed(self.every, self.last) {
            return false;
        }
        self.pending = true;
        self.last = env.clock.now();
        true
    }

    /// It was answered.
    pub(super) fn ends(&mut self) {
        self.pending = false;
    }
}

/// Asks for the partitions of the topics that are read; what has changed, in words. A topic that is not there is
/// the business of who reads it.
///
/// # Errors
///
/// Where the cluster does not answer.
pub(super) fn ask(env: &Env) -> Result<Option<String>> {
    let sources = env.topics.sources.values();
    let known: BTreeMap<&Arc<str>, u32> = sources.map(|s| (&s.name, s.partitions)).collect();
    for (topic, count) in known {
        let found = env.cluster.partition_count(topic)?;
        if let Some(found) = found.filter(|found| *found != count) {
            return Ok(Some(changed(&env.application, topic, count, found)));
        }
    }
    Ok(None)
}

/// What is to be said of a topic that has another number of partitions than it had.
pub(super) fn changed(application: &str, topic: &str, before: u32, now: u32) -> String {
    format!(
        "topic {topic} had {before} partitions when the tasks of application {application} were made, and has {now} \
         now: records of a key are in other partitions than those before them. Start the application anew under \
         another id, which reads the topic from its first record; or write to a new topic of {before} partitions \
         and read that"
    )
}
