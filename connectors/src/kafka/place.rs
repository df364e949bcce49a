//! What a URI and its options say of where a topic is.
//!
//! `kafka://topic` is a topic of the default cluster, `kafka://connection/topic` one of a named
//! connection, and `kafka://host:port/topic` one of the cluster that this broker belongs to.

use std::time::Duration;

use ferrisstreams_topology::connector::{ConnectorError, ConnectorErrorKind, Options, TopicPlace};
use ferrisstreams_topology::{Error, ErrorKind, Result};

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
    /// A property of the clients that those of the default cluster do not have so, if there is one.
    pub(super) own_property: Option<String>,
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
    ) -> std::result::Result<Place, ConnectorError> {
        let mut properties = Properties::default();
        for (name, value) in context.kafka {
            properties.set(name, value)?;
        }
        let common = properties.clone();
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
            own_property: cluster.properties.differs_from(&common).map(str::to_owned),
            cluster,
            topic,
            restart_timeout,
        })
    }
}

impl Cluster {
    /// The topic as an application on the cluster finds it, whose clients have the properties of the
    /// default cluster: where one property is another here, that is an error.
    pub(super) fn place_of(&self, topic: &str, own_property: Option<&str>) -> Result<TopicPlace> {
        if let Some(property) = own_property {
            return Err(Error::new(
                ErrorKind::Invalid,
                format!(
                    "{property} of topic {topic} is not that of other topics; the clients of an \
                     application have one set of properties, which [kafka] of the configuration says"
                ),
            ));
        }
        let brokers = ["bootstrap.servers", "metadata.broker.list"];
        let brokers = brokers.iter().find_map(|name| self.properties.get(name));
        Ok(TopicPlace {
            topic: topic.to_owned(),
            brokers: brokers.unwrap_or_default().to_owned(),
            skips_untimed: false,
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
) -> std::result::Result<(), ConnectorError> {
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
