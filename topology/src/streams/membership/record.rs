//! What travels over the control topic: JSON, so that people can read it too.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The version of what is written.
const VERSION: u8 = 1;

/// What an instance says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::streams) struct InstanceRecord {
    pub(super) version: u8,
    /// Its name in the group.
    pub(in crate::streams) member: String,
    /// How many threads process records.
    pub(in crate::streams) threads: u16,
    /// A fingerprint of what its tasks are.
    pub(in crate::streams) map: String,
    /// Where others reach it to ask for rows, as `host:port`.
    pub(in crate::streams) server: Option<String>,
    /// The number of the last assignment that it has followed.
    pub(in crate::streams) seen: u64,
    /// The tasks that it may still commit.
    pub(in crate::streams) holds: BTreeSet<u16>,
    /// How many records of changelogs its rows are behind, by task, where it knows.
    pub(in crate::streams) lags: BTreeMap<u16, u64>,
    /// Why all instances are to end, where they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::streams) ends: Option<String>,
    /// What is not there that it would need to run tasks, in words, by task.
    #[serde(default)]
    pub(in crate::streams) missing: BTreeMap<u16, String>,
}

impl InstanceRecord {
    /// An instance that holds nothing.
    pub(in crate::streams) fn new(threads: u16, map: &str, server: Option<String>) -> Self {
        InstanceRecord {
            version: VERSION,
            member: String::new(),
            threads,
            map: map.to_owned(),
            server,
            seen: 0,
            holds: BTreeSet::new(),
            lags: BTreeMap::new(),
            ends: None,
            missing: BTreeMap::new(),
        }
    }
}

/// Who has a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::streams) struct Owner {
    /// Its name in the group.
    pub(in crate::streams) member: String,
    /// The number of the assignment that first said that it is to stop, where it is.
    pub(in crate::streams) stops: Option<u64>,
}

/// A member that is part of an assignment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::streams) struct Seat {
    /// The name of its state.
    pub(in crate::streams) instance: String,
    /// Where it is reached, as `host:port`.
    pub(in crate::streams) server: Option<String>,
}

/// Who is to have which tasks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::streams) struct Assignment {
    pub(super) version: u8,
    /// Counts assignments.
    pub(in crate::streams) number: u64,
    /// The name of the state of the instance that has written it.
    pub(in crate::streams) leader: String,
    /// The fingerprint of what the tasks are: who has another waits.
    pub(in crate::streams) map: String,
    /// How many tasks there are.
    pub(in crate::streams) lanes: u16,
    /// The members that it is made for.
    pub(in crate::streams) members: BTreeMap<String, Seat>,
    /// Who has each task.
    pub(in crate::streams) owners: BTreeMap<u16, Owner>,
    /// Who keeps the rows of a task up to date beside its owner.
    pub(in crate::streams) standbys: BTreeMap<u16, BTreeSet<String>>,
}

/// What an assignment gives to a member.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::streams) struct Share {
    pub(in crate::streams) active: BTreeSet<u16>,
    pub(in crate::streams) standby: BTreeSet<u16>,
}

impl Assignment {
    /// The one before the first: nobody has anything.
    pub(in crate::streams) fn nothing(map: &str, lanes: u16) -> Self {
        Assignment {
            version: VERSION,
            number: 0,
            leader: String::new(),
            map: map.to_owned(),
            lanes,
            members: BTreeMap::new(),
            owners: BTreeMap::new(),
            standbys: BTreeMap::new(),
        }
    }

    /// What a member has by it.
    pub(in crate::streams) fn share(&self, member: &str) -> Share {
        let own = |owner: &Owner| owner.member == member && owner.stops.is_none();
        let active = self.owners.iter().filter(|(_, owner)| own(owner));
        let standby = self.standbys.iter().filter(|(_, of)| of.contains(member));
        Share {
            active: active.map(|(lane, _)| *lane).collect(),
            standby: standby.map(|(lane, _)| *lane).collect(),
        }
    }
}

/// A record of the control topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ControlRecord {
    Assignment(Assignment),
    Instance(String, InstanceRecord),
    /// Of a kind that is not known here.
    Unknown,
}

const ASSIGNMENT: &str = "assignment";
const INSTANCE: &str = "instance/";

