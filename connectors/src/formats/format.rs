//! The forms in which rows stand in the bytes of a record, and the options that choose them.

use ferrisstreams_topology::ErrorPolicy;
use ferrisstreams_topology::connector::ConnectorError;

use super::timestamp::TimestampColumn;
use crate::options::{OptionReader, invalid};

/// The form of the value, or of the key, of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values, one record a line.
    Csv(Csv),
    /// A JSON object.
    Json(Json),
    /// One column as Kafka's serializers for Java write it: integers and floating-point numbers
    /// big-endian, text as UTF-8, bytes as they are.
    Kafka,
    /// One column as text.
    Text,
    /// Nothing: there is no such part of the record.
    None,
}

/// How comma-separated values are written.
///
/// A field may be enclosed in quotes, in which a quote is doubled. As in PostgreSQL's COPY, what is
/// not quoted and equals `null` is NULL, and what is quoted never is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Csv {
    /// What stands between fields; not the quote, and no end of a line.
    pub delimiter: u8,
    /// Whether the first line of a file names the columns.
    pub header: bool,
    /// The text that stands for NULL; empty by default.
    pub null: String,
}

impl Default for Csv {
    fn default() -> Self {
        Csv {
            delimiter: b',',
            header: true,
            null: String::new(),
        }
    }
}

/// How JSON is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Json {
    /// Whether a single column stands in an object, or as its bare value.
    pub wrapped: bool,
}

impl Default for Json {
    fn default() -> Self {
        Json { wrapped: true }
    }
}

/// A format by its name alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormatName {
    /// `csv`, or `delimited`.
    Csv,
    /// `json`.
    Json,
    /// `kafka`.
    Kafka,
    /// `text`, or `string`.
    Text,
    /// `none`.
    None,
}

const NAMES: [(&str, FormatName); 7] = [
    ("csv", FormatName::Csv),
    ("json", FormatName::Json),
    ("text", FormatName::Text),
    ("kafka", FormatName::Kafka),
    ("none", FormatName::None),
    ("delimited", FormatName::Csv),
    ("string", FormatName::Text),
];

impl Format {
    /// The name.
    pub fn name(&self) -> &'static str {
        match self {
            Format::Csv(_) => "csv",
            Format::Json(_) => "json",
            Format::Kafka => "kafka",
            Format::Text => "text",
            Format::None => "none",
        }
    }
}

/// The formats of a connector where the options name none.
#[derive(Debug, Clone, Copy)]
pub struct FormatDefaults {
    /// That of values; none where it has to be named.
    pub value: Option<FormatName>,
    /// That of keys; none where records have no key at all, and options of it are unknown.
    pub key: Option<FormatName>,
}

/// The formats of a record's two parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Formats {
    /// That of the value.
    pub value: Format,
    /// That of the key; [`Format::None`] where there is none.
    pub key: Format,
}

impl Formats {
    /// Takes `format`, `key_format`, and what belongs to each format: `delimiter`, `header` and
    /// `null` to csv, `wrap_single_value` to json.
    ///
    /// `value_format` and `value_delimiter` are other words for `format` and `delimiter`, but that a
    /// `format` alone is that of keys as well, where there are keys.
    ///
    /// # Errors
    ///
    /// Where an option is wrong, or belongs to another format, or a format is needed and not named.
    pub fn take(
        options: &mut OptionReader,
        defaults: FormatDefaults,
    ) -> Result<Formats, ConnectorError> {
        let both = options.has("format");
        options.alias("value_format", "format")?;
        options.alias("value_delimiter", "delimiter")?;
        let value = options.take_word("format", &NAMES)?;
        let key = match defaults.key {
            None => FormatName::None,
            Some(default) => {
                let named = options.take_word("key_format", &NAMES)?;
                named.or(value.filter(|_| both)).unwrap_or(default)
            }
        };
        let Some(value) = value.or(defaults.value) else {
            return Err(invalid("format", "the format of the records is not known")
                .help("format = 'csv' or format = 'json' says it"));
        };
        let csv = take_csv(options, value, key)?;
        let json = take_json(options, value)?;
        let of = |name, json| match name {
            FormatName::Csv => Format::Csv(csv.clone()),
            FormatName::Json => Format::Json(json),
            FormatName::Kafka => Format::Kafka,
            FormatName::Text => Format::Text,
            FormatName::None => Format::None,
        };
        Ok(Formats {
            value: of(value, json),
            // A key of one column is never wrapped, as in Kafka's world.
            key: of(key, Json { wrapped: false }),
        })
    }
}

