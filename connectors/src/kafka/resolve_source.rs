//! What a topic is as a source of rows.

use std::sync::Arc;

use ferrisstreams_topology::connector::{
    ConnectorError, ConnectorErrorKind, RawBatch, ResolvedSource, SourceKind, SourceRequest,
};
use ferrisstreams_topology::data::Schema;

use super::key_column::key_column;
use super::native::Consumer;
use super::place::Place;
use super::reading::Reading;
use super::sample::sample;
use super::source::KafkaSource;
use super::source_options::SourceOptions;
use super::topic::Topic;
use super::trying::GLANCE;
use super::writing::make_topic;
use crate::connector::Context;
use crate::formats::{Format, Formats, RowSpecification, Sample, rows};
use crate::options::OptionReader;
use crate::uri::Uri;

/// What is known of the rows of a topic.
struct Shape {
    schema: Schema,
    /// The columns that the keys of records hold.
    record_key: Vec<usize>,
    key_format: Format,
    key_in_value: bool,
    kind: Option<SourceKind>,
}

/// Finds out what stands behind a URI.
pub(super) fn resolve(
    uri: &Uri,
    options: &mut OptionReader,
    request: &SourceRequest,
    context: &Context<'_>,
) -> Result<ResolvedSource, ConnectorError> {
    let mut place = Place::take(uri, options, context)?;
    let keys = request.columns.iter().filter(|column| column.key).count();
    let options = {
        let taken = SourceOptions::take(options, keys)?;
        options.finish()?;
        taken
    };
    let shape = if request.columns.is_empty() {
        let patience = place.cluster.patience;
        if context.restarting {
            place.cluster.patience = place.restart_timeout;
        }
        let consumer = place.cluster.consumer()?;
        let topic = find(&place, &consumer, &options)?;
        place.cluster.patience = patience;
        let batches = sample(&place, &consumer, &topic)?;
        inferred(uri, request.kind, &options, &batches)?
    } else {
        look(&place, &options, context)?;
        declared(uri, request, &options)?
    };
    let specification = RowSpecification {
        key: shape.key(),
        record_key: shape.record_key.clone(),
        key_in_value: shape.key_in_value,
        timestamp: options.read.timestamp,
        inferred_from: request.columns.is_empty().then(|| uri.redacted()),
        formats: Formats {
            value: options.read.formats.value,
            key: shape.key_format.clone(),
        },
        ..RowSpecification::values(shape.schema.clone(), Format::None)
    };
    let own_property = place.own_property;
    let reading = Reading {
        cluster: place.cluster,
        topic: place.topic,
        from: options.from,
        on_lost: options.on_lost,
        untimed: options.untimed,
        refresh: options.refresh,
        restart_timeout: place.restart_timeout,
        create: options.create,
    };
    Ok(ResolvedSource {
        key: shape.key(),
        kind: shape.kind,
        rows: rows(specification)?,
        schema: shape.schema,
        source: Arc::new(KafkaSource::new(reading, uri.redacted()).own_property(own_property)),
        on_error: options.read.on_error,
        load_first: options.load_first,
    })
}

/// Looks whether the topic of declared columns is there. At a restart it may not be known for now: nothing
/// is asked of the brokers that is needed before they are back.
fn look(
    place: &Place,
    options: &SourceOptions,
    context: &Context<'_>,
) -> Result<(), ConnectorError> {
    if !context.restarting {
        let consumer = place.cluster.consumer()?;
        return find(place, &consumer, options).map(|_| ());
    }
    let hasty = Place {
        cluster: place
            .cluster
            .with_patience(place.cluster.patience.min(GLANCE)),
        ..place.clone()
    };
    let consumer = hasty.cluster.consumer()?;
    match find(&hasty, &consumer, options) {
        Err(e) if e.kind == ConnectorErrorKind::Unreachable => {
            tracing::warn!("{}; going on without", e.message);
            Ok(())
        }
        found => found.map(|_| ()),
    }
}

/// The topic, which is made where the options give its shape.
fn find(
    place: &Place,
    consumer: &Consumer,
    options: &SourceOptions,
) -> Result<Topic, ConnectorError> {
    if let Some(shape) = options.create {
        make_topic(&place.cluster, consumer, &place.topic, shape)?;
    }
    place.cluster.topic(consumer, &place.topic)
}

impl Shape {
    /// The columns that tell the rows of a table apart.
    fn key(&self) -> Vec<usize> {
        match self.kind {
            Some(SourceKind::Stream) => Vec::new(),
            _ => self.record_key.clone(),
        }
    }
}

/// Columns that a statement declares: the key's stand in the keys of records, the others in values.
fn declared(
    uri: &Uri,
    request: &SourceRequest,
    options: &SourceOptions,
) -> Result<Shape, ConnectorError> {
    let columns = &request.columns;
    let record_key = request.declared_key();
    let kind = request.kind.unwrap_or(SourceKind::Stream);
    if kind == SourceKind::Table && record_key.is_empty() {
        let message =
            format!("a table of {uri} needs a key, which stands in the keys of its records");
        return Err(
            ConnectorError::new(ConnectorErrorKind::NotSupported, message)
                .help("declare it: column TYPE PRIMARY KEY"),
        );
    }
    Ok(Shape {
        schema: columns.iter().map(|column| column.field.clone()).collect(),
        key_format: match &options.read.formats.key {
            _ if record_key.is_empty() => Format::None,
            format => format.clone(),
        },
        record_key,
        key_in_value: options.key_in_value,
        kind: Some(kind),
    })
}

/// Columns as they are found in a sample. Where the keys of records equal one of them, that is the key,
/// and the topic can be a table.
fn inferred(
    uri: &Uri,
    kind: Option<SourceKind>,
    options: &SourceOptions,
    batches: &[RawBatch],
) -> Result<Shape, ConnectorError> {
    let formats = &options.read.formats;
    let mut found = Sample::new(&formats.value, None)?;
    for batch in batches {
        for at in 0..batch.len() {
            if let Some(value) = batch.value(at) {
                found.add(value);
            }
        }
    }
    let is_table = kind == Some(SourceKind::Table);
    let schema = found.columns(&uri.redacted(), if is_table { "TABLE" } else { "STREAM" })?;
    let key_format = Some(&formats.key).filter(|_| options.names_key_format);
    let key = match kind {
        Some(SourceKind::Stream) => None,
        _ => key_column(batches, &schema, &formats.value, key_format)?,
    };
    let Some(key) = key else {
        if is_table {
            let message =
                format!("{uri} cannot be a table: no column equals the keys of its records");
            let columns: Vec<String> = schema
                .fields()
                .iter()
                .map(|field| format!("{} {}", field.name, field.data_type))
                .collect();
            let help = format!(
                "declare what the keys hold: CREATE TABLE name (key TYPE PRIMARY KEY, {}) FROM {uri}",
                columns.join(", ")
            );
            return Err(ConnectorError::new(ConnectorErrorKind::Unreadable, message).help(help));
        }
        return Ok(Shape {
            schema,
            record_key: Vec::new(),
            key_format: Format::None,
            key_in_value: true,
            kind: Some(SourceKind::Stream),
        });
    };
    Ok(Shape {
        schema,
        record_key: vec![key.column],
        key_format: key.format,
        key_in_value: true,
        kind,
    })
}
