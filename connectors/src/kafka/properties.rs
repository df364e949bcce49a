//! The properties of a client, by librdkafka's names, and what the engine sets itself.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::OnceLock;

use ferrisstreams_topology::connector::{ConnectorError, ConnectorErrorKind};
use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaConfRes;

use super::native::property_names;
use crate::uri::is_secret;
use ferrisstreams_topology::nearest;

/// Properties that were checked. Secrets among them are not shown.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Properties(BTreeMap<String, String>);

/// What a client does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Consumer,
    Producer,
}

impl Role {
    /// What stands before properties of such clients alone.
    fn prefix(self) -> &'static str {
        match self {
            Role::Consumer => "consumer.",
            Role::Producer => "producer.",
        }
    }
}

/// The prefix of a name, if it has one, and what is behind it.
fn parts(name: &str) -> (&'static str, &str) {
    for role in [Role::Consumer, Role::Producer] {
        let prefix = role.prefix();
        let (before, behind) = name.split_at_checked(prefix.len()).unwrap_or(("", name));
        if plain(before) == prefix {
            return (prefix, behind);
        }
    }
    ("", name)
}

/// Properties that only the engine can set, and why.
const RESERVED: [(&str, &str); 8] = [
    (
        "group.id",
        "positions are kept by the engine's own commits, not by a consumer group",
    ),
    (
        "group.instance.id",
        "positions are kept by the engine's own commits, not by a consumer group",
    ),
    (
        "enable.auto.commit",
        "positions are kept by the engine's own commits, not by a consumer group",
    ),
    (
        "enable.auto.offset.store",
        "positions are kept by the engine's own commits, not by a consumer group",
    ),
    ("enable.partition.eof", "the engine needs it"),
    (
        "auto.offset.reset",
        "the option `from` says where reading begins",
    ),
    (
        "transactional.id",
        "the engine makes it; the option `transactional_id_prefix` is put before it",
    ),
    (
        "enable.idempotence",
        "the option `guarantee` says what is promised",
    ),
];

/// Properties of Java's clients, and what stands for them here.
const JAVA: [(&str, &str); 7] = [
    (
        "sasl.jaas.config",
        "set sasl.username and sasl.password instead",
    ),
    (
        "ssl.truststore.location",
        "set ssl.ca.location to a file with certificates in PEM form instead",
    ),
    (
        "ssl.truststore.password",
        "the file in ssl.ca.location has no password",
    ),
    (
        "ssl.truststore.type",
        "the file in ssl.ca.location is in PEM form",
    ),
    (
        "ssl.keystore.type",
        "the file in ssl.keystore.location is in PKCS#12 form; ssl.certificate.location and \
         ssl.key.location are in PEM form",
    ),
    (
        "key.deserializer",
        "the option key_format says how keys are read",
    ),
    (
        "value.deserializer",
        "the option format says how values are read",
    ),
];

/// Properties that have no value unless one is set, and other names of some: the library does not list
/// them.
const UNSET: &str = "acks batch.size bootstrap.servers client.rack compression.type debug \
    delivery.timeout.ms fetch.max.bytes linger.ms max.in.flight \
    max.partition.fetch.bytes message.timeout.ms metadata.broker.list plugin.library.paths \
    request.required.acks retries sasl.kerberos.keytab sasl.kerberos.principal sasl.mechanism \
    sasl.mechanisms sasl.oauthbearer.config sasl.password sasl.username ssl.ca.location ssl.ca.pem ssl.certificate.location \
    ssl.certificate.pem ssl.cipher.suites ssl.crl.location ssl.curves.list ssl.key.location \
    ssl.key.password ssl.key.pem ssl.keystore.location ssl.keystore.password ssl.sigalgs.list";

