//! Joins of two tables, whose result is a table.

use std::sync::Arc;

use ferrisstreams_topology::codec::{nullable_key, row, row_key};
use ferrisstreams_topology::data::{DataType, Row, RowLayout, Schema};
use ferrisstreams_topology::dsl::{self, JoinSide, JoinSpec, KTable};

use super::join_stream::{JoinPlan, combiner};
use super::keyed::{Part, has_null};
use super::pipeline::{Pipeline, can_fail, volatile};
use super::relation::{TableRows, hidden_key};
use super::scratch::with_scratch;
use super::{Lowering, Result};
use crate::compiler::Compiled;
use crate::plan::schema;
use crate::plan::{Column, JoinKind, Scalar};

type OnFn = Arc<dyn Fn(&Row, &Row) -> Option<Row> + Send + Sync>;

impl Lowering<'_> {
    pub(super) fn table_join(
        &mut self,
        join: &JoinPlan<'_>,
        left: &TableRows,
        right: &TableRows,
        tail: Pipeline,
    ) -> Result<TableRows> {
        let name = self.name("join");
        let of_left: Vec<Scalar> = join.on.iter().map(|on| on.left.clone()).collect();
        let (pair_condition, tail) = split_condition(join, tail);
        let of_right: Vec<Scalar> = join.on.iter().map(|on| on.right.clone()).collect();
        let all = of_left.iter().chain(&of_right).chain(join.residual);
        if let Some(scalar) = all.clone().find(|scalar| !scalar.is_deterministic()) {
            return Err(volatile(scalar));
        }
        let left = &checked(left, &of_left, &join.left.columns);
        let right = &checked(right, &of_right, &join.right.columns);
        let on_schema = Part::new(of_left.clone()).schema;
        let out_key = join_key();
        let spec = JoinSpec {
            name,
            kind: kind(join.kind),
            left: JoinSide {
                on: on(of_left, &join.left.columns),
                value: row(),
            },
            right: JoinSide {
                on: on(of_right, &join.right.columns),
                value: row(),
            },
            matches: matches(join, pair_condition),
            key: pair_key(&out_key),
            join: { combiner(&join.left.columns, &join.right.columns, join.columns) },
            on: nullable_key(row_key(&on_schema)),
            out_key: row_key(&out_key),
        };
        let table: KTable<Row, Row> = left.table.join_spec(&right.table, spec);
        let rows = TableRows { table, key: None };
        rows.piped(&tail, join.columns)
    }
}

/// The same table with a step that tells which of these expressions fails for a row, where one can.
fn checked(rows: &TableRows, exprs: &[Scalar], columns: &[Column]) -> TableRows {
    if !exprs.iter().any(can_fail) {
        return rows.clone();
    }
    let code = Part::new(exprs.to_vec()).compile(&RowLayout::new(&schema(columns)));
    let check = move |_: &Row, row: Row, report: &mut dsl::Report<'_>| {
        with_scratch(|scratch| {
            code.project(row.bytes(), &mut scratch.eval, &mut scratch.out);
            if let Some(message) = scratch.eval.take_failure() {
                report(&message);
            }
        });
        Some(row)
    };
    TableRows {
        table: rows.table.try_filter_map_values(check),
        key: rows.key.clone(),
    }
}

/// The keys of a join's rows: those of both sides as bytes, NULL where a side has no row.
fn join_key() -> Schema {
    hidden_key(&[DataType::Bytes, DataType::Bytes])
}

fn kind(kind: JoinKind) -> dsl::JoinKind {
    match kind {
        JoinKind::Inner => dsl::JoinKind::Inner,
        JoinKind::Left => dsl::JoinKind::Left,
        JoinKind::Right => dsl::JoinKind::Right,
        JoinKind::Full => dsl::JoinKind::Full,
    }
}

/// What rows of a side are joined on; NULL is equal to nothing.
fn on(exprs: Vec<Scalar>, columns: &[Column]) -> OnFn {
    let part = Part::new(exprs);
    let code = part.compile_key(&RowLayout::new(&schema(columns)));
    let layout = part.layout();
    Arc::new(move |_, row| {
        with_scratch(|scratch| {
            let span = code.project(row.bytes(), &mut scratch.eval, &mut scratch.out);
            let key = scratch.out.get(span);
            (!has_null(key, &layout)).then(|| Row::from_bytes(key))
        })
    })
}

/// What must hold for a pair, and what comes behind. A condition that can fail is a filter behind an
/// inner join; where rows without a partner are kept it has to be part of it.
fn split_condition<'a>(join: &JoinPlan<'a>, tail: Pipeline) -> (Option<&'a Scalar>, Pipeline) {
    match join.residual {
        Some(residual) if join.kind == JoinKind::Inner && can_fail(residual) => {
            let mut behind = Pipeline::filter(residual.clone());
            behind.append(tail);
            (None, behind)
        }
        residual => (residual, tail),
    }
}

fn matches(join: &JoinPlan<'_>, residual: Option<&Scalar>) -> dsl::Matches<Row, Row> {
    let Some(residual) = residual else {
        return Arc::new(|_, _, _| true);
    };
    let both = combiner(&join.left.columns, &join.right.columns, join.columns);
    let code = Compiled::new(residual, &RowLayout::new(&schema(join.columns)));
    Arc::new(move |l, r, report| {
        let row = both(Some(l), Some(r));
        with_scratch(|scratch| {
            let holds = code.test(row.bytes(), &mut scratch.eval) == Some(true);
            if let Some(message) = scratch.eval.take_failure() {
                report(&message);
            }
            holds
        })
    })
}

fn pair_key(key: &Schema) -> dsl::Combine<Row, Row, Row> {
    let layout = RowLayout::new(key);
    Arc::new(move |l: Option<&Row>, r: Option<&Row>| {
        with_scratch(|scratch| {
            let mut writer = scratch.out.begin(&layout);
            for (column, side) in [l, r].into_iter().enumerate() {
                if let Some(key) = side {
                    writer.set_bytes(column, key.bytes());
                }
            }
            let span = writer.finish();
            Row::from_bytes(scratch.out.get(span))
        })
    })
}
