//! Keys and values computed from the rows of a stream.

use std::sync::Arc;

use ferrisstreams_topology::codec::sent_row;
use ferrisstreams_topology::data::{Row, RowLayout, RowSpan, Schema};
use ferrisstreams_topology::dsl::{Failures, KStream, RunMapper};
use ferrisstreams_topology::record::Record;

use super::pipeline::{CompiledPipeline, Piped, Pipeline};
use super::scratch::Scratch;
use crate::compiler::{Compiled, Projection};
use crate::plan::schema;
use crate::plan::{Column, Scalar, ScalarKind};

/// A row computed from another one: a key, or what is gathered.
#[derive(Clone)]
pub(super) struct Part {
    pub(super) exprs: Vec<Scalar>,
    pub(super) schema: Schema,
    /// True where a key of it tells even values apart that are equal, as 0 and -0.
    exact: bool,
}

impl Part {
    /// A row of these expressions.
    pub(super) fn new(exprs: Vec<Scalar>) -> Self {
        Part {
            schema: schema(&columns_of(&exprs)),
            exprs,
            exact: false,
        }
    }

    /// The columns of the row.
    pub(super) fn columns(&self) -> Vec<Column> {
        columns_of(&self.exprs)
    }

    /// The same as a key that keeps its values as they are.
    pub(super) fn exact(self) -> Self {
        Part {
            exact: true,
            ..self
        }
    }

    /// The columns at these places of a row with `columns`.
    pub(super) fn of_columns(places: &[usize], columns: &[Column]) -> Self {
        let column = |at: &usize| {
            let column = &columns[*at];
            Scalar::column(*at, column.data_type, column.nullable, Default::default())
        };
        Part::new(places.iter().map(column).collect())
    }

    /// The places of the columns that it is made of in rows of these, where nothing is to be computed.
    pub(super) fn picked(&self, columns: &[Column]) -> Option<Vec<usize>> {
        let place = |expr: &Scalar| match expr.kind {
            ScalarKind::Column(at) if columns[at].data_type == expr.data_type => Some(at),
            _ => None,
        };
        self.exprs.iter().map(place).collect()
    }

    pub(super) fn compile(&self, input: &RowLayout) -> Projection {
        Projection::new(&self.exprs, input, &self.schema)
    }

    /// The same of a row that is a key: values that are equal give equal bytes, unless it is exact.
    pub(super) fn compile_key(&self, input: &RowLayout) -> Projection {
        let key = if self.exact { 0 } else { self.exprs.len() };
        Projection::with_key(&self.exprs, key, input, &self.schema)
    }

    pub(super) fn layout(&self) -> RowLayout {
        RowLayout::new(&self.schema)
    }
}

fn columns_of(exprs: &[Scalar]) -> Vec<Column> {
    let column = |(at, expr): (usize, &Scalar)| Column {
        name: format!("c{at}"),
        data_type: expr.data_type,
        nullable: expr.nullable,
    };
    exprs.iter().enumerate().map(column).collect()
}

/// True where some column of a row is NULL.
#[inline]
pub(super) fn has_null(row: &[u8], layout: &RowLayout) -> bool {
    layout.slots().iter().any(|slot| slot.is_null(row))
}

/// What a stream's records become: a key, and a value if it is not the row itself.
pub(super) struct Keying {
    /// Applied first.
    pub(super) pipeline: Pipeline,
    pub(super) key: Part,
    /// Where this does not hold, there is no key.
    pub(super) condition: Option<Scalar>,
    pub(super) value: Option<Part>,
}

struct Code {
    pipeline: CompiledPipeline,
    key: Projection,
    key_layout: RowLayout,
    condition: Option<Compiled>,
    value: Option<Projection>,
}

