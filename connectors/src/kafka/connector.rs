//! The connector for `kafka://`.

use ferrisstreams_topology::connector::{
    ConnectorError, ResolvedSink, ResolvedSource, SinkRequest, SourceRequest,
};

use super::{place, resolve_sink, resolve_source};
use crate::connector::{Connector, Context};
use crate::options::OptionReader;
use crate::uri::Uri;

/// Topics of Kafka clusters.
///
/// `kafka://topic` is a topic of the default cluster, `kafka://connection/topic` one of a named
/// connection, `kafka://host:port/topic` one of the cluster that this broker belongs to. Properties of
/// clients, by librdkafka's names, may stand among the options.
#[derive(Debug, Clone, Copy, Default)]
pub struct KafkaConnector;

impl Connector for KafkaConnector {
    fn schemes(&self) -> &[&str] {
        &["kafka"]
    }

    fn source(
        &self,
        uri: &Uri,
        options: &mut OptionReader,
        request: &SourceRequest,
        context: &Context<'_>,
    ) -> Result<ResolvedSource, ConnectorError> {
        resolve_source::resolve(uri, options, request, context)
    }

    fn sink(
        &self,
        uri: &Uri,
        options: &mut OptionReader,
        request: &SinkRequest,
        context: &Context<'_>,
    ) -> Result<ResolvedSink, ConnectorError> {
        resolve_sink::resolve(uri, options, request, context)
    }

    fn connection(&self, name: &str, options: &mut OptionReader) -> Result<(), ConnectorError> {
        place::check_connection(name, options)
    }

    fn has_connections(&self) -> bool {
        true
    }
}
