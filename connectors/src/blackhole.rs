//! `blackhole://name`: a sink that throws everything away, to see what a query costs without one.

use std::sync::Arc;

use ferrisstreams_topology::Result;
use ferrisstreams_topology::codec::row;
use ferrisstreams_topology::connector::{
    ConnectorError, ConnectorErrorKind, ResolvedSink, ResolvedSource, Sink, SinkDescription,
    SinkRecord, SinkRequest, SinkStart, SinkWriter, SourceRequest,
};

use crate::connector::{Connector, Context};
use crate::options::OptionReader;
use crate::uri::Uri;

/// The connector of the scheme `blackhole`.
#[derive(Debug, Clone, Copy, Default)]
pub struct BlackholeConnector;

impl Connector for BlackholeConnector {
    fn schemes(&self) -> &[&str] {
        &["blackhole"]
    }

    fn source(
        &self,
        _: &Uri,
        _: &mut OptionReader,
        _: &SourceRequest,
        _: &Context<'_>,
    ) -> Result<ResolvedSource, ConnectorError> {
        Err(ConnectorError::new(
            ConnectorErrorKind::NotSupported,
            "nothing comes out of blackhole://; it can only be written to",
        ))
    }

    fn sink(
        &self,
        uri: &Uri,
        options: &mut OptionReader,
        request: &SinkRequest,
        _: &Context<'_>,
    ) -> Result<ResolvedSink, ConnectorError> {
        options.finish()?;
        Ok(ResolvedSink {
            sink: Arc::new(Blackhole {
                location: uri.redacted(),
            }),
            key: row(),
            value: row(),
            key_columns: request.key.clone().unwrap_or_default(),
        })
    }
}

struct Blackhole {
    location: String,
}

impl Sink for Blackhole {
    fn describe(&self) -> SinkDescription {
        SinkDescription {
            connector: "blackhole".to_owned(),
            location: self.location.clone(),
            exactly_once: true,
        }
    }

    fn discards(&self) -> bool {
        true
    }

    fn open(&self, _: SinkStart) -> Result<Box<dyn SinkWriter>> {
        Ok(Box::new(Nothing))
    }
}

struct Nothing;

impl SinkWriter for Nothing {
    fn delivered(&mut self, recorded: u64) -> Result<u64> {
        Ok(recorded)
    }

    fn deliver(&mut self, _: u64, _: &[SinkRecord]) -> Result<Vec<u8>> {
        Ok(Vec::new())
    }
}
