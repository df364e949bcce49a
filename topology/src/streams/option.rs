//! Options of an application by the names that Kafka Streams gives them, so that a file of properties can
//! say them.

use std::time::Duration;

use super::config::{ProcessingGuarantee, StreamsConfig};
use super::production::ProductionExceptionHandler;
use crate::error::{Error, ErrorKind, Result};

/// What stands before settings of the topics that the application makes.
const TOPIC: &str = "topic.";

/// Settings of topics that the application depends on.
const OWN: [&str; 3] = ["cleanup.policy", "message.timestamp.type", "retention.ms"];

/// The options. What is a property of the clients as well is an option here.
const NAMES: [&str; 16] = [
    "acceptable.recovery.lag",
    "application.id",
    "application.server",
    "commit.interval.ms",
    "group.instance.id",
    "max.task.idle.ms",
    "max.warmup.replicas",
    "metadata.max.age.ms",
    "num.standby.replicas",
    "num.stream.threads",
    "processing.guarantee",
    "production.exception.handler",
    "replication.factor",
    "session.timeout.ms",
    "state.dir",
    "transaction.timeout.ms",
];

/// The option of this name, where `_` and `-` may stand for `.`.
pub(super) fn find(name: &str) -> Option<String> {
    let plain = name.to_ascii_lowercase().replace(['-', '_'], ".");
    let is_one = NAMES.contains(&&*plain) || plain.starts_with(TOPIC);
    is_one.then_some(plain)
}

/// Sets an option that was found.
///
/// # Errors
///
/// Where it has no such value.
pub(super) fn set(config: StreamsConfig, name: &str, value: &str) -> Result<StreamsConfig> {
    let value = value.trim();
    Ok(match name {
        "acceptable.recovery.lag" => config.acceptable_recovery_lag(number(name, value)?),
        "application.id" => config.application_id(value),
        "application.server" => config.application_server(value),
        "commit.interval.ms" => config.commit_interval(millis(name, value)?),
        "group.instance.id" => config.group_instance_id(value),
        "max.task.idle.ms" => match value {
            // Kafka Streams' word for not waiting at all.
            "-1" => config.max_task_idle(Duration::ZERO),
            value => config.max_task_idle(millis(name, value)?),
        },
        "max.warmup.replicas" => config.max_warmup_replicas(positive(name, value)?.into()),
        "metadata.max.age.ms" => config.metadata_max_age(millis(name, value)?),
        "num.standby.replicas" => config.num_standby_replicas(number(name, value)?),
        "num.stream.threads" => config.num_stream_threads(positive(name, value)?),
        "processing.guarantee" => config.processing_guarantee(guarantee(value)?),
        "production.exception.handler" => config.production_exception_handler(handler(value)?),
        "replication.factor" => match value {
            "-1" => config,
            value => config.replication_factor(positive(name, value)?),
        },
        "session.timeout.ms" => config.session_timeout(millis(name, value)?),
        "state.dir" => config.state_dir(value),
        "transaction.timeout.ms" => config.transaction_timeout(millis(name, value)?),
        _ => match name.strip_prefix(TOPIC) {
            Some(setting) if OWN.contains(&setting) => {
                return Err(invalid(format!(
                    "{name} cannot be set: topics of the application's own depend on their {setting}"
                )));
            }
            Some(setting) => config.internal_topic_config(setting, value),
            None => config,
        },
    })
}

impl StreamsConfig {
    /// A property of the clients, by librdkafka's name; behind `consumer.` or `producer.` one of these
    /// alone. Or an option of the application, by Kafka Streams' name, which counts over what was set
    /// otherwise:
    ///
    /// `acceptable.recovery.lag`, `application.id`, `application.server`, `commit.interval.ms`,
    /// `group.instance.id`, `max.task.idle.ms`, `max.warmup.replicas`, `metadata.max.age.ms`,
    /// `num.standby.replicas`, `num.stream.threads`, `processing.guarantee` (`exactly_once_v2` or `at_least_once`),
    /// `production.exception.handler` (`fail`, `continue` or `dead_letter:TOPIC`), `replication.factor`,
    /// `session.timeout.ms`, `state.dir`, `transaction.timeout.ms`, and behind `topic.` any setting of the topics that the application makes.
    ///
    /// Values are looked at when the application is made.
    ///
    /// ```
    /// use ferrisstreams_topology::streams::StreamsConfig;
    /// StreamsConfig::new("spending")
    ///     .property("bootstrap.servers", "localhost:9092")
    ///     .property("num.standby.replicas", "1")
    ///     .property("topic.min.insync.replicas", "2")
    ///     .property("producer.linger.ms", "20");
    /// ```
    pub fn property(mut self, name: &str, value: &str) -> Self {
        let (name, known) = match find(name) {
            Some(option) => (option, &mut self.options),
            None => (name.to_owned(), &mut self.properties),
        };
        known.insert(name, value.to_owned());
        self
    }

    /// The id of the application, in place of the one that it was made with.
    fn application_id(mut self, id: &str) -> Self {
        id.clone_into(&mut self.application_id);
        self
    }

