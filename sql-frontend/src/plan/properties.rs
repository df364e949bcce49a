//! What is known of a plan's rows: whether they change, and what tells them apart.

use ferrisstreams_topology::data::DataType;

use super::{JoinKind, Plan, PlanKind, Scalar, ScalarKind, ScanKind};

/// What is known of the rows of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Properties {
    /// Whether rows change.
    pub changes: Changes,
    /// What tells the rows of a table apart.
    pub key: Key,
}

/// Whether the rows of a relation change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Changes {
    /// Rows only come: a stream.
    AppendOnly,
    /// Rows come, change and go: a table.
    Updating,
}

/// What tells rows apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// Columns, which need not be among those that the plan gives.
    Columns(Vec<KeyColumn>),
    /// Nothing but the row itself; equal rows are counted.
    Row,
}

/// A column of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyColumn {
    /// Its type.
    pub data_type: DataType,
    /// The column of the plan that has the same value, if one has.
    pub column: Option<usize>,
}

impl Key {
    /// The columns of the plan that are the key, if all of it is among them.
    pub fn visible(&self) -> Option<Vec<usize>> {
        match self {
            Key::Columns(columns) => columns.iter().map(|column| column.column).collect(),
            Key::Row => None,
        }
    }

    /// The key with the places of its columns as `place` gives them.
    fn moved(self, place: impl Fn(usize) -> Option<usize>) -> Key {
        match self {
            Key::Row => Key::Row,
            Key::Columns(columns) => Key::Columns(
                columns
                    .into_iter()
                    .map(|column| KeyColumn {
                        column: column.column.and_then(&place),
                        ..column
                    })
                    .collect(),
            ),
        }
    }
}

fn append_only() -> Properties {
    Properties {
        changes: Changes::AppendOnly,
        key: Key::Row,
    }
}

fn updating(key: Key) -> Properties {
    Properties {
        changes: Changes::Updating,
        key,
    }
}

/// What is known of the rows of a plan.
pub fn properties(plan: &Plan) -> Properties {
    match &plan.kind {
        PlanKind::Scan {
            source,
            kind,
            projection,
            ..
        } => match kind {
            ScanKind::Table if source.key.is_empty() => updating(Key::Row),
            ScanKind::Table => updating(Key::Columns(
                source
                    .key
                    .iter()
                    .map(|column| KeyColumn {
                        data_type: source.columns[*column].data_type,
                        column: projection.iter().position(|read| read == column),
                    })
                    .collect(),
            )),
            ScanKind::Stream | ScanKind::Open => append_only(),
        },
        PlanKind::Table(table) => updating(table.key.clone()),
        PlanKind::Values(_) | PlanKind::Stream(_) => append_only(),
        PlanKind::Filter { input, .. }
        | PlanKind::Sort { input, .. }
        | PlanKind::Limit { input, .. } => properties(input),
        PlanKind::Project { input, exprs } => {
            let input = properties(input);
            let place = |from: usize| exprs.iter().position(|expr| is_column(expr, from));
            Properties {
                changes: input.changes,
                key: match (input.changes, input.key) {
                    // A row that was told apart by all of itself is one no longer.
                    (Changes::Updating, Key::Row) => Key::Row,
                    (_, key) => key.moved(place),
                },
            }
        }
        PlanKind::Aggregate { groups, .. } => updating(Key::Columns(
            groups
                .iter()
                .enumerate()
                .map(|(at, group)| KeyColumn {
                    data_type: group.data_type,
                    column: Some(at),
                })
                .collect(),
        )),
        PlanKind::Join {
            kind, left, right, ..
        } => {
            let (l, r) = (properties(left), properties(right));
            let side = side_of(
                *kind,
                is_stream(left, l.changes),
                is_stream(right, r.changes),
            );
            if side.is_some() {
                return append_only();
            }
            joined_key(*kind, l.key, r.key, left.columns.len())
        }
        PlanKind::UnionAll(inputs) => {
            let all: Vec<Properties> = inputs.iter().map(properties).collect();
            if all.iter().all(|one| one.changes == Changes::AppendOnly) {
                append_only()
            } else {
                updating(Key::Row)
            }
        }
    }
}

/// True where the records of a plan come both from sources that can be read again from the start, such
/// as files, and from others.
pub fn is_mixed(plan: &Plan) -> bool {
    let (mut again, mut once) = (false, false);
    for_each_origin(plan, &mut |is_rereadable| {
        again |= is_rereadable;
        once |= !is_rereadable;
    });
    again && once
}

fn for_each_origin(plan: &Plan, visit: &mut dyn FnMut(bool)) {
    match &plan.kind {
        PlanKind::Scan { source, kind, .. } if *kind != ScanKind::Table => {
            visit(source.resolved.source.describe().rereadable);
        }
        PlanKind::Values(_) => visit(true),
        PlanKind::Stream(stream) => {
            if let Some(query) = &stream.query {
                for_each_origin(query, visit);
            }
        }
        PlanKind::Join {
            kind, left, right, ..
        } => match stream_side(*kind, left, right) {
            Some(Side::Left) => for_each_origin(left, visit),
            Some(Side::Right) => for_each_origin(right, visit),
            None => {}
        },
        PlanKind::Filter { .. } | PlanKind::Project { .. } | PlanKind::UnionAll(_) => {
            for input in plan.inputs() {
                for_each_origin(input, visit);
            }
        }
        _ => {}
    }
}

/// A side of a join.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// The left one.
    Left,
    /// The right one.
    Right,
}

/// The side whose records meet the other side's table, where a join is one of a stream and a table.
///
/// A join that keeps rows of its table has to wait for records that never come, so it is one of two
/// tables; and so is a join of two streams. Rows written out are a table here, which never changes.
pub fn stream_side(kind: JoinKind, left: &Plan, right: &Plan) -> Option<Side> {
    let is_stream = |plan: &Plan| is_stream(plan, properties(plan).changes);
    side_of(kind, is_stream(left), is_stream(right))
}

fn side_of(kind: JoinKind, left_is_stream: bool, right_is_stream: bool) -> Option<Side> {
    match (left_is_stream, right_is_stream, kind) {
        (true, false, JoinKind::Inner | JoinKind::Left) => Some(Side::Left),
        (false, true, JoinKind::Inner | JoinKind::Right) => Some(Side::Right),
        _ => None,
    }
}

/// True where a side of a join, with rows that change so, is a stream there.
fn is_stream(plan: &Plan, changes: Changes) -> bool {
    changes == Changes::AppendOnly && !is_written_out(plan)
}

/// True where all rows of a plan are made of rows written out.
fn is_written_out(plan: &Plan) -> bool {
    match &plan.kind {
        PlanKind::Values(_) => true,
        _ => {
            let inputs = plan.inputs();
            !inputs.is_empty() && inputs.into_iter().all(is_written_out)
        }
    }
}

fn is_column(expr: &Scalar, column: usize) -> bool {
    matches!(expr.kind, ScalarKind::Column(index) if index == column)
}

fn joined_key(kind: JoinKind, left: Key, right: Key, left_width: usize) -> Properties {
    match (left, right.moved(|column| Some(column + left_width))) {
        (Key::Columns(mut columns), Key::Columns(others)) if kind == JoinKind::Inner => {
            columns.extend(others);
            updating(Key::Columns(columns))
        }
        // Which columns of the result are the key depends on which side a row has.
        (Key::Columns(columns), Key::Columns(others)) => {
            let hidden = columns.into_iter().chain(others).map(|column| KeyColumn {
                column: None,
                ..column
            });
            updating(Key::Columns(hidden.collect()))
        }
        _ => updating(Key::Row),
    }
}
