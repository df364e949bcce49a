//! What `memory://name` stands for.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use ferrisstreams_topology::connector::{
    ConnectorError, ConnectorErrorKind, ResolvedSink, ResolvedSource, SinkRequest, SourceKind,
    SourceRequest,
};
use ferrisstreams_topology::data::Schema;

use super::sink::MemorySink;
use super::source::MemorySource;
use super::topic::{MemoryTopic, TopicRows};
use crate::connector::{Connector, Context};
use crate::formats::{
    Format, FormatDefaults, FormatName, Formats, ReadOptions, RowSpecification, Sample, encoder,
    rows,
};
use crate::options::{OptionReader, invalid};
use crate::uri::Uri;

/// All topics in memory. Cloning gives another handle to the same.
///
/// Records are JSON by default, keys as well. What a sink writes is read back without being declared;
/// other columns are found out from the records that are there.
#[derive(Clone, Default)]
pub struct MemoryConnector {
    topics: Arc<Mutex<BTreeMap<String, MemoryTopic>>>,
}

const DEFAULTS: FormatDefaults = FormatDefaults {
    value: Some(FormatName::Json),
    key: Some(FormatName::Json),
};

impl MemoryConnector {
    /// The topic of a name, which is empty if it was not known before.
    pub fn topic(&self, name: &str) -> MemoryTopic {
        let mut topics = self.topics.lock().expect("no panic while locked");
        let topic = topics.entry(name.to_owned());
        topic.or_insert_with(|| MemoryTopic::new(name)).clone()
    }

    fn topic_of(&self, uri: &Uri) -> Result<MemoryTopic, ConnectorError> {
        let name = uri.location();
        if name.contains(['/', '?']) {
            let message = format!("{uri} is no topic in memory: its name has `/` or `?` in it");
            return Err(ConnectorError::new(ConnectorErrorKind::Uri, message));
        }
        Ok(self.topic(&name))
    }
}

/// Lines in memory have no header.
fn without_header(options: &OptionReader) -> Result<(), ConnectorError> {
    if options.has("header") {
        return Err(invalid(
            "header",
            "records in memory have no header: each is a line of its own",
        ));
    }
    Ok(())
}

impl Connector for MemoryConnector {
    fn schemes(&self) -> &[&str] {
        &["memory"]
    }

    fn source(
        &self,
        uri: &Uri,
        options: &mut OptionReader,
        request: &SourceRequest,
        _context: &Context<'_>,
    ) -> Result<ResolvedSource, ConnectorError> {
        let topic = self.topic_of(uri)?;
        without_header(options)?;
        let says_format = ["format", "value_format", "key_format"]
            .iter()
            .any(|name| options.has(name));
        let read = ReadOptions::take(options, DEFAULTS)?;
        options.finish()?;
        let written = topic.rows().filter(|_| request.columns.is_empty());
        let mut formats = read.formats;
        if let Some(known) = topic.rows().filter(|_| !says_format) {
            formats = known.formats;
        }
        let (schema, key, inferred_from) = match written {
            Some(known) => (known.schema, known.key, None),
            None if request.columns.is_empty() => {
                let schema = sampled(&topic, &formats.value, uri, request.kind)?;
                (schema, Vec::new(), Some(uri.redacted()))
            }
            None => (request.declared_schema(), request.declared_key(), None),
        };
        let rows = rows(RowSpecification {
            key: key.clone(),
            record_key: key.clone(),
            key_in_value: true,
            timestamp: read.timestamp,
            inferred_from,
            formats,
            ..RowSpecification::values(schema.clone(), Format::None)
        })?;
        Ok(ResolvedSource {
            schema,
            key,
            kind: None,
            source: Arc::new(MemorySource(topic)),
            rows,
            on_error: read.on_error,
            load_first: true,
        })
    }

    fn sink(
        &self,
        uri: &Uri,
        options: &mut OptionReader,
        request: &SinkRequest,
        _context: &Context<'_>,
    ) -> Result<ResolvedSink, ConnectorError> {
        let topic = self.topic_of(uri)?;
        without_header(options)?;
        let formats = Formats::take(options, DEFAULTS)?;
        options.finish()?;
        let all: Vec<usize> = (0..request.schema.len()).collect();
        let key_columns = request.key.clone().unwrap_or_default();
        let key_schema = request.schema.project(&key_columns);
        let key_format = if key_columns.is_empty() {
            &Format::None
        } else {
            &formats.key
        };
        let places: Vec<usize> = (0..key_columns.len()).collect();
        let resolved = ResolvedSink {
            key: encoder(key_format, &key_schema, &places)?,
            value: encoder(&formats.value, &request.schema, &all)?,
            sink: Arc::new(MemorySink(topic.clone())),
            key_columns: key_columns.clone(),
        };
        topic.set_rows(TopicRows {
            schema: request.schema.clone(),
            key: key_columns,
            formats,
        });
        Ok(resolved)
    }
}

/// Columns found out from what the topic holds.
fn sampled(
    topic: &MemoryTopic,
    format: &Format,
    uri: &Uri,
    kind: Option<SourceKind>,
) -> Result<Schema, ConnectorError> {
    let mut sample = Sample::new(format, None)?;
    topic.read(0, usize::MAX, |records| {
        let values = records.iter().filter_map(|record| record.value.as_deref());
        for value in values {
            if !sample.add(value) {
                break;
            }
        }
    });
    let word = if kind == Some(SourceKind::Table) {
        "TABLE"
    } else {
        "STREAM"
    };
    sample.columns(&uri.redacted(), word)
}
