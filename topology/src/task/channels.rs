//! The time of a task that others feed through topics: the least of theirs.
//!
//! What comes out of such a topic is of several tasks, and mixed: one of them may be a day ahead of another.
//! So the greatest timestamp that was processed says nothing of what is still to come. Each task that feeds
//! this one says its own time with each commit, behind what it sent; here it has a channel, which remembers
//! that time. Who says nothing for long is not waited for.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::error::Result;
use crate::graph::{Graph, NodeId, SubTopology};
use crate::store::{Commit, State};
use crate::time::{NO_TIMESTAMP, Timestamp};

/// The version of what is remembered of channels.
const VERSION: u8 = 1;

/// Into how many stretches the time is divided for which a channel is waited for. A task that stood still
/// for longer than one, as in a pause, has not waited for more than one.
const STRETCHES: i64 = 4;

/// What a task said of its time to those that it feeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Said {
    /// The number of the task.
    pub(crate) from: u16,
    pub(crate) time: Timestamp,
}

/// Who feeds tasks through topics, where somebody's work depends on time.
#[derive(Debug, Default)]
pub(crate) struct Feeders {
    /// The exchanges, and the numbers of the tasks that send through each.
    pub(crate) senders: BTreeMap<NodeId, Vec<u16>>,
    /// For how long a task is waited for that says nothing.
    pub(crate) idle: Duration,
    /// True where the greatest time counts, which is wrong.
    #[cfg(test)]
    pub(crate) takes_greatest: bool,
}

impl Feeders {
    pub(crate) fn new(senders: BTreeMap<NodeId, Vec<u16>>, idle: Duration) -> Self {
        Feeders {
            senders,
            idle,
            #[cfg(test)]
            takes_greatest: false,
        }
    }

    /// How long a task is waited for that says nothing, in milliseconds.
    pub(super) fn idle_ms(&self) -> i64 {
        i64::try_from(self.idle.as_millis()).unwrap_or(i64::MAX)
    }
}

/// The channels of a task.
pub(super) struct Channels {
    fed: Vec<Fed>,
    idle: i64,
    awake: Awake,
    /// The greatest timestamp that was processed.
    processed: Timestamp,
    /// How often a channel was waited for no longer.
    given_up: u64,
    #[cfg(test)]
    takes_greatest: bool,
}

/// An exchange that records come from, and who sends them.
struct Fed {
    node: NodeId,
    /// Under this key it is remembered what was said.
    key: String,
    /// Up to when, by the task's own clock, that is known which has come out of the topic.
    seen: i64,
    channels: Vec<Channel>,
    /// True where something was said since it was written.
    changed: bool,
}

/// One of the tasks that send.
struct Channel {
    from: u16,
    time: Timestamp,
    /// When it said something, by the task's own clock.
    heard: i64,
    /// True while it is not waited for.
    is_silent: bool,
}

impl Fed {
    /// Waits no longer for those who have said nothing for so long, and again for who has spoken up; how many
    /// were given up.
    fn give_up(&mut self, idle: i64) -> u64 {
        let mut given_up = 0;
        for channel in &mut self.channels {
            let is_silent = self.seen - channel.heard >= idle;
            given_up += u64::from(is_silent && !channel.is_silent);
            channel.is_silent = is_silent;
        }
        given_up
    }
}

/// A clock that stands while the task does.
struct Awake {
    elapsed: i64,
    last: Timestamp,
    /// The most that can pass at a time.
    most: i64,
}

impl Channels {
    /// The channels of a task as they were at its last commit; none where it has none.
    pub(super) fn open(
        graph: &Graph,
        part: &SubTopology,
        lane: u16,
        state: &State,
        feeders: &Feeders,
        now: Timestamp,
    ) -> Result<Option<Self>> {
        let mut fed = Vec::new();
        for &node in &part.inputs {
            let Some(senders) = feeders.senders.get(&node) else {
                continue;
            };
            let key = format!("channels/{lane}/{}", graph.node(node).name);
            let known = state.meta(&key)?;
            fed.push(Fed {
                node,
                seen: 0,
                channels: channels(senders, known.as_deref()),
                changed: false,
                key,
            });
        }
        let idle = feeders.idle_ms();
        for fed in &mut fed {
            // Where nobody is waited for, nobody is given up.
            fed.give_up(idle);
        }
        Ok((!fed.is_empty()).then_some(Channels {
            fed,
            idle,
            awake: Awake {
                elapsed: 0,
                last: now,
                most: (idle / STRETCHES).max(1),
            },
            processed: NO_TIMESTAMP,
            given_up: 0,
            #[cfg(test)]
            takes_greatest: feeders.takes_greatest,
        }))
    }

