//! What all threads of an application share.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use super::config::StreamThreadExceptionResponse;
use super::production::Production;
use super::topics::Topics;
use crate::cluster::{Cluster, GroupMetadata, TopicPartition};
use crate::graph::{Graph, Plan};
use crate::identity::Plans;
use crate::query::Pulse;
use crate::store::State;
use crate::task::TaskOptions;
use crate::time::{Clock, Timestamp};

/// Does something beside a worker, which must not wait for it.
pub(super) type Aside = Arc<dyn Fn(Box<dyn FnOnce() + Send>) + Send + Sync>;

/// What all threads of an application share.
pub(super) struct Env {
    pub(super) application: String,
    pub(super) instance: String,
    pub(super) graph: Arc<Graph>,
    pub(super) plan: Arc<Plan>,
    pub(super) cluster: Arc<dyn Cluster>,
    pub(super) topics: Topics,
    /// What each query computes, in words.
    pub(super) plans: Plans,
    pub(super) state: State,
    pub(super) tasks: TaskOptions,
    pub(super) clock: Clock,
    pub(super) pulse: Arc<Pulse>,
    pub(super) standing: Standing,
    /// The number of threads that share the memory for rows.
    pub(super) threads: u16,
    /// How often is said again what brokers may forget.
    pub(super) refresh: Duration,
    /// How something is done that takes its time.
    pub(super) aside: Aside,
    /// How long a transaction may be open; none where there are no transactions.
    pub(super) transaction_limit: Option<Duration>,
    pub(super) production: Production,
    pub(super) on_uncaught: StreamThreadExceptionResponse,
    /// True while nothing is to be processed.
    pub(super) paused: AtomicBool,
    /// What is wrong here on purpose.
    #[cfg(test)]
    pub(super) planted: Option<Planted>,
    /// Which rows were given up, and why.
    #[cfg(test)]
    pub(super) refused: Mutex<Vec<String>>,
}

/// Mistakes that the simulator has to find.
#[cfg(test)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Planted {
    /// Output and offsets are committed in a transaction before that of the rows.
    OffsetsFirst,
    /// Rows are read up to the last stable offset only.
    StableOnly,
    /// What was begun before a loss is committed in the name of the member that has joined since.
    FreshMetadata,
    /// Instances that have other tasks share them.
    AnyMap,
    /// The time of a task is the greatest of those who feed it.
    GreatestTime,
    /// Positions of sources that are no topics are committed without an offset of the group.
    Unfenced,
    /// Nobody asks whether later leaders of changelogs have what earlier ones had.
    AnyLeader,
    /// Where reading goes on is known by the group alone.
    GroupAlone,
}

impl Env {
    /// Says that the rows of a changelog do not belong to it any more, and why.
    pub(super) fn tell_refused(&self, partition: &TopicPartition, why: &str) {
        tracing::warn!("the rows of {partition} are read again: {why}");
        #[cfg(test)]
        self.refused
            .lock()
            .unwrap()
            .push(format!("{partition}: {why}"));
    }

    /// True where so much time has passed since then; and where the clock was put back, so that nothing
    /// waits for it to catch up.
    pub(super) fn has_passed(&self, interval: Duration, since: Timestamp) -> bool {
        let passed = self.clock.now() - since;
        u64::try_from(passed).map_or(true, |ms| Duration::from_millis(ms) >= interval)
    }

    /// How many bytes of rows a thread may keep in memory.
    pub(super) fn rows_budget(&self) -> usize {
        self.state.rows_budget() / usize::from(self.threads)
    }
}

/// How this process stands in the group, as one value: what the thread that is the member publishes, and
/// what the others commit by.
///
/// A member that was expelled and has joined again has fresh metadata, which the brokers take; what it
/// did as it was before is not its own any more. So metadata is only given to who knows of the last loss,
/// and has dropped what was lost.
#[derive(Debug)]
pub(super) struct Standing {
    place: Mutex<Place>,
    clock: Clock,
    session: Duration,
}

#[derive(Debug, Default, Clone)]
struct Place {
    losses: u64,
    metadata: Option<GroupMetadata>,
    /// When the thread that is the member was last at work.
    at_work: Timestamp,
    /// When it will have heard whether the group has given it up while it was not.
    knows_at: Timestamp,
}

impl Standing {
    pub(super) fn new(clock: &Clock, session: Duration) -> Self {
        let place = Place {
            at_work: clock.now(),
            ..Place::default()
        };
        Standing {
            place: Mutex::new(place),
            clock: clock.clone(),
            session,
        }
    }

    fn place(&self) -> MutexGuard<'_, Place> {
        self.place.lock().expect("no panic while locked")
    }

    fn session_ms(&self) -> Timestamp {
        Timestamp::try_from(self.session.as_millis()).unwrap_or(Timestamp::MAX)
    }

    /// Notes that the thread that is the member is at work.
    pub(super) fn is_at_work(&self) {
        let now = self.clock.now();
        let mut place = self.place();
        if now.saturating_sub(place.at_work) >= self.session_ms() {
            // Heartbeats are answered well within a quarter of a session.
            place.knows_at = now.saturating_add(self.session_ms() / 4);
        }
        place.at_work = now;
    }

    /// True where the process may have stood still for so long that the group has given it up, and does
    /// not know yet.
    pub(super) fn may_have_been_given_up(&self) -> bool {
        let now = self.clock.now();
        let place = self.place();
        now < place.knows_at || now.saturating_sub(place.at_work) >= self.session_ms()
    }

    /// How often tasks were lost so far.
    #[cfg(test)]
    pub(super) fn losses(&self) -> u64 {
        self.place().losses
    }

    /// Notes in whose name offsets are committed from now on.
    pub(super) fn publish(&self, metadata: Option<GroupMetadata>) {
        self.place().metadata = metadata;
    }

    /// Notes that tasks were lost: nothing that was begun before may be committed. How often that was.
    pub(super) fn lose(&self) -> u64 {
        let mut place = self.place();
        place.losses += 1;
        place.metadata = None;
        place.losses
    }

    /// In whose name something is committed by who knows of so many losses; none where there was another
    /// since.
    pub(super) fn metadata(&self, known: u64) -> Option<GroupMetadata> {
        let place = self.place();
        let metadata = place.metadata.clone();
        metadata.filter(|_| place.losses == known)
    }
}
