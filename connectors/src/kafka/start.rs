//! Where reading begins: at stored positions, where these still stand, else where the options say.

use std::collections::BTreeMap;

use ferrisstreams_topology::{Error, ErrorKind, Result};

use super::failure::engine_error;
use super::native::Consumer;
use super::position::Position;
use super::reading::{Beginning, OnLost, Reading};
use super::topic::{Moment, TopicId};

/// Where a partition is begun, and what is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Start {
    pub(super) partition: i32,
    pub(super) offset: i64,
    /// The end as it is now.
    pub(super) end: i64,
    /// How many offsets before were deleted unread.
    pub(super) lost: i64,
}

impl Reading {
    /// Where each partition is begun.
    ///
    /// # Errors
    ///
    /// Where the brokers do not answer in time, or a position cannot be gone on from.
    pub(super) fn starts(
        &self,
        consumer: &Consumer,
        partitions: i32,
        id: Option<TopicId>,
        positions: &BTreeMap<u32, Vec<u8>>,
    ) -> Result<Vec<Start>> {
        let numbers: Vec<i32> = (0..partitions).collect();
        let ask = |numbers: &[i32], moment| {
            let cluster = &self.cluster;
            let found = cluster.offsets(consumer, &self.topic, numbers, moment);
            found.map_err(engine_error)
        };
        let stored = self.stored(partitions, id, positions)?;
        let first = ask(&numbers, Moment::Beginning)?;
        let end = ask(&numbers, Moment::End)?;
        let fresh: Vec<i32> = numbers
            .iter()
            .filter(|at| !stored.contains_key(at))
            .copied()
            .collect();
        let begun = match self.from {
            Beginning::Earliest => first.clone(),
            Beginning::Latest => end.clone(),
            Beginning::Time(time) => ask(&fresh, Moment::At(time))?,
        };
        let start = |partition: i32| {
            let (first, end) = (first[&partition], end[&partition]);
            match stored.get(&partition) {
                Some(offset) => self.resume(partition, *offset, first, end),
                None => Ok(Start {
                    partition,
                    offset: begun[&partition],
                    end,
                    lost: 0,
                }),
            }
        };
        numbers.into_iter().map(start).collect()
    }

    /// The offsets that are stored, if they are of this topic.
    pub(super) fn stored(
        &self,
        partitions: i32,
        id: Option<TopicId>,
        positions: &BTreeMap<u32, Vec<u8>>,
    ) -> Result<BTreeMap<i32, i64>> {
        let mut stored = BTreeMap::new();
        for (partition, bytes) in positions {
            let location = self.location();
            let Some(position) = Position::from_bytes(bytes) else {
                let message =
                    format!("the position in partition {partition} of {location} cannot be read");
                return Err(Error::new(ErrorKind::State, message));
            };
            if position.topic != self.topic {
                let other = position.topic;
                let message = format!("the position in {location} is one in topic `{other}`");
                return Err(Error::new(ErrorKind::State, message));
            }
            let number = i32::try_from(*partition).unwrap_or(i32::MAX);
            if position.id.is_some() && id.is_some() && position.id != id {
                return Err(self.another(number, position.offset, "it has another id now"));
            }
            if number >= partitions {
                let told = format!("it has {partitions} partitions now");
                return Err(self.another(number, position.offset, &told));
            }
            stored.insert(number, position.offset);
        }
        Ok(stored)
    }

    /// Goes on at `offset`, where that stands between the first record and the end.
    pub(super) fn resume(
        &self,
        partition: i32,
        offset: i64,
        first: i64,
        end: i64,
    ) -> Result<Start> {
        if offset > end {
            let told = format!("it ends at offset {end} now");
            return Err(self.another(partition, offset, &told));
        }
        if offset >= first {
            return Ok(Start {
                partition,
                offset,
                end,
                lost: 0,
            });
        }
        match self.on_lost {
            OnLost::Fail => Err(self.lost(partition, offset, first)),
            OnLost::Skip => Ok(Start {
                partition,
                offset: first,
                end,
                lost: first - offset,
            }),
        }
    }
}
