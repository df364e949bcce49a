//! Filters and projections in a row, applied to a record at once.

use std::sync::Arc;

use ferrisstreams_topology::data::{Row, RowBuffer, RowLayout, RowSpan};
use ferrisstreams_topology::dsl::{Failures, KStream, KTable, RunMapper};
use ferrisstreams_topology::record::Record;

use super::scratch::{Scratch, owned, with_scratch};
use super::{Result, not_supported};
use crate::compiler::{Compiled, Projection};
use crate::plan::schema;
use crate::plan::{Column, Plan, PlanKind, Scalar, ScalarKind};

/// Filters and projections that wait to be applied, the first one first.
#[derive(Clone, Debug, Default)]
pub(super) struct Pipeline {
    steps: Vec<Step>,
}

#[derive(Clone, Debug)]
enum Step {
    Filter(Scalar),
    Project(Vec<Scalar>, Vec<Column>),
}

impl Pipeline {
    /// Takes the filters and projections off the top of a plan.
    pub(super) fn peel(plan: &Plan) -> (&Plan, Pipeline) {
        let mut steps = Vec::new();
        let mut base = plan;
        loop {
            match &base.kind {
                PlanKind::Filter { input, predicate } => {
                    steps.push(Step::Filter(predicate.clone()));
                    base = input;
                }
                PlanKind::Project { input, exprs } => {
                    steps.push(Step::Project(exprs.clone(), base.columns.clone()));
                    base = input;
                }
                _ => break,
            }
        }
        steps.reverse();
        (base, Pipeline { steps })
    }

    /// A filter alone.
    pub(super) fn filter(predicate: Scalar) -> Self {
        Pipeline {
            steps: vec![Step::Filter(predicate)],
        }
    }

    /// A projection behind it, which gives a row of these columns.
    pub(super) fn project(&mut self, exprs: Vec<Scalar>, columns: Vec<Column>) {
        self.steps.push(Step::Project(exprs, columns));
    }

