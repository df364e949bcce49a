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
    Stream(KStream<(), Row>),
    Table(TableRows),
}

/// The rows of a table.
#[derive(Clone)]
pub(super) struct TableRows {
    pub(super) table: KTable<Row, Row>,
    /// The columns that the key is made of, in its order, where it is made of columns.
    pub(super) key: Option<Vec<usize>>,
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
            Lowered::Stream(stream) => {
                let name = self.name("rows");
                let counted = self.count_rows(&stream, columns, &name);
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
        stream: &KStream<(), Row>,
        columns: &[Column],
        name: &str,
    ) -> KTable<Row, i64> {
        let places: Vec<usize> = (0..columns.len()).collect();
        let whole = Part::of_columns(&places, columns).exact();
        let codec = row_key(&whole.schema);
        let keying = Keying {
            pipeline: Pipeline::default(),
            key: whole,
            condition: None,
            value: Some(Part::new(Vec::new())),
        };
        keying
            .group(stream, columns)
            .group_by_key_as(Grouped::named(format!("{name}.repartition")).codec(codec.clone()))
            .count(Materialized::with(
                name,
                codec,
                ferrisstreams_topology::codec::plain(),
            ))
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
