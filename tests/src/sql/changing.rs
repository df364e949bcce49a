//! Tables whose rows a test changes between runs of the engine: `rows://name`.
//!
//! A table with a primary key is a log of rows and of deletions of keys, as a compacted topic is. One without is
//! content that can be read again, as a file is: rows are added at its end, and where one is removed the whole content
//! is replaced.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use ferrisstreams::connect::{Connector, Context, OptionReader, Uri};
use ferrisstreams::connector::{
    ConnectorError, ConnectorErrorKind, Poll, RawBatch, RawRecord, RecordDecoder, ResolvedSink,
    ResolvedSource, RowFilter, RowSource, SinkRequest, Source, SourceDescription, SourceReader,
    SourceRequest, SourceStart, Times,
};
use ferrisstreams::data::{Field, Row, RowBuffer, RowLayout, Schema, Value};
use ferrisstreams::record::Record;
use ferrisstreams::{Error, ErrorKind, ErrorPolicy};

use super::Cells;

/// The tables of a test, by name. Clones are the same tables.
///
/// ```no_run
/// use std::sync::Arc;
/// use ferrisstreams::connect::Connections;
/// use ferrisstreams::sql::{Session, Source};
/// use ferrisstreams_tests::sql::{ChangingTables, parse_cells};
///
/// let tables = ChangingTables::default();
/// let mut session = Session::new(Arc::new(Connections::new().with(tables.clone())));
/// session.execute(&Source::new("test", "CREATE TABLE t (a INT PRIMARY KEY, b TEXT) FROM rows://t"));
/// tables.insert("t", &[parse_cells("1 | one")]).unwrap();
/// ```
#[derive(Clone, Default)]
pub struct ChangingTables {
    tables: Arc<Mutex<BTreeMap<String, Arc<Content>>>>,
}

/// A table.
struct Content {
    name: String,
    schema: Schema,
    key: Vec<usize>,
    log: Mutex<Log>,
}

#[derive(Default)]
struct Log {
    /// Grows where the content is replaced.
    generation: u64,
    entries: Vec<Entry>,
}

struct Entry {
    row: Row,
    /// True where the row of this key goes.
    deleted: bool,
}

impl ChangingTables {
    /// The names of the tables that were created.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.lock().keys().cloned().collect()
    }

    /// Adds rows; one with a key that is there takes the place of the other.
    ///
    /// # Errors
    ///
    /// Where there is no such table, or a row does not fit.
    pub fn insert(&self, table: &str, rows: &[Cells]) -> Result<(), String> {
        let content = self.table(table)?;
        let rows = rows.iter().map(|cells| content.row(cells));
        let rows = rows.collect::<Result<Vec<Row>, String>>()?;
        let entries = rows.into_iter().map(|row| Entry {
            row,
            deleted: false,
        });
        content.lock().entries.extend(entries);
        Ok(())
    }

    /// Removes rows, each of them once.
    ///
    /// # Errors
    ///
    /// Where there is no such table, or a row is not in it.
    pub fn delete(&self, table: &str, rows: &[Cells]) -> Result<(), String> {
        let content = self.table(table)?;
        for cells in rows {
            let row = content.row(cells)?;
            if !content.present().contains(&row) {
                return Err(format!("there is no row {cells:?} in {table}"));
            }
            let mut log = content.lock();
            if content.key.is_empty() {
                let place = log.entries.iter().position(|entry| entry.row == row);
                log.entries
                    .remove(place.expect("it is among those present"));
                log.generation += 1;
            } else {
                log.entries.push(Entry { row, deleted: true });
            }
        }
        Ok(())
    }

    /// The rows that a table has now, in the order in which they came.
    #[must_use]
    pub fn rows(&self, table: &str) -> Vec<Cells> {
        let Ok(content) = self.table(table) else {
            return Vec::new();
        };
        let layout = RowLayout::new(&content.schema);
        let cells = |row: &Row| {
            let values = Value::read_all(row.bytes(), &layout, &content.schema);
            let text = |value: &Value| (!value.is_null()).then(|| value.to_string());
            values.iter().map(text).collect()
        };
        content.present().iter().map(cells).collect()
    }

    fn table(&self, name: &str) -> Result<Arc<Content>, String> {
        let found = self.lock().get(name).cloned();
        found.ok_or_else(|| format!("there is no table rows://{name}"))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Content>>> {
        self.tables.lock().expect("no panic while locked")
    }
}

impl Connector for ChangingTables {
    fn schemes(&self) -> &[&str] {
        &["rows"]
    }