    /// Adds what comes behind.
    pub(super) fn append(&mut self, tail: Pipeline) {
        self.steps.extend(tail.steps);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The columns behind it, `input` being those before.
    pub(super) fn columns(&self, input: &[Column]) -> Vec<Column> {
        let last = self.steps.iter().rev().find_map(|step| match step {
            Step::Project(_, columns) => Some(columns),
            Step::Filter(_) => None,
        });
        last.map_or(input, Vec::as_slice).to_vec()
    }

    /// Where a column of the input is found behind it, if it still is.
    pub(super) fn place(&self, column: usize) -> Option<usize> {
        let mut column = column;
        for step in &self.steps {
            if let Step::Project(exprs, _) = step {
                let same =
                    |expr: &Scalar| matches!(expr.kind, ScalarKind::Column(c) if c == column);
                column = exprs.iter().position(same)?;
            }
        }
        Some(column)
    }

    /// The places of the input's columns that its output is, and the output's columns, where it only
    /// picks columns and changes none.
    pub(super) fn picked(&self, input: &[Column]) -> Option<(Vec<usize>, Vec<Column>)> {
        let mut places: Vec<usize> = (0..input.len()).collect();
        for step in &self.steps {
            let Step::Project(exprs, columns) = step else {
                return None;
            };
            let pick = |(expr, column): (&Scalar, &Column)| match expr.kind {
                ScalarKind::Column(at) => {
                    Some(places[at]).filter(|from| input[*from].data_type == column.data_type)
                }
                _ => None,
            };
            places = exprs.iter().zip(columns).map(pick).collect::<Option<_>>()?;
        }
        Some((places, self.columns(input)))
    }

    /// Takes the first step off where it picks columns, each at most once, and changes none: the
    /// places of those columns in the input, and the columns as they are then.
    pub(super) fn take_pick(&mut self, input: &[Column]) -> Option<(Vec<usize>, Vec<Column>)> {
        let first = Pipeline {
            steps: self.steps.first().cloned().into_iter().collect(),
        };
        let (places, columns) = first.picked(input)?;
        let is_twice = |(at, place): (usize, &usize)| places[..at].contains(place);
        if first.is_empty() || places.is_empty() || places.iter().enumerate().any(is_twice) {
            return None;
        }
        self.steps.remove(0);
        Some((places, columns))
    }

    fn scalars(&self) -> impl Iterator<Item = &Scalar> {
        self.steps.iter().flat_map(|step| match step {
            Step::Filter(predicate) => std::slice::from_ref(predicate),
            Step::Project(exprs, _) => exprs.as_slice(),
        })
    }

    /// True where some record may fail in it.
    pub(super) fn can_fail(&self) -> bool {
        self.scalars().any(can_fail)
    }

    /// Checks that a changed row is mapped as it was when it came.
    pub(super) fn check_deterministic(&self) -> Result<()> {
        match self.scalars().find(|scalar| !scalar.is_deterministic()) {
            None => Ok(()),
            Some(scalar) => Err(volatile(scalar)),
        }
    }

    /// Makes code of it.
    pub(super) fn compile(&self, input: &[Column]) -> CompiledPipeline {
        let mut layout = RowLayout::new(&schema(input));
        let mut steps = Vec::new();
        for step in &self.steps {
            match step {
                Step::Filter(predicate) => {
                    steps.push(CompiledStep::Filter(Compiled::new(predicate, &layout)));
                }
                Step::Project(exprs, columns) => {
                    let output = schema(columns);
                    steps.push(CompiledStep::Project(Projection::new(
                        exprs, &layout, &output,
                    )));
                    layout = RowLayout::new(&output);
                }
            }
        }
        let last = steps
            .iter()
            .rposition(|step| matches!(step, CompiledStep::Project(_)));
        CompiledPipeline { steps, last }
    }

    /// Applies it to a stream.
    pub(super) fn on_stream(&self, stream: KStream<(), Row>, input: &[Column]) -> KStream<(), Row> {
        if self.is_empty() {
            return stream;
        }
        let compiled = Arc::new(self.compile(input));
        stream.map_run(move || {
            Box::new(MapRows {
                pipeline: compiled.clone(),
                scratch: Scratch::default(),
            })
        })
    }

    /// Applies it to a table.
    pub(super) fn on_table(
        &self,
        table: &KTable<Row, Row>,
        input: &[Column],
    ) -> Result<KTable<Row, Row>> {
        if self.is_empty() {
            return Ok(table.clone());
        }
        self.check_deterministic()?;
        let compiled = self.compile(input);
        if !self.can_fail() {
            return Ok(table.filter_map_values(move |_, row| {
                with_scratch(|scratch| compiled.apply(row, scratch))
            }));
        }
        Ok(table.try_filter_map_values(move |_, row, report| {
            with_scratch(|scratch| {
                let row = compiled.apply(row, scratch);
                if let Some(message) = scratch.eval.take_failure() {
                    report(&message);
                }
                row
            })
        }))
    }
}

/// The mistake of a value that is another each time it is computed, where rows are computed again
/// when they are taken back.
pub(super) fn volatile(_scalar: &Scalar) -> crate::error::Diagnostic {
    not_supported(
        "a function whose value changes by itself, such as NOW(), over the rows of a table",
    )
}

/// True where evaluating an expression may fail for some row.
pub(super) fn can_fail(scalar: &Scalar) -> bool {
    let here = match &scalar.kind {
        ScalarKind::Arithmetic { .. } | ScalarKind::Negate(_) | ScalarKind::Call { .. } => true,
        ScalarKind::Cast { input, forgiving } => {
            !forgiving
                && !ferrisstreams_topology::data::cast::is_implicitly_castable(
                    input.data_type,
                    scalar.data_type,
                )
        }
        ScalarKind::Like { .. } => true,
        _ => false,
    };
    here || scalar.children().into_iter().any(can_fail)
}

/// A pipeline as code.
pub(super) struct CompiledPipeline {
    steps: Vec<CompiledStep>,
    /// The last step that makes rows.
    last: Option<usize>,
}

enum CompiledStep {
    Filter(Compiled),
    Project(Projection),
}

/// What a pipeline made of a row.
pub(super) enum Piped {
    /// Nothing: a filter dropped it.
    Dropped,
    /// The row as it was.
    Same,
    /// Another row, at the end of the buffer.
    Made(RowSpan),
}

enum At {
    Input,
    First(RowSpan),
    Second(RowSpan),
    Out(RowSpan),
}

impl CompiledPipeline {
    /// Appends what becomes of a row to `out`.
    #[inline]
    pub(super) fn run(
        &self,
        row: &[u8],
        eval: &mut crate::compiler::Eval,
        between: (&mut RowBuffer, &mut RowBuffer),
        out: &mut RowBuffer,
    ) -> Piped {
        let (first, second) = between;
        let mut at = At::Input;
        for (index, step) in self.steps.iter().enumerate() {
            match step {
                CompiledStep::Filter(predicate) => {
                    let row = match at {
                        At::Input => row,
                        At::First(span) => first.get(span),
                        At::Second(span) => second.get(span),
                        At::Out(span) => out.get(span),
                    };
                    if predicate.test(row, eval) != Some(true) {
                        if let At::Out(span) = at {
                            out.truncate(span);
                        }
                        return Piped::Dropped;
                    }
                }
                CompiledStep::Project(projection) => {
                    let is_last = Some(index) == self.last;
                    at = match (at, is_last) {
                        (At::Input, true) => At::Out(projection.project(row, eval, out)),
                        (At::First(span), true) => {
                            At::Out(projection.project(first.get(span), eval, out))
                        }
                        (At::Second(span), true) => {
                            At::Out(projection.project(second.get(span), eval, out))
                        }
                        (At::Input, false) => At::First(projection.project(row, eval, first)),
                        (At::First(span), false) => {
                            At::Second(projection.project(first.get(span), eval, second))
                        }
                        (At::Second(span), false) => {
                            At::First(projection.project(second.get(span), eval, first))
                        }
                        (At::Out(_), _) => unreachable!("nothing is projected behind the last"),
                    };
                }
            }
        }
        match at {
            At::Input => Piped::Same,
            At::Out(span) => Piped::Made(span),
            At::First(_) | At::Second(_) => unreachable!("the last projection writes the output"),
        }
    }

