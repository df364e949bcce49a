//! What is to be read, and how.

use std::time::Duration;

use ferrisstreams_topology::{Error, ErrorKind};

use super::cluster::Cluster;
use super::writing::Shape;

/// A topic to be read.
#[derive(Debug, Clone)]
pub(super) struct Reading {
    pub(super) cluster: Cluster,
    pub(super) topic: String,
    pub(super) from: Beginning,
    pub(super) on_lost: OnLost,
    pub(super) untimed: Untimed,
    /// How often the topic is asked for new partitions.
    pub(super) refresh: Duration,
    /// How long brokers that are away are waited for where the topic was read before.
    pub(super) restart_timeout: Duration,
    /// How the topic is made if it is not there; none where that is an error.
    pub(super) create: Option<Shape>,
}

/// Where a partition is begun that was never read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Beginning {
    /// With the first record that is still there.
    Earliest,
    /// With what comes after.
    Latest,
    /// With the first record at or after a time, in milliseconds since the epoch.
    Time(i64),
}

/// What happens when records were deleted before they were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OnLost {
    /// Reading fails.
    Fail,
    /// They are counted, and reading goes on with the first one that is there.
    Skip,
}

/// What happens to records that have no time, or one before 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Untimed {
    /// They are counted as bad, and left out.
    Skip,
    /// Reading fails.
    Fail,
    /// They are taken; the rows have a time of their own.
    Keep,
}

impl Reading {
    /// The topic, for people.
    pub(super) fn location(&self) -> String {
        format!("topic `{}` on {}", self.topic, self.cluster.name)
    }

    /// The error where records are gone that were to be read.
    pub(super) fn lost(&self, partition: i32, wanted: i64, first: i64) -> Error {
        let location = self.location();
        Error::new(
            ErrorKind::Failed,
            format!(
                "partition {partition} of {location} was read up to offset {wanted}, but what stands \
                 before offset {first} was deleted (on_lost = 'skip' goes on without it; or make the \
                 query anew)"
            ),
        )
    }

    /// The error where the topic is another one than was read before.
    pub(super) fn another(&self, partition: i32, wanted: i64, told: &str) -> Error {
        let location = self.location();
        Error::new(
            ErrorKind::Failed,
            format!(
                "{location} was deleted and made again, or cut off: its partition {partition} was \
                 read up to offset {wanted}, and {told} (make the query anew to read the topic as it \
                 is now from its beginning)"
            ),
        )
    }
}
