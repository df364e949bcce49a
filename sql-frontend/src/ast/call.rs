//! Function calls, with all that may follow the arguments, and the arguments of table functions.

use super::expression::Expr;
use super::name::{Ident, Name};
use super::query::OrderItem;
use crate::span::NodeSpan;

/// `name([DISTINCT] arguments [ORDER BY ...]) [FILTER (...)] [OVER ...]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Call {
    /// The function.
    pub name: Name,
    /// Whether with DISTINCT.
    pub distinct: bool,
    /// The arguments in order.
    pub arguments: Vec<Argument>,
    /// The order in which an aggregate takes its rows.
    pub order_by: Vec<OrderItem>,
    /// `WITHIN GROUP (ORDER BY ...)`.
    pub within_group: Vec<OrderItem>,
    /// What is done with NULL arguments, if it is said.
    pub nulls: Option<NullTreatment>,
    /// `FILTER (WHERE ...)`.
    pub filter: Option<Expr>,
    /// `OVER ...`, which makes it a window function.
    pub over: Option<Over>,
}

impl Call {
    /// A call of `name` with nothing but its arguments.
    pub fn new(name: Name, arguments: Vec<Argument>) -> Self {
        Call {
            name,
            distinct: false,
            arguments,
            order_by: Vec::new(),
            within_group: Vec::new(),
            nulls: None,
            filter: None,
            over: None,
        }
    }
}

/// An argument of a function.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Argument {
    /// An expression.
    Expr(Expr),
    /// `*`, as in `COUNT(*)`.
    Star,
    /// `x => x + 1`, `(k, v) => v`.
    Lambda(Lambda),
}

/// A function written as an argument.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Lambda {
    /// Its parameters, at least one.
    pub parameters: Vec<Ident>,
    /// What it gives.
    pub body: Box<Expr>,
    /// Where it stands.
    pub span: NodeSpan,
}

/// `IGNORE NULLS`, `RESPECT NULLS`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NullTreatment {
    /// `IGNORE NULLS`
    Ignore,
    /// `RESPECT NULLS`
    Respect,
}

/// What follows OVER.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Over {
    /// The name of a window of the WINDOW clause.
    Name(Ident),
    /// A window written out.
    Window(WindowSpec),
}

/// `([name] PARTITION BY ... ORDER BY ... frame)`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WindowSpec {
    /// The window that this one refines.
    pub base: Option<Ident>,
    /// `PARTITION BY`.
    pub partition_by: Vec<Expr>,
    /// `ORDER BY`.
    pub order_by: Vec<OrderItem>,
    /// The frame.
    pub frame: Option<Frame>,
    /// Where it stands.
    pub span: NodeSpan,
}

/// `ROWS BETWEEN start AND end EXCLUDE ...`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Frame {
    /// What the bounds count.
    pub unit: FrameUnit,
    /// Where it begins.
    pub start: FrameBound,
    /// Where it ends, the current row if it is not given.
    pub end: Option<FrameBound>,
    /// What is left out of it.
    pub exclude: Option<FrameExclude>,
}

/// What a frame's bounds count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FrameUnit {
    /// `ROWS`
    Rows,
    /// `RANGE`
    Range,
    /// `GROUPS`
    Groups,
}

/// An end of a frame.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum FrameBound {
    /// `UNBOUNDED PRECEDING`
    UnboundedPreceding,
    /// `n PRECEDING`
    Preceding(Box<Expr>),
    /// `CURRENT ROW`
    CurrentRow,
    /// `n FOLLOWING`
    Following(Box<Expr>),
    /// `UNBOUNDED FOLLOWING`
    UnboundedFollowing,
}

/// What is left out of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FrameExclude {
    /// `EXCLUDE CURRENT ROW`
    CurrentRow,
    /// `EXCLUDE GROUP`
    Group,
    /// `EXCLUDE TIES`
    Ties,
    /// `EXCLUDE NO OTHERS`
    NoOthers,
}
