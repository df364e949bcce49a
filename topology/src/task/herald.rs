//! When a task says its time to those that it feeds through topics.

use super::channels::Feeders;
use crate::graph::{NodeId, SubTopology};
use crate::time::{NO_TIMESTAMP, Timestamp};

/// A task that works and whose time stands says so that often before it would not be waited for any more.
const SIGNS_OF_LIFE: i64 = 3;

/// When a task says its time to those that it feeds.
pub(super) struct Herald {
    /// The exchanges behind which somebody waits for it.
    exits: Vec<NodeId>,
    said: Timestamp,
    said_at: Timestamp,
    /// True where anything was processed since.
    worked: bool,
    /// A word goes to every task of an exchange: no more often than one a millisecond.
    least: i64,
    /// After so long it is said again, if the task works.
    most: Option<i64>,
}

impl Herald {
    pub(super) fn new(part: &SubTopology, feeders: &Feeders) -> Self {
        let waits = |exit: &&NodeId| feeders.senders.contains_key(exit);
        let exits: Vec<NodeId> = part.exits.iter().filter(waits).copied().collect();
        let idle = feeders.idle_ms();
        Herald {
            least: i64::from(part.lanes) * exits.len() as i64,
            exits,
            said: NO_TIMESTAMP,
            said_at: Timestamp::MIN,
            worked: false,
            most: (idle > 0).then_some((idle / SIGNS_OF_LIFE).max(1)),
        }
    }

    /// Something was processed.
    pub(super) fn work(&mut self) {
        self.worked = true;
    }

    /// To whom the time of the task is to be said now; it counts as said.
    pub(super) fn call(&mut self, time: Timestamp, now: Timestamp) -> &[NodeId] {
        let since = match now.saturating_sub(self.said_at) {
            // The clock was put back.
            since if since < 0 => i64::MAX,
            since => since,
        };
        let is_news = time > self.said && since >= self.least;
        let is_sign = self.worked && self.most.is_some_and(|most| since >= most);
        if time == NO_TIMESTAMP || !(is_news || is_sign) {
            return &[];
        }
        (self.said, self.said_at, self.worked) = (time, now, false);
        &self.exits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn news_is_said_and_work_shown_and_no_more_often_than_need_be() {
        let exit = NodeId(3);
        let mut herald = Herald {
            exits: vec![exit],
            said: NO_TIMESTAMP,
            said_at: Timestamp::MIN,
            worked: false,
            least: 4,
            most: Some(20),
        };
        for (time, now, works, says) in [
            (NO_TIMESTAMP, 1_000, true, false),
            (5, 1_001, true, true),
            (6, 1_004, true, false),
            (6, 1_005, false, true),
            (6, 2_000, false, false),
            (6, 2_000, true, true),
            (6, 2_019, true, false),
            (6, 2_020, false, true),
            // The clock was put back.
            (7, 1_000, true, true),
        ] {
            if works {
                herald.work();
            }
            let said = herald.call(time, now).contains(&exit);
            assert_eq!(said, says, "{time} at {now}");
        }
    }
}
