//! Relations behind URIs: how SQL finds out what a URI stands for.
//!
//! The SQL front end knows no connector. Whoever embeds it brings an implementation of
//! [`Connectors`] that reads URIs and options, and gives sources and sinks that rows can be read from
//! and written to.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{RecordDecoder, Sink, Source};
use crate::codec::SharedCodec;
use crate::data::{Field, Row, Schema};
use crate::policy::ErrorPolicy;

/// What SQL asks of connectors.
pub trait Connectors: Send + Sync {
    /// What stands behind a URI that is read.
    ///
    /// # Errors
    ///
    /// Where the URI or an option is wrong, or columns were not declared and cannot be found out.
    fn source(&self, request: &SourceRequest) -> Result<ResolvedSource, ConnectorError>;

    /// What stands behind a URI that is written.
    ///
    /// # Errors
    ///
    /// Where the URI or an option is wrong, or such rows cannot be written there.
    fn sink(&self, request: &SinkRequest) -> Result<ResolvedSink, ConnectorError>;

    /// Learns a named connection, which URIs may then speak of.
    ///
    /// # Errors
    ///
    /// Where an option is wrong.
    fn connect(&self, name: &str, options: &Options) -> Result<(), ConnectorError>;
}

/// Options as the user gave them: by name, as text.
pub type Options = BTreeMap<String, String>;

/// A relation that is to be read.
#[derive(Clone, Debug)]
pub struct SourceRequest {
    /// Where from.
    pub uri: String,
    /// The options.
    pub options: Options,
    /// The columns that were declared; none where they are to be found out.
    pub columns: Vec<DeclaredColumn>,
    /// Whether it was declared as a stream or as a table, or neither.
    pub kind: Option<SourceKind>,
}

impl SourceRequest {
    /// The columns that were declared.
    pub fn declared_schema(&self) -> Schema {
        let columns = self.columns.iter();
        columns.map(|column| column.field.clone()).collect()
    }

    /// The places of those that were declared to be the key.
    pub fn declared_key(&self) -> Vec<usize> {
        let columns = self.columns.iter().enumerate();
        columns
            .filter(|(_, column)| column.key)
            .map(|(at, _)| at)
            .collect()
    }
}

/// A column that a CREATE statement declares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeclaredColumn {
    /// Its name and type.
    pub field: Field,
    /// Whether it is part of the key: `KEY` or `PRIMARY KEY`.
    pub key: bool,
}

/// Whether a source is a stream or a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SourceKind {
    /// Each record is a row of its own.
    Stream,
    /// The content of the source is the table.
    Table,
}

/// A source that rows can be read from.
#[derive(Clone)]
pub struct ResolvedSource {
    /// Its columns: those that were declared, or that were found out.
    pub schema: Schema,
    /// The columns that tell the rows of a table apart; none where nothing but the row does.
    pub key: Vec<usize>,
    /// Whether it is a stream or a table by its nature; none where it can be either.
    pub kind: Option<SourceKind>,
    /// Where records come from.
    pub source: Arc<dyn Source>,
    /// How they become rows.
    pub rows: Arc<dyn RowSource>,
    /// What happens to records that cannot be read.
    pub on_error: ErrorPolicy,
    /// True where streams that meet it as a table wait until it is loaded.
    pub load_first: bool,
}

/// Makes decoders of rows.
pub trait RowSource: Send + Sync {
    /// A decoder that gives the columns at `projection`, in that order, of the records for which
    /// `filter` holds.
    ///
    /// A record is bad where one of these columns, or of those that the filter looks at, cannot be
    /// read, whether it is wanted or not.
    ///
    /// A record that deletes its key gives none, where [`deletes`](RowSource::deletes) says so.
    fn decoder(
        &self,
        projection: &[usize],
        filter: Option<RowFilter>,
    ) -> Box<dyn RecordDecoder<(), Row>>;

