//! All connectors of a program, its named connections, and what they have in common.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, RwLock};

use ferrisstreams_topology::connector::{
    ConnectorError, ConnectorErrorKind, Connectors, Options, ResolvedSink, ResolvedSource,
    SinkRequest, SourceRequest,
};

use crate::blackhole::BlackholeConnector;
use crate::connector::{Connector, Context};
use crate::console::ConsoleConnector;
use crate::file::FileConnector;
use crate::generator::GeneratorConnector;
use crate::memory::{MemoryConnector, MemoryTopic};
use crate::options::{OptionReader, invalid};
use crate::uri::Uri;
use ferrisstreams_topology::nearest;

/// What URIs can stand for: connectors by their schemes, and named connections.
///
/// Cloning gives another handle to the same named connections and memory topics.
#[derive(Clone)]
pub struct Connections {
    connectors: Vec<Arc<dyn Connector>>,
    memory: MemoryConnector,
    named: Arc<RwLock<BTreeMap<String, Options>>>,
    base: PathBuf,
    kafka: Options,
    restarting: bool,
    on_cluster: bool,
}

/// Schemes that are known and not there yet.
const PLANNED: [&str; 3] = ["postgres", "mysql", "sqlite"];

impl Default for Connections {
    fn default() -> Self {
        Connections::new()
    }
}

impl Connections {
    /// The connectors that this build has.
    pub fn new() -> Self {
        let memory = MemoryConnector::default();
        let connections = Connections {
            connectors: Vec::new(),
            memory: memory.clone(),
            named: Arc::default(),
            base: PathBuf::from("."),
            kafka: Options::new(),
            restarting: false,
            on_cluster: false,
        }
        .with(FileConnector::default())
        .with(memory)
        .with(ConsoleConnector::default())
        .with(GeneratorConnector)
        .with(BlackholeConnector);
        #[cfg(feature = "kafka")]
        let connections = connections.with(crate::kafka::KafkaConnector);
        connections
    }

    /// The topic in memory of a name: what `memory://name` stands for here.
    pub fn memory(&self, name: &str) -> MemoryTopic {
        self.memory.topic(name)
    }

    /// The same, with relative paths starting at a folder.
    pub fn base(mut self, base: impl Into<PathBuf>) -> Self {
        self.base = base.into();
        self
    }

    /// The same, with properties of the default Kafka cluster, by librdkafka's names.
    pub fn kafka(mut self, properties: Options) -> Self {
        self.kafka = properties;
        self
    }

    /// The same for a program that is started again on a state that it left: brokers that are away are
    /// waited for, as long as `restart_timeout` of a source or sink says, or read once they are back.
    pub fn restarting(mut self, restarting: bool) -> Self {
        self.restarting = restarting;
        self
    }

    /// The same for an application on a cluster: a file that is not there is no mistake where its columns are
    /// declared, as another instance may have it.
    pub fn on_cluster(mut self, on_cluster: bool) -> Self {
        self.on_cluster = on_cluster;
        self
    }

    /// The same, with one more connector; it takes the place of those that know its schemes.
    pub fn with(mut self, connector: impl Connector + 'static) -> Self {
        let schemes: Vec<String> = connector.schemes().iter().map(|&s| s.to_owned()).collect();
        let taken = |other: &Arc<dyn Connector>| {
            other
                .schemes()
                .iter()
                .any(|scheme| schemes.iter().any(|taken| taken == scheme))
        };
        self.connectors.retain(|other| !taken(other));
        self.connectors.push(Arc::new(connector));
        self
    }

    /// Adds a named connection, or puts another in its place.
    ///
    /// The option `type` says of which connector it is; where only one has named connections it may
    /// be left out.
    ///
    /// # Errors
    ///
    /// Where an option is wrong.
    pub fn connection(&self, name: &str, mut options: Options) -> Result<(), ConnectorError> {
        let connector = self.connector_of_connection(name, &mut options)?;
        let mut reader = OptionReader::new(&options);
        connector.connection(name, &mut reader)?;
        reader.finish()?;
        let mut named = self.named.write().expect("no panic while locked");
        named.insert(name.to_lowercase(), options);
        Ok(())
    }

