//! A Kafka cluster, as the properties of its clients say where it is.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ferrisstreams_topology::connector::{ConnectorError, ConnectorErrorKind};
use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::consumer::Consumer as _;
use rdkafka::error::KafkaError;
use rdkafka::metadata::Metadata;

use super::listener::Listener;
use super::native::{self, Consumer, Producer, TakesTokens};
use super::oauth;
use super::properties::{Properties, Role};
use super::security;
use super::trying::{GLANCE, Trying};
use super::unmade;

/// What a consumer is unless the user says otherwise. After a full queue fetching goes on at once and not
/// after a second, an end is told within a tenth of a second, and 8 MB of each partition wait at most.
const CONSUMER_DEFAULTS: [(&str, &str); 8] = [
    ("client.id", "ferrisstreams"),
    ("isolation.level", "read_committed"),
    ("fetch.wait.max.ms", "100"),
    ("fetch.queue.backoff.ms", "10"),
    ("queued.max.messages.kbytes", "8192"),
    ("fetch.error.backoff.ms", "100"),
    ("reconnect.backoff.ms", "50"),
    ("reconnect.backoff.max.ms", "1000"),
];

/// What every consumer is.
const CONSUMER_FIXED: [(&str, &str); 4] = [
    ("enable.partition.eof", "true"),
    ("enable.auto.commit", "false"),
    ("enable.auto.offset.store", "false"),
    ("auto.offset.reset", "error"),
];

/// A cluster.
#[derive(Debug, Clone)]
pub(super) struct Cluster {
    /// What it is called in messages.
    pub(super) name: String,
    pub(super) properties: Properties,
    /// How long it may take to answer when something is opened.
    pub(super) patience: Duration,
}

/// The time that one try of a request gets at first, and later.
const TRY: Duration = Duration::from_millis(1_000);
const LONG: Duration = Duration::from_secs(15);

impl Cluster {
    /// The configuration of a consumer.
    pub(super) fn consumer_config(&self) -> ClientConfig {
        let properties = &self.properties;
        let mut config = properties.config(Role::Consumer, &CONSUMER_DEFAULTS, &CONSUMER_FIXED);
        // The listener wants to hear why brokers hang up.
        config.set_log_level(RDKafkaLogLevel::Info);
        config
    }

    /// The same cluster, which is given up earlier or later.
    pub(super) fn with_patience(&self, patience: Duration) -> Self {
        Cluster {
            patience,
            ..self.clone()
        }
    }

    /// A consumer of this cluster, which need not be there.
    pub(super) fn consumer(&self) -> Result<Arc<Consumer>, ConnectorError> {
        self.client(&self.consumer_config(), Listener::default())
    }

    /// A client of this cluster that is made like a consumer, with tokens where it logs in by such.
    pub(super) fn client<T, C>(
        &self,
        config: &ClientConfig,
        context: C,
    ) -> Result<Arc<T>, ConnectorError>
    where
        T: FromClientConfigAndContext<C> + TakesTokens + 'static,
        C: ClientContext,
    {
        let made = config.create_with_context::<C, T>(context);
        let made = Arc::new(made.map_err(|e| self.bad_client(&e))?);
        self.supply(Role::Consumer, &made)?;
        Ok(made)
    }

    /// A producer that was made for this cluster, with tokens where it logs in by such.
    pub(super) fn producer(
        &self,
        made: Result<Producer, KafkaError>,
    ) -> Result<Producer, ConnectorError> {
        let made = made.map_err(|e| self.bad_client(&e))?;
        self.supply(Role::Producer, made.client())?;
        Ok(made)
    }

    fn supply(
        &self,
        role: Role,
        client: &Arc<impl TakesTokens + 'static>,
    ) -> Result<(), ConnectorError> {
        match oauth::Settings::of(&self.properties, role) {
            Ok(None) => Ok(()),
            Ok(Some(settings)) => {
                oauth::supply(settings, client);
                Ok(())
            }
            Err((why, help)) => Err(self.no_client(&why).help(help)),
        }
    }