/// Properties of tokens that a provider hands out. The engine fetches these, so that they are not for the
/// library, which takes them only where it is built with libcurl.
pub(super) const TOKENS: [&str; 11] = [
    "https.ca.location",
    "https.ca.pem",
    "sasl.oauthbearer.client.credentials.client.id",
    "sasl.oauthbearer.client.credentials.client.secret",
    "sasl.oauthbearer.client.id",
    "sasl.oauthbearer.client.secret",
    "sasl.oauthbearer.extensions",
    "sasl.oauthbearer.grant.type",
    "sasl.oauthbearer.method",
    "sasl.oauthbearer.scope",
    "sasl.oauthbearer.token.endpoint.url",
];

/// The names of all properties.
pub(super) fn names() -> &'static [String] {
    static NAMES: OnceLock<Vec<String>> = OnceLock::new();
    NAMES.get_or_init(|| {
        let mut names = property_names();
        names.extend(UNSET.split_whitespace().map(str::to_owned));
        names.extend(RESERVED.iter().map(|(name, _)| (*name).to_owned()));
        names.extend(TOKENS.map(str::to_owned));
        // Callbacks and the like can only be set by programs.
        names.retain(|name| !name.contains('_') && !name.contains("opaque"));
        names.sort();
        names.dedup();
        names
    })
}

/// A name with `.` for `_` and `-`, in lower case.
fn plain(name: &str) -> String {
    name.to_ascii_lowercase().replace(['-', '_'], ".")
}

/// The property of this name, where `_` may stand for `.`, for all clients.
pub(super) fn find(name: &str) -> Option<&'static str> {
    let wanted = plain(name);
    let mut names = names().iter().map(String::as_str);
    names.find(|known| *known == wanted)
}

/// True for what is a property, or is taken for one.
pub(super) fn is_one(name: &str) -> bool {
    let (_, name) = parts(name);
    find(name).is_some() || JAVA.iter().any(|(java, _)| plain(java) == plain(name))
}

impl Properties {
    /// Takes a property in, over what was there. Behind `consumer.` or `producer.` it is one of these clients
    /// alone, and counts there over that of all.
    ///
    /// # Errors
    ///
    /// Where there is no such property, it has no such value, or only the engine may set it.
    pub(super) fn set(&mut self, name: &str, value: &str) -> Result<(), ConnectorError> {
        let (prefix, name) = parts(name);
        if let Some((_, instead)) = JAVA.iter().find(|(java, _)| plain(java) == plain(name)) {
            let message = format!("{name} is a property of Java's clients");
            return Err(error(ConnectorErrorKind::UnknownOption, message, name).help(*instead));
        }
        let Some(property) = find(name) else {
            return Err(unknown(name));
        };
        if let Some((_, why)) = RESERVED.iter().find(|(reserved, _)| *reserved == property) {
            let message = format!("{property} cannot be set: {why}");
            return Err(error(ConnectorErrorKind::NotSupported, message, name));
        }
        check(property, name, value)?;
        self.0
            .insert(format!("{prefix}{property}"), value.to_owned());
        Ok(())
    }

    /// The value of a property of all clients.
    pub(super) fn get(&self, property: &str) -> Option<&str> {
        self.0.get(property).map(String::as_str)
    }

    /// The value of a property as clients of a role have it.
    pub(super) fn of(&self, role: Role, property: &str) -> Option<&str> {
        self.get(&format!("{}{property}", role.prefix()))
            .or_else(|| self.get(property))
    }

    /// The name of a property that others have otherwise, or not at all; that of the brokers does not
    /// count.
    pub(super) fn differs_from<'a>(&'a self, others: &'a Properties) -> Option<&'a str> {
        let all = self.0.keys().chain(others.0.keys());
        let mut all = all.filter(|name| *name != "bootstrap.servers");
        all.find(|name| self.0.get(*name) != others.0.get(*name))
            .map(String::as_str)
    }

