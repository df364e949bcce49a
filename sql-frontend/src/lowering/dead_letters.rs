//! Dead letters: records that could not be read, as rows of the stream that they are sent to.

use std::collections::BTreeMap;
use std::sync::Arc;

use ferrisstreams_topology::codec::SharedCodec;
use ferrisstreams_topology::connector::{
    ResolvedSink, Rewrite, Sink, SinkDescription, SinkRecord, SinkStart, SinkWriter, TopicPlace,
};
use ferrisstreams_topology::data::{DataType, Row, RowBuffer, RowLayout, Value};
use ferrisstreams_topology::time::NO_TIMESTAMP;
use ferrisstreams_topology::{DeadLetter, ErrorPolicy};

use super::values::row_of;
use super::{Lowering, Result};
use crate::error::{Code, Diagnostic};
use crate::plan::{Column, Source, schema};
use crate::span::Span;

/// The sources whose bad records go to a stream: by the names of their steps, the query and what it reads.
pub(crate) type Senders = BTreeMap<String, (String, String)>;

impl Lowering<'_> {
    /// What becomes of bad records of a source that is read by the step of this name.
    pub(super) fn policy(&mut self, source: &Source, step: &str) -> ErrorPolicy {
        match &source.resolved.on_error {
            ErrorPolicy::DeadLetter(_) if !self.surroundings.sends_letters => ErrorPolicy::Skip,
            ErrorPolicy::DeadLetter(to) => {
                let sender = (self.query.clone(), source.name.clone());
                let senders = self.letters.entry(to.clone()).or_default();
                senders.insert(step.to_owned(), sender);
                ErrorPolicy::DeadLetter(sink_name(to))
            }
            policy => policy.clone(),
        }
    }

    /// The streams that dead letters go to, with who sends them.
    pub(crate) fn letters(&self) -> &BTreeMap<String, Senders> {
        &self.letters
    }

    /// Has the dead letters for a stream go to its sink.
    pub(crate) fn bind_letters(
        &mut self,
        to: &str,
        columns: &[Column],
        sink: &ResolvedSink,
    ) -> Result<()> {
        let senders = self.letters.get(to).cloned().unwrap_or_default();
        let letters = Letters::new(columns, sink, senders)?;
        self.builder.dead_letters(&sink_name(to), Arc::new(letters));
        Ok(())
    }
}

/// The name of the sink in the topology.
fn sink_name(to: &str) -> String {
    format!("dead_letters_{to}")
}

/// The columns of all that is known of dead letters.
pub(crate) fn letter_columns() -> Vec<Column> {
    let column = |(name, fact): &(&str, Fact)| Column {
        name: (*name).to_owned(),
        data_type: fact.types()[0],
        nullable: true,
    };
    FACTS.iter().map(column).collect()
}

/// What a column says of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fact {
    Query,
    Source,
    Partition,
    Position,
    Time,
    Error,
    Key,
    Value,
}

const FACTS: [(&str, Fact); 8] = [
    ("query", Fact::Query),
    ("source", Fact::Source),
    ("partition", Fact::Partition),
    ("position", Fact::Position),
    ("time", Fact::Time),
    ("error", Fact::Error),
    ("key", Fact::Key),
    ("value", Fact::Value),
];

impl Fact {
    /// The types that its column may have.
    fn types(self) -> &'static [DataType] {
        match self {
            Fact::Query | Fact::Source | Fact::Error => &[DataType::TEXT],
            Fact::Partition => &[DataType::Int, DataType::BigInt],
            Fact::Position => &[DataType::BigInt],
            Fact::Time => &[DataType::TimestampTz, DataType::Timestamp],
            Fact::Key | Fact::Value => &[DataType::TEXT, DataType::Bytes],
        }
    }

    fn of(column: &Column) -> Result<Fact> {
        let wrong =
            |message: String| Diagnostic::new(Code::InvalidOption, message, Span::default());
        let found = FACTS
            .iter()
            .find(|(name, _)| column.name.eq_ignore_ascii_case(name));
        let Some((name, fact)) = found else {
            let known: Vec<&str> = FACTS.iter().map(|(name, _)| *name).collect();
            let message = format!("dead letters have nothing for a column `{}`", column.name);
            return Err(wrong(message)
                .suggest_nearest(&column.name, known.iter().copied())
                .note("available", known.join(", ")));
        };
        let types = fact.types();
        if types.contains(&column.data_type) {
            return Ok(*fact);
        }
        let types: Vec<String> = types.iter().map(DataType::to_string).collect();
        let message = format!(
            "the column `{name}` of dead letters is {}, not {}",
            types.join(" or "),
            column.data_type
        );
        Err(wrong(message))
    }

    fn value(
        self,
        data_type: DataType,
        record: &SinkRecord,
        letter: &DeadLetter,
        sender: Option<&(String, String)>,
    ) -> Value {
        let raw = |bytes: &Option<Vec<u8>>| match bytes {
            None => Value::Null,
            Some(bytes) if data_type == DataType::Bytes => Value::Bytes(bytes.clone()),
            Some(bytes) => Value::Text(String::from_utf8_lossy(bytes).into_owned()),
        };
        match self {
            Fact::Query => sender.map_or(Value::Null, |(query, _)| Value::Text(query.clone())),
            Fact::Source => {
                Value::Text(sender.map_or(&letter.source, |(_, source)| source).clone())
            }
            Fact::Partition => Value::Integer(i64::from(letter.partition)),
            Fact::Position => Value::Integer(letter.offset),
            Fact::Time if record.timestamp == NO_TIMESTAMP => Value::Null,
            Fact::Time => {
                let micros = record.timestamp.saturating_mul(1_000);
                if data_type == DataType::Timestamp {
                    Value::Timestamp(micros)
                } else {
                    Value::TimestampTz(micros)
                }
            }
            Fact::Error => Value::Text(letter.message.clone()),
            Fact::Key => raw(&record.key),
            Fact::Value => raw(&record.value),
        }
    }
}

