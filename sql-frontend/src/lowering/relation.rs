//! What a plan becomes: a stream, or a table in one of its forms.

use ferrisstreams_topology::codec::{row, row_key};
use ferrisstreams_topology::data::{DataType, Field, Row, RowBuffer, RowLayout, Schema};
use ferrisstreams_topology::dsl::{Grouped, KStream, KTable, Materialized};

use super::keyed::{Keying, Part};
use super::pipeline::Pipeline;
use super::{Lowering, Result};
use crate::plan::Column;

/// A plan that was lowered.
pub(super) enum Lowered {
    Stream(Streams),
    Table(TableRows),
}

/// The rows of a table.
#[derive(Clone)]
pub(super) struct TableRows {
    pub(super) table: KTable<Row, Row>,
    /// The columns that the key is made of, in its order, where it is made of columns.
    pub(super) key: Option<Vec<usize>>,
}

/// The records of a stream, apart by whether what they come from can be read again from the start.
///
/// When a file is replaced, what is built of it is built anew. That cannot be where rows of something
/// else are in it that are gone, so tables of both keep the rows of the file, and take them back.
#[derive(Clone)]
pub(super) struct Streams {
    again: Option<KStream<(), Row>>,
    once: Option<KStream<(), Row>>,
}

impl Streams {
    /// A stream of one kind.
    pub(super) fn new(stream: KStream<(), Row>, is_rereadable: bool) -> Self {
        let (again, once) = if is_rereadable {
            (Some(stream), None)
        } else {
            (None, Some(stream))
        };
        Streams { again, once }
    }

    /// True where all of it comes from what can be read again.
    pub(super) fn is_all_again(&self) -> bool {
        self.once.is_none()
    }

    /// The records of both.
    pub(super) fn and(self, other: Streams) -> Self {
        let both =
            |one: Option<KStream<(), Row>>, other: Option<KStream<(), Row>>| match (one, other) {
                (Some(one), Some(other)) => Some(one.merge(&other)),
                (one, other) => one.or(other),
            };
        Streams {
            again: both(self.again, other.again),
            once: both(self.once, other.once),
        }
    }

    /// The same of what `map` makes of each.
    pub(super) fn map(
        self,
        mut map: impl FnMut(KStream<(), Row>) -> Result<KStream<(), Row>>,
    ) -> Result<Self> {
        Ok(Streams {
            again: self.again.map(&mut map).transpose()?,
            once: self.once.map(&mut map).transpose()?,
        })
    }

    /// The same behind a pipeline.
    pub(super) fn piped(self, pipeline: &Pipeline, columns: &[Column]) -> Self {
        let piped = |stream| pipeline.on_stream(stream, columns);
        Streams {
            again: self.again.map(piped),
            once: self.once.map(piped),
        }
    }

    /// All records, in one stream or, where both kinds are there, in two: those that can be read again
    /// first.
    pub(super) fn apart(self) -> Apart {
        match (self.again, self.once) {
            (Some(again), Some(once)) => Apart::Both { again, once },
            (one, other) => Apart::One(one.or(other).expect("a stream is of one kind or of both")),
        }
    }

    /// All records as one stream.
    pub(super) fn merged(self) -> KStream<(), Row> {
        match self.apart() {
            Apart::One(stream) => stream,
            Apart::Both { again, once } => again.merge(&once),
        }
    }
}

/// The streams of [`Streams`].
pub(super) enum Apart {
    One(KStream<(), Row>),
    Both {
        again: KStream<(), Row>,
        once: KStream<(), Row>,
    },
}

/// A table as it is kept.
#[derive(Clone)]
pub(super) enum Kept {
    /// Each row under its key.
    Keyed(TableRows),
    /// Equal rows once, with how often they are there.
    Counted(KTable<Row, i64>),
}

impl Kept {
    /// The rows, one by one.
    pub(super) fn rows(&self) -> TableRows {
        match self {
            Kept::Keyed(rows) => rows.clone(),
            Kept::Counted(counted) => TableRows {
                table: expand(counted),
                key: None,
            },
        }
    }