    /// What becomes of a row that stands alone.
    pub(super) fn apply(&self, row: Row, scratch: &mut Scratch) -> Option<Row> {
        let Scratch {
            eval,
            first,
            second,
            out,
            ..
        } = scratch;
        match self.run(row.bytes(), eval, (first, second), out) {
            Piped::Dropped => None,
            Piped::Same => Some(row),
            Piped::Made(span) => Some(owned(out.get(span))),
        }
    }

    /// What becomes of the row at `span` of the scratch memory's made rows, on its own.
    pub(super) fn apply_made(&self, span: RowSpan, scratch: &mut Scratch) -> Option<Row> {
        let span = self.pass_made(span, scratch)?;
        let rows = if self.makes_rows() {
            &scratch.out
        } else {
            &scratch.made
        };
        Some(owned(rows.get(span)))
    }

    /// Whether rows that pass are others than those that came in.
    pub(super) fn makes_rows(&self) -> bool {
        self.last.is_some()
    }

    /// What becomes of the row at `span` of the scratch memory's made rows: it is in `out` where the
    /// pipeline [makes rows](Self::makes_rows), and stays where it is otherwise.
    #[inline]
    pub(super) fn pass_made(&self, span: RowSpan, scratch: &mut Scratch) -> Option<RowSpan> {
        let Scratch {
            eval,
            first,
            second,
            out,
            made,
        } = scratch;
        first.clear();
        second.clear();
        let piped = self.run(made.get(span), eval, (first, second), out);
        if self.makes_rows() || matches!(piped, Piped::Dropped) {
            made.truncate(span);
        }
        match piped {
            Piped::Dropped => None,
            Piped::Same => Some(span),
            Piped::Made(made) => Some(made),
        }
    }
}

/// A pipeline over the runs of a stream.
struct MapRows {
    pipeline: Arc<CompiledPipeline>,
    scratch: Scratch,
}

impl RunMapper<(), Row, (), Row> for MapRows {
    fn map_run(
        &mut self,
        mut records: Vec<Record<(), Row>>,
        out: &mut Vec<Record<(), Row>>,
        failures: &mut Failures<'_, '_>,
    ) {
        let scratch = &mut self.scratch;
        scratch.clear();
        scratch.eval.set_now(failures.now());
        if self.pipeline.last.is_none() {
            records.retain(|record| {
                let kept = self.pipeline.run(
                    record.value.bytes(),
                    &mut scratch.eval,
                    (&mut scratch.first, &mut scratch.second),
                    &mut scratch.out,
                );
                if let Some(message) = scratch.eval.take_failure() {
                    failures.report(record, &message);
                }
                matches!(kept, Piped::Same)
            });
            out.append(&mut records);
            return;
        }
        let mut made = Vec::with_capacity(records.len());
        for record in &records {
            scratch.first.clear();
            scratch.second.clear();
            let piped = self.pipeline.run(
                record.value.bytes(),
                &mut scratch.eval,
                (&mut scratch.first, &mut scratch.second),
                &mut scratch.out,
            );
            if let Some(message) = scratch.eval.take_failure() {
                failures.report(record, &message);
            }
            made.push(piped);
        }
        let rows = scratch.out.freeze();
        for (record, piped) in records.iter().zip(made) {
            if let Piped::Made(span) = piped {
                out.push(record.derive((), rows.row(span)));
            }
        }
    }
}
