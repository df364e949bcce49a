//! What `generator://name` stands for.

use std::sync::Arc;

use ferrisstreams_topology::ErrorPolicy;
use ferrisstreams_topology::connector::{
    ConnectorError, ConnectorErrorKind, ResolvedSink, ResolvedSource, SinkRequest, SourceRequest,
};

use super::field::Generated;
use super::rows::RowBytes;
use super::source::{GeneratorSource, Shared};
use crate::connector::{Connector, Context};
use crate::formats::TimestampColumn;
use crate::options::OptionReader;
use crate::uri::Uri;

/// Makes rows up for declared columns.
///
/// `rows` says how many (without it there is no end), `rate` how many come in a second, `seed` which,
/// and `timestamp` in which column their time stands. Of a column `c`, `c.words` names the values to
/// choose from, `c.start` and `c.step` make a sequence, `c.min` and `c.max` a range, and `c.nulls`
/// the percentage of NULL.
pub struct GeneratorConnector;

impl Connector for GeneratorConnector {
    fn schemes(&self) -> &[&str] {
        &["generator"]
    }

    fn source(
        &self,
        uri: &Uri,
        options: &mut OptionReader,
        request: &SourceRequest,
        _context: &Context<'_>,
    ) -> Result<ResolvedSource, ConnectorError> {
        if request.columns.is_empty() {
            let message = format!("{uri} has no columns but those that are declared");
            return Err(
                ConnectorError::new(ConnectorErrorKind::Unreadable, message).help(format!(
                    "CREATE STREAM name (id BIGINT, price DECIMAL(10, 2), side VARCHAR) FROM {uri} \
                 WITH (\"id.start\" = 1, \"side.words\" = 'buy, sell', rate = 100)"
                )),
            );
        }
        let identity = format!("{uri} {request:?}");
        let (schema, key) = (request.declared_schema(), request.declared_key());
        let rows = options
            .take_integer("rows", 0..=i64::MAX)?
            .map(|rows| rows as u64);
        let rate = options
            .take_integer("rate", 1..=1_000_000_000)?
            .map(|rate| rate as u64);
        let seed = options
            .take_integer("seed", i64::MIN..=i64::MAX)?
            .unwrap_or(0) as u64;
        let timestamp = TimestampColumn::take(options)?;
        let time = timestamp.map(|column| column.reader(&schema)).transpose()?;
        let fields = schema.fields().iter().enumerate();
        let fields: Vec<Generated> = fields
            .map(|(at, field)| Generated::take(options, field, at))
            .collect::<Result<_, _>>()?;
        options.finish()?;
        Ok(ResolvedSource {
            rows: Arc::new(RowBytes {
                schema: schema.clone(),
                key: key.clone(),
                time,
            }),
            source: Arc::new(Shared(Arc::new(GeneratorSource {
                location: uri.redacted(),
                seed,
                rows,
                rate,
                schema: schema.clone(),
                fields,
                identity,
            }))),
            schema,
            key,
            kind: None,
            on_error: ErrorPolicy::Skip,
            load_first: rows.is_some() && rate.is_none(),
        })
    }

    fn sink(
        &self,
        uri: &Uri,
        _options: &mut OptionReader,
        _request: &SinkRequest,
        _context: &Context<'_>,
    ) -> Result<ResolvedSink, ConnectorError> {
        let message = format!("{uri} can be read and not written");
        Err(ConnectorError::new(
            ConnectorErrorKind::NotSupported,
            message,
        ))
    }
}
