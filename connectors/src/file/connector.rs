//! What `file://` URIs stand for.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ferrisstreams_topology::connector::{
    ConnectorError, ConnectorErrorKind, ResolvedSink, ResolvedSource, SinkRequest, SourceKind,
    SourceRequest,
};
use ferrisstreams_topology::data::Schema;

use super::framing::Framing;
use super::header::BelowHeader;
use super::options::{FileOptions, HeaderLine};
use super::pattern::Target;
use super::sample;
use super::sink::FileSink;
use super::source::FileSource;
use super::watch::Watch;
use super::with::{FileReadOptions, FileWriteOptions, csv_of};
use super::writer::LineForm;
use crate::connector::{Connector, Context};
use crate::formats::{
    Format, Json, RowSpecification, Sample, csv_fields, csv_header, encoder, rows,
};
use crate::options::OptionReader;
use crate::uri::Uri;

/// Files: `file:///data/orders.csv`, `file://data/orders.csv` from the folder that relative paths start
/// at, `file:///data/*.csv` for all files that match.
///
/// The format is that of the extension (`csv`, `tsv`, `json`, `jsonl`, `ndjson`) unless an option says
/// it. All files are watched by one thread.
#[derive(Clone, Default)]
pub struct FileConnector {
    watch: Watch,
}

impl Connector for FileConnector {
    fn schemes(&self) -> &[&str] {
        &["file"]
    }

    fn source(
        &self,
        uri: &Uri,
        options: &mut OptionReader,
        request: &SourceRequest,
        context: &Context<'_>,
    ) -> Result<ResolvedSource, ConnectorError> {
        let path = absolute(uri, context)?;
        let with = FileReadOptions::take(options, &path)?;
        let kind = request.kind.or(with.kind);
        let waits = with.wait || context.on_cluster;
        let columns = FileColumns::find(uri, &path, &with, request, waits)?;
        let formats = with.read.formats.clone();
        let rows = rows(RowSpecification {
            key: columns.key.clone(),
            key_in_value: true,
            timestamp: with.read.timestamp.clone(),
            fields: columns.fields,
            inferred_from: request.columns.is_empty().then(|| uri.redacted()),
            formats: formats.clone(),
            ..RowSpecification::values(columns.schema.clone(), Format::None)
        })?;
        let defaults = FileOptions::default();
        let file_options = FileOptions {
            framing: framing(&formats.value),
            header: columns.header,
            rewrite: with.rewrite,
            poll_interval: with.poll_interval.unwrap_or(defaults.poll_interval),
            debounce: with.debounce.unwrap_or(defaults.debounce),
            max_record: with.max_record.unwrap_or(defaults.max_record),
            first_time: (kind == Some(SourceKind::Table)).then_some(0),
        };
        let source = FileSource::new(Target::of(&path), file_options, &self.watch);
        Ok(ResolvedSource {
            schema: columns.schema,
            key: columns.key,
            kind,
            source: Arc::new(source),
            rows: Arc::new(BelowHeader(rows)),
            on_error: with.read.on_error,
            load_first: true,
        })
    }

    fn sink(
        &self,
        uri: &Uri,
        options: &mut OptionReader,
        request: &SinkRequest,
        context: &Context<'_>,
    ) -> Result<ResolvedSink, ConnectorError> {
        let path = absolute(uri, context)?;
        let with = FileWriteOptions::take(options, &path, request)?;
        if request.key.is_some() && !with.log {
            let message = format!("{uri} takes rows that are only added, and these change");
            let error = ConnectorError::new(ConnectorErrorKind::NotSupported, message);
            return Err(
                error.help("changes = 'log' writes each change as a JSON object of its own")
            );
        }
        if let Target::Files(_) = Target::of(&path) {
            let message = format!("{uri} is no file to write to: it has wildcards");
            return Err(ConnectorError::new(ConnectorErrorKind::Uri, message));
        }
        check_directory(uri, &path)?;
        let all: Vec<usize> = (0..request.schema.len()).collect();
        let csv = csv_of(&with.format).filter(|csv| csv.header);
        let form = LineForm {
            header: csv.map(|csv| csv_header(csv, &request.schema, &all)),
            existing: with.existing,
            log: with.log,
        };
        let key_columns = request.key.clone().filter(|_| with.log).unwrap_or_default();
        let key_schema = request.schema.project(&key_columns);
        let places: Vec<usize> = (0..key_columns.len()).collect();
        let (key_format, value_format) = if with.log {
            // An operation is written into an object.
            let object = Format::Json(Json { wrapped: true });
            (object.clone(), object)
        } else {
            (Format::None, with.format.clone())
        };
        Ok(ResolvedSink {
            key: encoder(&key_format, &key_schema, &places)?,
            value: encoder(&value_format, &request.schema, &all)?,
            sink: Arc::new(FileSink::new(path, form).named(uri.redacted())),
            key_columns,
        })
    }
}

