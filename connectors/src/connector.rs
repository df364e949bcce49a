//! What a connector is to [`Connections`](crate::Connections): who knows a scheme of URIs.

use std::path::Path;

use ferrisstreams_topology::connector::{
    ConnectorError, ConnectorErrorKind, Options, ResolvedSink, ResolvedSource, SinkRequest,
    SourceRequest,
};

use crate::options::OptionReader;
use crate::uri::Uri;

/// Makes sources and sinks of URIs.
///
/// A connector takes the options it knows and calls [`OptionReader::finish`] before it touches the
/// world. Options in the URI's query stand among the others.
pub trait Connector: Send + Sync {
    /// The schemes of its URIs.
    fn schemes(&self) -> &[&str];

    /// True where something must stand behind `://`.
    fn needs_name(&self) -> bool {
        true
    }

    /// What stands behind a URI that is read.
    ///
    /// # Errors
    ///
    /// Where the URI or an option is wrong, or columns were not declared and cannot be found out.
    fn source(
        &self,
        uri: &Uri,
        options: &mut OptionReader,
        request: &SourceRequest,
        context: &Context<'_>,
    ) -> Result<ResolvedSource, ConnectorError>;

    /// What stands behind a URI that is written.
    ///
    /// # Errors
    ///
    /// Where the URI or an option is wrong, or such rows cannot be written there.
    fn sink(
        &self,
        uri: &Uri,
        options: &mut OptionReader,
        request: &SinkRequest,
        context: &Context<'_>,
    ) -> Result<ResolvedSink, ConnectorError>;

    /// Checks the options of a named connection, without reaching out to it.
    ///
    /// # Errors
    ///
    /// Where an option is wrong, or the connector has no named connections.
    fn connection(&self, name: &str, options: &mut OptionReader) -> Result<(), ConnectorError> {
        let _ = options;
        let scheme = self.schemes().first().unwrap_or(&"");
        Err(ConnectorError::new(
            ConnectorErrorKind::NotSupported,
            format!("{scheme} has no named connections, as `{name}` would be one"),
        ))
    }

    /// True where there are named connections of this kind.
    fn has_connections(&self) -> bool {
        false
    }
}

/// What connectors may know of their surroundings.
pub struct Context<'a> {
    /// The folder that relative paths start at.
    pub base: &'a Path,
    /// Properties of the default Kafka cluster, by librdkafka's names.
    pub kafka: &'a Options,
    /// True where a program is started again on a state that it left: what is away for now need not be
    /// an error.
    pub restarting: bool,
    /// True for an application on a cluster: a file that is not there may be where another instance runs.
    pub on_cluster: bool,
    pub(crate) connections: &'a dyn Fn(&str) -> Option<Options>,
    pub(crate) names: &'a dyn Fn() -> Vec<String>,
}

impl Context<'_> {
    /// The options of a named connection; case does not count in its name.
    pub fn connection(&self, name: &str) -> Option<Options> {
        (self.connections)(name)
    }

    /// The names of all connections, for what is told where there is none of a name.
    pub fn connection_names(&self) -> Vec<String> {
        (self.names)()
    }
}
