//! SELECT: what is selected, filtered and grouped.

use super::Binder;
use super::expression::ExprBinder;
use super::from::decide;
use super::grouped::Grouping;
use super::problems::{Bound, all, both};
use super::scope::Scope;
use super::walk::walk;
use crate::aggregates;
use crate::ast::{Argument, Expr, ExprKind, GroupItem, Ident, Literal, Select, SelectItem};
use crate::error::{Code, Diagnostic};
use crate::plan::{Column, Plan, PlanKind, Scalar, ScanKind};
use crate::span::Span;

impl Binder<'_> {
    /// A SELECT without the clauses around it.
    pub(super) fn select(&mut self, select: &Select) -> Bound<Plan> {
        unsupported_clauses(select)?;
        let (mut plan, scope) = self.relations(&select.from, select.span.into())?;
        let filter = match &select.filter {
            None => Ok(None),
            Some(filter) => self.rows(&scope).predicate(filter, "WHERE").map(Some),
        };
        let (filter, items) = both(filter, self.items(select, &scope))?;
        if let Some(filter) = filter {
            plan = plan.filter(filter);
        }
        let selected = match items {
            Items::Rows(items) => plan.project(items),
            Items::Groups(groups) => grouped(decide(plan, ScanKind::Stream), *groups),
        };
        Ok(if select.distinct.is_some() {
            distinct(decide(selected, ScanKind::Stream))
        } else {
            selected
        })
    }

    fn rows<'a>(&'a mut self, scope: &'a Scope) -> ExprBinder<'a> {
        ExprBinder {
            scope,
            grouping: None,
            warnings: &mut self.warnings,
        }
    }

    fn items(&mut self, select: &Select, scope: &Scope) -> Bound<Items> {
        let written = expand(select, scope)?;
        let groups = self.groups(select, &written, scope)?;
        let aggregates = written.iter().any(|item| has_aggregate(&item.expr))
            || select.having.as_ref().is_some_and(has_aggregate);
        if groups.is_empty() && !aggregates && select.having.is_none() {
            let items: Vec<Bound<(String, Scalar)>> = written
                .iter()
                .map(|item| Ok((item.name.clone(), self.rows(scope).scalar(&item.expr)?)))
                .collect();
            return Ok(Items::Rows(all(items)?));
        }
        let mut grouping = Grouping::new(groups, !select.group_by.is_empty());
        let mut binder = ExprBinder {
            scope,
            grouping: Some(&mut grouping),
            warnings: &mut self.warnings,
        };
        let items: Vec<Bound<(String, Scalar)>> = written
            .iter()
            .map(|item| Ok((item.name.clone(), binder.scalar(&item.expr)?)))
            .collect();
        let having = match &select.having {
            None => Ok(None),
            Some(having) => binder.predicate(having, "HAVING").map(Some),
        };
        let (items, having) = both(all(items), having)?;
        Ok(Items::Groups(Box::new(Groups {
            grouping,
            items,
            having,
        })))
    }

    /// The expressions of GROUP BY: over rows, by the number of an item, or by the name of one.
    fn groups(&mut self, select: &Select, items: &[Item], scope: &Scope) -> Bound<Vec<Scalar>> {
        let mut groups = Vec::new();
        for item in &select.group_by {
            let GroupItem::Expr(expr) = item else {
                let what = "ROLLUP, CUBE and GROUPING SETS";
                groups.push(Err(Diagnostic::not_supported(what, select.span).into()));
                continue;
            };
            let meant = meant_by_group(expr, items, scope);
            groups.push(match meant {
                Ok(meant) if has_aggregate(meant) => {
                    let message = "a group cannot be told apart by an aggregate";
                    Err(Diagnostic::new(Code::MisplacedAggregate, message, expr.span).into())
                }
                Ok(meant) => self.rows(scope).scalar(meant),
                Err(diagnostic) => Err(diagnostic.into()),
            });
        }
        all(groups)
    }
}

/// What is selected.
enum Items {
    /// Of each row.
    Rows(Vec<(String, Scalar)>),
    /// Of each group.
    Groups(Box<Groups>),
}

struct Groups {
    grouping: Grouping,
    items: Vec<(String, Scalar)>,
    having: Option<Scalar>,
}

fn unsupported_clauses(select: &Select) -> Result<(), Diagnostic> {
    if let Some(window) = &select.window {
        return Err(Diagnostic::not_supported("WINDOW", window.span));
    }
    if let Some(window) = select.named_windows.first() {
        return Err(Diagnostic::not_supported(
            "a WINDOW clause",
            window.name.span,
        ));
    }
    if let Some(expr) = select.partition_by.first() {
        return Err(Diagnostic::not_supported("PARTITION BY", expr.span));
    }
    if let Some(distinct) = &select.distinct
        && !distinct.on.is_empty()
    {
        return Err(Diagnostic::not_supported("DISTINCT ON", distinct.span));
    }
    Ok(())
}

/// An item of the select list: a name and an expression, `*` written out.
struct Item {
    name: String,
    alias: Option<Ident>,
    expr: Expr,
}

