//! How an application runs on a cluster.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::membership::Limits;
use super::production::ProductionExceptionHandler;
use crate::error::{Error, ErrorKind, Result};
use crate::store::StateOptions;
use crate::time::Clock;

/// Shorter ones would be over before their records are written.
const MIN_TRANSACTION_TIMEOUT: Duration = Duration::from_secs(1);

/// What holds for each record that an application reads, in the words of Kafka Streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum ProcessingGuarantee {
    /// Rows and output are as if it was processed once, whatever fails. Each commit is a transaction.
    #[default]
    ExactlyOnce,
    /// It is processed once, and again where a process or a commit failed before it was noted: output may
    /// come twice, and aggregates may have counted it twice. There are no transactions, so that readers see
    /// output at once and brokers have less to do.
    ///
    /// Output, repartition records and changelog records are all acknowledged before the offsets are
    /// committed in the name of the group's member; so nothing is lost.
    AtLeastOnce,
}

/// What becomes of a thread in which a function of the topology panicked, in the words of Kafka Streams'
/// `StreamsUncaughtExceptionHandler`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum StreamThreadExceptionResponse {
    /// This instance ends with an error, and others take its tasks.
    #[default]
    ShutdownClient,
    /// The thread begins again with the tasks that it has, from the last commit on. As long as it panics
    /// before it could commit anything, it waits longer each time, up to half a minute.
    ReplaceThread,
    /// This instance ends with an error, and so do all others that are at work.
    ShutdownApplication,
}

/// How an application runs on a cluster.
///
/// The names are those of Kafka Streams. What may be set and what it is otherwise:
///
/// | option | meaning | default |
/// |---|---|---|
/// | `application_id` | names the group, the internal topics and the transactions | |
/// | `num_stream_threads` | threads that process records | 1 |
/// | `processing_guarantee` | what holds for each record | exactly once |
/// | `commit_interval` | the longest time between two commits | 100 ms; 30 s at least once |
/// | `transaction_timeout` | how long brokers leave a transaction open whose process is gone | 10 s |
/// | `production_exception_handler` | what becomes of records that brokers refuse | the application ends |
/// | `on_uncaught` | what becomes of a thread in which a function panicked | the application ends |
/// | `metadata_max_age` | how often it is looked whether topics that are read have got more partitions | 30 s |
/// | `max_task_idle` | how long others are waited for that feed a task through a topic and say nothing | 60 s |
/// | `state_dir` | where the rows of tables are kept | in memory |
/// | `session_timeout` | how long an instance that is not heard of keeps its partitions | 6 s |
/// | `bootstrap_servers`, `property` | properties of the clients, by librdkafka's names | |
/// | `replication_factor` | how many brokers keep the topics of the application's own | as brokers are set |
/// | `internal_topic_config` | settings of the topics of the application's own | as brokers are set |
/// | `num_standby_replicas` | how many other instances keep the rows of each task up to date | 0 |
/// | `acceptable_recovery_lag` | how many records rows may be behind where tasks are taken over | 10,000 |
/// | `max_warmup_replicas` | how many tasks are prepared to move at a time | 2 |
/// | `application_server` | where this instance is asked for rows, told to the others | none |
/// | `group_instance_id` | the name of this instance, whose partitions wait for it | none |
///
/// [`property`](StreamsConfig::property) takes all of these by Kafka Streams' names too, such as
/// `num.standby.replicas`.
#[derive(Clone)]
pub struct StreamsConfig {
    pub(super) application_id: String,
    pub(super) num_stream_threads: u16,
    pub(super) processing_guarantee: ProcessingGuarantee,
    commit_interval: Option<Duration>,
    transaction_timeout: Duration,
    pub(super) production_exception_handler: ProductionExceptionHandler,
    pub(super) on_uncaught: StreamThreadExceptionResponse,
    pub(super) state_dir: Option<PathBuf>,
    pub(super) state: StateOptions,
    pub(super) session_timeout: Duration,
    pub(super) max_task_idle: Duration,
    pub(super) metadata_max_age: Duration,
    pub(super) group_instance_id: Option<String>,
    pub(super) max_run: usize,
    pub(super) offsets_refresh: Duration,
    pub(super) clock: Clock,
    pub(super) limits: Limits,
    pub(super) application_server: Option<String>,
    pub(super) own_topics: OwnTopics,
    pub(super) properties: BTreeMap<String, String>,
    /// Options that were given as properties.
    pub(super) options: BTreeMap<String, String>,
}

