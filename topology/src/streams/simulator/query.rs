//! What the simulated applications do, and their input.

use std::sync::Arc;

use crate::dsl::{Consumed, Grouped, Joined, Materialized, Produced, StreamsBuilder};
use crate::graph::Topology;
use crate::streams::local::lines::Lines;
use crate::streams::partitioner::Partitioner;
use crate::ticker::Ticker;

pub(super) const PARTITIONS: u32 = 4;
pub(super) const APPLICATION: &str = "app";
pub(super) const KEYS: usize = 12;

/// The topic that words travel through to be counted by their endings.
pub(super) const MOVED: &str = "app-by-ending-repartition";

/// The topic that changes of users travel through, to be counted by the endings of their values.
pub(super) const MOVED_USERS: &str = "app-users-by-ending-repartition";

/// The topic that words travel through to a step that goes by time, and the name of that step's task.
pub(super) const MOVED_BY_TIME: &str = "app-by-time-repartition";
pub(super) const BY_TIME: &str = "by-time";

/// How often that step says what time it is.
const TICK: i64 = 5;

/// Counts words by their keys, and elsewhere by their endings, passes them on, and joins them with users,
/// who are counted by the endings of their values as these change. Lines that are no topic are passed on and
/// counted; profiles that are none are joined with words, which may wait until they are loaded, and counted by
/// their endings. Words are moved once more, to where it is said what time it is.
pub(super) fn topology(files: &Files) -> Topology {
    let builder = StreamsBuilder::new();
    let words = builder.stream::<String, String>("words", Consumed::plain());
    let users = builder.table::<String, String>(
        "users",
        Consumed::plain(),
        Materialized::named("users-by-id"),
    );
    let counts = words.group_by_key().count(Materialized::named("counts"));
    counts.to_stream().to("totals", Produced::json());
    words.to("seen", Produced::plain());
    let join = |word: &String, user: &String| format!("{word} by {user}");
    let joined = words.join(&users, join, Joined::named("join"));
    joined.to("joined", Produced::plain());
    let timed = words.select_key(|_, word| ending(word));
    let timed = timed.moved_by_time(BY_TIME, || Box::new(Ticker::new(TICK)));
    timed.to("ticks", Produced::plain());
    let by_ending = words.group_by(|_, word| ending(word), Grouped::named("by-ending"));
    let endings = by_ending.count(Materialized::named("counts-by-ending"));
    endings.to_stream().to("endings", Produced::json());
    let users = users.group_by(
        |_, user| (ending(user), ()),
        Grouped::named("users-by-ending"),
    );
    let users = users.count(Materialized::named("users-of-ending"));
    users.to_stream().to("groups", Produced::json());
    let consumed = Consumed::<String, String>::plain().from(Arc::new(files.lines.clone()));
    let lines = builder.stream("lines", consumed);
    lines.to("seen-lines", Produced::plain());
    let counts = lines
        .group_by_key()
        .count(Materialized::named("counts-of-lines"));
    counts.to_stream().to("line-totals", Produced::json());
    let mut consumed = Consumed::plain().from(Arc::new(files.profiles.clone()));
    if files.load_first {
        consumed = consumed.load_first();
    }
    let profiles = builder.table::<String, String>(
        "profiles",
        consumed,
        Materialized::named("profiles-by-id"),
    );
    let endings = profiles.group_by(
        |_, profile| (ending(profile), ()),
        Grouped::named("profiles-by-ending"),
    );
    let endings = endings.count(Materialized::named("profiles-of-ending"));
    endings.to_stream().to("profile-groups", Produced::json());
    let profiles = profiles.spread(Materialized::named("profiles-for-words"));
    let join = |word: &String, profile: Option<&String>| format!("{word} by {profile:?}");
    let joined = words.left_join(&profiles, join, Joined::named("profile"));
    joined.to("profiled", Produced::plain());
    builder.build().expect("the topology is in order")
}

/// What the application reads beside topics.
pub(super) struct Files {
    pub(super) lines: Lines,
    pub(super) profiles: Lines,
    /// True where words wait until profiles are loaded.
    pub(super) load_first: bool,
}

impl Files {
    pub(super) fn new(load_first: bool) -> Self {
        Files {
            lines: Lines::new("lines"),
            profiles: Lines::new("profiles"),
            load_first,
        }
    }
}

/// The last letter of a word.
pub(super) fn ending(word: &str) -> String {
    word.chars().last().map_or_else(String::new, String::from)
}

pub(super) fn key(number: usize) -> String {
    format!("k{number}")
}

/// The partition that a key belongs to, in all topics.
pub(super) fn partition_of(key: &str) -> u32 {
    Partitioner::default().of(Some(key.as_bytes()), PARTITIONS)
}