    /// The rows, one by one, for a query that may be added later.
    pub(super) fn follow(&self) -> TableRows {
        match self {
            Kept::Keyed(rows) => TableRows {
                table: rows.table.follow(),
                key: rows.key.clone(),
            },
            Kept::Counted(counted) => TableRows {
                table: expand(&counted.follow()),
                key: None,
            },
        }
    }
}

/// The schema of keys made of other rows' bytes and numbers.
pub(super) fn hidden_key(types: &[DataType]) -> Schema {
    let field = |(at, data_type): (usize, &DataType)| Field::new(format!("k{at}"), *data_type);
    types.iter().enumerate().map(field).collect()
}

impl Lowering<'_> {
    /// A plan as a table: that of a stream has each row as often as it came.
    pub(super) fn as_table(&mut self, lowered: Lowered, columns: &[Column]) -> Result<TableRows> {
        match lowered {
            Lowered::Table(table) => Ok(table),
            Lowered::Stream(streams) => {
                let name = self.name("rows");
                let counted = self.count_rows(streams, columns, &name);
                Ok(TableRows {
                    table: expand(&counted),
                    key: None,
                })
            }
        }
    }

    /// Counts equal rows of a stream, under a name.
    pub(super) fn count_rows(
        &mut self,
        streams: Streams,
        columns: &[Column],
        name: &str,
    ) -> KTable<Row, i64> {
        let (stream, again) = match streams.apart() {
            Apart::One(stream) => (stream, None),
            Apart::Both { again, once } => (once, Some(again)),
        };
        let places: Vec<usize> = (0..columns.len()).collect();
        let whole = Part::of_columns(&places, columns).exact();
        let codec = row_key(&whole.schema);
        let keying = Keying {
            pipeline: Pipeline::default(),
            key: whole,
            condition: None,
            value: Some(Part::new(Vec::new())),
        };
        let grouped = |name: String| Grouped::named(name).codec(codec.clone());
        let counted =
            Materialized::with(name, codec.clone(), ferrisstreams_topology::codec::plain());
        let rows = keying
            .group(&stream, columns)
            .group_by_key_as(grouped(format!("{name}.repartition")));
        let Some(again) = again else {
            return rows.count(counted);
        };
        let kept = self.kept_rows(again, columns, name);
        kept.filter_group_by(
            |_, row: &Row| Some((row.clone(), Row::empty())),
            grouped(format!("{name}.again-repartition")),
        )
        .values_as(row())
        .with_records(&rows)
        .count(counted)
    }

    /// The rows of a stream that can be read again, kept so that they are taken back when they are
    /// replaced; for a step of this name in which they meet others.
    pub(super) fn kept_rows(
        &mut self,
        again: KStream<(), Row>,
        columns: &[Column],
        name: &str,
    ) -> KTable<Row, Row> {
        let streams = Streams::new(again, true);
        expand(&self.count_rows(streams, columns, &format!("{name}.again")))
    }
}

/// The schema of the keys that [`expand`] gives.
fn copy_key() -> Schema {
    hidden_key(&[DataType::Bytes, DataType::BigInt])
}

/// Counted rows as a table with each row as often as it is there.
pub(super) fn expand(counted: &KTable<Row, i64>) -> KTable<Row, Row> {
    let layout = RowLayout::new(&copy_key());
    let copies = move |row: &Row, count: i64, out: &mut Vec<(Row, Row)>| {
        let mut buffer = RowBuffer::new();
        for copy in 0..count {
            let mut key = buffer.begin(&layout);
            key.set_bytes(0, row.bytes());
            key.set_integer(1, copy);
            let span = key.finish();
            out.push((Row::from_bytes(buffer.get(span)), row.clone()));
            buffer.clear();
        }
    };
    counted.flat_map(copies, row_key(&copy_key()))
}

/// Keeps a table under a name, with its rows where their keys belong.
pub(super) fn keep(
    table: &KTable<Row, Row>,
    name: &str,
    key: ferrisstreams_topology::codec::SharedCodec<Row>,
) -> KTable<Row, Row> {
    table.repartition(Materialized::with(name, key, row()))
}