    /// A client could not even be made: properties contradict each other.
    fn bad_client(&self, e: &KafkaError) -> ConnectorError {
        let why = match e {
            KafkaError::ClientCreation(why) | KafkaError::ClientConfig(_, why, ..) => why.clone(),
            e => e.to_string(),
        };
        let (why, help) = unmade::unmade(&self.properties, &why);
        match help {
            Some(help) => self.no_client(&why).help(help),
            None => self.no_client(&why),
        }
    }

    fn no_client(&self, why: &str) -> ConnectorError {
        let message = format!("no client of {} can be made: {why}", self.name);
        ConnectorError::new(ConnectorErrorKind::InvalidOption, message)
    }

    /// What the brokers tell of a topic, or of all.
    ///
    /// # Errors
    ///
    /// Where none answers in time, or they refuse us.
    pub(super) fn metadata(
        &self,
        consumer: &Consumer,
        topic: Option<&str>,
    ) -> Result<Metadata, ConnectorError> {
        self.retry(consumer, |limit| consumer.fetch_metadata(topic, limit))
    }

    /// Tries a request until it is answered, refused for good, or the patience is over.
    pub(super) fn retry<T>(
        &self,
        consumer: &Consumer,
        mut request: impl FnMut(Duration) -> Result<T, KafkaError>,
    ) -> Result<T, ConnectorError> {
        let begun = Instant::now();
        let deadline = begun + self.patience;
        let mut trying = Trying::default();
        let mut is_told = self.patience <= LONG;
        let mut limit = TRY;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let answer = request(limit.min(left));
            // Its events are served here, as nobody else polls this consumer yet.
            native::serve_events(consumer);
            let trouble = consumer.context().take_trouble();
            let e = match answer {
                Ok(answer) => return Ok(answer),
                Err(e) => e,
            };
            if let Some(why) = trouble.and_then(|trouble| trying.hear(trouble)) {
                return Err(self.refused(&why));
            }
            let is_over = Instant::now() + Duration::from_millis(1) >= deadline;
            // Who is waited for long may be behind something that takes connections before it does.
            if let Some(why) = trying.certain().filter(|_| self.patience <= LONG) {
                return Err(self.refused(why));
            }
            let is_late = !is_told && begun.elapsed() > GLANCE;
            if is_over || is_late {
                let (why, help) = self.why(&trying, &e);
                if is_over {
                    return Err(self.unreachable(&why, help));
                }
                is_told = true;
                let (name, brokers, limit) = (&self.name, self.brokers(), self.patience);
                tracing::warn!(
                    "{name} does not answer at {brokers}, trying again for {limit:?}: {why} ({help})"
                );
            }
            limit = match trying.suspicion() {
                Some(_) => TRY,
                None => (limit * 2).min(LONG),
            };
        }
    }

    /// Why there is no answer, and what to do.
    fn why(&self, trying: &Trying, e: &KafkaError) -> (String, &'static str) {
        if let Some(why) = trying.suspicion() {
            return (why.to_owned(), security::remedy(why));
        }
        let why = trying
            .reason()
            .map_or_else(|| self.in_words(e), str::to_owned);
        (
            why,
            "is bootstrap.servers right, and is the broker running?",
        )
    }

    fn in_words(&self, e: &KafkaError) -> String {
        e.rdkafka_error_code()
            .map_or_else(|| e.to_string(), |code| code.to_string())
    }

    /// The brokers, for people.
    fn brokers(&self) -> &str {
        self.properties
            .get("bootstrap.servers")
            .unwrap_or("no brokers")
    }

    fn unreachable(&self, why: &str, help: &str) -> ConnectorError {
        let (brokers, patience) = (self.brokers(), self.patience);
        let message = format!(
            "{} did not answer at {brokers} within {patience:?}: {why}",
            self.name
        );
        ConnectorError::new(ConnectorErrorKind::Unreachable, message).help(help)
    }

    fn refused(&self, why: &str) -> ConnectorError {
        // How long it took, and how often, is of no interest.
        let words = why.rsplit_once(" (after ").map_or(why, |(words, _)| words);
        let (name, brokers) = (&self.name, self.brokers());
        let message = match security::is_of_token(why) {
            true => format!("{name} at {brokers} cannot be logged in to: {words}"),
            false => format!("{name} at {brokers} refuses us: {words}"),
        };
        ConnectorError::new(ConnectorErrorKind::Unreadable, message).help(security::remedy(why))
    }
}
