//! Joins: which of the two forms a join takes, and the one of a stream with a table.

use std::sync::Arc;

use ferrisstreams_topology::codec::{SharedCodec, row, row_key};
use ferrisstreams_topology::data::{Row, RowBuffer, RowLayout, RowSpan, Slot};
use ferrisstreams_topology::dsl::{Joined, KStream, Materialized, RunJoiner};
use ferrisstreams_topology::record::{Data, Record};

use super::keyed::{Keying, Part, has_null};
use super::pipeline::{CompiledPipeline, Pipeline};
use super::relation::{Lowered, TableRows};
use super::scratch::{Scratch, owned, with_scratch};
use super::{Lowering, Result, not_supported};
use crate::binder::{conjunction, conjuncts};
use crate::plan::schema;
use crate::plan::{
    Column, JoinKind, JoinOn, Plan, PlanKind, Scalar, ScalarKind, Side, stream_side,
};

/// A join of a plan.
pub(super) struct JoinPlan<'a> {
    pub(super) kind: JoinKind,
    pub(super) left: &'a Plan,
    pub(super) right: &'a Plan,
    pub(super) on: &'a [JoinOn],
    pub(super) residual: Option<&'a Scalar>,
    pub(super) columns: &'a [Column],
}

impl Lowering<'_> {
    pub(super) fn join(&mut self, plan: &Plan, tail: Pipeline) -> Result<Lowered> {
        let PlanKind::Join {
            kind,
            left,
            right,
            on,
            residual,
        } = &plan.kind
        else {
            unreachable!("called for joins alone");
        };
        let join = JoinPlan {
            kind: *kind,
            left,
            right,
            on,
            residual: residual.as_ref(),
            columns: &plan.columns,
        };
        let (left_base, left_tail) = Pipeline::peel(left);
        let (right_base, right_tail) = Pipeline::peel(right);
        let left_rows = self.lower_with(left_base, Pipeline::default())?;
        let right_rows = self.lower_with(right_base, Pipeline::default())?;
        match (stream_side(*kind, left, right), left_rows, right_rows) {
            (Some(Side::Left), Lowered::Stream(streams), table) => {
                let table = self.side_table(table, &right_tail, &right_base.columns)?;
                let joined = streams.map(|stream| {
                    let side = StreamSide {
                        stream,
                        pipeline: left_tail.clone(),
                        columns: &left_base.columns,
                        is_left: true,
                    };
                    self.stream_join(&join, side, &table, tail.clone())
                });
                joined.map(Lowered::Stream)
            }
            (Some(Side::Right), table, Lowered::Stream(streams)) => {
                let table = self.side_table(table, &left_tail, &left_base.columns)?;
                let joined = streams.map(|stream| {
                    let side = StreamSide {
                        stream,
                        pipeline: right_tail.clone(),
                        columns: &right_base.columns,
                        is_left: false,
                    };
                    self.stream_join(&join, side, &table, tail.clone())
                });
                joined.map(Lowered::Stream)
            }
            // A table that is read from a snapshot comes as a list of rows, and is a table all the same.
            (_, left_rows, right_rows) => {
                let left_rows = self.side_table(left_rows, &left_tail, &left_base.columns)?;
                let right_rows = self.side_table(right_rows, &right_tail, &right_base.columns)?;
                self.table_join(&join, &left_rows, &right_rows, tail)
                    .map(Lowered::Table)
            }
        }
    }

    fn side_table(
        &mut self,
        rows: Lowered,
        tail: &Pipeline,
        columns: &[Column],
    ) -> Result<TableRows> {
        match rows {
            Lowered::Table(table) => table.piped(tail, columns),
            Lowered::Stream(streams) => {
                let rows = Lowered::Stream(streams.piped(tail, columns));
                self.as_table(rows, &tail.columns(columns))
            }
        }
    }

    /// A stream that looks up a table.
    fn stream_join(
        &mut self,
        join: &JoinPlan<'_>,
        side: StreamSide<'_>,
        table: &TableRows,
        tail: Pipeline,
    ) -> Result<KStream<(), Row>> {
        let name = self.name("join");
        let keeps = join.kind != JoinKind::Inner;
        let table_plan = if side.is_left { join.right } else { join.left };
        let pairs = join.on.iter().map(|on| {
            if side.is_left {
                (on.left.clone(), on.right.clone())
            } else {
                (on.right.clone(), on.left.clone())
            }
        });
        let (of_stream, of_table): (Vec<Scalar>, Vec<Scalar>) = pairs.unzip();
        let condition =
            Condition::split(join.residual, side.is_left, join.left.columns.len(), keeps)?;
        // What may fail is told by a step of its own.
        let mut behind = condition.of_both.map(Pipeline::filter).unwrap_or_default();
        behind.append(tail);
        let (fused, rest) = if behind.can_fail() {
            (Pipeline::default(), behind)
        } else {
            (behind, Pipeline::default())
        };
        let sides = Arc::new(Sides::new(
            &join.left.columns,
            &join.right.columns,
            join.columns,
            &fused,
        ));
        let is_left = side.is_left;
        let direct = lookup_order(table, &of_table);
        let key = match &direct {
            Some(order) => order.iter().map(|at| of_stream[*at].clone()).collect(),
            None => of_stream,
        };
        let keying = Keying {
            pipeline: side.pipeline,
            key: Part::new(key),
            condition: condition.of_stream,
            value: None,
        };
        let stream = keying.look_up(&side.stream, side.columns);
        let joiner = move || RowJoiner {
            sides: sides.clone(),
            is_left,
            scratch: Scratch::default(),
        };
        let rows = if direct.is_some() {
            stream.join_run(&table.table, keeps, joiner, Joined::named(name))
        } else {
            let by = Part::new(of_table);
            let (code, layout) = (
                by.compile_key(&RowLayout::new(&schema(&table_plan.columns))),
                by.layout(),
            );
            let of_row = move |_: &Row, row: &Row| {
                with_scratch(|scratch| {
                    let span = code.project(row.bytes(), &mut scratch.eval, &mut scratch.out);
                    let key = scratch.out.get(span);
                    (!has_null(key, &layout)).then(|| Row::from_bytes(key))
                })
            };
            let codec: SharedCodec<Row> = row_key(&by.schema);
            let own: SharedCodec<Row> = table.table.key_codec();
            let kept = Materialized::with(format!("{name}.index"), own, row());
            let index = table.table.index(of_row, codec, kept);
            stream.join_index_run(&index, keeps, joiner, Joined::named(name))
        };
        Ok(rest.on_stream(rows, join.columns))
    }
}

