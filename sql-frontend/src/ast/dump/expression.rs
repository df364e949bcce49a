//! Expressions, calls and windows.

use super::query::{order_item, query};
use super::tree::Tree;
use crate::ast::call::{Argument, Call, NullTreatment, Over, WindowSpec};
use crate::ast::expression::{
    Between, Case, Cast, CastForm, Expr, ExprKind, Like, LikeForm, Quantified, Quantifier,
    Substring, Trim, TrimSide, UnaryOp,
};

/// Adds the node of an expression.
pub(super) fn expr(tree: &mut Tree, e: &Expr) {
    match &e.kind {
        ExprKind::Literal(literal) => tree.leaf(format_args!("Literal {literal}")),
        ExprKind::Typed(typed) => tree.leaf(format_args!("Typed {typed}")),
        ExprKind::Interval(interval) => tree.leaf(format_args!("Interval {interval}")),
        ExprKind::Column(name) => tree.leaf(format_args!("Column {name}")),
        ExprKind::Current(current) => tree.leaf(current),
        ExprKind::Case(case) => self::case(tree, case),
        ExprKind::Cast(cast) => self::cast(tree, cast),
        ExprKind::Substring(substring) => self::substring(tree, substring),
        ExprKind::Trim(trim) => self::trim(tree, trim),
        ExprKind::Call(call) => self::call(tree, call),
        ExprKind::Exists(q) => tree.node("Exists", |tree| query(tree, q)),
        ExprKind::Query(q) => tree.node("Subquery", |tree| query(tree, q)),
        ExprKind::Row(items) => tree.node("Row", |tree| exprs(tree, items)),
        ExprKind::Array(items) => tree.node("Array", |tree| exprs(tree, items)),
        ExprKind::Map(entries) => tree.node("Map", |tree| {
            for entry in entries {
                tree.node("Entry", |tree| both(tree, &entry.key, &entry.value));
            }
        }),
        ExprKind::Struct(entries) => tree.node("Struct", |tree| {
            for entry in entries {
                tree.node(format_args!("Field {}", entry.name), |tree| {
                    expr(tree, &entry.value)
                });
            }
        }),
        _ => operation(tree, e),
    }
}

pub(super) fn exprs(tree: &mut Tree, items: &[Expr]) {
    items.iter().for_each(|item| expr(tree, item));
}

fn both(tree: &mut Tree, first: &Expr, second: &Expr) {
    expr(tree, first);
    expr(tree, second);
}

/// The forms with operators.
fn operation(tree: &mut Tree, e: &Expr) {
    match &e.kind {
        ExprKind::Unary { op, operand } => {
            let op = match op {
                UnaryOp::Minus => "Minus",
                UnaryOp::Plus => "Plus",
                UnaryOp::Not => "Not",
            };
            tree.node(op, |tree| expr(tree, operand));
        }
        ExprKind::Binary { op, left, right } => {
            tree.node(format_args!("Binary {op}"), |tree| both(tree, left, right));
        }
        ExprKind::Logical { op, operands } => {
            tree.node(format_args!("Logical {op}"), |tree| exprs(tree, operands));
        }
        ExprKind::Is {
            operand,
            test,
            negated,
        } => {
            tree.node(format_args!("Is{} {test}", not(*negated)), |tree| {
                expr(tree, operand)
            });
        }
        ExprKind::DistinctFrom {
            left,
            right,
            negated,
        } => {
            let line = format!("Is{} DISTINCT FROM", not(*negated));
            tree.node(line, |tree| both(tree, left, right));
        }
        ExprKind::Between(between) => self::between(tree, between),
        ExprKind::InList {
            operand,
            list,
            negated,
        } => {
            tree.node(format_args!("In{}", not(*negated)), |tree| {
                expr(tree, operand);
                tree.node("List", |tree| exprs(tree, list));
            });
        }
        ExprKind::InQuery {
            operand,
            query: q,
            negated,
        } => {
            tree.node(format_args!("In{}", not(*negated)), |tree| {
                expr(tree, operand);
                query(tree, q);
            });
        }
        ExprKind::Like(like) => self::like(tree, like),
        ExprKind::Quantified(quantified) => self::quantified(tree, quantified),
        ExprKind::Extract { field, operand } => {
            tree.node(format_args!("Extract {field}"), |tree| expr(tree, operand));
        }
        ExprKind::Position { needle, haystack } => {
            tree.node("Position", |tree| both(tree, needle, haystack));
        }
        ExprKind::AtTimeZone { operand, zone } => {
            tree.node("AtTimeZone", |tree| both(tree, operand, zone));
        }
        ExprKind::Subscript { operand, index } => {
            tree.node("Subscript", |tree| both(tree, operand, index));
        }
        ExprKind::Field { operand, field } => {
            tree.node(format_args!("Field {field}"), |tree| expr(tree, operand));
        }
        _ => unreachable!("an expression without operators is added by its caller"),
    }
}

