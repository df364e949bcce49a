//! Relations and joins.

use super::expression::expr;
use super::query::{columns, query};
use super::statement::property;
use super::tree::Tree;
use crate::ast::relation::{
    FromItem, Join, JoinConstraint, Relation, RelationKind, TableArgument, TableArgumentValue,
};

/// Adds the nodes of a relation and of those joined to it.
pub(super) fn from_item(tree: &mut Tree, item: &FromItem) {
    relation(tree, &item.relation);
    item.joins.iter().for_each(|one| join(tree, one));
}

fn relation(tree: &mut Tree, relation: &Relation) {
    let alias = match &relation.alias {
        None => String::new(),
        Some(alias) => format!(" AS {}{}", alias.name, columns(&alias.columns)),
    };
    match &relation.kind {
        RelationKind::Name { name, as_of } => {
            tree.node(format_args!("Relation {name}{alias}"), |tree| {
                tree.maybe("AsOf", as_of.as_ref(), expr);
            });
        }
        RelationKind::Uri { uri, options } => {
            tree.node(format_args!("Source {}{alias}", uri.redacted()), |tree| {
                options.iter().for_each(|option| property(tree, option));
            });
        }
        RelationKind::Query { query: q, lateral } => {
            let lateral = if *lateral { " LATERAL" } else { "" };
            tree.node(format_args!("Subquery{lateral}{alias}"), |tree| {
                query(tree, q)
            });
        }
        RelationKind::Function(function) => {
            let lateral = if function.lateral { " LATERAL" } else { "" };
            let ordinality = if function.with_ordinality {
                " WITH ORDINALITY"
            } else {
                ""
            };
            let line = format!(
                "TableFunction{lateral} {}{ordinality}{alias}",
                function.name
            );
            tree.node(line, |tree| {
                function
                    .arguments
                    .iter()
                    .for_each(|one| argument(tree, one));
            });
        }
        RelationKind::Join(item) => {
            tree.node(format_args!("Parentheses{alias}"), |tree| {
                from_item(tree, item)
            });
        }
    }
}

fn argument(tree: &mut Tree, argument: &TableArgument) {
    match &argument.name {
        None => argument_value(tree, &argument.value),
        Some(name) => tree.node(format_args!("Named {name}"), |tree| {
            argument_value(tree, &argument.value);
        }),
    }
}

fn argument_value(tree: &mut Tree, value: &TableArgumentValue) {
    match value {
        TableArgumentValue::Expr(e) => expr(tree, e),
        TableArgumentValue::Table(name) => tree.leaf(format_args!("Table {name}")),
        TableArgumentValue::Descriptor(names) => {
            tree.leaf(format_args!("Descriptor{}", columns(names)));
        }
    }
}

fn join(tree: &mut Tree, join: &Join) {
    let kind = join.kind.to_string().trim_end().to_owned();
    let kind = if kind.is_empty() {
        "INNER".to_owned()
    } else {
        kind
    };
    tree.node(format_args!("Join {kind}"), |tree| {
        relation(tree, &join.relation);
        if let Some(within) = &join.within {
            tree.leaf(format_args!("{within}"));
        }
        match &join.constraint {
            JoinConstraint::On(condition) => tree.node("On", |tree| expr(tree, condition)),
            JoinConstraint::Using(names) => tree.leaf(format_args!("Using{}", columns(names))),
            JoinConstraint::Natural => tree.leaf("Natural"),
            JoinConstraint::None => {}
        }
    });
}
