//! The options of files that are read and written.

use std::path::Path;
use std::time::Duration;

use ferrisstreams_topology::connector::{ConnectorError, SinkRequest, SourceKind};

use super::options::Rewrite;
use super::writer::Existing;
use crate::formats::{Csv, Format, FormatDefaults, FormatName, Formats, ReadOptions};
use crate::options::{OptionReader, invalid};

/// What `WITH (...)` says of a file that is read.
pub(super) struct FileReadOptions {
    pub(super) read: ReadOptions,
    pub(super) rewrite: Rewrite,
    pub(super) poll_interval: Option<Duration>,
    pub(super) debounce: Option<Duration>,
    pub(super) max_record: Option<usize>,
    pub(super) kind: Option<SourceKind>,
    /// Whether a file that is not there is waited for.
    pub(super) wait: bool,
}

impl FileReadOptions {
    pub(super) fn take(options: &mut OptionReader, path: &Path) -> Result<Self, ConnectorError> {
        let has_delimiter = options.has("delimiter") || options.has("value_delimiter");
        let mut read = ReadOptions::take(options, defaults(path))?;
        set_delimiter(&mut read.formats, path, has_delimiter);
        check(&read.formats)?;
        let rewrites = [("replace", Rewrite::Replace), ("append", Rewrite::Append)];
        let kinds = [("stream", SourceKind::Stream), ("table", SourceKind::Table)];
        let taken = FileReadOptions {
            read,
            rewrite: options
                .take_word("rewrite", &rewrites)?
                .unwrap_or(Rewrite::Replace),
            poll_interval: options.take_duration("poll_interval")?,
            debounce: options.take_duration("debounce")?,
            max_record: options.take_size("max_record")?.map(|size| size as usize),
            kind: options.take_word("kind", &kinds)?,
            wait: options.take_bool("wait")?.unwrap_or(false),
        };
        if taken
            .poll_interval
            .is_some_and(|interval| interval < Duration::from_millis(1))
        {
            return Err(invalid(
                "poll_interval",
                "poll_interval must be at least 1 ms",
            ));
        }
        let most = u32::MAX as usize / 2;
        if taken
            .max_record
            .is_some_and(|size| !(1..=most).contains(&size))
        {
            return Err(invalid(
                "max_record",
                "max_record must be from 1 byte to 2 GB",
            ));
        }
        options.finish()?;
        Ok(taken)
    }
}

/// What `WITH (...)` says of a file that is written.
pub(super) struct FileWriteOptions {
    pub(super) format: Format,
    pub(super) existing: Existing,
    /// Whether changes are written, and not only rows that are added.
    pub(super) log: bool,
}

impl FileWriteOptions {
    pub(super) fn take(
        options: &mut OptionReader,
        path: &Path,
        request: &SinkRequest,
    ) -> Result<Self, ConnectorError> {
        let has_delimiter = options.has("delimiter") || options.has("value_delimiter");
        let mut formats = Formats::take(options, defaults(path))?;
        set_delimiter(&mut formats, path, has_delimiter);
        check(&formats)?;
        let existing = [
            ("error", Existing::Refuse),
            ("append", Existing::Append),
            ("replace", Existing::Replace),
        ];
        let existing = options
            .take_word("existing", &existing)?
            .unwrap_or(Existing::Refuse);
        let log = options
            .take_word("changes", &[("log", true)])?
            .unwrap_or(false);
        options.finish()?;
        if log && !matches!(formats.value, Format::Json(_)) {
            return Err(invalid("changes", "changes are logged as JSON").help("format = 'json'"));
        }
        let fields = request.schema.fields();
        if log && fields.iter().any(|field| field.name == "op") {
            return Err(invalid(
                "changes",
                "a column is named op, as what a change does is",
            ));
        }
        Ok(FileWriteOptions {
            format: formats.value,
            existing,
            // Without a key nothing changes: rows are only added.
            log: log && request.key.is_some(),
        })
    }
}

fn extension(path: &Path) -> String {
    let extension = path.extension().and_then(|extension| extension.to_str());
    extension.unwrap_or_default().to_ascii_lowercase()
}

fn defaults(path: &Path) -> FormatDefaults {
    let value = match &extension(path)[..] {
        "csv" | "tsv" => Some(FormatName::Csv),
        "json" | "jsonl" | "ndjson" => Some(FormatName::Json),
        _ => None,
    };
    FormatDefaults { value, key: None }
}

fn set_delimiter(formats: &mut Formats, path: &Path, given: bool) {
    if let Format::Csv(csv) = &mut formats.value
        && !given
        && extension(path) == "tsv"
    {
        csv.delimiter = b'\t';
    }
}

/// Files have lines.
fn check(formats: &Formats) -> Result<(), ConnectorError> {
    match &formats.value {
        Format::Csv(_) | Format::Json(_) | Format::Text => Ok(()),
        other => {
            let message = format!("the lines of a file cannot be of format {}", other.name());
            Err(invalid("format", message).help("format = 'csv' or format = 'json'"))
        }
    }
}

/// How lines are split, of files in a format.
pub(super) fn csv_of(format: &Format) -> Option<&Csv> {
    match format {
        Format::Csv(csv) => Some(csv),
        _ => None,
    }
}