/// Makes rows of dead letters, in the columns of a stream.
#[derive(Clone)]
struct Rows {
    facts: Vec<(Fact, DataType)>,
    layout: RowLayout,
    key_columns: Vec<usize>,
    key_layout: RowLayout,
    key: SharedCodec<Row>,
    value: SharedCodec<Row>,
    senders: Arc<Senders>,
}

impl Rows {
    fn encoded(
        &self,
        record: &SinkRecord,
        buffer: &mut RowBuffer,
    ) -> ferrisstreams_topology::Result<SinkRecord> {
        let letter = DeadLetter::of(&record.headers)?;
        let sender = self.senders.get(&letter.source);
        let value =
            |(fact, data_type): &(Fact, DataType)| fact.value(*data_type, record, &letter, sender);
        let values: Vec<Value> = self.facts.iter().map(value).collect();
        let mut encoded = SinkRecord {
            key: None,
            value: Some(Vec::new()),
            timestamp: record.timestamp,
            headers: record.headers.clone(),
        };
        let row = row_of(&values, &self.layout, buffer);
        self.value
            .encode(&row, encoded.value.get_or_insert_default())?;
        if !self.key_columns.is_empty() {
            let key: Vec<Value> = self
                .key_columns
                .iter()
                .map(|at| values[*at].clone())
                .collect();
            let key = row_of(&key, &self.key_layout, buffer);
            self.key.encode(&key, encoded.key.get_or_insert_default())?;
        }
        Ok(encoded)
    }
}

/// A sink that writes dead letters as rows to another one.
struct Letters {
    rows: Rows,
    sink: Arc<dyn Sink>,
}

impl Letters {
    fn new(columns: &[Column], to: &ResolvedSink, senders: Senders) -> Result<Self> {
        let fact = |column: &Column| Ok((Fact::of(column)?, column.data_type));
        let of_key: Vec<Column> = to
            .key_columns
            .iter()
            .map(|at| columns[*at].clone())
            .collect();
        Ok(Letters {
            rows: Rows {
                facts: columns.iter().map(fact).collect::<Result<_>>()?,
                layout: RowLayout::new(&schema(columns)),
                key_columns: to.key_columns.clone(),
                key_layout: RowLayout::new(&schema(&of_key)),
                key: to.key.clone(),
                value: to.value.clone(),
                senders: Arc::new(senders),
            },
            sink: to.sink.clone(),
        })
    }
}

impl Sink for Letters {
    fn describe(&self) -> SinkDescription {
        self.sink.describe()
    }

    fn identity(&self) -> String {
        self.sink.identity()
    }

    fn open(&self, start: SinkStart) -> ferrisstreams_topology::Result<Box<dyn SinkWriter>> {
        Ok(Box::new(LetterWriter {
            rows: self.rows.clone(),
            writer: self.sink.open(start)?,
        }))
    }

    fn discards(&self) -> bool {
        self.sink.discards()
    }

    fn topic(&self) -> ferrisstreams_topology::Result<Option<TopicPlace>> {
        self.sink.topic()
    }

    fn rewrites(&self) -> Option<Arc<dyn Rewrite>> {
        Some(Arc::new(self.rows.clone()))
    }
}

impl Rewrite for Rows {
    fn rewrite(&self, record: SinkRecord) -> ferrisstreams_topology::Result<SinkRecord> {
        self.encoded(&record, &mut RowBuffer::new())
    }
}

struct LetterWriter {
    rows: Rows,
    writer: Box<dyn SinkWriter>,
}

impl SinkWriter for LetterWriter {
    fn delivered(&mut self, recorded: u64) -> ferrisstreams_topology::Result<u64> {
        self.writer.delivered(recorded)
    }

    fn prepare(&mut self) -> ferrisstreams_topology::Result<Option<Vec<u8>>> {
        self.writer.prepare()
    }

    fn deliver(
        &mut self,
        first: u64,
        records: &[SinkRecord],
    ) -> ferrisstreams_topology::Result<Vec<u8>> {
        let mut buffer = RowBuffer::new();
        let encoded: ferrisstreams_topology::Result<Vec<SinkRecord>> = records
            .iter()
            .map(|record| self.rows.encoded(record, &mut buffer))
            .collect();
        self.writer.deliver(first, &encoded?)
    }
}