/// The side of a join that is a stream.
struct StreamSide<'a> {
    stream: KStream<(), Row>,
    pipeline: Pipeline,
    columns: &'a [Column],
    is_left: bool,
}

/// The conditions of a join besides its equalities, by the side that they are about.
struct Condition {
    of_stream: Option<Scalar>,
    of_both: Option<Scalar>,
}

impl Condition {
    fn split(
        residual: Option<&Scalar>,
        stream_is_left: bool,
        width: usize,
        keeps: bool,
    ) -> Result<Condition> {
        let Some(residual) = residual else {
            return Ok(Condition {
                of_stream: None,
                of_both: None,
            });
        };
        let span = residual.span.into();
        if !keeps {
            return Ok(Condition {
                of_stream: None,
                of_both: Some(residual.clone()),
            });
        }
        // A record that does not meet its own side's condition meets no row, and is kept.
        let (mut of_stream, mut others) = (Vec::new(), Vec::new());
        for conjunct in conjuncts(residual.clone()) {
            let of_left = |column: &usize| *column < width;
            let columns = conjunct.columns();
            let own = if stream_is_left {
                columns.iter().all(of_left)
            } else {
                !columns.iter().any(of_left)
            };
            if own {
                of_stream.push(conjunct)
            } else {
                others.push(conjunct)
            }
        }
        if !others.is_empty() {
            return Err(not_supported(
                "an outer join of a stream with a table on more than equalities of both sides",
            ));
        }
        let shift = if stream_is_left { 0 } else { width };
        let of_stream = conjunction(of_stream, span).map(|c| c.remap(&|column| column - shift));
        Ok(Condition {
            of_stream,
            of_both: None,
        })
    }
}

/// For each column of a table's key, which of the expressions it is looked up by gives it; none
/// where the table cannot be looked up by its key.
fn lookup_order(table: &TableRows, by: &[Scalar]) -> Option<Vec<usize>> {
    let key = table.key.as_ref()?;
    if !table.table.is_kept() || key.len() != by.len() || key.is_empty() {
        return None;
    }
    key.iter()
        .map(|column| {
            by.iter()
                .position(|expr| matches!(expr.kind, ScalarKind::Column(at) if at == *column))
        })
        .collect()
}

/// Writes a row of the columns of two rows, of which one may be missing; the first has `width` columns.
pub(super) fn side_by_side(
    both: &RowLayout,
    out: &mut RowBuffer,
    left: Option<(&Row, &RowLayout)>,
    width: usize,
    right: Option<(&Row, &RowLayout)>,
) -> RowSpan {
    let mut writer = out.begin(both);
    for (side, first) in [(left, 0), (right, width)] {
        let Some((row, layout)) = side else { continue };
        for column in 0..layout.len() {
            writer.copy(first + column, row.bytes(), layout.slot(column));
        }
    }
    writer.finish()
}

