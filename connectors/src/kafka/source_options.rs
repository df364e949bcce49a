//! The options of a topic that is read.

use std::time::Duration;

use ferrisstreams_topology::connector::ConnectorError;
use ferrisstreams_topology::data::{DataType, Value};

use super::reading::{Beginning, OnLost, Untimed};
use super::writing::Shape;
use crate::formats::{FormatDefaults, FormatName, ReadOptions};
use crate::options::{OptionReader, invalid};

/// How often a topic is asked for new partitions.
const REFRESH: Duration = Duration::from_secs(10);

/// What options say of how a topic is read.
pub(super) struct SourceOptions {
    pub(super) read: ReadOptions,
    /// True where the format of keys was named.
    pub(super) names_key_format: bool,
    pub(super) from: Beginning,
    pub(super) on_lost: OnLost,
    pub(super) untimed: Untimed,
    pub(super) refresh: Duration,
    pub(super) load_first: bool,
    /// True where values hold the columns of the key as well.
    pub(super) key_in_value: bool,
    /// How the topic is made if it is not there; none where that is an error.
    pub(super) create: Option<Shape>,
}

impl SourceOptions {
    /// Takes them. `keys` is the number of columns that are declared to be the key.
    ///
    /// # Errors
    ///
    /// Where one has a value that it does not take.
    pub(super) fn take(options: &mut OptionReader, keys: usize) -> Result<Self, ConnectorError> {
        let names_key_format = options.has("key_format") || options.has("format");
        let defaults = FormatDefaults {
            value: Some(FormatName::Json),
            // Kafka's own serializers hold one column.
            key: Some(if keys > 1 {
                FormatName::Json
            } else {
                FormatName::Kafka
            }),
        };
        let read = ReadOptions::take(options, defaults)?;
        let words = [("fail", OnLost::Fail), ("skip", OnLost::Skip)];
        let on_lost = options
            .take_word("on_lost", &words)?
            .unwrap_or(OnLost::Fail);
        let words = [
            ("skip", Untimed::Skip),
            ("fail", Untimed::Fail),
            ("keep", Untimed::Keep),
        ];
        let untimed = options.take_word("on_untimed", &words)?;
        // Rows that have a time of their own need none of the record.
        let otherwise = if read.timestamp.is_some() {
            Untimed::Keep
        } else {
            Untimed::Skip
        };
        Ok(SourceOptions {
            names_key_format,
            from: take_from(options)?,
            on_lost,
            untimed: untimed.unwrap_or(otherwise),
            refresh: options
                .take_duration("refresh_interval")?
                .unwrap_or(REFRESH),
            load_first: options.take_bool("load_first")?.unwrap_or(false),
            key_in_value: options.take_bool("key_in_value")?.unwrap_or(false),
            create: take_shape(options)?,
            read,
        })
    }
}

fn take_from(options: &mut OptionReader) -> Result<Beginning, ConnectorError> {
    const FROM: &str = "from";
    let Some(text) = options.take_text(FROM) else {
        return Ok(Beginning::Earliest);
    };
    let word = text.trim().to_ascii_lowercase();
    match &word[..] {
        "earliest" | "beginning" => return Ok(Beginning::Earliest),
        "latest" | "end" => return Ok(Beginning::Latest),
        _ => {}
    }
    if let Ok(millis) = word.parse() {
        return Ok(Beginning::Time(millis));
    }
    match Value::parse(text.trim(), DataType::TimestampTz) {
        Ok(Value::TimestampTz(micros)) => Ok(Beginning::Time(micros.div_euclid(1_000))),
        _ => {
            let message = format!(
                "from must be earliest, latest, a timestamp or milliseconds since 1970, not `{text}`"
            );
            Err(invalid(FROM, message))
        }
    }
}

/// Takes how a topic is made that is not there.
pub(super) fn take_shape(options: &mut OptionReader) -> Result<Option<Shape>, ConnectorError> {
    let partitions = options.take_integer("partitions", 1..=100_000)?;
    let replicas = options.take_integer("replicas", 1..=1_000)?;
    if partitions.is_none() && replicas.is_none() {
        return Ok(None);
    }
    Ok(Some(Shape {
        partitions: partitions.map(|partitions| partitions as i32),
        replicas: replicas.map(|replicas| replicas as i32),
        compact: false,
    }))
}