/// How the topics of the application's own are made.
#[derive(Clone, Default)]
pub(super) struct OwnTopics {
    /// None leaves it to the brokers.
    pub(super) replication_factor: Option<u16>,
    /// Settings by Kafka's names.
    pub(super) config: BTreeMap<String, String>,
}

impl StreamsConfig {
    /// The application of this id: all processes that run it under the id share its work.
    pub fn new(application_id: &str) -> Self {
        StreamsConfig {
            application_id: application_id.to_owned(),
            num_stream_threads: 1,
            processing_guarantee: ProcessingGuarantee::ExactlyOnce,
            commit_interval: None,
            transaction_timeout: Duration::from_secs(10),
            production_exception_handler: ProductionExceptionHandler::Fail,
            on_uncaught: StreamThreadExceptionResponse::ShutdownClient,
            state_dir: None,
            state: StateOptions::default(),
            session_timeout: Duration::from_secs(6),
            max_task_idle: Duration::from_secs(60),
            metadata_max_age: Duration::from_secs(30),
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
            own_topics: OwnTopics::default(),
            properties: BTreeMap::new(),
            options: BTreeMap::new(),
        }
    }

    /// Where brokers of the cluster are, as `host:port` with commas between several.
    pub fn bootstrap_servers(self, servers: &str) -> Self {
        self.property("bootstrap.servers", servers)
    }

    /// How many brokers keep each topic that the application makes for itself: changelogs, repartition
    /// topics, and those by which instances know of each other. It is left to the brokers unless it is said.
    pub fn replication_factor(mut self, brokers: u16) -> Self {
        self.own_topics.replication_factor = Some(brokers.max(1));
        self
    }