/// The key of the record of an instance.
pub(super) fn instance_key(instance: &str) -> String {
    format!("{INSTANCE}{instance}")
}

/// The key of assignments.
pub(super) fn assignment_key() -> &'static str {
    ASSIGNMENT
}

/// The value of a record.
pub(super) fn encode<T: Serialize>(record: &T) -> Vec<u8> {
    serde_json::to_vec(record).expect("texts, numbers and maps of these can be written")
}

/// Reads a record.
///
/// # Errors
///
/// Where it was written by another version, or by somebody else.
pub(super) fn decode(key: &[u8], value: &[u8]) -> Result<ControlRecord> {
    let key = String::from_utf8_lossy(key);
    let wrong = |e: &dyn std::fmt::Display| {
        Error::state(format!(
            "the record {key} of the control topic cannot be read: {e}; is another version of the \
             application at work, or another application of this id?"
        ))
    };
    #[derive(Deserialize)]
    struct Versioned {
        version: u8,
    }
    let known = |value: &[u8]| match serde_json::from_slice::<Versioned>(value) {
        Ok(Versioned { version: VERSION }) => Ok(()),
        Ok(Versioned { version }) => Err(wrong(&format!(
            "it is of version {version}, and {VERSION} is known"
        ))),
        Err(e) => Err(wrong(&e)),
    };
    if key == ASSIGNMENT {
        known(value)?;
        let read = serde_json::from_slice(value).map_err(|e| wrong(&e))?;
        return Ok(ControlRecord::Assignment(read));
    }
    let Some(instance) = key.strip_prefix(INSTANCE) else {
        return Ok(ControlRecord::Unknown);
    };
    known(value)?;
    let read = serde_json::from_slice(value).map_err(|e| wrong(&e))?;
    Ok(ControlRecord::Instance(instance.to_owned(), read))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_what_was_written() {
        let mut instance = InstanceRecord::new(2, "map", Some("host:80".into()));
        instance.member = "m-1".into();
        instance.holds = [1, 3].into();
        instance.lags = [(1, 0), (2, 77)].into();
        instance.missing = [(0, "there is no file /a".to_owned())].into();
        let key = instance_key("abc");
        let written = encode(&instance);
        assert!(
            !String::from_utf8_lossy(&written).contains("ends"),
            "former versions read it"
        );
        let read = decode(key.as_bytes(), &written).unwrap();
        assert_eq!(
            read,
            ControlRecord::Instance("abc".into(), instance.clone())
        );
        instance.ends = Some("a panic".into());
        let read = decode(key.as_bytes(), &encode(&instance)).unwrap();
        assert_eq!(read, ControlRecord::Instance("abc".into(), instance));

        let mut assignment = Assignment::nothing("map", 4);
        let owner = |stops| Owner {
            member: "m-1".into(),
            stops,
        };
        assignment.owners = [(0, owner(None)), (1, owner(Some(7)))].into();
        assignment.standbys = [(2, ["m-1".to_owned()].into())].into();
        let read = decode(assignment_key().as_bytes(), &encode(&assignment)).unwrap();
        let share = assignment.share("m-1");
        assert_eq!(read, ControlRecord::Assignment(assignment));
        assert_eq!((share.active, share.standby), ([0].into(), [2].into()));
        // Former versions say nothing of what they lack.
        let plain = encode(&InstanceRecord::new(1, "map", None));
        let plain = String::from_utf8(plain)
            .unwrap()
            .replace(",\"missing\":{}", "");
        assert!(!plain.contains("missing"), "{plain}");
        let read = decode(key.as_bytes(), plain.as_bytes()).unwrap();
        let former = InstanceRecord::new(1, "map", None);
        assert_eq!(read, ControlRecord::Instance("abc".into(), former));
        let other = decode(b"something", b"else").unwrap();
        assert_eq!(other, ControlRecord::Unknown);
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        let told = |value: &str| {
            decode(b"assignment", value.as_bytes())
                .unwrap_err()
                .to_string()
        };
        assert!(
            told("{}").contains("missing field `version`"),
            "{}",
            told("{}")
        );
        let later = told("{\"version\":9}");
        assert!(later.contains("version 9"), "{later}");
        assert!(told("gibberish").contains("cannot be read"));
    }
}