    /// Lets wall-clock time pass.
    pub(super) fn pass(&mut self, now: Timestamp) {
        let awake = &mut self.awake;
        awake.elapsed += now.saturating_sub(awake.last).clamp(0, awake.most);
        awake.last = now;
    }

    /// For how long the task has been at work.
    pub(super) fn elapsed(&self) -> i64 {
        self.awake.elapsed
    }

    /// Records up to this timestamp were processed.
    pub(super) fn processed(&mut self, reached: Timestamp) {
        self.processed = self.processed.max(reached);
    }

    /// That was processed of an exchange which had come when the task had been at work for so long.
    pub(super) fn hear(&mut self, node: NodeId, came: i64, said: &[Said]) {
        let Some(fed) = self.fed.iter_mut().find(|fed| fed.node == node) else {
            return;
        };
        fed.seen = fed.seen.max(came);
        for said in said {
            let channel = fed.channels.iter_mut().find(|it| it.from == said.from);
            if let Some(channel) = channel {
                channel.heard = channel.heard.max(came);
                fed.changed |= said.time > channel.time;
                channel.time = channel.time.max(said.time);
            }
        }
        self.given_up += fed.give_up(self.idle);
    }

    /// All is processed that is known to have come out of an exchange.
    pub(super) fn caught_up(&mut self, node: NodeId) {
        if let Some(fed) = self.fed.iter_mut().find(|fed| fed.node == node) {
            fed.seen = self.awake.elapsed;
            self.given_up += fed.give_up(self.idle);
        }
    }

    /// How often a task that had fed this one, or was to, was waited for no longer, so far.
    pub(super) fn given_up(&self) -> u64 {
        self.given_up
    }

    /// The channels that are waited for.
    fn awaited(&self) -> impl Iterator<Item = &Channel> {
        let channels = self.fed.iter().flat_map(|fed| &fed.channels);
        channels.filter(|channel| !channel.is_silent)
    }

    /// True where some channel is waited for.
    pub(super) fn wait(&self) -> bool {
        self.awaited().next().is_some()
    }

    /// The time up to which nothing is to come any more from whoever is waited for; where nobody is, the
    /// greatest that is known.
    pub(super) fn time(&self) -> Timestamp {
        #[cfg(test)]
        if self.takes_greatest {
            return self.greatest();
        }
        let least = self.awaited().map(|channel| channel.time).min();
        least.unwrap_or_else(|| self.greatest())
    }

    fn greatest(&self) -> Timestamp {
        let all = self.fed.iter().flat_map(|fed| &fed.channels);
        all.map(|channel| channel.time)
            .fold(self.processed, Timestamp::max)
    }

    /// Adds what was said since the last commit to the next one.
    pub(super) fn freeze(&mut self, commit: &mut Commit) {
        for fed in self.fed.iter_mut().filter(|fed| fed.changed) {
            let mut bytes = vec![VERSION];
            for channel in &fed.channels {
                bytes.extend(channel.from.to_be_bytes());
                bytes.extend(channel.time.to_be_bytes());
            }
            commit.put_meta(&fed.key, &bytes);
            fed.changed = false;
        }
    }
}