    /// A setting of the topics that the application makes for itself, by Kafka's name, such as
    /// `min.insync.replicas`. Topics that are there already stay as they are.
    pub fn internal_topic_config(mut self, name: &str, value: &str) -> Self {
        let config = &mut self.own_topics.config;
        config.insert(name.to_owned(), value.to_owned());
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

    /// What holds for each record.
    pub fn processing_guarantee(self, guarantee: ProcessingGuarantee) -> Self {
        StreamsConfig {
            processing_guarantee: guarantee,
            ..self
        }
    }

    /// The longest time between two commits.
    pub fn commit_interval(self, interval: Duration) -> Self {
        StreamsConfig {
            commit_interval: Some(interval),
            ..self
        }
    }

    /// How long brokers leave a transaction open whose process is gone: so long others wait for the
    /// records behind it. One that is at work is committed after half of that at the latest.
    pub fn transaction_timeout(self, timeout: Duration) -> Self {
        StreamsConfig {
            transaction_timeout: timeout,
            ..self
        }
    }

    /// What becomes of output that brokers refuse.
    pub fn production_exception_handler(self, handler: ProductionExceptionHandler) -> Self {
        StreamsConfig {
            production_exception_handler: handler,
            ..self
        }
    }

    /// What becomes of a thread in which a function of the topology panicked.
    pub fn on_uncaught(self, response: StreamThreadExceptionResponse) -> Self {
        StreamsConfig {
            on_uncaught: response,
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

    /// How often it is looked whether the topics that are read still have as many partitions as the tasks were
    /// made for. Where one has gained some, all instances commit and end with an error, as keys are in other
    /// places from then on. In Kafka Streams' words `metadata.max.age.ms`.
    pub fn metadata_max_age(self, age: Duration) -> Self {
        StreamsConfig {
            metadata_max_age: age,
            ..self
        }
    }

    /// How long a task whose records come through a topic from others waits with its time for one of them
    /// that says nothing: the time of such a task is the least of theirs. What such a one sends later is
    /// processed, and does not take time back. It should be more than two commits are apart, and more than
    /// a task needs to move to another instance; with zero nobody is waited for.
    ///
    /// Nothing but time waits, unlike in Kafka Streams: records are processed as they come.
    pub fn max_task_idle(self, idle: Duration) -> Self {
        StreamsConfig {
            max_task_idle: idle,
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

    /// The longest time between two commits, as it was set or by the guarantee.
    pub(super) fn commits_every(&self) -> Duration {
        self.commit_interval
            .unwrap_or(match self.processing_guarantee {
                ProcessingGuarantee::ExactlyOnce => Duration::from_millis(100),
                ProcessingGuarantee::AtLeastOnce => Duration::from_secs(30),
            })
    }

    /// How long a transaction may be open.
    pub(super) fn transaction_limit(&self) -> Result<Duration> {
        let limit = self.transaction_timeout;
        if limit < MIN_TRANSACTION_TIMEOUT {
            return Err(invalid(format!(
                "the transaction timeout is {limit:?}, and brokers need {MIN_TRANSACTION_TIMEOUT:?} at least"
            )));
        }
        let exactly_once = self.processing_guarantee == ProcessingGuarantee::ExactlyOnce;
        let delivery = self.millis_of(&["message.timeout.ms", "delivery.timeout.ms"])?;
        if let Some(delivery) = delivery.filter(|delivery| exactly_once && *delivery >= limit) {
            return Err(invalid(format!(
                "message.timeout.ms is {delivery:?} and the transaction timeout {limit:?}: a record could be \
                 written when its transaction is over; make message.timeout.ms shorter"
            )));
        }
        Ok(limit)
    }

    /// The value of a property of producers that is a number of milliseconds; the first name that is set
    /// counts.
    fn millis_of(&self, names: &[&str]) -> Result<Option<Duration>> {
        let plain = |name: &str| {
            let plain = name.to_ascii_lowercase().replace(['_', '-'], ".");
            plain.trim_start_matches("producer.").to_owned()
        };
        for name in names {
            let mut set = self.properties.iter();
            if let Some((_, value)) = set.find(|(known, _)| plain(known) == *name) {
                let millis = value.trim().parse().map_err(|e| {
                    invalid(format!(
                        "{name} is `{value}`, and must be a number of milliseconds"
                    ))
                    .with_source(e)
                })?;
                return Ok(Some(Duration::from_millis(millis)));
            }
        }
        Ok(None)
    }

    /// Kafka takes letters, digits, `.`, `_` and `-` in the names of topics, up to 249 of them.
    pub(super) fn check(&self) -> Result<()> {
        let id = &self.application_id;
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if id.is_empty() || id.len() > 128 || !id.chars().all(fits) {
            return Err(invalid(format!(
                "application id `{id}` cannot begin the names of topics: use letters, digits, \
                 `.`, `_` and `-`, 128 at most"
            )));
        }
        self.transaction_limit().map(|_| ())
    }
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::Invalid, message)
}

/// Properties may be secrets, and are not shown.
impl fmt::Debug for StreamsConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamsConfig")
            .field("application_id", &self.application_id)
            .field("num_stream_threads", &self.num_stream_threads)
            .field("processing_guarantee", &self.processing_guarantee)
            .field("commit_interval", &self.commits_every())
            .field("state_dir", &self.state_dir)
            .field("properties", &self.properties.keys())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commits_are_as_far_apart_as_kafka_streams_has_them() {
        let config = StreamsConfig::new("app");
        assert_eq!(config.commits_every(), Duration::from_millis(100));
        let config = config.processing_guarantee(ProcessingGuarantee::AtLeastOnce);
        assert_eq!(config.commits_every(), Duration::from_secs(30));
        let config = config.commit_interval(Duration::from_secs(1));
        assert_eq!(config.commits_every(), Duration::from_secs(1));
    }

    #[test]
    fn time_limits_fit_one_another() {
        let config = |name: &str, value: &str| StreamsConfig::new("app").property(name, value);
        let plain = StreamsConfig::new("app").transaction_limit().unwrap();
        assert_eq!(plain, Duration::from_secs(10));
        let set = config("transaction_timeout_ms", "20000")
            .resolved()
            .unwrap();
        assert_eq!(set.transaction_limit().unwrap(), Duration::from_secs(20));
        for (config, told) in [
            (
                config("transaction.timeout.ms", "soon"),
                "a number of milliseconds",
            ),
            (
                config("transaction.timeout.ms", "10"),
                "brokers need 1s at least",
            ),
            (
                config("message.timeout.ms", "10000"),
                "make message.timeout.ms shorter",
            ),
            (
                config("delivery.timeout.ms", "60000"),
                "make message.timeout.ms shorter",
            ),
        ] {
            let e = config.resolved().expect_err(told).to_string();
            assert!(e.contains(told), "{e}");
        }
        let config = config("message.timeout.ms", "60000");
        assert!(
            config
                .clone()
                .transaction_timeout(Duration::from_secs(90))
                .resolved()
                .is_ok()
        );
        let config = config.processing_guarantee(ProcessingGuarantee::AtLeastOnce);
        assert!(config.resolved().is_ok(), "there are no transactions");
    }

    #[test]
    fn values_of_properties_are_not_shown() {
        let config = StreamsConfig::new("app")
            .property("sasl.password", "hunter2")
            .property("ssl.key.pem", "hunter2");
        let shown = format!("{config:?}");
        assert!(
            shown.contains("sasl.password") && !shown.contains("hunter2"),
            "{shown}"
        );
    }
}
