//! Queries and their clauses.

use std::fmt::{self, Display, Formatter};

use super::list::{Clause, Commas, Listed, Maybe, when};
use super::name::Label;
use crate::ast::expression::{CastForm, Expr, ExprKind};
use crate::ast::query::{
    CommonTable, Direction, Distinct, Emit, EmitKind, GroupItem, NamedWindow, NullsOrder,
    OrderItem, Query, QueryBody, Select, SelectItem, SetOp, SetOperation, StreamWindow,
    StreamWindowKind, Values,
};

impl Display for Query {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if !self.with.is_empty() {
            write!(f, "WITH {} ", Commas(&self.with))?;
        }
        write!(f, "{}{}", self.body, Clause("ORDER BY", &self.order_by))?;
        write!(f, "{}", Maybe("EMIT", &self.emit))?;
        write!(
            f,
            "{}{}",
            Maybe("LIMIT", &self.limit),
            Maybe("OFFSET", &self.offset)
        )
    }
}

impl Display for CommonTable {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}{} AS ({})",
            self.name,
            Listed(&self.columns),
            self.query
        )
    }
}

impl Display for QueryBody {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            QueryBody::Select(select) => select.fmt(f),
            QueryBody::Values(values) => values.fmt(f),
            QueryBody::SetOperation(operation) => operation.fmt(f),
            QueryBody::Nested(query) => write!(f, "({query})"),
        }
    }
}

impl Display for SetOperation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let word = match self.op {
            SetOp::Union => "UNION",
            SetOp::Intersect => "INTERSECT",
            SetOp::Except => "EXCEPT",
        };
        side(&self.left, self.op.binds_tighter(), true, f)?;
        write!(f, " {word}{} ", when(self.all, " ALL"))?;
        side(&self.right, self.op.binds_tighter(), false, f)
    }
}

impl SetOp {
    /// Whether it binds tighter than the others do.
    pub(crate) fn binds_tighter(self) -> bool {
        self == SetOp::Intersect
    }
}

/// A side of a combination: in parentheses if it would be grouped otherwise.
fn side(body: &QueryBody, tight: bool, is_left: bool, f: &mut Formatter<'_>) -> fmt::Result {
    let needs_parentheses = match body {
        QueryBody::SetOperation(inner) if is_left => tight && !inner.op.binds_tighter(),
        QueryBody::SetOperation(inner) => tight || !inner.op.binds_tighter(),
        _ => false,
    };
    match needs_parentheses {
        true => write!(f, "({body})"),
        false => body.fmt(f),
    }
}

impl Display for Values {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("VALUES")?;
        for (index, row) in self.rows.iter().enumerate() {
            write!(f, "{} ({})", when(index > 0, ","), Commas(row))?;
        }
        Ok(())
    }
}

impl Display for Select {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("SELECT ")?;
        if let Some(distinct) = &self.distinct {
            write!(f, "{distinct} ")?;
        }
        write!(f, "{}{}", Commas(&self.items), Clause("FROM", &self.from))?;
        write!(
            f,
            "{}{}",
            Maybe("WINDOW", &self.window),
            Maybe("WHERE", &self.filter)
        )?;
        write!(f, "{}", Clause("GROUP BY", &self.group_by))?;
        write!(f, "{}", Clause("PARTITION BY", &self.partition_by))?;
        write!(
            f,
            "{}{}",
            Maybe("HAVING", &self.having),
            Clause("WINDOW", &self.named_windows)
        )
    }
}

impl Display for Distinct {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.on.as_slice() {
            [] => f.write_str("DISTINCT"),
            on => write!(f, "DISTINCT ON ({})", Commas(on)),
        }
    }
}

impl Display for SelectItem {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            SelectItem::Expr { expr, alias: None } => expr.fmt(f),
            SelectItem::Expr {
                expr,
                alias: Some(alias),
            } => {
                write!(f, "{expr} AS {}", Label(alias))
            }
            SelectItem::Star(_) => f.write_str("*"),
            SelectItem::QualifiedStar(name) => write!(f, "{name}.*"),
            SelectItem::FieldStar(expr) => write!(f, "{expr}->*"),
        }
    }
}

impl Display for GroupItem {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            GroupItem::Expr(expr) if is_grouping_like(expr) => write!(f, "({expr})"),
            GroupItem::Expr(expr) => expr.fmt(f),
            GroupItem::Rollup(sets) => write!(f, "ROLLUP ({})", Sets(sets)),
            GroupItem::Cube(sets) => write!(f, "CUBE ({})", Sets(sets)),
            GroupItem::GroupingSets(sets) => write!(f, "GROUPING SETS ({})", Sets(sets)),
        }
    }
}

/// Whether the text begins with a function called `cube` or `rollup`, which here would be read as
/// the grouping.
fn is_grouping_like(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Call(call) => call.name.is_bare("cube") || call.name.is_bare("rollup"),
        _ => leftmost(expr).is_some_and(is_grouping_like),
    }
}

/// The operand that stands left of the operator.
fn leftmost(expr: &Expr) -> Option<&Expr> {
    Some(match &expr.kind {
        ExprKind::Binary { left, .. } | ExprKind::DistinctFrom { left, .. } => left,
        ExprKind::Logical { operands, .. } => operands.first()?,
        ExprKind::Is { operand, .. }
        | ExprKind::InList { operand, .. }
        | ExprKind::InQuery { operand, .. }
        | ExprKind::AtTimeZone { operand, .. }
        | ExprKind::Subscript { operand, .. }
        | ExprKind::Field { operand, .. } => operand,
        ExprKind::Between(between) => &between.operand,
        ExprKind::Like(like) => &like.operand,
        ExprKind::Quantified(quantified) => &quantified.left,
        ExprKind::Cast(cast) if cast.form == CastForm::DoubleColon => &cast.operand,
        _ => return None,
    })
}

struct Sets<'a>(&'a [Vec<Expr>]);

impl Display for Sets<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (index, set) in self.0.iter().enumerate() {
            write!(f, "{}({})", when(index > 0, ", "), Commas(set))?;
        }
        Ok(())
    }
}

impl Display for OrderItem {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.expr.fmt(f)?;
        f.write_str(match self.direction {
            None => "",
            Some(Direction::Ascending) => " ASC",
            Some(Direction::Descending) => " DESC",
        })?;
        f.write_str(match self.nulls {
            None => "",
            Some(NullsOrder::First) => " NULLS FIRST",
            Some(NullsOrder::Last) => " NULLS LAST",
        })
    }
}

impl Display for Emit {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            EmitKind::Changes => "CHANGES",
            EmitKind::Final => "FINAL",
        })
    }
}

impl Display for StreamWindow {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let Some(name) = &self.name {
            write!(f, "{name} ")?;
        }
        match &self.kind {
            StreamWindowKind::Tumbling { size } => write!(f, "TUMBLING (SIZE {size}")?,
            StreamWindowKind::Hopping { size, advance } => {
                write!(f, "HOPPING (SIZE {size}, ADVANCE BY {advance}")?;
            }
            StreamWindowKind::Session { gap } => write!(f, "SESSION ({gap}")?,
        }
        if let Some(retention) = &self.retention {
            write!(f, ", RETENTION {retention}")?;
        }
        if let Some(grace) = &self.grace {
            write!(f, ", GRACE PERIOD {grace}")?;
        }
        f.write_str(")")
    }
}

impl Display for NamedWindow {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} AS {}", self.name, self.window)
    }
}