fn not(negated: bool) -> &'static str {
    if negated { " NOT" } else { "" }
}

fn between(tree: &mut Tree, between: &Between) {
    let symmetric = if between.symmetric { " SYMMETRIC" } else { "" };
    tree.node(
        format_args!("Between{}{symmetric}", not(between.negated)),
        |tree| {
            expr(tree, &between.operand);
            both(tree, &between.low, &between.high);
        },
    );
}

fn like(tree: &mut Tree, like: &Like) {
    let form = match like.form {
        LikeForm::Like => "Like",
        LikeForm::ILike => "ILike",
        LikeForm::SimilarTo => "SimilarTo",
    };
    tree.node(format_args!("{form}{}", not(like.negated)), |tree| {
        both(tree, &like.operand, &like.pattern);
        tree.maybe("Escape", like.escape.as_ref(), expr);
    });
}

fn quantified(tree: &mut Tree, quantified: &Quantified) {
    let quantifier = match quantified.quantifier {
        Quantifier::Any => "ANY",
        Quantifier::All => "ALL",
    };
    tree.node(
        format_args!("Quantified {} {quantifier}", quantified.op),
        |tree| {
            both(tree, &quantified.left, &quantified.right);
        },
    );
}

fn case(tree: &mut Tree, case: &Case) {
    tree.node("Case", |tree| {
        tree.maybe("Operand", case.operand.as_ref(), expr);
        for branch in &case.branches {
            tree.node("When", |tree| both(tree, &branch.condition, &branch.result));
        }
        tree.maybe("Else", case.otherwise.as_ref(), expr);
    });
}

fn cast(tree: &mut Tree, cast: &Cast) {
    let form = match cast.form {
        CastForm::Cast | CastForm::DoubleColon => "Cast",
        CastForm::TryCast => "TryCast",
    };
    tree.node(format_args!("{form} {}", cast.data_type), |tree| {
        expr(tree, &cast.operand)
    });
}

fn substring(tree: &mut Tree, substring: &Substring) {
    tree.node("Substring", |tree| {
        expr(tree, &substring.operand);
        tree.maybe("From", substring.start.as_ref(), expr);
        tree.maybe("For", substring.length.as_ref(), expr);
    });
}

fn trim(tree: &mut Tree, trim: &Trim) {
    let side = match trim.side {
        None => "",
        Some(TrimSide::Both) => " BOTH",
        Some(TrimSide::Leading) => " LEADING",
        Some(TrimSide::Trailing) => " TRAILING",
    };
    tree.node(format_args!("Trim{side}"), |tree| {
        tree.maybe("Characters", trim.characters.as_ref(), expr);
        expr(tree, &trim.operand);
    });
}

fn call(tree: &mut Tree, call: &Call) {
    let distinct = if call.distinct { " DISTINCT" } else { "" };
    tree.node(format_args!("Call {}{distinct}", call.name), |tree| {
        call.arguments.iter().for_each(|one| argument(tree, one));
        tree.list("OrderBy", &call.order_by, order_item);
        tree.list("WithinGroup", &call.within_group, order_item);
        match call.nulls {
            None => {}
            Some(NullTreatment::Ignore) => tree.leaf("IgnoreNulls"),
            Some(NullTreatment::Respect) => tree.leaf("RespectNulls"),
        }
        tree.maybe("Filter", call.filter.as_ref(), expr);
        match &call.over {
            None => {}
            Some(Over::Name(name)) => tree.leaf(format_args!("Over {name}")),
            Some(Over::Window(window)) => tree.node("Over", |tree| window_spec(tree, window)),
        }
    });
}

fn argument(tree: &mut Tree, argument: &Argument) {
    match argument {
        Argument::Expr(e) => expr(tree, e),
        Argument::Star => tree.leaf("Star"),
        Argument::Lambda(lambda) => tree.node("Lambda", |tree| {
            for parameter in &lambda.parameters {
                tree.leaf(format_args!("Parameter {parameter}"));
            }
            expr(tree, &lambda.body);
        }),
    }
}

/// Adds the parts of a window.
pub(super) fn window_spec(tree: &mut Tree, window: &WindowSpec) {
    if let Some(base) = &window.base {
        tree.leaf(format_args!("Base {base}"));
    }
    tree.list("PartitionBy", &window.partition_by, expr);
    tree.list("OrderBy", &window.order_by, order_item);
    if let Some(frame) = &window.frame {
        tree.leaf(format_args!("Frame {frame}"));
    }
}
