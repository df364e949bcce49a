//! How an application runs on a cluster.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::membership::Limits;
use crate::error::{Error, ErrorKind, Result};
use crate::store::StateOptions;
use crate::time::Clock;

/// How an application runs on a cluster.
///
/// The names are those of Kafka Streams. What may be set and what it is otherwise:
///
/// | option | meaning | default |
/// |---|---|---|
/// | `application_id` | names the group, the internal topics and the transactions | |
/// | `num_stream_threads` | threads that process records | 1 |
/// | `commit_interval` | the longest time between two commits | 100 ms |
/// | `state_dir` | where the rows of tables are kept | in memory |
/// | `session_timeout` | how long an instance that is not heard of keeps its partitions | 6 s |
/// | `bootstrap_servers`, `property` | properties of the clients, by librdkafka's names | |
/// | `num_standby_replicas` | how many other instances keep the rows of each task up to date | 0 |
/// | `acceptable_recovery_lag` | how many records rows may be behind where tasks are taken over | 10,000 |
/// | `max_warmup_replicas` | how many tasks are prepared to move at a time | 2 |
/// | `application_server` | where this instance is asked for rows, told to the others | none |
/// | `group_instance_id` | the name of this instance, whose partitions wait for it | none |
#[derive(Clone)]
pub struct StreamsConfig {
    pub(super) application_id: String,
    pub(super) num_stream_threads: u16,
    pub(super) commit_interval: Duration,
    pub(super) state_dir: Option<PathBuf>,
    pub(super) state: StateOptions,
    pub(super) session_timeout: Duration,
    pub(super) group_instance_id: Option<String>,
    pub(super) max_run: usize,
    pub(super) offsets_refresh: Duration,
    pub(super) clock: Clock,
    pub(super) limits: Limits,
    pub(super) application_server: Option<String>,
    properties: BTreeMap<String, String>,
}

impl StreamsConfig {
    /// The application of this id: all processes that run it under the id share its work.
    pub fn new(application_id: &str) -> Self {
        StreamsConfig {
            application_id: application_id.to_owned(),
            num_stream_threads: 1,
            commit_interval: Duration::from_millis(100),
            state_dir: None,
            state: StateOptions::default(),
            session_timeout: Duration::from_secs(6),
            group_instance_id: None,
            max_run: 4_096,
            offsets_refresh: Duration::from_secs(3_600),
            clock: Clock::system(),
            limits: Limits {
                standbys: 0,
                warmups: 2,
                acceptable_lag: 10_000,
                stateful: true,
            },
            application_server: None,
            properties: BTreeMap::new(),
        }
    }

    /// Where brokers of the cluster are, as `host:port` with commas between several.
    pub fn bootstrap_servers(self, servers: &str) -> Self {
        self.property("bootstrap.servers", servers)
    }

    /// A property of the clients, by librdkafka's name.
    pub fn property(mut self, name: &str, value: &str) -> Self {
        self.properties.insert(name.to_owned(), value.to_owned());
        self
    }

    /// The properties of the clients, for whoever makes the [`Cluster`](crate::cluster::Cluster).
    pub fn properties(&self) -> impl Iterator<Item = (&str, &str)> {
        let properties = self.properties.iter();
        properties.map(|(name, value)| (&**name, &**value))
    }

    /// The number of threads that process records.
    pub fn num_stream_threads(self, threads: u16) -> Self {
        StreamsConfig {
            num_stream_threads: threads.max(1),
            ..self
        }
    }

    /// The longest time between two commits.
    pub fn commit_interval(self, interval: Duration) -> Self {
        StreamsConfig {
            commit_interval: interval,
            ..self
        }
    }

    /// The directory for the rows of tables; each process has its own. Without it rows are in memory,
    /// and are read from the changelog topics at each start.
    pub fn state_dir(self, dir: impl Into<PathBuf>) -> Self {
        StreamsConfig {
            state_dir: Some(dir.into()),
            ..self
        }
    }

    /// Limits of the state.
    pub fn state_options(self, state: StateOptions) -> Self {
        StreamsConfig { state, ..self }
    }

    /// How long an instance that is not heard of keeps its partitions.
    pub fn session_timeout(self, timeout: Duration) -> Self {
        StreamsConfig {
            session_timeout: timeout,
            ..self
        }
    }

    /// A name for this instance, which no other has: its partitions wait for it for the length of a
    /// session when it ends.
    pub fn group_instance_id(self, id: &str) -> Self {
        StreamsConfig {
            group_instance_id: Some(id.to_owned()),
            ..self
        }
    }

    /// How often offsets are committed that have not moved, so that brokers do not forget them.
    pub fn offsets_refresh(self, every: Duration) -> Self {
        StreamsConfig {
            offsets_refresh: every,
            ..self
        }
    }

    /// How many other instances keep the rows of each task up to date, to take it over at once.
    pub fn num_standby_replicas(mut self, replicas: usize) -> Self {
        self.limits.standbys = replicas;
        self
    }

    /// How many records the rows of an instance may be behind for it to be given the task: one that is
    /// further behind catches up first, while the task runs where it is.
    pub fn acceptable_recovery_lag(mut self, records: u64) -> Self {
        self.limits.acceptable_lag = records;
        self
    }

    /// How many tasks are prepared to move at a time, one at least.
    pub fn max_warmup_replicas(mut self, replicas: usize) -> Self {
        self.limits.warmups = replicas.max(1);
        self
    }

    /// Where this instance answers questions about its rows, as `host:port`: the others tell whom to ask
    /// by it. Answering is up to the program.
    pub fn application_server(mut self, server: &str) -> Self {
        self.application_server = Some(server.to_owned());
        self
    }

    /// The clock for wall-clock time.
    pub fn clock(self, clock: Clock) -> Self {
        StreamsConfig { clock, ..self }
    }

    /// Kafka takes letters, digits, `.`, `_` and `-` in the names of topics, up to 249 of them.
    pub(super) fn check(&self) -> Result<()> {
        let id = &self.application_id;
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if id.is_empty() || id.len() > 128 || !id.chars().all(fits) {
            return Err(Error::new(
                ErrorKind::Invalid,
                format!(
                    "application id `{id}` cannot begin the names of topics: use letters, digits, \
                     `.`, `_` and `-`, 128 at most"
                ),
            ));
        }
        Ok(())
    }
}

/// Properties may be secrets, and are not shown.
impl fmt::Debug for StreamsConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamsConfig")
            .field("application_id", &self.application_id)
            .field("num_stream_threads", &self.num_stream_threads)
            .field("commit_interval", &self.commit_interval)
            .field("state_dir", &self.state_dir)
            .field("properties", &self.properties.keys())
            .finish_non_exhaustive()
    }
}
