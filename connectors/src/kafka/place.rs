//! What a URI and its options say of where a topic is.
//!
//! `kafka://topic` is a topic of the default cluster, `kafka://connection/topic` one of a named
//! connection, and `kafka://host:port/topic` one of the cluster that this broker belongs to.

use std::time::Duration;

use ferrisstreams_topology::connector::{ConnectorError, ConnectorErrorKind, Options};

use super::cluster::Cluster;
use super::properties::{self, Properties};
use crate::connector::Context;
use crate::options::OptionReader;
use crate::uri::Uri;
use ferrisstreams_topology::nearest;

/// How long brokers may take to answer when something is opened.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long brokers that are away are waited for at a restart.
const RESTART: Duration = Duration::from_secs(300);

/// Where a topic is.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) cluster: Cluster,
    pub(super) topic: String,
    /// How long brokers that are away are waited for where the topic was used before.
    pub(super) restart_timeout: Duration,
}

impl Place {
    /// Takes all options that are properties of clients, and how long to wait for answers.
    ///
    /// # Errors
    ///
    /// Where the URI names no topic or an unknown connection, or a property is wrong.
    pub(super) fn take(
        uri: &Uri,
        options: &mut OptionReader,
        context: &Context<'_>,
    ) -> Result<Place, ConnectorError> {
        let mut properties = Properties::default();
        for (name, value) in context.kafka {
            properties.set(name, value)?;
        }
        let path = uri.path.strip_prefix('/').unwrap_or(&uri.path);
        let (name, topic) = match (&uri.authority[..], path) {
            (topic, "") => ("Kafka".to_owned(), topic),
            ("", topic) => ("Kafka".to_owned(), topic),
            (brokers, topic) if brokers.contains(':') => {
                properties.set("bootstrap.servers", brokers)?;
                ("Kafka".to_owned(), topic)
            }
            (connection, topic) => {
                let Some(connected) = context.connection(connection) else {
                    return Err(no_connection(uri, connection, context));
                };
                for (name, value) in &connected {
                    properties.set(name, value)?;
                }
                (format!("Kafka cluster `{connection}`"), topic)
            }
        };
        if topic.contains('/') {
            let message = format!("`{uri}` names no topic: kafka://connection/topic has one `/`");
            return Err(ConnectorError::new(ConnectorErrorKind::Uri, message));
        }
        let topic = topic.to_owned();
        let patience = options
            .take_duration("connect_timeout")?
            .unwrap_or(PATIENCE);
        let restart_timeout = options.take_duration("restart_timeout")?.unwrap_or(RESTART);
        for (name, value) in take_properties(options) {
            properties.set(&name, &value)?;
        }
        if properties.get("bootstrap.servers").is_none()
            && properties.get("metadata.broker.list").is_none()
        {
            let message = format!("where the brokers of `{uri}` are is not known");
            return Err(ConnectorError::new(ConnectorErrorKind::InvalidOption, message)
                .option("bootstrap.servers")
                .help("set bootstrap.servers = 'host:9092' in WITH, in [kafka] of the configuration, or in a connection"));
        }
        let cluster = Cluster {
            name,
            properties,
            patience,
        };
        Ok(Place {
            cluster,
            topic,
            restart_timeout,
        })
    }
}

/// Takes the options that are properties of clients, by the names they were given.
pub(super) fn take_properties(options: &mut OptionReader) -> Vec<(String, String)> {
    options.know(properties::names().iter().map(String::as_str));
    options.take_matching(properties::is_one)
}

/// Checks the options of a named connection.
///
/// # Errors
///
/// Where a property is wrong.
pub(super) fn check_connection(
    name: &str,
    options: &mut OptionReader,
) -> Result<(), ConnectorError> {
    let mut properties = Properties::default();
    let given: Options = take_properties(options).into_iter().collect();
    for (name, value) in &given {
        properties.set(name, value)?;
    }
    if properties.get("bootstrap.servers").is_none()
        && properties.get("metadata.broker.list").is_none()
    {
        let message = format!("connection `{name}` does not say where its brokers are");
        return Err(
            ConnectorError::new(ConnectorErrorKind::InvalidOption, message)
                .option("bootstrap.servers")
                .help("bootstrap.servers = 'host:9092' says it"),
        );
    }
    Ok(())
}

fn no_connection(uri: &Uri, name: &str, context: &Context<'_>) -> ConnectorError {
    let message = format!("`{uri}` speaks of a connection `{name}`, and there is none");
    let error = ConnectorError::new(ConnectorErrorKind::NotFound, message);
    let names = context.connection_names();
    match nearest(name, names.iter().map(String::as_str)) {
        Some(meant) => error.help(format!("did you mean `{meant}`?")),
        None => error.help(format!(
            "CREATE CONNECTION {name} WITH (type = 'kafka', bootstrap.servers = 'host:9092')"
        )),
    }
}
