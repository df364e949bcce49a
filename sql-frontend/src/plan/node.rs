//! The operators of plans.

use std::sync::Arc;

use ferrisstreams_topology::data::{DataType, Value};

use super::relation::{Source, Stream, Table};
use super::{Aggregate, Scalar};

/// A relational operator with its inputs.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What it does.
    pub kind: PlanKind,
    /// The columns that it gives.
    pub columns: Vec<Column>,
}

/// A column of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type.
    pub data_type: DataType,
    /// Whether it may be NULL.
    pub nullable: bool,
}

/// The forms of operators.
#[derive(Clone, Debug)]
pub enum PlanKind {
    /// Records of a source.
    Scan {
        /// The source.
        source: Arc<Source>,
        /// Whether its records are a stream or the rows of a table.
        kind: ScanKind,
        /// The columns of the source that are read, in the order in which they are given.
        projection: Vec<usize>,
        /// What must hold for a record to be given, over the columns that are given.
        filter: Option<Scalar>,
    },
    /// A stream of the catalog that is computed, or that rows are inserted into.
    Stream(Arc<Stream>),
    /// A table of the catalog.
    Table(Arc<Table>),
    /// Rows written out.
    Values(Vec<Vec<Value>>),
    /// The rows for which a predicate is true.
    Filter {
        /// What is filtered.
        input: Box<Plan>,
        /// The predicate.
        predicate: Scalar,
    },
    /// Computed columns.
    Project {
        /// What they are computed from.
        input: Box<Plan>,
        /// The columns.
        exprs: Vec<Scalar>,
    },
    /// One row a group: the groups' expressions, then the aggregates.
    Aggregate {
        /// What is gathered.
        input: Box<Plan>,
        /// What the groups are told apart by; none for a single group of all rows.
        groups: Vec<Scalar>,
        /// What is gathered of each group.
        aggregates: Vec<Aggregate>,
    },
    /// Pairs of rows: the columns of the left side, then those of the right.
    Join {
        /// Which rows without a partner are kept.
        kind: JoinKind,
        /// The left side.
        left: Box<Plan>,
        /// The right side.
        right: Box<Plan>,
        /// Expressions of either side that must be equal.
        on: Vec<JoinOn>,
        /// What must hold besides, over the columns of both.
        residual: Option<Scalar>,
    },
    /// The rows of all inputs, which have columns of the same types.
    UnionAll(Vec<Plan>),
    /// The rows in an order, of a query that answers once.
    Sort {
        /// What is sorted.
        input: Box<Plan>,
        /// By what.
        keys: Vec<SortKey>,
    },
    /// Some of the rows in order, of a query that answers once.
    Limit {
        /// What is cut.
        input: Box<Plan>,
        /// How many rows are left out.
        offset: u64,
        /// How many rows are given, if not all.
        limit: Option<u64>,
    },
}

/// Whether records are a stream or a table's rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ScanKind {
    /// Each record is a row of its own.
    Stream,
    /// The content of the source is the table.
    Table,
    /// Either: what surrounds the scan decides.
    Open,
}

/// Which rows without a partner a join keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JoinKind {
    /// None.
    Inner,
    /// Those of the left side.
    Left,
    /// Those of the right side.
    Right,
    /// Those of both.
    Full,
}

/// Expressions that must be equal.
#[derive(Clone, Debug, PartialEq)]
pub struct JoinOn {
    /// Over the left side's columns.
    pub left: Scalar,
    /// Over the right side's columns, of the same type.
    pub right: Scalar,
}

/// An item of ORDER BY.
#[derive(Clone, Debug, PartialEq)]
pub struct SortKey {
    /// By what.
    pub expr: Scalar,
    /// Whether the greatest comes first.
    pub descending: bool,
    /// Whether NULL comes first.
    pub nulls_first: bool,
}

impl Column {
    /// A column that gives the value of an expression.
    pub fn of(name: impl Into<String>, scalar: &Scalar) -> Self {
        Column {
            name: name.into(),
            data_type: scalar.data_type,
            nullable: scalar.nullable,
        }
    }
}

impl Plan {
    /// The plans that this one reads directly.
    pub fn inputs(&self) -> Vec<&Plan> {
        match &self.kind {
            PlanKind::Scan { .. }
            | PlanKind::Stream(_)
            | PlanKind::Table(_)
            | PlanKind::Values(_) => Vec::new(),
            PlanKind::Filter { input, .. }
            | PlanKind::Project { input, .. }
            | PlanKind::Aggregate { input, .. }
            | PlanKind::Sort { input, .. }
            | PlanKind::Limit { input, .. } => vec![input],
            PlanKind::Join { left, right, .. } => vec![left, right],
            PlanKind::UnionAll(inputs) => inputs.iter().collect(),
        }
    }

    /// The plan with each of its inputs replaced by what `replace` makes of it.
    pub fn map_inputs(mut self, replace: &mut dyn FnMut(Plan) -> Plan) -> Self {
        let mut swap = |input: &mut Plan| {
            let taken = std::mem::replace(input, Plan::nothing());
            *input = replace(taken);
        };
        match &mut self.kind {
            PlanKind::Scan { .. }
            | PlanKind::Stream(_)
            | PlanKind::Table(_)
            | PlanKind::Values(_) => {}
            PlanKind::Filter { input, .. }
            | PlanKind::Project { input, .. }
            | PlanKind::Aggregate { input, .. }
            | PlanKind::Sort { input, .. }
            | PlanKind::Limit { input, .. } => swap(input),
            PlanKind::Join { left, right, .. } => {
                swap(left);
                swap(right);
            }
            PlanKind::UnionAll(inputs) => inputs.iter_mut().for_each(swap),
        }
        self
    }

    /// The plan rewritten from its sources up.
    pub fn rewrite(self, rule: &mut dyn FnMut(Plan) -> Plan) -> Self {
        let mapped = self.map_inputs(&mut |input| input.rewrite(rule));
        rule(mapped)
    }

    /// The plan that gives no row and no column.
    pub fn nothing() -> Self {
        Plan {
            kind: PlanKind::Values(Vec::new()),
            columns: Vec::new(),
        }
    }

    /// A plan that keeps the rows for which `predicate` is true.
    pub fn filter(self, predicate: Scalar) -> Self {
        Plan {
            columns: self.columns.clone(),
            kind: PlanKind::Filter {
                input: Box::new(self),
                predicate,
            },
        }
    }

    /// A plan that computes columns, each with its name.
    pub fn project(self, exprs: Vec<(String, Scalar)>) -> Self {
        Plan {
            columns: exprs
                .iter()
                .map(|(name, expr)| Column::of(name, expr))
                .collect(),
            kind: PlanKind::Project {
                input: Box::new(self),
                exprs: exprs.into_iter().map(|(_, expr)| expr).collect(),
            },
        }
    }

    /// A column of this plan as an expression.
    ///
    /// # Panics
    ///
    /// Where there is no such column.
    pub fn column(&self, index: usize) -> Scalar {
        let column = &self.columns[index];
        Scalar::column(index, column.data_type, column.nullable, Default::default())
    }
}
