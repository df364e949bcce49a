//! Queries: SELECT, VALUES, their combinations, and the clauses around them.

use super::call::WindowSpec;
use super::expression::Expr;
use super::literal::Duration;
use super::name::{Ident, Name};
use super::relation::FromItem;
use crate::span::NodeSpan;

/// `[WITH ...] body [ORDER BY ...] [EMIT ...] [LIMIT ...] [OFFSET ...]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Query {
    /// The common table expressions, in order.
    pub with: Vec<CommonTable>,
    /// What is queried.
    pub body: QueryBody,
    /// `ORDER BY`.
    pub order_by: Vec<OrderItem>,
    /// `EMIT CHANGES`, `EMIT FINAL`.
    pub emit: Option<Emit>,
    /// `LIMIT`, `FETCH FIRST`.
    pub limit: Option<Expr>,
    /// `OFFSET`.
    pub offset: Option<Expr>,
    /// Where it stands.
    pub span: NodeSpan,
}

impl Query {
    /// Whether it has nothing around its body.
    pub(crate) fn is_plain(&self) -> bool {
        self.with.is_empty()
            && self.order_by.is_empty()
            && self.emit.is_none()
            && self.limit.is_none()
            && self.offset.is_none()
    }
}

/// `name [(columns)] AS (query)` of a WITH clause.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CommonTable {
    /// What it is called.
    pub name: Ident,
    /// What its columns are called, if they are renamed.
    pub columns: Vec<Ident>,
    /// What it holds.
    pub query: Query,
    /// Where it stands.
    pub span: NodeSpan,
}

/// What a query consists of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum QueryBody {
    /// `SELECT ...`
    Select(Box<Select>),
    /// `VALUES (...), (...)`
    Values(Values),
    /// `left UNION right` and the like.
    SetOperation(Box<SetOperation>),
    /// `(query)`: a query with clauses of its own inside a combination.
    Nested(Box<Query>),
}

impl QueryBody {
    /// Where it stands.
    pub fn span(&self) -> NodeSpan {
        match self {
            QueryBody::Select(select) => select.span,
            QueryBody::Values(values) => values.span,
            QueryBody::SetOperation(operation) => operation.span,
            QueryBody::Nested(query) => query.span,
        }
    }
}

/// `left UNION | INTERSECT | EXCEPT [ALL] right`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SetOperation {
    /// Which.
    pub op: SetOp,
    /// Whether duplicates are kept.
    pub all: bool,
    /// The left side.
    pub left: QueryBody,
    /// The right side.
    pub right: QueryBody,
    /// Where it stands.
    pub span: NodeSpan,
}

/// Combinations of two queries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SetOp {
    /// `UNION`
    Union,
    /// `INTERSECT`, which binds tighter than the others.
    Intersect,
    /// `EXCEPT`
    Except,
}

/// `VALUES (...), (...)`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Values {
    /// The rows, at least one, each with at least one value.
    pub rows: Vec<Vec<Expr>>,
    /// Where it stands.
    pub span: NodeSpan,
}

/// `SELECT ... FROM ... WHERE ...`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Select {
    /// `DISTINCT`, `DISTINCT ON (...)`.
    pub distinct: Option<Distinct>,
    /// What is selected, at least one item.
    pub items: Vec<SelectItem>,
    /// What stands after FROM, separated by commas.
    pub from: Vec<FromItem>,
    /// `WINDOW TUMBLING (...)`.
    pub window: Option<StreamWindow>,
    /// `WHERE`.
    pub filter: Option<Expr>,
    /// `GROUP BY`.
    pub group_by: Vec<GroupItem>,
    /// `PARTITION BY`.
    pub partition_by: Vec<Expr>,
    /// `HAVING`.
    pub having: Option<Expr>,
    /// `WINDOW name AS (...)`.
    pub named_windows: Vec<NamedWindow>,
    /// Where it stands.
    pub span: NodeSpan,
}

/// `DISTINCT`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Distinct {
    /// The expressions of `DISTINCT ON (...)`; none for the whole row.
    pub on: Vec<Expr>,
    /// Where the word stands.
    pub span: NodeSpan,
}

/// An item of a select list.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SelectItem {
    /// An expression, with the name it is given.
    Expr {
        /// The expression.
        expr: Expr,
        /// Its name.
        alias: Option<Ident>,
    },
    /// `*`
    Star(NodeSpan),
    /// `o.*`
    QualifiedStar(Name),
    /// `s->*`: all fields of a struct.
    FieldStar(Expr),
}

/// An item of GROUP BY; parentheses around a list of expressions are gone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum GroupItem {
    /// An expression, or the number of a select item.
    Expr(Expr),
    /// `ROLLUP (a, (b, c))`
    Rollup(Vec<Vec<Expr>>),
    /// `CUBE (a, (b, c))`
    Cube(Vec<Vec<Expr>>),
    /// `GROUPING SETS ((a, b), (a), ())`; `()` alone is one with an empty set.
    GroupingSets(Vec<Vec<Expr>>),
}

/// An item of ORDER BY.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OrderItem {
    /// By what.
    pub expr: Expr,
    /// `ASC`, `DESC`, if it is said.
    pub direction: Option<Direction>,
    /// `NULLS FIRST`, `NULLS LAST`, if it is said.
    pub nulls: Option<NullsOrder>,
}

/// Which way an order goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// `ASC`
    Ascending,
    /// `DESC`
    Descending,
}

/// Where NULLs stand in an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NullsOrder {
    /// `NULLS FIRST`
    First,
    /// `NULLS LAST`
    Last,
}

/// `EMIT CHANGES`, `EMIT FINAL`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Emit {
    /// Which.
    pub kind: EmitKind,
    /// Where it stands.
    pub span: NodeSpan,
}

/// When a query gives its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EmitKind {
    /// Each change, for ever.
    Changes,
    /// A window's row once, when it closes.
    Final,
}

/// `WINDOW [name] TUMBLING (SIZE ..., RETENTION ..., GRACE PERIOD ...)`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StreamWindow {
    /// A name, which ksqlDB allows and nothing refers to.
    pub name: Option<Ident>,
    /// Which windows.
    pub kind: StreamWindowKind,
    /// How long their state is kept.
    pub retention: Option<Duration>,
    /// How long after its end a window takes late records.
    pub grace: Option<Duration>,
    /// Where it stands.
    pub span: NodeSpan,
}

/// The windows of streams.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum StreamWindowKind {
    /// `TUMBLING (SIZE size)`
    Tumbling {
        /// How long a window is.
        size: Duration,
    },
    /// `HOPPING (SIZE size, ADVANCE BY advance)`
    Hopping {
        /// How long a window is.
        size: Duration,
        /// How far the next one begins after it.
        advance: Duration,
    },
    /// `SESSION (gap)`
    Session {
        /// The silence that ends a session.
        gap: Duration,
    },
}

/// `name AS (...)` of the WINDOW clause.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NamedWindow {
    /// What it is called.
    pub name: Ident,
    /// What it is.
    pub window: WindowSpec,
}