    /// A configuration of a client: `defaults`, over them these properties as far as they are for the library,
    /// and over these what is `fixed`.
    pub(super) fn config(
        &self,
        role: Role,
        defaults: &[(&str, &str)],
        fixed: &[(&str, &str)],
    ) -> ClientConfig {
        let mut config = ClientConfig::new();
        for (name, value) in defaults {
            config.set(*name, *value);
        }
        let is_ours = |name: &str| TOKENS.contains(&parts(name).1);
        let all = || self.0.iter().filter(|(name, _)| !is_ours(name));
        for (name, value) in all().filter(|(name, _)| parts(name).0.is_empty()) {
            config.set(name, value);
        }
        let own = all();
        let own = own.filter_map(|(name, value)| Some((name.strip_prefix(role.prefix())?, value)));
        for (name, value) in own {
            config.set(name, value);
        }
        for (name, value) in fixed {
            config.set(*name, *value);
        }
        config
    }
}

fn error(kind: ConnectorErrorKind, message: String, option: &str) -> ConnectorError {
    ConnectorError::new(kind, message).option(option)
}

fn unknown(name: &str) -> ConnectorError {
    let message = format!("there is no property `{name}` of Kafka clients");
    let error = error(ConnectorErrorKind::UnknownOption, message, name);
    match nearest(name, names().iter().map(String::as_str)) {
        Some(meant) => error.help(format!("did you mean `{meant}`?")),
        None => error.help("properties are those of librdkafka, such as bootstrap.servers"),
    }
}

/// Looks at the value of one of [`TOKENS`].
fn check_token(property: &str, name: &str, value: &str) -> Result<(), ConnectorError> {
    let known: &[&str] = match property {
        "sasl.oauthbearer.method" => &["default", "oidc"],
        "sasl.oauthbearer.grant.type" => &["client_credentials"],
        _ => return Ok(()),
    };
    if known.iter().any(|known| known.eq_ignore_ascii_case(value)) {
        return Ok(());
    }
    let message = format!(
        "{property} {value} is not supported: it is {}",
        known.join(" or ")
    );
    Err(error(ConnectorErrorKind::InvalidOption, message, name))
}

/// Has the library look at a value.
fn check(property: &str, name: &str, value: &str) -> Result<(), ConnectorError> {
    if TOKENS.contains(&property) {
        return check_token(property, name, value);
    }
    let mut config = ClientConfig::new();
    config.set(property, value);
    match config.create_native_config() {
        Ok(_) => Ok(()),
        Err(KafkaError::ClientConfig(RDKafkaConfRes::RD_KAFKA_CONF_UNKNOWN, ..)) => {
            Err(unknown(name))
        }
        Err(e) => {
            let message = match e {
                _ if is_secret(property) => format!("{property} has a value that it does not take"),
                KafkaError::ClientConfig(_, why, ..) => format!("{property}: {why}"),
                _ => format!("{property}: {e}"),
            };
            Err(error(ConnectorErrorKind::InvalidOption, message, name))
        }
    }
}

impl fmt::Debug for Properties {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.0.iter().map(|(name, value)| {
            let value = if is_secret(name) { "***" } else { value };
            (name, value)
        });
        f.debug_map().entries(shown).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(name: &str, value: &str) -> String {
        let e = Properties::default().set(name, value).expect_err(name);
        let help = e.help.map(|help| format!(" | {help}"));
        format!("{}{}", e.message, help.unwrap_or_default())
    }

    #[test]
    fn properties_are_checked() {
        let mut properties = Properties::default();
        properties.set("bootstrap_servers", "a:1").unwrap();
        properties.set("BOOTSTRAP.SERVERS", "b:1").unwrap();
        properties.set("request.required.acks", "all").unwrap();
        assert_eq!(properties.get("bootstrap.servers"), Some("b:1"));
        for (name, value, told) in [
            (
                "bootstrap.server",
                "x",
                "there is no property `bootstrap.server` of Kafka clients | did you mean `bootstrap.servers`?",
            ),
            (
                "zzzzzzzz",
                "x",
                "there is no property `zzzzzzzz` of Kafka clients | properties are those of librdkafka, such as bootstrap.servers",
            ),
            (
                "security.protocol",
                "tls",
                "security.protocol: Invalid value \"tls\" for configuration property \"security.protocol\"",
            ),
            (
                "sasl.jaas.config",
                "x",
                "sasl.jaas.config is a property of Java's clients | set sasl.username and sasl.password instead",
            ),
            (
                "group.id",
                "g",
                "group.id cannot be set: positions are kept by the engine's own commits, not by a consumer group",
            ),
        ] {
            assert_eq!(refused(name, value), told);
        }
    }