fn expand(select: &Select, scope: &Scope) -> Bound<Vec<Item>> {
    let mut items = Vec::new();
    let mut problems = Vec::new();
    for item in &select.items {
        match item {
            SelectItem::Expr { expr, alias } => items.push(Item {
                name: item_name(expr, alias.as_ref(), items.len()),
                alias: alias.clone(),
                expr: expr.clone(),
            }),
            SelectItem::Star(span) => {
                if scope.len() == 0 {
                    let message = "`*` needs a relation in FROM";
                    problems.push(Diagnostic::new(Code::UnknownRelation, message, *span));
                }
                items.extend(star(scope, None, (*span).into()));
            }
            SelectItem::QualifiedStar(name) => {
                let relation = name.last();
                let columns = star(scope, Some(relation), name.span.into());
                if columns.is_empty() {
                    let known: Vec<&str> = scope
                        .relations()
                        .into_iter()
                        .map(|known| &known.text[..])
                        .collect();
                    let message = format!("no relation `{}` in FROM", relation.text);
                    problems.push(
                        Diagnostic::new(Code::UnknownRelation, message, name.span)
                            .label("not found")
                            .suggest_nearest(&relation.text, known),
                    );
                }
                items.extend(columns);
            }
            SelectItem::FieldStar(expr) => {
                problems.push(Diagnostic::not_supported("`->*`", expr.span));
            }
        }
    }
    if problems.is_empty() {
        Ok(items)
    } else {
        Err(super::problems::Problems(problems))
    }
}

/// The name of an item: its alias, its column's name, or a number.
fn item_name(expr: &Expr, alias: Option<&Ident>, at: usize) -> String {
    match (alias, &expr.kind) {
        (Some(alias), _) => alias.text.clone(),
        (None, ExprKind::Column(name)) => name.last().text.clone(),
        _ => format!("KSQL_COL_{at}"),
    }
}

/// All columns, or those of one relation. Where several relations are joined, the name of each goes
/// before those of its columns.
fn star(scope: &Scope, relation: Option<&Ident>, span: Span) -> Vec<Item> {
    let several = scope.relations().len() > 1;
    let of = |known: &Option<Ident>| match relation {
        None => true,
        Some(relation) => known
            .as_ref()
            .is_some_and(|known| relation.matches(&known.text)),
    };
    let columns = scope.columns().iter();
    columns
        .filter(|column| of(&column.relation) && (relation.is_some() || !column.hidden))
        .map(|column| {
            let qualifier = column.relation.clone();
            let name = match &qualifier {
                Some(relation) if several => format!("{}_{}", relation.text, column.name),
                _ => column.name.clone(),
            };
            let mut parts: Vec<Ident> = qualifier.into_iter().collect();
            parts.push(Ident {
                span: span.into(),
                ..Ident::quoted(&column.name)
            });
            let written = crate::ast::Name {
                parts,
                span: span.into(),
            };
            Item {
                name,
                alias: None,
                expr: Expr {
                    kind: ExprKind::Column(written),
                    span: span.into(),
                },
            }
        })
        .collect()
}

/// The expression that an item of GROUP BY means.
fn meant_by_group<'a>(
    expr: &'a Expr,
    items: &'a [Item],
    scope: &Scope,
) -> Result<&'a Expr, Diagnostic> {
    match &expr.kind {
        ExprKind::Literal(Literal::Integer(digits)) => {
            let number: usize = digits.parse().unwrap_or(0);
            match number.checked_sub(1).and_then(|at| items.get(at)) {
                Some(item) => Ok(&item.expr),
                None => {
                    let message = format!("there is no item {digits} in the select list");
                    Err(Diagnostic::new(Code::UnknownColumn, message, expr.span)
                        .label(format!("it has {} items", items.len())))
                }
            }
        }
        ExprKind::Column(name) if scope.find(name).is_none() => {
            let alias = name.as_single().and_then(|name| {
                let fits = |item: &&Item| {
                    item.alias
                        .as_ref()
                        .is_some_and(|alias| name.matches(&alias.text))
                };
                items.iter().find(fits)
            });
            Ok(alias.map_or(expr, |item| &item.expr))
        }
        _ => Ok(expr),
    }
}

/// Whether an expression has an aggregate in it, that of this query.
fn has_aggregate(expr: &Expr) -> bool {
    let mut found = false;
    walk(expr, &mut |expr| {
        if let ExprKind::Call(call) = &expr.kind {
            found |= call.over.is_none() && aggregates::lookup(&call.name.last().text).is_some();
            found |= matches!(call.arguments[..], [Argument::Star]);
        }
    });
    found
}

fn grouped(plan: Plan, groups: Groups) -> Plan {
    let Groups {
        grouping,
        items,
        having,
    } = groups;
    let mut columns: Vec<Column> = grouping
        .groups
        .iter()
        .enumerate()
        .map(|(at, group)| Column::of(format!("group_{at}"), group))
        .collect();
    columns.extend(
        grouping
            .aggregates
            .iter()
            .enumerate()
            .map(|(at, aggregate)| Column {
                name: format!("{}_{at}", aggregate.function.name().to_lowercase()),
                data_type: aggregate.data_type,
                nullable: true,
            }),
    );
    let mut plan = Plan {
        columns,
        kind: PlanKind::Aggregate {
            input: Box::new(plan),
            groups: grouping.groups,
            aggregates: grouping.aggregates,
        },
    };
    if let Some(having) = having {
        plan = plan.filter(having);
    }
    plan.project(items)
}

/// Each different row once.
pub(super) fn distinct(plan: Plan) -> Plan {
    Plan {
        columns: plan.columns.clone(),
        kind: PlanKind::Aggregate {
            groups: (0..plan.columns.len()).map(|at| plan.column(at)).collect(),
            input: Box::new(plan),
            aggregates: Vec::new(),
        },
    }
}
