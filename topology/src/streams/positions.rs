//! How far each input was read, in the offsets and words that a group remembers.
//!
//! The group remembers one offset of a partition. Where several steps read the partition it is that of the
//! one that is furthest back, and the words say of each step how far it has come: `time=T` is the time that
//! the partition has reached, and `HASH=OFFSET@TIME` the place of the step whose name has this hash. A step
//! that is not named there is new, and begins with the first record. Where no step is named, the offset was
//! set by hand and is that of all.

use std::fmt::Write;

use super::names::fnv1a;
use crate::cluster::CommittedOffset;
use crate::error::{Error, ErrorKind, Result};
use crate::time::{NO_TIMESTAMP, Timestamp};

/// How many steps may read one topic: brokers keep 4096 bytes of words.
const MOST_STEPS: usize = 60;

/// How far an input was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) offset: i64,
    /// The time of the last record before it.
    pub(super) reached: Timestamp,
}

/// Checks that what so many steps have read of a topic can be remembered.
pub(super) fn check(topic: &str, steps: usize) -> Result<()> {
    if steps <= MOST_STEPS {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Invalid,
        format!(
            "topic {topic} is read by {steps} steps, and by {MOST_STEPS} at most in an application: create \
             a stream or table of what they have in common, and read that"
        ),
    ))
}

/// Where the only step that reads a partition goes on.
pub(super) fn of_partition(at: &CommittedOffset) -> Position {
    let time = at
        .metadata
        .split(' ')
        .find_map(|word| word.strip_prefix("time="));
    Position {
        offset: at.offset,
        reached: time
            .and_then(|time| time.parse().ok())
            .unwrap_or(NO_TIMESTAMP),
    }
}

/// Where one of the steps goes on that read a partition whose first record is at `first`.
pub(super) fn of_step(step: &str, at: &CommittedOffset, first: i64) -> Position {
    let name = mark(step);
    // Offsets that were set by hand have no words.
    let begins = if at.metadata.contains('@') {
        first
    } else {
        at.offset
    };
    let found = at.metadata.split(' ').find_map(|word| {
        let (offset, time) = word
            .strip_prefix(&*name)?
            .strip_prefix('=')?
            .split_once('@')?;
        Some(Position {
            offset: offset.parse().ok()?,
            reached: time.parse().ok()?,
        })
    });
    found.unwrap_or(Position {
        offset: begins,
        reached: NO_TIMESTAMP,
    })
}

/// What the group remembers of a partition that one step reads.
pub(super) fn committed(at: Position) -> CommittedOffset {
    CommittedOffset {
        offset: at.offset,
        metadata: format!("time={}", at.reached),
    }
}

/// What the group remembers of a partition that these steps read; none where there are none.
pub(super) fn committed_of_steps<'a>(
    steps: impl Iterator<Item = (&'a str, Position)> + Clone,
) -> Option<CommittedOffset> {
    let last = steps.clone().map(|(_, at)| at).min_by_key(|at| at.offset)?;
    let mut committed = committed(last);
    for (step, at) in steps {
        let (name, offset, reached) = (mark(step), at.offset, at.reached);
        write!(committed.metadata, " {name}={offset}@{reached}").expect("text can be written to");
    }
    Some(committed)
}

fn mark(step: &str) -> String {
    format!("{:016x}", fnv1a(step.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(offset: i64, reached: Timestamp) -> Position {
        Position { offset, reached }
    }

    #[test]
    fn each_step_goes_on_where_it_was() {
        let steps = [("a", at(7, 70)), ("b", at(5, -1)), ("c", at(9, 90))];
        let committed = committed_of_steps(steps.into_iter()).unwrap();
        assert_eq!(committed.offset, 5);
        for (step, position) in steps {
            assert_eq!(of_step(step, &committed, 2), position);
        }
        assert_eq!(of_step("new", &committed, 2), at(2, NO_TIMESTAMP));
        assert_eq!(committed_of_steps([].into_iter()), None);
    }

    #[test]
    fn words_fit_what_brokers_keep() {
        let names: Vec<String> = (0..MOST_STEPS).map(|step| format!("step{step}")).collect();
        let furthest = at(i64::MAX, i64::MAX);
        let steps = names.iter().map(|name| (&**name, furthest));
        assert!(committed_of_steps(steps).unwrap().metadata.len() < 4_096);
        assert!(check("topic", MOST_STEPS).is_ok());
        assert!(check("topic", MOST_STEPS + 1).is_err());
    }

    #[test]
    fn a_partition_of_one_step_has_its_time() {
        let words = committed(at(3, 30));
        assert_eq!(words.metadata, "time=30");
        assert_eq!(of_partition(&words), at(3, 30));
        let strange = CommittedOffset {
            offset: 3,
            metadata: "x".to_owned(),
        };
        assert_eq!(of_partition(&strange), at(3, NO_TIMESTAMP));
        assert_eq!(of_step("a", &strange, 0), at(3, NO_TIMESTAMP));
    }
}