    fn source(
        &self,
        uri: &Uri,
        _: &mut OptionReader,
        request: &SourceRequest,
        _: &Context<'_>,
    ) -> Result<ResolvedSource, ConnectorError> {
        if request.columns.is_empty() {
            let message = format!(
                "the columns of {}://{} must be declared",
                uri.scheme,
                uri.location()
            );
            return Err(ConnectorError::new(ConnectorErrorKind::Unreadable, message));
        }
        let fields: Vec<Field> = request
            .columns
            .iter()
            .map(|column| column.field.clone())
            .collect();
        let keys = request
            .columns
            .iter()
            .enumerate()
            .filter(|(_, column)| column.key);
        let content = Arc::new(Content {
            name: uri.location(),
            schema: Schema::new(fields),
            key: keys.map(|(at, _)| at).collect(),
            log: Mutex::default(),
        });
        self.lock().insert(content.name.clone(), content.clone());
        Ok(ResolvedSource {
            schema: content.schema.clone(),
            key: content.key.clone(),
            kind: None,
            source: Arc::new(ContentSource(content.clone())),
            rows: Arc::new(ContentRows(content)),
            on_error: ErrorPolicy::default(),
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
        let message = format!("{}://{} is read only", uri.scheme, uri.location());
        Err(ConnectorError::new(
            ConnectorErrorKind::NotSupported,
            message,
        ))
    }
}

impl Content {
    fn lock(&self) -> MutexGuard<'_, Log> {
        self.log.lock().expect("no panic while locked")
    }

    fn row(&self, cells: &Cells) -> Result<Row, String> {
        if cells.len() != self.schema.len() {
            let (name, width) = (&self.name, self.schema.len());
            return Err(format!("{name} has {width} columns: {cells:?}"));
        }
        let layout = RowLayout::new(&self.schema);
        let mut buffer = RowBuffer::new();
        let mut writer = buffer.begin(&layout);
        for (at, (cell, field)) in cells.iter().zip(self.schema.fields()).enumerate() {
            let Some(text) = cell else { continue };
            let value = Value::parse(text, field.data_type)
                .map_err(|e| format!("{text} for {} of {}: {e}", field.name, self.name))?;
            value.write(&mut writer, at);
        }
        let span = writer.finish();
        Ok(Row::from_bytes(buffer.get(span)))
    }

    fn key_of(&self, row: &Row) -> Row {
        let mut buffer = RowBuffer::new();
        let span = projected(row.bytes(), &self.schema, &self.key, &mut buffer);
        Row::from_bytes(buffer.get(span))
    }

    /// The rows that are there when the log is read to its end.
    fn present(&self) -> Vec<Row> {
        let log = self.lock();
        let mut rows: Vec<Row> = Vec::new();
        for entry in &log.entries {
            let same =
                |row: &Row| !self.key.is_empty() && self.key_of(row) == self.key_of(&entry.row);
            match (rows.iter().position(same), entry.deleted) {
                (Some(at), true) => drop(rows.remove(at)),
                (Some(at), false) => rows[at] = entry.row.clone(),
                (None, true) => {}
                (None, false) => rows.push(entry.row.clone()),
            }
        }
        rows
    }
}

/// A row of the columns at some places of another.
fn projected(
    row: &[u8],
    schema: &Schema,
    places: &[usize],
    buffer: &mut RowBuffer,
) -> ferrisstreams::data::RowSpan {
    let from = RowLayout::new(schema);
    let layout = RowLayout::new(&schema.project(places));
    let mut writer = buffer.begin(&layout);
    for (at, place) in places.iter().enumerate() {
        writer.copy(at, row, from.slot(*place));
    }
    writer.finish()
}

/// Reads the log of a table.
struct ContentSource(Arc<Content>);

impl Source for ContentSource {
    fn describe(&self) -> SourceDescription {
        SourceDescription {
            connector: "rows".to_owned(),
            location: format!("rows://{}", self.0.name),
            identity: format!("rows:{}", self.0.name),
            rereadable: self.0.key.is_empty(),
        }
    }

    fn open(&self, start: SourceStart) -> ferrisstreams::Result<Box<dyn SourceReader>> {
        let mut reader = ContentReader {
            content: self.0.clone(),
            generation: 0,
            next: 0,
            bounded: start.bounded,
        };
        reader.seek(&start.positions)?;
        Ok(Box::new(reader))
    }
}

struct ContentReader {
    content: Arc<Content>,
    generation: u64,
    next: usize,
    bounded: bool,
}

impl SourceReader for ContentReader {
    fn poll(&mut self, limit: usize) -> ferrisstreams::Result<Poll> {
        let log = self.content.lock();
        if log.generation != self.generation {
            return Ok(Poll::Replaced);
        }
        if self.next >= log.entries.len() {
            return Ok(if self.bounded { Poll::End } else { Poll::Idle });
        }
        let end = log.entries.len().min(self.next + limit.max(1));
        let mut batch = RawBatch::empty(0, 0);
        for (at, entry) in log.entries[self.next..end].iter().enumerate() {
            batch.push(RawRecord {
                key: Some(self.content.key_of(&entry.row).bytes()),
                value: (!entry.deleted).then(|| entry.row.bytes()),
                offset: (self.next + at) as i64,
                ..RawRecord::default()
            });
        }
        batch.times = Times::Same(0);
        batch.end = end as i64;
        self.next = end;
        Ok(Poll::Records(batch))
    }