    /// A decoder of the same records, each under a key: a row of the columns at `key`, in that order, of which some may be
    /// NULL.
    fn keyed_decoder(
        &self,
        key: &[usize],
        projection: &[usize],
        filter: Option<RowFilter>,
    ) -> Box<dyn RecordDecoder<Row, Row>>;

    /// A decoder for a table whose records may delete: the key's columns, and the columns at
    /// `projection`, or none where the record deletes the key.
    fn table_decoder(&self, projection: &[usize]) -> Box<dyn RecordDecoder<Row, Option<Row>>>;

    /// True where a record without a value deletes its key.
    fn deletes(&self) -> bool;
}

/// What must hold for a record to be wanted.
#[derive(Clone)]
pub struct RowFilter {
    columns: Arc<[usize]>,
    holds: Arc<dyn Fn(&[u8]) -> bool + Send + Sync>,
}

impl RowFilter {
    /// A condition that looks at the columns at `columns`: it is given the row of just these, in that
    /// order.
    pub fn new(
        columns: impl Into<Arc<[usize]>>,
        holds: impl Fn(&[u8]) -> bool + Send + Sync + 'static,
    ) -> Self {
        RowFilter {
            columns: columns.into(),
            holds: Arc::new(holds),
        }
    }

    /// The columns that it looks at, which need not be among those that are wanted.
    pub fn columns(&self) -> &[usize] {
        &self.columns
    }

    /// Whether it holds for the row of its columns.
    #[inline]
    pub fn holds(&self, row: &[u8]) -> bool {
        (self.holds)(row)
    }
}

/// A relation that is to be written.
#[derive(Clone, Debug)]
pub struct SinkRequest {
    /// Where to.
    pub uri: String,
    /// The options.
    pub options: Options,
    /// The columns of the rows.
    pub schema: Schema,
    /// The columns that tell rows apart, where what is written changes and deletes rows; none where
    /// rows are only added.
    pub key: Option<Vec<usize>>,
}

/// A sink that rows can be written to.
#[derive(Clone)]
pub struct ResolvedSink {
    /// Where rows go.
    pub sink: Arc<dyn Sink>,
    /// How the key of a row is written; keys are rows of the key's columns.
    pub key: SharedCodec<Row>,
    /// How a row is written.
    pub value: SharedCodec<Row>,
    /// The columns of a row that its key is made of; none where records have no key.
    pub key_columns: Vec<usize>,
}

/// What is wrong with a URI, an option or a declaration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectorError {
    /// What is wrong, in lower case.
    pub message: String,
    /// The option that is meant, if one is.
    pub option: Option<String>,
    /// What to do about it, if that is known.
    pub help: Option<String>,
    /// Whether the mistake is the user's, or the world's: a file that is not there, a broker that
    /// does not answer.
    pub kind: ConnectorErrorKind,
}

/// Whose mistake it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConnectorErrorKind {
    /// The URI cannot be read, or nobody knows its scheme.
    Uri,
    /// There is no such option.
    UnknownOption,
    /// An option has a value that it does not take.
    InvalidOption,
    /// What the URI stands for is not there.
    NotFound,
    /// It does not answer, and may do so later.
    Unreachable,
    /// It is there and cannot be read, or tells too little.
    Unreadable,
    /// It cannot do what is asked of it.
    NotSupported,
}

impl ConnectorError {
    /// An error of a kind.
    pub fn new(kind: ConnectorErrorKind, message: impl Into<String>) -> Self {
        ConnectorError {
            message: message.into(),
            option: None,
            help: None,
            kind,
        }
    }

    /// The same error with a word on what to do.
    pub fn help(self, help: impl Into<String>) -> Self {
        ConnectorError {
            help: Some(help.into()),
            ..self
        }
    }

    /// The same error, of an option.
    pub fn option(self, option: impl Into<String>) -> Self {
        ConnectorError {
            option: Some(option.into()),
            ..self
        }
    }
}

impl std::fmt::Display for ConnectorError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ConnectorError {}