    fn connector_of_connection(
        &self,
        name: &str,
        options: &mut Options,
    ) -> Result<&Arc<dyn Connector>, ConnectorError> {
        let key = options
            .keys()
            .find(|key| key.eq_ignore_ascii_case("type"))
            .cloned();
        if let Some(scheme) = key.and_then(|key| options.remove(&key)) {
            return self
                .connector(&scheme.to_ascii_lowercase(), "type")
                .map_err(|e| e.option("type"));
        }
        let mut able = self
            .connectors
            .iter()
            .filter(|connector| connector.has_connections());
        match (able.next(), able.next()) {
            (Some(connector), None) => Ok(connector),
            _ => Err(invalid(
                "type",
                format!("connection `{name}` does not say of which kind it is"),
            )
            .help("type = '...' names the scheme of its URIs")),
        }
    }

    /// The connector of a scheme.
    fn connector(&self, scheme: &str, what: &str) -> Result<&Arc<dyn Connector>, ConnectorError> {
        let known = |connector: &&Arc<dyn Connector>| connector.schemes().contains(&scheme);
        if let Some(connector) = self.connectors.iter().find(known) {
            return Ok(connector);
        }
        if PLANNED.contains(&scheme) {
            return Err(ConnectorError::new(
                ConnectorErrorKind::NotSupported,
                format!("{scheme} is not supported by this build"),
            ));
        }
        let mut schemes: Vec<&str> = self
            .connectors
            .iter()
            .flat_map(|c| c.schemes())
            .copied()
            .collect();
        schemes.sort_unstable();
        let error = ConnectorError::new(
            ConnectorErrorKind::Uri,
            format!("no connector knows the {what} `{scheme}`"),
        );
        Err(match nearest(scheme, schemes.iter().copied()) {
            Some(meant) => error.help(format!("did you mean `{meant}`?")),
            None => error.help(format!("there are: {}", schemes.join(", "))),
        })
    }

    /// Calls a connector with what stands behind a URI.
    fn resolve<T>(
        &self,
        uri: &str,
        options: &Options,
        call: impl FnOnce(
            &dyn Connector,
            &Uri,
            &mut OptionReader,
            &Context<'_>,
        ) -> Result<T, ConnectorError>,
    ) -> Result<T, ConnectorError> {
        let mut uri = Uri::parse(uri)?;
        let connector = self.connector(&uri.scheme, "scheme")?;
        let mut reader = OptionReader::new(options);
        reader.add(uri.take_options())?;
        if connector.needs_name() && uri.location().is_empty() {
            let message = format!("`{uri}` names nothing behind `://`");
            return Err(ConnectorError::new(ConnectorErrorKind::Uri, message));
        }
        let named = || self.named.read().expect("no panic while locked");
        let context = Context {
            restarting: self.restarting,
            on_cluster: self.on_cluster,
            base: &self.base,
            kafka: &self.kafka,
            connections: &|name| named().get(&name.to_lowercase()).cloned(),
            names: &|| named().keys().cloned().collect(),
        };
        let resolved = call(&**connector, &uri, &mut reader, &context)?;
        reader.finish()?;
        Ok(resolved)
    }
}

impl Connectors for Connections {
    fn source(&self, request: &SourceRequest) -> Result<ResolvedSource, ConnectorError> {
        self.resolve(
            &request.uri,
            &request.options,
            |connector, uri, options, context| connector.source(uri, options, request, context),
        )
    }

    fn sink(&self, request: &SinkRequest) -> Result<ResolvedSink, ConnectorError> {
        self.resolve(
            &request.uri,
            &request.options,
            |connector, uri, options, context| connector.sink(uri, options, request, context),
        )
    }

    fn connect(&self, name: &str, options: &Options) -> Result<(), ConnectorError> {
        self.connection(name, options.clone())
    }
}