/// The path that a URI means.
fn absolute(uri: &Uri, context: &Context<'_>) -> Result<PathBuf, ConnectorError> {
    let path = context.base.join(uri.location());
    std::path::absolute(&path).map_err(|e| {
        let message = format!("{uri} is no path: {e}");
        ConnectorError::new(ConnectorErrorKind::Uri, message)
    })
}

fn framing(format: &Format) -> Framing {
    match csv_of(format) {
        Some(csv) => Framing::Quoted {
            delimiter: csv.delimiter,
            quote: b'"',
        },
        None => Framing::Lines,
    }
}

fn check_directory(uri: &Uri, path: &Path) -> Result<(), ConnectorError> {
    let directory = path.parent().unwrap_or(Path::new("/"));
    if path.is_dir() {
        let message = format!("{uri} cannot be written: it is a directory");
        return Err(ConnectorError::new(ConnectorErrorKind::Unreadable, message));
    }
    if !directory.is_dir() {
        let message = format!(
            "{uri} cannot be written: there is no directory {}",
            directory.display()
        );
        return Err(ConnectorError::new(ConnectorErrorKind::NotFound, message));
    }
    Ok(())
}

/// What is known of the columns of files.
struct FileColumns {
    schema: Schema,
    key: Vec<usize>,
    /// The names that the header gives, in order.
    fields: Option<Vec<String>>,
    header: HeaderLine,
}

impl FileColumns {
    fn find(
        uri: &Uri,
        path: &Path,
        with: &FileReadOptions,
        request: &SourceRequest,
        waits: bool,
    ) -> Result<Self, ConnectorError> {
        let is_declared = !request.columns.is_empty();
        let files = existing(uri, path, is_declared && waits)?;
        let format = &with.read.formats.value;
        let framing = framing(format);
        let unreadable = |e: std::io::Error| {
            let message = format!("{uri} cannot be read: {e}");
            ConnectorError::new(ConnectorErrorKind::Unreadable, message)
        };
        let (declared, key) = (request.declared_schema(), request.declared_key());
        let (mut fields, mut header) = (None, HeaderLine::None);
        let csv = csv_of(format).filter(|csv| csv.header);
        if let Some(csv) = csv {
            let found = sample::first_header(&files, framing)
                .map_err(unreadable)?
                .header;
            header = match found {
                Some((_, line)) => {
                    fields = Some(csv_fields(csv, &line)?);
                    HeaderLine::Expect(line)
                }
                None => {
                    let all: Vec<usize> = (0..declared.len()).collect();
                    HeaderLine::Expect(csv_header(csv, &declared, &all))
                }
            };
        }
        if is_declared {
            return Ok(FileColumns {
                schema: declared,
                key,
                fields,
                header,
            });
        }
        let mut sample = Sample::new(format, fields.clone())?;
        for file in &files {
            if !sample::records(file, framing, csv.is_some(), &mut |record| {
                sample.add(record)
            })
            .map_err(unreadable)?
            {
                break;
            }
        }
        let word = if request.kind == Some(SourceKind::Table) {
            "TABLE"
        } else {
            "STREAM"
        };
        Ok(FileColumns {
            schema: sample.columns(&uri.redacted(), word)?,
            key,
            fields,
            header,
        })
    }
}

/// The files that are there.
fn existing(uri: &Uri, path: &Path, wait: bool) -> Result<Vec<PathBuf>, ConnectorError> {
    if path.is_dir() {
        let message = format!("{uri} is a directory");
        let error = ConnectorError::new(ConnectorErrorKind::Unreadable, message);
        return Err(error.help(format!("{uri}/*.csv reads the files in it")));
    }
    let target = Target::of(path);
    let listing = target.list().unwrap_or_default();
    let files: Vec<PathBuf> = listing
        .files
        .into_iter()
        .filter(|file| file.exists())
        .collect();
    if !files.is_empty() || wait {
        return Ok(files);
    }
    let message = match target {
        Target::File(path) => format!("there is no file {}", path.display()),
        Target::Files(_) => format!("no file matches {}", path.display()),
    };
    let error = ConnectorError::new(ConnectorErrorKind::NotFound, message);
    Err(error.help("wait = true waits for it, where the columns are declared"))
}