    fn is_behind(&self, _: u32) -> bool {
        let log = self.content.lock();
        log.generation == self.generation && self.next < log.entries.len()
    }

    fn position(&mut self, _: u32, offset: i64) -> ferrisstreams::Result<Vec<u8>> {
        Ok([self.generation.to_le_bytes(), offset.to_le_bytes()].concat())
    }

    fn seek(&mut self, positions: &BTreeMap<u32, Vec<u8>>) -> ferrisstreams::Result<()> {
        let Some(token) = positions.get(&0) else {
            (self.generation, self.next) = (self.content.lock().generation, 0);
            return Ok(());
        };
        let word = |at: usize| {
            let bytes = token
                .get(at..at + 8)
                .and_then(|bytes| bytes.try_into().ok());
            bytes.map(u64::from_le_bytes)
        };
        let (Some(generation), Some(next)) = (word(0), word(8)) else {
            return Err(Error::new(
                ErrorKind::Invalid,
                "a position in a table has sixteen bytes",
            ));
        };
        (self.generation, self.next) = (generation, next as usize);
        Ok(())
    }
}

/// Makes rows of the log's records.
struct ContentRows(Arc<Content>);

impl RowSource for ContentRows {
    fn decoder(
        &self,
        projection: &[usize],
        filter: Option<RowFilter>,
    ) -> Box<dyn RecordDecoder<(), Row>> {
        Box::new(RowDecoder {
            schema: self.0.schema.clone(),
            key: (),
            projection: projection.to_vec(),
            filter,
        })
    }

    fn keyed_decoder(
        &self,
        key: &[usize],
        projection: &[usize],
        filter: Option<RowFilter>,
    ) -> Box<dyn RecordDecoder<Row, Row>> {
        Box::new(RowDecoder {
            schema: self.0.schema.clone(),
            key: key.to_vec(),
            projection: projection.to_vec(),
            filter,
        })
    }

    fn table_decoder(&self, projection: &[usize]) -> Box<dyn RecordDecoder<Row, Option<Row>>> {
        Box::new(ChangeDecoder {
            schema: self.0.schema.clone(),
            projection: projection.to_vec(),
        })
    }

    fn deletes(&self) -> bool {
        !self.0.key.is_empty()
    }
}

struct RowDecoder<K> {
    schema: Schema,
    /// The columns of the key.
    key: K,
    projection: Vec<usize>,
    filter: Option<RowFilter>,
}

impl<C> RowDecoder<C> {
    fn decode_all<K>(
        &self,
        batch: &RawBatch,
        records: &mut Vec<Record<K, Row>>,
        key: impl Fn(&[u8], &mut RowBuffer) -> K,
    ) {
        let mut buffer = RowBuffer::new();
        for index in 0..batch.len() {
            let Some(row) = batch.value(index) else {
                continue;
            };
            buffer.clear();
            if let Some(filter) = &self.filter {
                let span = projected(row, &self.schema, filter.columns(), &mut buffer);
                if !filter.holds(buffer.get(span)) {
                    continue;
                }
            }
            let span = projected(row, &self.schema, &self.projection, &mut buffer);
            let row = Row::from_bytes(buffer.get(span));
            buffer.clear();
            let key = key(batch.value(index).unwrap_or_default(), &mut buffer);
            records.push(Record::of_raw(
                index as u32,
                key,
                row,
                batch.times.at(index),
            ));
        }
    }
}

impl RecordDecoder<(), Row> for RowDecoder<()> {
    fn decode(
        &mut self,
        batch: &RawBatch,
        records: &mut Vec<Record<(), Row>>,
        _: &mut Vec<(u32, Error)>,
    ) -> Option<Times> {
        self.decode_all(batch, records, |_, _| ());
        None
    }
}

impl RecordDecoder<Row, Row> for RowDecoder<Vec<usize>> {
    fn decode(
        &mut self,
        batch: &RawBatch,
        records: &mut Vec<Record<Row, Row>>,
        _: &mut Vec<(u32, Error)>,
    ) -> Option<Times> {
        self.decode_all(batch, records, |row, buffer| {
            let span = projected(row, &self.schema, &self.key, buffer);
            Row::from_bytes(buffer.get(span))
        });
        None
    }
}

struct ChangeDecoder {
    schema: Schema,
    projection: Vec<usize>,
}

impl RecordDecoder<Row, Option<Row>> for ChangeDecoder {
    fn decode(
        &mut self,
        batch: &RawBatch,
        records: &mut Vec<Record<Row, Option<Row>>>,
        _: &mut Vec<(u32, Error)>,
    ) -> Option<Times> {
        let mut buffer = RowBuffer::new();
        for index in 0..batch.len() {
            let key = Row::from_bytes(batch.key(index).unwrap_or_default());
            let row = batch.value(index).map(|row| {
                buffer.clear();
                let span = projected(row, &self.schema, &self.projection, &mut buffer);
                Row::from_bytes(buffer.get(span))
            });
            records.push(Record::of_raw(
                index as u32,
                key,
                row,
                batch.times.at(index),
            ));
        }
        None
    }
}
