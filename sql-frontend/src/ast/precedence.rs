//! How tightly operators bind, for the parser and the printer alike; the order is PostgreSQL's.

use super::expression::{BinaryOp, CastForm, Expr, ExprKind, LogicalOp, UnaryOp};

/// Levels from loosest to tightest.
///
/// Unlike PostgreSQL's operator of that spelling, `->` takes a field and binds like `.`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Precedence {
    /// `OR`
    Or,
    /// `AND`
    And,
    /// `NOT`
    Not,
    /// `IS`
    Is,
    /// `=`, `<` and the like; they do not chain.
    Comparison,
    /// `BETWEEN`, `IN`, `LIKE`; they do not chain.
    Range,
    /// `||`
    Concat,
    /// `+`, `-`
    Sum,
    /// `*`, `/`, `%`
    Product,
    /// `AT TIME ZONE`
    Zone,
    /// `-x`, `+x`
    Sign,
    /// `x::t`, `x[i]`, `x->f`
    Postfix,
    /// All that needs no parentheses anywhere.
    Primary,
}

impl Precedence {
    /// The next tighter level.
    pub(crate) fn tighter(self) -> Precedence {
        use Precedence::*;
        match self {
            Or => And,
            And => Not,
            Not => Is,
            Is => Comparison,
            Comparison => Range,
            Range => Concat,
            Concat => Sum,
            Sum => Product,
            Product => Zone,
            Zone => Sign,
            Sign => Postfix,
            Postfix | Primary => Primary,
        }
    }
}

impl BinaryOp {
    pub(crate) fn precedence(self) -> Precedence {
        match self {
            BinaryOp::Add | BinaryOp::Subtract => Precedence::Sum,
            BinaryOp::Multiply | BinaryOp::Divide | BinaryOp::Modulo => Precedence::Product,
            BinaryOp::Concat => Precedence::Concat,
            _ => Precedence::Comparison,
        }
    }
}

impl LogicalOp {
    pub(crate) fn precedence(self) -> Precedence {
        match self {
            LogicalOp::And => Precedence::And,
            LogicalOp::Or => Precedence::Or,
        }
    }
}

impl Expr {
    /// How tightly the outermost operator binds.
    pub(crate) fn precedence(&self) -> Precedence {
        match &self.kind {
            ExprKind::Logical { op, .. } => op.precedence(),
            ExprKind::Unary {
                op: UnaryOp::Not, ..
            } => Precedence::Not,
            ExprKind::Unary { .. } => Precedence::Sign,
            ExprKind::Binary { op, .. } => op.precedence(),
            ExprKind::Is { .. } | ExprKind::DistinctFrom { .. } => Precedence::Is,
            ExprKind::Quantified(_) => Precedence::Comparison,
            ExprKind::Between(_)
            | ExprKind::InList { .. }
            | ExprKind::InQuery { .. }
            | ExprKind::Like(_) => Precedence::Range,
            ExprKind::AtTimeZone { .. } => Precedence::Zone,
            ExprKind::Subscript { .. } | ExprKind::Field { .. } => Precedence::Postfix,
            ExprKind::Cast(cast) if cast.form == CastForm::DoubleColon => Precedence::Postfix,
            _ => Precedence::Primary,
        }
    }
}