/// The channels of those who send, with the times that are remembered of them.
fn channels(senders: &[u16], known: Option<&[u8]>) -> Vec<Channel> {
    let known: BTreeMap<u16, Timestamp> = match known {
        Some([VERSION, entries @ ..]) => {
            let (entries, _) = entries.as_chunks::<10>();
            let read = entries.iter().map(|entry| {
                let [a, b, time @ ..] = *entry;
                (u16::from_be_bytes([a, b]), Timestamp::from_be_bytes(time))
            });
            read.collect()
        }
        _ => BTreeMap::new(),
    };
    let channel = |from: &u16| Channel {
        from: *from,
        time: known.get(from).copied().unwrap_or(NO_TIMESTAMP),
        heard: 0,
        is_silent: false,
    };
    senders.iter().map(channel).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::StateOptions;

    const NODE: NodeId = NodeId(7);

    /// Channels of tasks 0 and 2, for each of which is waited 100 ms.
    fn of_two(known: Option<&[u8]>) -> Channels {
        Channels {
            fed: vec![Fed {
                node: NODE,
                key: "channels/1/moved".to_owned(),
                seen: 0,
                channels: channels(&[0, 2], known),
                changed: false,
            }],
            idle: 100,
            awake: Awake {
                elapsed: 0,
                last: 1_000,
                most: 25,
            },
            processed: NO_TIMESTAMP,
            given_up: 0,
            takes_greatest: false,
        }
    }

    /// Does what words say, one after the other, and tells the time after each: `0:5` is task 0 that says 5,
    /// `p5` are records up to 5, `+20` are 20 ms that pass and `=` is that all is processed which is there.
    fn run(channels: &mut Channels, script: &str) -> String {
        let mut now = channels.awake.last;
        let mut times = Vec::new();
        for word in script.split(' ') {
            if let Some(ms) = word.strip_prefix('+') {
                now += ms.parse::<i64>().unwrap();
                channels.pass(now);
            } else if let Some(reached) = word.strip_prefix('p') {
                channels.processed(reached.parse().unwrap());
            } else if word == "=" {
                channels.caught_up(NODE);
            } else {
                let (from, time) = word.split_once(':').unwrap();
                let said = Said {
                    from: from.parse().unwrap(),
                    time: time.parse().unwrap(),
                };
                channels.hear(NODE, channels.elapsed(), &[said]);
            }
            times.push(channels.time().to_string());
        }
        times.join(" ")
    }

    #[test]
    fn the_time_is_the_least_of_those_who_are_waited_for() {
        for (script, times) in [
            ("p9 0:5 2:3 2:8 0:4", "-1 -1 3 5 5"),
            // Nobody is silent of whom more may be there.
            ("0:5 +25 +25 +25 +25 +25 =", "-1 -1 -1 -1 -1 -1 5"),
            // Who speaks up again is waited for again.
            ("0:5 +25 +25 +25 0:6 +25 = 2:1", "-1 -1 -1 -1 -1 -1 6 1"),
            // All are silent.
            ("0:5 2:3 p4 +25 +25 +25 +25 = p7", "-1 3 3 3 3 3 3 5 7"),
            // The task itself stood still.
            ("0:5 +9999 =", "-1 -1 -1"),
            // The clock was put back.
            ("0:5 2:3 +-9999 +25 =", "-1 3 3 3 3"),
        ] {
            assert_eq!(run(&mut of_two(None), script), times, "{script}");
        }
    }

    #[test]
    fn who_is_waited_for_no_longer_is_counted() {
        for (script, given_up) in [
            ("0:5 2:3 +25 +25 +25 =", 0),
            ("0:5 2:3 +25 +25 +25 +25", 0),
            ("0:5 2:3 +25 +25 +25 +25 = = +25 =", 2),
            ("0:5 +25 +25 +25 0:6 +25 = 2:1 +25 +25 +25 +25 =", 3),
        ] {
            let mut channels = of_two(None);
            run(&mut channels, script);
            assert_eq!(channels.given_up(), given_up, "{script}");
        }
    }

    #[test]
    fn what_was_said_is_remembered() {
        let state = State::in_memory(StateOptions::default());
        let mut channels = of_two(None);
        run(&mut channels, "0:5 2:258");
        let mut commit = Commit::default();
        channels.freeze(&mut commit);
        state.commit(commit, false).unwrap();
        let bytes = state.meta("channels/1/moved").unwrap().unwrap();
        let form = b"\x01\0\0\0\0\0\0\0\0\0\x05\0\x02\0\0\0\0\0\0\x01\x02";
        assert_eq!(bytes, form);
        assert_eq!(run(&mut of_two(Some(&bytes)), "="), "5");
        let mut commit = Commit::default();
        run(&mut channels, "0:5 2:3");
        channels.freeze(&mut commit);
        assert!(commit.is_empty(), "nothing is new");
        assert_eq!(
            run(&mut of_two(Some(b"\x02abc")), "="),
            "-1",
            "a later form"
        );
    }
}
