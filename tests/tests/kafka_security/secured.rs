//! A broker with all its listeners, and how clients of each are set up.

use std::path::Path;
use std::time::Duration;

use ferrisstreams::prelude::*;
use ferrisstreams_tests::{Ferris, Kafka, KafkaBroker};

pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// What no message and nothing that is shown may have in it: the password of the user and of the client's
/// key, and those that are wrong; how tokens begin, and the password as a provider of tokens is told it.
pub(crate) const SECRETS: [&str; 4] = ["hunter2", "hunter3", "eyJ", "ZmVycmlzOmh1bnRlcj"];

/// Properties of clients.
pub(crate) type Properties = Vec<(&'static str, String)>;

/// A broker of a test's own, and the files for TLS.
pub(crate) struct Secured {
    pub(crate) broker: KafkaBroker,
}

impl Secured {
    /// `None` where this run has no Kafka.
    #[track_caller]
    pub(crate) fn start() -> Option<Secured> {
        KafkaBroker::start().map(|broker| Secured { broker })
    }

    pub(crate) fn kafka(&self) -> &Kafka {
        self.broker.kafka()
    }

    pub(crate) fn file(&self, name: &str) -> String {
        self.broker.certificate(name).display().to_string()
    }

    /// TLS, by the authority that signed the broker's certificate.
    pub(crate) fn tls(&self) -> Properties {
        vec![
            ("security.protocol", "ssl".to_owned()),
            ("ssl.ca.location", self.file("ca.pem")),
        ]
    }

    /// TLS with a certificate of the client's own.
    pub(crate) fn mutual_tls(&self) -> Properties {
        let own = vec![
            ("ssl.certificate.location", self.file("client.pem")),
            ("ssl.key.location", self.file("client.key")),
            ("ssl.key.password", "hunter2".to_owned()),
        ];
        but(self.tls(), own)
    }

    /// A user by a mechanism, over TLS.
    pub(crate) fn user(&self, mechanism: &str) -> Properties {
        let user = vec![
            ("security.protocol", "sasl_ssl".to_owned()),
            ("sasl.mechanism", mechanism.to_owned()),
            ("sasl.username", "ferris".to_owned()),
            ("sasl.password", "hunter2".to_owned()),
        ];
        but(self.tls(), user)
    }
}

/// Properties of which some are otherwise; those that are empty are not set.
pub(crate) fn but(mut properties: Properties, others: Properties) -> Properties {
    properties.retain(|(name, _)| others.iter().all(|(other, _)| name != other));
    properties.extend(others.into_iter().filter(|(_, value)| !value.is_empty()));
    properties
}

/// The text of a file.
pub(crate) fn text(path: impl AsRef<Path>) -> String {
    std::fs::read_to_string(path).expect("it is there")
}

/// A topology that passes records on.
pub(crate) fn passing(from: &str, to: &str) -> Topology {
    let builder = StreamsBuilder::new();
    let stream = builder.stream::<String, String>(from, Consumed::plain());
    stream.to(to, Produced::plain());
    builder.build().expect("the topology is in order")
}

/// An application whose clients have these properties.
pub(crate) fn config(id: &str, brokers: &str, properties: &Properties) -> StreamsConfig {
    let mut config = StreamsConfig::new(id)
        .bootstrap_servers(brokers)
        .commit_interval(Duration::from_millis(50));
    for (name, value) in properties {
        config = config.property(name, value);
    }
    config
}

/// A section of a file of settings.
pub(crate) fn section(name: &str, brokers: &str, properties: &Properties) -> String {
    let mut section = format!("[{name}]\nbootstrap.servers = '{brokers}'\n");
    for (name, value) in properties {
        section += &format!("{name} = '{value}'\n");
    }
    section
}

#[track_caller]
pub(crate) fn assert_no_secret(shown: &str) {
    for secret in SECRETS {
        assert!(!shown.contains(secret), "{shown}");
    }
}

/// What `ferris sql` prints of a topic of lines with a field `k`, with a file of settings; no secret is in what it says.
pub(crate) fn read_with_ferris(topic: &str, settings: &Path) -> String {
    let rows = format!("CREATE STREAM s (k TEXT) FROM kafka://{topic}; SELECT k FROM s");
    let done = Ferris::new(["sql", &rows])
        .env("FERRIS_CONFIG", settings)
        .env("FERRIS_LOG", "debug")
        .run()
        .assert_success();
    assert_no_secret(&format!("{}{}", done.stdout, done.stderr));
    done.stdout
}
