//! ORDER BY, LIMIT and OFFSET: over the columns of a result, and over what its rows were made of.

use super::Binder;
use super::expression::ExprBinder;
use super::problems::{Bound, all};
use super::scope::Scope;
use crate::ast::{
    Direction, Expr, ExprKind, Ident, Literal, NullsOrder, OrderItem, Query, Select, SelectItem,
};
use crate::error::{Code, Diagnostic};
use crate::plan::{Plan, PlanKind, Scalar, SortKey};

/// What is sorted by: a column of the result, or one that is there for this alone.
enum By {
    Column(Scalar),
    Hidden(usize),
}

impl Binder<'_> {
    /// A SELECT with its rows in order. What is sorted by need not be selected, unless equal rows are
    /// told once.
    pub(super) fn select_in_order(&mut self, select: &Select, items: &[OrderItem]) -> Bound<Plan> {
        let warnings = self.warnings.len();
        let mut plan = self.select(select)?;
        let width = plan.columns.len();
        let mut wider = select.clone();
        let mut keys = Vec::new();
        let mut hidden = 0;
        for item in items {
            let by = match selected(select, &item.expr) {
                Some(at) => Ok(By::Column(plan.column(at))),
                None => self.column_of(&plan, &item.expr).map(By::Column),
            };
            let may_hide = select.distinct.is_none() && ordinal(&item.expr).is_none();
            keys.push(match by {
                Err(_) if may_hide => {
                    wider.items.push(SelectItem::Expr {
                        expr: item.expr.clone(),
                        alias: Some(Ident::quoted(format!("order {hidden}"))),
                    });
                    hidden += 1;
                    Ok(By::Hidden(width + hidden - 1))
                }
                by => by,
            });
        }
        let keys = all(keys)?;
        if hidden > 0 {
            self.warnings.truncate(warnings);
            plan = self.select(&wider)?;
        }
        let keys = keys.into_iter().map(|by| match by {
            By::Column(scalar) => scalar,
            By::Hidden(at) => plan.column(at),
        });
        let keys: Vec<Scalar> = keys.collect();
        Ok(sort(plan, width, keys, items))
    }

    /// The rows of a plan in order.
    pub(super) fn in_order(&mut self, plan: Plan, items: &[OrderItem]) -> Bound<Plan> {
        let keys: Vec<Bound<Scalar>> = items
            .iter()
            .map(|item| self.column_of(&plan, &item.expr))
            .collect();
        let (keys, width) = (all(keys)?, plan.columns.len());
        Ok(sort(plan, width, keys, items))
    }

    /// An expression over the columns of the result, or the column of a number.
    fn column_of(&mut self, plan: &Plan, expr: &Expr) -> Bound<Scalar> {
        if let Some(digits) = ordinal(expr) {
            let number: usize = digits.parse().unwrap_or(0);
            if number == 0 || number > plan.columns.len() {
                let message = format!("there is no column {digits} in the result");
                return Err(Diagnostic::new(Code::UnknownColumn, message, expr.span).into());
            }
            return Ok(plan.column(number - 1));
        }
        let scope = Scope::of(plan, None);
        let mut binder = ExprBinder {
            scope: &scope,
            grouping: None,
            warnings: &mut self.warnings,
        };
        binder.scalar(expr)
    }
}

/// The digits of an expression that is the number of a column.
fn ordinal(expr: &Expr) -> Option<&str> {
    match &expr.kind {
        ExprKind::Literal(Literal::Integer(digits)) => Some(digits),
        _ => None,
    }
}

/// The item of a select list that is written as an expression is, but for plain names: these are the
/// result's first.
fn selected(select: &Select, expr: &Expr) -> Option<usize> {
    if let ExprKind::Column(name) = &expr.kind
        && name.as_single().is_some()
    {
        return None;
    }
    let plain = |item: &SelectItem| matches!(item, SelectItem::Expr { .. });
    let at = select.items.iter().position(
        |item| matches!(item, SelectItem::Expr { expr: selected, .. } if selected == expr),
    )?;
    select.items[..at].iter().all(plain).then_some(at)
}

fn sort(input: Plan, width: usize, keys: Vec<Scalar>, items: &[OrderItem]) -> Plan {
    let keys = keys.into_iter().zip(items).map(|(expr, item)| {
        let descending = item.direction == Some(Direction::Descending);
        SortKey {
            expr,
            descending,
            nulls_first: item
                .nulls
                .map_or(descending, |nulls| nulls == NullsOrder::First),
        }
    });
    Plan {
        columns: input.columns[..width].to_vec(),
        kind: PlanKind::Sort {
            keys: keys.collect(),
            input: Box::new(input),
        },
    }
}

/// The rows of a plan that LIMIT and OFFSET leave.
pub(super) fn limited(plan: Plan, query: &Query) -> Bound<Plan> {
    if query.limit.is_none() && query.offset.is_none() {
        return Ok(plan);
    }
    let count = |expr: &Option<Expr>| expr.as_ref().map(row_count).transpose();
    Ok(Plan {
        columns: plan.columns.clone(),
        kind: PlanKind::Limit {
            offset: count(&query.offset)?.unwrap_or(0),
            limit: count(&query.limit)?,
            input: Box::new(plan),
        },
    })
}

/// How many rows LIMIT or OFFSET says.
fn row_count(expr: &Expr) -> Result<u64, Diagnostic> {
    if let ExprKind::Literal(Literal::Integer(digits)) = &expr.kind
        && let Ok(count) = digits.parse()
    {
        return Ok(count);
    }
    Err(Diagnostic::new(
        Code::TypeMismatch,
        "LIMIT and OFFSET take a number of rows",
        expr.span,
    )
    .label("write it out"))
}
