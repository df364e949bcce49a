//! What `console://` stands for.

use std::io::Write;
use std::sync::{Arc, Mutex};

use ferrisstreams_topology::connector::{
    ConnectorError, ConnectorErrorKind, ResolvedSink, ResolvedSource, SinkRequest, SourceRequest,
};

use super::form::LineForm;
use super::sink::{ConsoleSink, Out};
use crate::connector::{Connector, Context};
use crate::options::OptionReader;
use crate::uri::Uri;

/// Shows rows: `format` is `table` (values with bars between them, by default), `csv` or `json`.
///
/// Of a table each change is shown as the row that it makes; a row that goes away as `deleted: ` and its
/// key, or `{"deleted":...}` in JSON. A name behind `console://` is there for the reader alone.
pub struct ConsoleConnector {
    out: Out,
}

impl Default for ConsoleConnector {
    /// Shows rows on standard output.
    fn default() -> Self {
        ConsoleConnector::to(std::io::stdout())
    }
}

impl ConsoleConnector {
    /// Shows rows to a writer.
    pub fn to(out: impl Write + Send + 'static) -> Self {
        ConsoleConnector {
            out: Arc::new(Mutex::new(out)),
        }
    }
}

const FORMS: [(&str, LineForm); 3] = [
    ("table", LineForm::Table),
    ("csv", LineForm::Csv),
    ("json", LineForm::Json),
];

impl Connector for ConsoleConnector {
    fn schemes(&self) -> &[&str] {
        &["console"]
    }

    fn needs_name(&self) -> bool {
        false
    }

    fn source(
        &self,
        uri: &Uri,
        _options: &mut OptionReader,
        _request: &SourceRequest,
        _context: &Context<'_>,
    ) -> Result<ResolvedSource, ConnectorError> {
        let message = format!("{uri} can be written and not read");
        Err(ConnectorError::new(
            ConnectorErrorKind::NotSupported,
            message,
        ))
    }

    fn sink(
        &self,
        uri: &Uri,
        options: &mut OptionReader,
        request: &SinkRequest,
        _context: &Context<'_>,
    ) -> Result<ResolvedSink, ConnectorError> {
        let form = options
            .take_word("format", &FORMS)?
            .unwrap_or(LineForm::Table);
        options.finish()?;
        let key_columns = request.key.clone().unwrap_or_default();
        if form == LineForm::Csv && request.key.is_some() {
            let message = "the rows change, and CSV cannot say that one went away";
            return Err(
                ConnectorError::new(ConnectorErrorKind::NotSupported, message)
                    .option("format")
                    .help("the formats table and json can"),
            );
        }
        Ok(ResolvedSink {
            key: form.codec(&request.schema.project(&key_columns))?,
            value: form.codec(&request.schema)?,
            key_columns,
            sink: Arc::new(ConsoleSink {
                out: self.out.clone(),
                form,
                header: form.header(&request.schema),
                location: uri.redacted(),
            }),
        })
    }
}
