//! Topics: partitions and settings.

use std::sync::atomic::{AtomicU64, Ordering};

use super::log::Log;
use crate::cluster::{NewTopic, TopicDescription, TopicId};
use crate::error::{Error, Result};

/// A topic of the cluster.
pub(super) struct Topic {
    description: TopicDescription,
    logs: Vec<Log>,
    /// Whether old records of a key may go.
    pub(super) compacted: bool,
    /// Whether old records may go whatever their key.
    pub(super) deleted: bool,
    /// How large a record may be at most, where the topic has a limit of its own.
    pub(super) max_record_bytes: Option<usize>,
}

/// An id that no other topic has.
fn new_id() -> TopicId {
    static COUNT: AtomicU64 = AtomicU64::new(1);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    u128::from(count).to_be_bytes()
}

impl Topic {
    pub(super) fn new(topic: &NewTopic) -> Result<Self> {
        check_name(&topic.name)?;
        if topic.partitions == 0 {
            return Err(refused(topic, "it would have no partitions"));
        }
        let description = TopicDescription {
            partitions: topic.partitions,
            id: Some(new_id()),
            config: topic.config.clone(),
        };
        let (mut compacted, mut deleted) = (false, false);
        let policy = description.get("cleanup.policy").unwrap_or("delete");
        for word in policy.split(',').map(str::trim) {
            match word {
                "compact" => compacted = true,
                "delete" => deleted = true,
                _ => {
                    let reason = format!("its cleanup.policy cannot be {policy:?}");
                    return Err(refused(topic, &reason));
                }
            }
        }
        let limit = description.get("max.message.bytes").map(str::parse);
        let max_record_bytes = limit
            .transpose()
            .map_err(|e| refused(topic, "its max.message.bytes is no number").with_source(e))?;
        Ok(Topic {
            logs: (0..topic.partitions).map(|_| Log::default()).collect(),
            description,
            compacted,
            deleted,
            max_record_bytes,
        })
    }

    pub(super) fn description(&self) -> &TopicDescription {
        &self.description
    }

    pub(super) fn grow(&mut self, count: u32) -> Result<()> {
        if count < self.description.partitions {
            return Err(Error::invalid(format!(
                "a topic of {} partitions cannot have {count}",
                self.description.partitions
            )));
        }
        self.description.partitions = count;
        self.logs.resize_with(count as usize, Log::default);
        Ok(())
    }

    pub(super) fn log(&self, partition: u32) -> Option<&Log> {
        self.logs.get(partition as usize)
    }

    pub(super) fn log_mut(&mut self, partition: u32) -> Option<&mut Log> {
        self.logs.get_mut(partition as usize)
    }

    pub(super) fn logs_mut(&mut self) -> &mut [Log] {
        &mut self.logs
    }
}

/// The longest name that brokers allow.
const MAX_NAME: usize = 249;

fn check_name(name: &str) -> Result<()> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
    if name.is_empty()
        || name.len() > MAX_NAME
        || !name.chars().all(allowed)
        || name == "."
        || name == ".."
    {
        return Err(Error::invalid(format!(
            "no topic can be called {name:?}: a name has 1 to {MAX_NAME} of the characters a-z, A-Z, \
             0-9, '.', '_' and '-'"
        )));
    }
    Ok(())
}

fn refused(topic: &NewTopic, reason: &str) -> Error {
    Error::invalid(format!("cannot create topic {}: {reason}", topic.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topic(name: &str, partitions: u32, config: &[(&str, &str)]) -> Result<Topic> {
        Topic::new(&NewTopic {
            name: name.into(),
            partitions,
            replication_factor: None,
            config: config.iter().map(|&(k, v)| (k.into(), v.into())).collect(),
        })
    }

    #[test]
    fn settings_are_read() {
        let plain = topic("a.b_c-1", 2, &[]).unwrap();
        assert_eq!((plain.compacted, plain.deleted), (false, true));
        assert!(plain.log(1).is_some() && plain.log(2).is_none());
        let config = [
            ("cleanup.policy", "compact, delete"),
            ("max.message.bytes", "10"),
        ];
        let both = topic("t", 1, &config).unwrap();
        assert_eq!((both.compacted, both.deleted), (true, true));
        assert_eq!(both.max_record_bytes, Some(10));
        assert_eq!(both.description().get("max.message.bytes"), Some("10"));
    }

    #[test]
    fn topics_gain_partitions_and_lose_none() {
        let mut grown = topic("t", 2, &[]).unwrap();
        grown.grow(3).unwrap();
        assert!(grown.log(2).is_some() && grown.log(3).is_none());
        let told = grown.grow(1).unwrap_err().to_string();
        assert!(
            told.contains("a topic of 3 partitions cannot have 1"),
            "{told}"
        );
        assert_eq!(grown.description().partitions, 3);
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let long = "x".repeat(250);
        let none: &[(&str, &str)] = &[];
        let cases: [(&str, u32, &[(&str, &str)], &str); 7] = [
            ("", 1, none, "no topic can be called \"\""),
            ("..", 1, none, "no topic can be called \"..\""),
            ("a b", 1, none, "no topic can be called \"a b\""),
            (&long, 1, none, "no topic can be called \"xxx"),
            ("t", 0, none, "it would have no partitions"),
            ("t", 1, &[("cleanup.policy", "keep")], "cannot be \"keep\""),
            ("t", 1, &[("max.message.bytes", "x")], "is no number"),
        ];
        for (name, partitions, config, message) in cases {
            let error = topic(name, partitions, config).err().unwrap().to_string();
            assert!(error.contains(message), "{error}");
        }
    }
}
