//! Queries and their clauses.

use super::expression::{expr, exprs, window_spec};
use super::relation::from_item;
use super::tree::Tree;
use crate::ast::expression::Expr;
use crate::ast::query::{
    Direction, Distinct, GroupItem, NullsOrder, OrderItem, Query, QueryBody, Select, SelectItem,
    SetOp,
};

/// Adds the node of a query.
pub(super) fn query(tree: &mut Tree, query: &Query) {
    tree.node("Query", |tree| {
        for table in &query.with {
            let columns = columns(&table.columns);
            tree.node(format_args!("With {}{columns}", table.name), |tree| {
                self::query(tree, &table.query);
            });
        }
        body(tree, &query.body);
        tree.list("OrderBy", &query.order_by, order_item);
        if let Some(emit) = &query.emit {
            tree.leaf(format_args!("Emit {emit}"));
        }
        tree.maybe("Limit", query.limit.as_ref(), expr);
        tree.maybe("Offset", query.offset.as_ref(), expr);
    });
}

/// ` (a, b)`, or nothing.
pub(super) fn columns(names: &[crate::ast::Ident]) -> String {
    match names {
        [] => String::new(),
        names => {
            let names: Vec<String> = names.iter().map(ToString::to_string).collect();
            format!(" ({})", names.join(", "))
        }
    }
}

fn body(tree: &mut Tree, body: &QueryBody) {
    match body {
        QueryBody::Select(select) => self::select(tree, select),
        QueryBody::Values(values) => tree.node("Values", |tree| {
            for row in &values.rows {
                tree.node("Row", |tree| exprs(tree, row));
            }
        }),
        QueryBody::SetOperation(operation) => {
            let op = match operation.op {
                SetOp::Union => "Union",
                SetOp::Intersect => "Intersect",
                SetOp::Except => "Except",
            };
            let all = if operation.all { " ALL" } else { "" };
            tree.node(format_args!("{op}{all}"), |tree| {
                self::body(tree, &operation.left);
                self::body(tree, &operation.right);
            });
        }
        QueryBody::Nested(query) => self::query(tree, query),
    }
}

fn select(tree: &mut Tree, select: &Select) {
    tree.node("Select", |tree| {
        match &select.distinct {
            None => {}
            Some(Distinct { on, .. }) if on.is_empty() => tree.leaf("Distinct"),
            Some(Distinct { on, .. }) => tree.node("DistinctOn", |tree| exprs(tree, on)),
        }
        tree.list("Items", &select.items, item);
        tree.list("From", &select.from, from_item);
        if let Some(window) = &select.window {
            tree.leaf(format_args!("Window {window}"));
        }
        tree.maybe("Where", select.filter.as_ref(), expr);
        tree.list("GroupBy", &select.group_by, group_item);
        tree.list("PartitionBy", &select.partition_by, expr);
        tree.maybe("Having", select.having.as_ref(), expr);
        for window in &select.named_windows {
            tree.node(format_args!("Window {}", window.name), |tree| {
                window_spec(tree, &window.window);
            });
        }
    });
}

fn item(tree: &mut Tree, item: &SelectItem) {
    match item {
        SelectItem::Expr {
            expr: e,
            alias: None,
        } => expr(tree, e),
        SelectItem::Expr {
            expr: e,
            alias: Some(alias),
        } => {
            tree.node(format_args!("As {alias}"), |tree| expr(tree, e));
        }
        SelectItem::Star(_) => tree.leaf("Star"),
        SelectItem::QualifiedStar(name) => tree.leaf(format_args!("Star of {name}")),
        SelectItem::FieldStar(e) => tree.node("Fields", |tree| expr(tree, e)),
    }
}

fn group_item(tree: &mut Tree, item: &GroupItem) {
    match item {
        GroupItem::Expr(e) => expr(tree, e),
        GroupItem::Rollup(sets) => tree.list("Rollup", sets, |tree, one| set(tree, one)),
        GroupItem::Cube(sets) => tree.list("Cube", sets, |tree, one| set(tree, one)),
        GroupItem::GroupingSets(sets) => {
            tree.list("GroupingSets", sets, |tree, one| set(tree, one))
        }
    }
}

fn set(tree: &mut Tree, set: &[Expr]) {
    tree.node("Set", |tree| exprs(tree, set));
}

/// Adds the node of an item of an order: the expression, or the way it goes above it.
pub(super) fn order_item(tree: &mut Tree, item: &OrderItem) {
    let direction = match item.direction {
        None => "",
        Some(Direction::Ascending) => " ASC",
        Some(Direction::Descending) => " DESC",
    };
    let nulls = match item.nulls {
        None => "",
        Some(NullsOrder::First) => " NULLS FIRST",
        Some(NullsOrder::Last) => " NULLS LAST",
    };
    match (direction, nulls) {
        ("", "") => expr(tree, &item.expr),
        _ => tree.node(format_args!("Order{direction}{nulls}"), |tree| {
            expr(tree, &item.expr)
        }),
    }
}