    /// The same with the options that were given as properties, if all is right.
    pub(super) fn resolved(mut self) -> Result<Self> {
        for (name, value) in std::mem::take(&mut self.options) {
            self = set(self, &name, &value)?;
        }
        self.check()?;
        Ok(self)
    }
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::Invalid, message)
}

fn number<T: std::str::FromStr>(name: &str, value: &str) -> Result<T> {
    value
        .parse()
        .map_err(|_| invalid(format!("{name} is `{value}`, and must be a number")))
}

fn positive(name: &str, value: &str) -> Result<u16> {
    match number(name, value)? {
        0 => Err(invalid(format!("{name} is 0, and must be 1 at least"))),
        number => Ok(number),
    }
}

fn millis(name: &str, value: &str) -> Result<Duration> {
    let millis = value.parse().map_err(|_| {
        invalid(format!(
            "{name} is `{value}`, and must be a number of milliseconds"
        ))
    })?;
    Ok(Duration::from_millis(millis))
}

fn guarantee(value: &str) -> Result<ProcessingGuarantee> {
    match &value.to_ascii_lowercase().replace('-', "_")[..] {
        "exactly_once" | "exactly_once_v2" => Ok(ProcessingGuarantee::ExactlyOnce),
        "at_least_once" => Ok(ProcessingGuarantee::AtLeastOnce),
        _ => Err(invalid(format!(
            "processing.guarantee is `{value}`, and must be exactly_once_v2 or at_least_once"
        ))),
    }
}

fn handler(value: &str) -> Result<ProductionExceptionHandler> {
    let dead_letters = ["dead_letter:", "dead-letter:"];
    let topic = dead_letters
        .iter()
        .find_map(|word| value.strip_prefix(*word));
    match (value.to_ascii_lowercase().as_str(), topic) {
        ("fail", _) => Ok(ProductionExceptionHandler::Fail),
        ("continue", _) => Ok(ProductionExceptionHandler::Continue),
        (_, Some(topic)) if !topic.is_empty() => {
            Ok(ProductionExceptionHandler::DeadLetter(topic.to_owned()))
        }
        _ => Err(invalid(format!(
            "production.exception.handler is `{value}`, and must be fail, continue or dead_letter:TOPIC"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: &str, value: &str) -> Result<StreamsConfig> {
        StreamsConfig::new("app").property(name, value).resolved()
    }

    #[test]
    fn options_have_the_names_of_kafka_streams() {
        let names = [
            ("num.standby.replicas", "1"),
            ("NUM_STREAM_THREADS", "3"),
            ("processing.guarantee", "at_least_once"),
            ("commit-interval-ms", "250"),
            ("max.task.idle.ms", "-1"),
            ("production.exception.handler", "dead_letter:refused"),
            ("application.id", "other"),
            ("replication.factor", "3"),
            ("topic.min.insync.replicas", "2"),
            ("linger.ms", "7"),
        ];
        let config = names
            .iter()
            .fold(StreamsConfig::new("app"), |config, (name, value)| {
                config.property(name, value)
            });
        let clients: Vec<_> = config.properties().collect();
        assert_eq!(
            clients,
            [("linger.ms", "7")],
            "the clients hear of theirs alone"
        );
        let config = config.resolved().unwrap();
        assert_eq!(config.limits.standbys, 1);
        assert_eq!(config.num_stream_threads, 3);
        assert_eq!(
            config.processing_guarantee,
            ProcessingGuarantee::AtLeastOnce
        );
        assert_eq!(config.commits_every(), Duration::from_millis(250));
        assert_eq!(config.max_task_idle, Duration::ZERO);
        assert_eq!(
            config.production_exception_handler,
            ProductionExceptionHandler::DeadLetter("refused".into())
        );
        assert_eq!(config.application_id, "other");
        assert_eq!(config.own_topics.replication_factor, Some(3));
        let settings = &config.own_topics.config;
        assert_eq!(settings["min.insync.replicas"], "2");
    }

    #[test]
    fn every_name_is_an_option() {
        for name in NAMES {
            assert_eq!(find(name).as_deref(), Some(name));
            let unlike = set(StreamsConfig::new("app"), name, "?");
            let takes_text = [
                "application.id",
                "application.server",
                "group.instance.id",
                "state.dir",
            ];
            assert_eq!(unlike.is_ok(), takes_text.contains(&name), "{name}");
        }
        assert_eq!(find("bootstrap.servers"), None);
    }

    #[test]
    fn wrong_values_say_what_is_right() {
        for (name, value, told) in [
            ("num.standby.replicas", "one", "must be a number"),
            ("num.stream.threads", "0", "must be 1 at least"),
            ("replication.factor", "-3", "must be a number"),
            (
                "processing.guarantee",
                "twice",
                "must be exactly_once_v2 or at_least_once",
            ),
            (
                "production.exception.handler",
                "dead_letter:",
                "dead_letter:TOPIC",
            ),
            ("commit.interval.ms", "1s", "a number of milliseconds"),
            (
                "topic.cleanup.policy",
                "delete",
                "depend on their cleanup.policy",
            ),
            ("application.id", "a b", "cannot begin the names of topics"),
        ] {
            let e = with(name, value).expect_err(name).to_string();
            assert!(e.contains(told), "{e}");
        }
    }
}