impl Keying {
    fn compile(&self, input: &[Column]) -> Arc<Code> {
        let layout = RowLayout::new(&schema(&self.pipeline.columns(input)));
        Arc::new(Code {
            pipeline: self.pipeline.compile(input),
            key: self.key.compile_key(&layout),
            key_layout: self.key.layout(),
            condition: self.condition.as_ref().map(|c| Compiled::new(c, &layout)),
            value: self.value.as_ref().map(|value| value.compile(&layout)),
        })
    }

    /// Records under their keys, NULL being a value like others.
    pub(super) fn group(&self, stream: &KStream<(), Row>, input: &[Column]) -> KStream<Row, Row> {
        let code = self.compile(input);
        let keyed = stream.map_run(move || {
            Box::new(KeyRows {
                code: code.clone(),
                scratch: Scratch::default(),
                key_of: |row: Row, _has_null| row,
            })
        });
        keyed.values_as(sent_row())
    }

    /// Records under their keys, or under none where a part of the key is NULL.
    pub(super) fn look_up(
        &self,
        stream: &KStream<(), Row>,
        input: &[Column],
    ) -> KStream<Option<Row>, Row> {
        let code = self.compile(input);
        let keyed = stream.map_run(move || {
            Box::new(KeyRows {
                code: code.clone(),
                scratch: Scratch::default(),
                key_of: |row: Row, has_null: bool| (!has_null).then_some(row),
            })
        });
        keyed.values_as(sent_row())
    }
}

struct KeyRows<F> {
    code: Arc<Code>,
    scratch: Scratch,
    key_of: F,
}

struct Made {
    /// The row behind the pipeline, where that made one.
    row: Option<RowSpan>,
    key: RowSpan,
    value: Option<RowSpan>,
    no_key: bool,
}

impl<F> KeyRows<F> {
    /// Computes what becomes of a record; nothing where the pipeline drops it.
    #[inline]
    fn make(code: &Code, scratch: &mut Scratch, row: &[u8]) -> Option<Made> {
        let Scratch {
            eval,
            first,
            second,
            out,
            made,
        } = scratch;
        first.clear();
        second.clear();
        let piped = code.pipeline.run(row, eval, (first, second), out);
        let (row, piped) = match piped {
            Piped::Dropped => return None,
            Piped::Same => (row, None),
            Piped::Made(span) => (out.get(span), Some(span)),
        };
        let key = code.key.project(row, eval, made);
        let fails = |condition: &Compiled| condition.test(row, eval) != Some(true);
        let no_key =
            code.condition.as_ref().is_some_and(fails) || has_null(made.get(key), &code.key_layout);
        let value = code
            .value
            .as_ref()
            .map(|value| value.project(row, eval, made));
        Some(Made {
            row: piped,
            key,
            value,
            no_key,
        })
    }
}

impl<K, F> RunMapper<(), Row, K, Row> for KeyRows<F>
where
    F: Fn(Row, bool) -> K + Send,
{
    fn map_run(
        &mut self,
        mut records: Vec<Record<(), Row>>,
        out: &mut Vec<Record<K, Row>>,
        failures: &mut Failures<'_, '_>,
    ) {
        let scratch = &mut self.scratch;
        scratch.clear();
        scratch.eval.set_now(failures.now());
        let mut all = Vec::with_capacity(records.len());
        for (at, record) in records.iter().enumerate() {
            let made = Self::make(&self.code, scratch, record.value.bytes());
            all.extend(made.map(|made| (at, made)));
            if let Some(message) = scratch.eval.take_failure() {
                failures.report(record, &message);
            }
        }
        let piped = scratch.out.freeze();
        let made = scratch.made.freeze();
        out.extend(all.iter().map(|(at, one)| {
            let record = &mut records[*at];
            let key = (self.key_of)(made.row(one.key), one.no_key);
            let value = match (one.value, one.row) {
                (Some(value), _) => made.row(value),
                (None, Some(row)) => piped.row(row),
                // A row that stays as it is is moved, and not counted once more.
                (None, None) => std::mem::replace(&mut record.value, Row::empty()),
            };
            record.derive(key, value)
        }));
    }
}
