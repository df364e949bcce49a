//! What a topic is as a sink of rows.

use std::sync::Arc;

use ferrisstreams_topology::connector::{ConnectorError, ResolvedSink, SinkRequest};
use ferrisstreams_topology::data::Schema;

use super::place::Place;
use super::sink::KafkaSink;
use super::source_options::take_shape;
use super::writing::{Guarantee, Shape, Writing};
use crate::connector::Context;
use crate::formats::{Format, FormatDefaults, FormatName, Formats, encoder};
use crate::options::{OptionReader, invalid};
use crate::uri::Uri;

/// What stands before the names of sinks where nothing else is said.
const PREFIX: &str = "ferris-sink-";

/// Finds out what stands behind a URI. Brokers are not asked before it is opened.
pub(super) fn resolve(
    uri: &Uri,
    options: &mut OptionReader,
    request: &SinkRequest,
    context: &Context<'_>,
) -> Result<ResolvedSink, ConnectorError> {
    let place = Place::take(uri, options, context)?;
    let key_columns = match &request.key {
        Some(key) => key.clone(),
        None => take_key(options, &request.schema)?,
    };
    let formats = Formats::take(options, defaults(key_columns.len()))?;
    let words = [
        ("exactly_once", Guarantee::ExactlyOnce),
        ("at_least_once", Guarantee::AtLeastOnce),
    ];
    let guarantee = options.take_word("guarantee", &words)?;
    let prefix = options.take_text("transactional_id_prefix");
    let key_in_value = options.take_bool("key_in_value")?.unwrap_or(false);
    // A table's topic needs only the last record of each key.
    let create = take_shape(options)?.map(|shape| Shape {
        compact: request.key.as_ref().is_some_and(|key| !key.is_empty()),
        ..shape
    });
    options.finish()?;
    let schema = &request.schema;
    let in_value = |column: &usize| key_in_value || !key_columns.contains(column);
    let value_columns: Vec<usize> = (0..schema.len()).filter(in_value).collect();
    let key_schema = schema.project(&key_columns);
    let all_of_key: Vec<usize> = (0..key_columns.len()).collect();
    let key_format = if key_columns.is_empty() {
        &Format::None
    } else {
        &formats.key
    };
    let own_property = place.own_property;
    let writing = Writing {
        cluster: place.cluster,
        topic: place.topic,
        guarantee: guarantee.unwrap_or(Guarantee::ExactlyOnce),
        prefix: prefix.unwrap_or_else(|| PREFIX.to_owned()),
        create,
        restart_timeout: context.restarting.then_some(place.restart_timeout),
    };
    Ok(ResolvedSink {
        key: encoder(key_format, &key_schema, &all_of_key)?,
        value: encoder(&formats.value, schema, &value_columns)?,
        sink: Arc::new(KafkaSink::new(writing, uri.redacted()).own_property(own_property)),
        key_columns,
    })
}

/// The formats where the options name none, by how many columns the key has.
fn defaults(keys: usize) -> FormatDefaults {
    FormatDefaults {
        value: Some(FormatName::Json),
        key: Some(match keys {
            0 => FormatName::None,
            1 => FormatName::Kafka,
            _ => FormatName::Json,
        }),
    }
}

/// Takes `key`: the columns of the keys of records that are only added.
fn take_key(options: &mut OptionReader, schema: &Schema) -> Result<Vec<usize>, ConnectorError> {
    const KEY: &str = "key";
    let Some(text) = options.take_text(KEY) else {
        return Ok(Vec::new());
    };
    let find = |name: &str| {
        let names = || schema.fields().iter().map(|field| &field.name);
        let found = schema
            .index_of(name)
            .or_else(|| names().position(|column| column.eq_ignore_ascii_case(name)));
        found.ok_or_else(|| {
            let all: Vec<&str> = names().map(String::as_str).collect();
            invalid(KEY, format!("there is no column `{name}` to make keys of"))
                .help(format!("there are: {}", all.join(", ")))
        })
    };
    text.split(',').map(|name| find(name.trim())).collect()
}