/// Puts rows of two tables side by side.
pub(super) type SideBySide = Arc<dyn Fn(Option<&Row>, Option<&Row>) -> Row + Send + Sync>;

/// A function that puts rows of two tables side by side.
pub(super) fn combiner(left: &[Column], right: &[Column], both: &[Column]) -> SideBySide {
    let sides = Sides::new(left, right, both, &Pipeline::default());
    Arc::new(move |l, r| {
        with_scratch(|scratch| {
            let made = sides.write(l, r, scratch);
            let span = made.expect("without a pipeline there is a row of both sides");
            owned(sides.written(scratch).get(span))
        })
    })
}

/// Rows of two relations side by side, and what comes behind.
enum Sides {
    /// Columns of both alone.
    Picked(Picked),
    Piped {
        left: RowLayout,
        right: RowLayout,
        both: RowLayout,
        code: CompiledPipeline,
    },
}

impl Sides {
    fn new(left: &[Column], right: &[Column], both: &[Column], tail: &Pipeline) -> Self {
        let (left, right) = (
            RowLayout::new(&schema(left)),
            RowLayout::new(&schema(right)),
        );
        match tail.picked(both) {
            Some((places, columns)) => Sides::Picked(Picked::new(&left, &right, &places, &columns)),
            None => Sides::Piped {
                left,
                right,
                both: RowLayout::new(&schema(both)),
                code: tail.compile(both),
            },
        }
    }

    /// Appends the row of two rows, of which one may be missing, to [`written`](Sides::written);
    /// nothing where a filter drops it.
    #[inline]
    fn write(
        &self,
        left: Option<&Row>,
        right: Option<&Row>,
        scratch: &mut Scratch,
    ) -> Option<RowSpan> {
        match self {
            Sides::Picked(picked) => Some(picked.write(left, right, &mut scratch.out)),
            Sides::Piped {
                left: of_left,
                right: of_right,
                both,
                code,
            } => {
                let sides = (
                    left.map(|row| (row, of_left)),
                    right.map(|row| (row, of_right)),
                );
                let span = side_by_side(both, &mut scratch.made, sides.0, of_left.len(), sides.1);
                code.pass_made(span, scratch)
            }
        }
    }

    /// Where the rows are written.
    fn written<'a>(&self, scratch: &'a mut Scratch) -> &'a mut RowBuffer {
        match self {
            Sides::Piped { code, .. } if !code.makes_rows() => &mut scratch.made,
            _ => &mut scratch.out,
        }
    }
}

/// Joins the rows of a stream with those of a table, and writes the results of a run into one buffer.
struct RowJoiner {
    sides: Arc<Sides>,
    /// True where the stream is on the left.
    is_left: bool,
    scratch: Scratch,
}

impl<K: Data> RunJoiner<K, Row, Row, (), Row> for RowJoiner {
    type Made = RowSpan;

    #[inline]
    fn join(&mut self, _: &K, row: &Row, found: Option<&Row>) -> Option<RowSpan> {
        let (left, right) = if self.is_left {
            (Some(row), found)
        } else {
            (found, Some(row))
        };
        self.sides.write(left, right, &mut self.scratch)
    }

    fn finish(&mut self, made: Vec<Record<K, RowSpan>>) -> Vec<Record<(), Row>> {
        let rows = self.sides.written(&mut self.scratch).freeze();
        self.scratch.clear();
        let row = |record: Record<K, RowSpan>| {
            let row = rows.row(record.value);
            record.with((), row)
        };
        made.into_iter().map(row).collect()
    }
}

/// Columns of two rows, written as one row without those that nobody wants.
struct Picked {
    layout: RowLayout,
    /// Which side each column comes from, and where it stands there.
    columns: Vec<(Side, Slot)>,
}

impl Picked {
    fn new(left: &RowLayout, right: &RowLayout, places: &[usize], columns: &[Column]) -> Self {
        let place = |at: &usize| match at.checked_sub(left.len()) {
            None => (Side::Left, left.slot(*at)),
            Some(at) => (Side::Right, right.slot(at)),
        };
        Picked {
            layout: RowLayout::new(&schema(columns)),
            columns: places.iter().map(place).collect(),
        }
    }

    #[inline]
    fn write(&self, left: Option<&Row>, right: Option<&Row>, out: &mut RowBuffer) -> RowSpan {
        let mut writer = out.begin(&self.layout);
        let (left, right) = (left.map(Row::bytes), right.map(Row::bytes));
        for (index, (side, slot)) in self.columns.iter().enumerate() {
            let row = match side {
                Side::Left => left,
                Side::Right => right,
            };
            if let Some(row) = row {
                writer.copy(index, row, *slot);
            }
        }
        writer.finish()
    }
}