/// Takes the options of csv; they are mistakes where nothing is csv.
fn take_csv(
    options: &mut OptionReader,
    value: FormatName,
    key: FormatName,
) -> Result<Csv, ConnectorError> {
    let mut csv = Csv::default();
    if value != FormatName::Csv && key != FormatName::Csv {
        const NAMES: [&str; 3] = ["delimiter", "header", "null"];
        options.know(NAMES);
        for name in NAMES {
            if options.has(name) {
                let message = format!("option `{name}` is for csv, and the format is another");
                return Err(invalid(name, message));
            }
        }
        return Ok(csv);
    }
    if let Some(delimiter) = options.take_char("delimiter")? {
        if matches!(delimiter, b'"' | b'\n' | b'\r') {
            return Err(invalid(
                "delimiter",
                "a quote or an end of a line cannot be the delimiter",
            ));
        }
        csv.delimiter = delimiter;
    }
    if let Some(header) = options.take_bool("header")? {
        csv.header = header;
    }
    if let Some(null) = options.take_text("null") {
        if null
            .bytes()
            .any(|byte| byte == csv.delimiter || matches!(byte, b'"' | b'\n' | b'\r'))
        {
            let message = "the text for NULL can have no delimiter, quote or end of a line in it";
            return Err(invalid("null", message));
        }
        csv.null = null;
    }
    Ok(csv)
}

fn take_json(options: &mut OptionReader, value: FormatName) -> Result<Json, ConnectorError> {
    const WRAP: &str = "wrap_single_value";
    if value != FormatName::Json {
        if options.has(WRAP) {
            return Err(invalid(
                WRAP,
                format!("option `{WRAP}` is for json, and the format is another"),
            ));
        }
        return Ok(Json::default());
    }
    let wrapped = options.take_bool(WRAP)?.unwrap_or(true);
    Ok(Json { wrapped })
}

/// What the options of a source say of how its records are read.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadOptions {
    /// The formats.
    pub formats: Formats,
    /// The column that says when a record happened, if one does.
    pub timestamp: Option<TimestampColumn>,
    /// What happens to records that cannot be read.
    pub on_error: ErrorPolicy,
}

impl ReadOptions {
    /// Takes what [`Formats::take`], [`TimestampColumn::take`] and [`OptionReader::take_on_error`]
    /// take.
    ///
    /// # Errors
    ///
    /// Where an option is wrong.
    pub fn take(
        options: &mut OptionReader,
        defaults: FormatDefaults,
    ) -> Result<ReadOptions, ConnectorError> {
        Ok(ReadOptions {
            formats: Formats::take(options, defaults)?,
            timestamp: TimestampColumn::take(options)?,
            on_error: options.take_on_error()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use ferrisstreams_topology::connector::Options;

    use super::*;

    fn reader(text: &str) -> OptionReader {
        let pairs = text
            .split_whitespace()
            .map(|pair| pair.split_once('=').expect("a pair"));
        let options: Options = pairs
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        OptionReader::new(&options)
    }

    const KAFKA: FormatDefaults = FormatDefaults {
        value: None,
        key: Some(FormatName::Kafka),
    };

    #[test]
    fn formats_of_values_and_keys() {
        for (text, shown) in [
            ("format=json", "json json"),
            ("value_format=JSON", "json kafka"),
            (
                "value_format=DELIMITED key_format=string value_delimiter=TAB",
                "csv text",
            ),
            ("format=csv key_format=none null=-", "csv none"),
            ("value_format=kafka", "kafka kafka"),
        ] {
            let mut options = reader(text);
            let formats = Formats::take(&mut options, KAFKA).expect(text);
            assert_eq!(
                format!("{} {}", formats.value.name(), formats.key.name()),
                shown,
                "{text}"
            );
            assert_eq!(options.finish(), Ok(()), "{text}");
        }
    }

    #[test]
    fn options_of_another_format_are_mistakes() {
        for (text, message) in [
            ("", "the format of the records is not known"),
            (
                "format=xml",
                "format must be csv, json, text, kafka, none, delimited or string, not `xml`",
            ),
            (
                "value_format=json delimiter=;",
                "option `delimiter` is for csv, and the format is another",
            ),
            (
                "value_format=json header=true",
                "option `header` is for csv, and the format is another",
            ),
            (
                "format=csv delimiter=\"",
                "a quote or an end of a line cannot be the delimiter",
            ),
            (
                "format=csv null=a,b",
                "the text for NULL can have no delimiter, quote or end of a line in it",
            ),
            (
                "format=csv wrap_single_value=true",
                "option `wrap_single_value` is for json, and the format is another",
            ),
            (
                "format=csv value_format=csv",
                "option `value_format` is another word for `format`, and both are given",
            ),
        ] {
            let error = Formats::take(&mut reader(text), KAFKA).expect_err(text);
            assert_eq!(error.message, message, "{text}");
        }
    }

    #[test]
    fn a_source_without_keys_has_no_key_format() {
        let defaults = FormatDefaults {
            value: Some(FormatName::Csv),
            key: None,
        };
        let mut options = reader("key_format=json");
        let formats = Formats::take(&mut options, defaults).expect("formats");
        assert_eq!(formats.key, Format::None);
        let error = options.finish().expect_err("unknown");
        assert_eq!(error.option.as_deref(), Some("key_format"));
    }
}