    #[test]
    fn clients_have_properties_of_their_own() {
        let mut properties = Properties::default();
        for (name, value) in [
            ("client.id", "all"),
            ("producer.client.id", "writes"),
            ("CONSUMER_FETCH_WAIT_MAX_MS", "7"),
        ] {
            properties.set(name, value).unwrap();
        }
        let fetch = |role| {
            let config = properties.config(role, &[("fetch.wait.max.ms", "100")], &[]);
            let of = |name: &str| config.get(name).map(str::to_owned);
            (of("client.id").unwrap(), of("fetch.wait.max.ms").unwrap())
        };
        assert_eq!(fetch(Role::Consumer), ("all".into(), "7".into()));
        assert_eq!(fetch(Role::Producer), ("writes".into(), "100".into()));
        assert_eq!(properties.of(Role::Producer, "client.id"), Some("writes"));
        assert_eq!(properties.of(Role::Consumer, "client.id"), Some("all"));
        assert!(is_one("producer.linger.ms") && !is_one("reader.linger.ms"));
        assert!(refused("consumer.group.id", "g").contains("cannot be set"));
        properties.set("producer.sasl.password", "hunter2").unwrap();
        assert!(!format!("{properties:?}").contains("hunter2"));
    }

    #[test]
    fn what_the_engine_goes_by_itself_does_not_reach_the_library() {
        let mut properties = Properties::default();
        for name in TOKENS {
            let value = match name {
                "sasl.oauthbearer.method" => "oidc",
                "sasl.oauthbearer.grant.type" => "client_credentials",
                _ => "x",
            };
            properties.set(name, value).expect(name);
            properties
                .set(&format!("consumer.{name}"), value)
                .expect(name);
            assert_eq!(find(&name.replace('.', "_")), Some(name));
        }
        let config = properties.config(Role::Consumer, &[], &[]);
        assert!(config.config_map().is_empty(), "{config:?}");
        for (name, value, told) in [
            (
                "sasl.oauthbearer.method",
                "saml",
                "sasl.oauthbearer.method saml is not supported: it is default or oidc",
            ),
            (
                "sasl.oauthbearer.grant.type",
                "password",
                "sasl.oauthbearer.grant.type password is not supported: it is client_credentials",
            ),
        ] {
            assert_eq!(refused(name, value), told);
        }
    }

    #[test]
    fn what_differs_is_named() {
        let of = |given: &[(&str, &str)]| {
            let mut properties = Properties::default();
            for (name, value) in given {
                properties.set(name, value).unwrap();
            }
            properties
        };
        let plain = of(&[("bootstrap.servers", "a:1")]);
        let other = of(&[("bootstrap.servers", "b:1"), ("client.id", "me")]);
        assert_eq!(plain.differs_from(&plain), None);
        assert_eq!(plain.differs_from(&of(&[])), None);
        assert_eq!(plain.differs_from(&other), Some("client.id"));
        assert_eq!(other.differs_from(&plain), Some("client.id"));
    }

    #[test]
    fn the_library_knows_all_names() {
        for name in names() {
            let mut config = ClientConfig::new();
            config.set(name, "?");
            if let Err(KafkaError::ClientConfig(why, ..)) = config.create_native_config() {
                assert_ne!(why, RDKafkaConfRes::RD_KAFKA_CONF_UNKNOWN, "{name}");
            }
        }
        assert_eq!(find("SASL_MECHANISM"), Some("sasl.mechanism"));
        assert_eq!(find("linger-ms"), Some("linger.ms"));
    }

    #[test]
    fn secrets_are_not_shown() {
        let mut properties = Properties::default();
        properties.set("sasl.username", "me").unwrap();
        properties.set("sasl.password", "hunter2").unwrap();
        let shown = format!("{properties:?}");
        assert_eq!(shown, r#"{"sasl.password": "***", "sasl.username": "me"}"#);
    }
}
