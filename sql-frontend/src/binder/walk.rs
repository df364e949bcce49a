//! Going through the parts of an expression as it is written, subqueries left out.

use crate::ast::{Argument, Expr, ExprKind};

/// Calls `visit` for an expression and everything that it is made of, from the outside in.
pub(super) fn walk(expr: &Expr, visit: &mut dyn FnMut(&Expr)) {
    visit(expr);
    for part in parts(expr) {
        walk(part, visit);
    }
}

/// The expressions that an expression is made of directly.
fn parts(expr: &Expr) -> Vec<&Expr> {
    match &expr.kind {
        ExprKind::Literal(_)
        | ExprKind::Typed(_)
        | ExprKind::Interval(_)
        | ExprKind::Column(_)
        | ExprKind::Current(_)
        | ExprKind::Exists(_)
        | ExprKind::Query(_) => Vec::new(),
        ExprKind::Unary { operand, .. }
        | ExprKind::Is { operand, .. }
        | ExprKind::InQuery { operand, .. }
        | ExprKind::Extract { operand, .. }
        | ExprKind::Field { operand, .. } => vec![operand],
        ExprKind::Binary { left, right, .. } | ExprKind::DistinctFrom { left, right, .. } => {
            vec![left, right]
        }
        ExprKind::Logical { operands, .. } => operands.iter().collect(),
        ExprKind::Between(between) => vec![&between.operand, &between.low, &between.high],
        ExprKind::InList { operand, list, .. } => std::iter::once(&**operand).chain(list).collect(),
        ExprKind::Like(like) => [&like.operand, &like.pattern]
            .into_iter()
            .chain(&like.escape)
            .collect(),
        ExprKind::Quantified(quantified) => vec![&quantified.left, &quantified.right],
        ExprKind::Case(case) => {
            let branches = case.branches.iter();
            let branches = branches.flat_map(|branch| [&branch.condition, &branch.result]);
            case.operand
                .iter()
                .chain(branches)
                .chain(&case.otherwise)
                .collect()
        }
        ExprKind::Cast(cast) => vec![&cast.operand],
        ExprKind::Position { needle, haystack } => vec![needle, haystack],
        ExprKind::Substring(substring) => std::iter::once(&substring.operand)
            .chain(&substring.start)
            .chain(&substring.length)
            .collect(),
        ExprKind::Trim(trim) => std::iter::once(&trim.operand)
            .chain(&trim.characters)
            .collect(),
        ExprKind::AtTimeZone { operand, zone } => vec![operand, zone],
        ExprKind::Subscript { operand, index } => vec![operand, index],
        ExprKind::Call(call) => {
            let arguments = call.arguments.iter().filter_map(|argument| match argument {
                Argument::Expr(expr) => Some(expr),
                Argument::Star | Argument::Lambda(_) => None,
            });
            arguments.chain(&call.filter).collect()
        }
        ExprKind::Row(items) | ExprKind::Array(items) => items.iter().collect(),
        ExprKind::Map(entries) => entries.iter().flat_map(|e| [&e.key, &e.value]).collect(),
        ExprKind::Struct(entries) => entries.iter().map(|entry| &entry.value).collect(),
    }
}
