//! What `file://` stands for.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ferrisstreams_topology::connector::{
    ConnectorError, ConnectorErrorKind, ResolvedSink, ResolvedSource, SinkRequest, SourceKind,
    SourceRequest,
};
use ferrisstreams_topology::data::Schema;

use super::framing::Framing;
use super::options::{FileOptions, HeaderLine, Rewrite};
use super::pattern::Target;
use super::source::FileSource;
use super::watch::Watch;
use crate::connector::{Connector, Context};
use crate::formats::{
    Csv, Format, FormatDefaults, FormatName, ReadOptions, RowSpecification, Sample, csv_fields, rows,
};
use crate::options::OptionReader;
use crate::uri::Uri;

/// The connector of the scheme `file`.
#[derive(Clone, Default)]
pub struct FileConnector {
    watch: Watch,
}

/// As much of a file is looked at to find out its columns.
const SAMPLE_BYTES: u64 = 1 << 20;

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
        let path = path_of(uri, context)?;
        let defaults = FormatDefaults {
            value: format_of(&path),
            key: None,
        };
        let read = ReadOptions::take(options, defaults)?;
        let mut file = take_options(options)?;
        options.finish()?;
        let shown = uri.redacted();
        let target = Target::of(&path);
        let sample = Sampled::read(&target, &shown)?;
        let (header, names) = match &read.formats.value {
            Format::Csv(csv) => {
                file.framing = Framing::Quoted {
                    delimiter: csv.delimiter,
                    quote: b'"',
                };
                header_of(csv, &sample)?
            }
            _ => (HeaderLine::None, None),
        };
        file.header = header;
        if request.kind == Some(SourceKind::Table) {
            file.first_time = Some(0);
        }
        let declared: Schema = request.columns.iter().map(|column| column.field.clone()).collect();
        let inferred = request.columns.is_empty();
        let schema = if inferred {
            let records = sample.records(&file);
            columns(&read.formats.value, names.clone(), &records, &shown, request.kind)?
        } else {
            declared
        };
        let key = (0..request.columns.len()).filter(|at| request.columns[*at].key).collect::<Vec<_>>();
        let mut specification = RowSpecification::values(schema.clone(), read.formats.value.clone());
        specification.key = key.clone();
        specification.record_key = Vec::new();
        specification.fields = names;
        specification.timestamp = read.timestamp;
        specification.inferred_from = inferred.then_some(shown);
        Ok(ResolvedSource {
            rows: rows(specification)?,
            schema,
            key,
            kind: request.kind,
            source: Arc::new(FileSource::new(target, file, &self.watch)),
            on_error: read.on_error,
            load_first: true,
        })
    }

    fn sink(
        &self,
        uri: &Uri,
        _: &mut OptionReader,
        _: &SinkRequest,
        _: &Context<'_>,
    ) -> Result<ResolvedSink, ConnectorError> {
        Err(ConnectorError::new(
            ConnectorErrorKind::NotSupported,
            format!("{} cannot be written", uri.redacted()),
        ))
    }
}

/// The path that a URI means; a relative one starts at the base.
fn path_of(uri: &Uri, context: &Context<'_>) -> Result<PathBuf, ConnectorError> {
    let text = uri.location();
    if text.is_empty() {
        return Err(ConnectorError::new(ConnectorErrorKind::Uri, "the URI names no file")
            .help("file:///path/to/file.csv"));
    }
    let path = context.base.join(text);
    std::path::absolute(&path).map_err(|e| {
        ConnectorError::new(ConnectorErrorKind::Uri, format!("{}: {e}", path.display()))
    })
}

fn format_of(path: &Path) -> Option<FormatName> {
    match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
        "csv" => Some(FormatName::Csv),
        "json" | "jsonl" | "ndjson" => Some(FormatName::Json),
        _ => None,
    }
}

fn take_options(options: &mut OptionReader) -> Result<FileOptions, ConnectorError> {
    let mut file = FileOptions::default();
    let words = [("replace", Rewrite::Replace), ("append", Rewrite::Append)];
    if let Some(rewrite) = options.take_word("rewrite", &words)? {
        file.rewrite = rewrite;
    }
    if let Some(interval) = options.take_duration("poll_interval")? {
        file.poll_interval = interval;
    }
    if let Some(debounce) = options.take_duration("debounce")? {
        file.debounce = debounce;
    }
    if let Some(bytes) = options.take_size("max_record")? {
        file.max_record = usize::try_from(bytes).unwrap_or(usize::MAX);
    }
    Ok(file)
}

/// The beginning of the first file.
struct Sampled {
    bytes: Vec<u8>,
    /// True where that is all of it.
    whole: bool,
}

impl Sampled {
    fn read(target: &Target, shown: &str) -> Result<Self, ConnectorError> {
        let unreadable = |e: std::io::Error| {
            let kind = match e.kind() {
                std::io::ErrorKind::NotFound => ConnectorErrorKind::NotFound,
                _ => ConnectorErrorKind::Unreadable,
            };
            ConnectorError::new(kind, format!("cannot read {shown}: {e}"))
        };
        let files = target.list().map_err(unreadable)?.files;
        let Some(first) = files.first() else {
            return Err(ConnectorError::new(
                ConnectorErrorKind::NotFound,
                format!("no file matches {shown}"),
            ));
        };
        let mut bytes = Vec::new();
        let file = std::fs::File::open(first).map_err(unreadable)?;
        file.take(SAMPLE_BYTES).read_to_end(&mut bytes).map_err(unreadable)?;
        let whole = (bytes.len() as u64) < SAMPLE_BYTES;
        Ok(Sampled { bytes, whole })
    }

    fn first_line(&self) -> &[u8] {
        let text = self.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&self.bytes);
        let end = memchr::memchr(b'\n', text).unwrap_or(text.len());
        let line = &text[..end];
        line.strip_suffix(b"\r").unwrap_or(line)
    }

    /// The records behind the header.
    fn records(&self, file: &FileOptions) -> Vec<&[u8]> {
        let text = self.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&self.bytes);
        let mut spans = Vec::new();
        file.framing.split(text, 0, usize::MAX, self.whole, &mut spans);
        let skip = usize::from(file.header != HeaderLine::None);
        spans.iter().skip(skip).filter_map(|span| span.of(text)).collect()
    }
}

/// What the first line says.
fn header_of(csv: &Csv, sample: &Sampled) -> Result<(HeaderLine, Option<Vec<String>>), ConnectorError> {
    if !csv.header {
        return Ok((HeaderLine::None, None));
    }
    let line = sample.first_line();
    if line.is_empty() {
        return Ok((HeaderLine::Skip, None));
    }
    let names = csv_fields(csv, line)?;
    Ok((HeaderLine::Expect(line.to_vec()), Some(names)))
}

fn columns(
    format: &Format,
    names: Option<Vec<String>>,
    records: &[&[u8]],
    shown: &str,
    kind: Option<SourceKind>,
) -> Result<Schema, ConnectorError> {
    let mut sample = Sample::new(format, names)?;
    for record in records {
        if !sample.add(record) {
            break;
        }
    }
    let word = if kind == Some(SourceKind::Table) { "TABLE" } else { "STREAM" };
    sample.columns(shown, word)
}
