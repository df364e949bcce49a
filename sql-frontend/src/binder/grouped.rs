//! Grouped rows: what expressions may be made of behind GROUP BY.
//!
//! Behind grouping there are the groups' expressions and aggregates, and nothing else. An expression
//! that equals one of the groups' is that column; an aggregate is gathered and becomes a column too.

use super::expression::ExprBinder;
use super::problems::Bound;
use super::scope::Scope;
use crate::ast::{Expr, ExprKind, Name};
use crate::error::{Code, Diagnostic};
use crate::plan::{Aggregate, Scalar};
use crate::span::Span;

/// The groups' expressions, and the aggregates found so far.
#[derive(Debug)]
pub(super) struct Grouping {
    pub(super) groups: Vec<Scalar>,
    pub(super) aggregates: Vec<Aggregate>,
    /// Whether there is a GROUP BY clause.
    pub(super) clause: bool,
}

impl Grouping {
    pub(super) fn new(groups: Vec<Scalar>, clause: bool) -> Self {
        Grouping {
            groups,
            aggregates: Vec::new(),
            clause,
        }
    }

    /// The column of the grouped rows that an expression is, if it equals a group's.
    pub(super) fn find(&self, scope: &Scope, expr: &Expr) -> Bound<Option<Scalar>> {
        if self.groups.is_empty() || matches!(expr.kind, ExprKind::Literal(_)) {
            return Ok(None);
        }
        let mut plain = ExprBinder {
            scope,
            grouping: None,
            warnings: &mut Vec::new(),
        };
        let Ok(bound) = plain.scalar(expr) else {
            return Ok(None);
        };
        let place = self.groups.iter().position(|group| *group == bound);
        Ok(place.map(|at| self.group(at, expr.span.into())))
    }

    fn group(&self, at: usize, span: Span) -> Scalar {
        let group = &self.groups[at];
        Scalar::column(at, group.data_type, group.nullable, span)
    }

    /// The column of an aggregate; equal aggregates are gathered once.
    pub(super) fn aggregate(&mut self, aggregate: Aggregate, nullable: bool) -> Scalar {
        let known = self.aggregates.iter().position(|known| *known == aggregate);
        let (data_type, span) = (aggregate.data_type, aggregate.span.into());
        let at = known.unwrap_or_else(|| {
            self.aggregates.push(aggregate);
            self.aggregates.len() - 1
        });
        Scalar::column(self.groups.len() + at, data_type, nullable, span)
    }

    /// Why a column cannot be used: it does not exist, or it is not grouped.
    pub(super) fn ungrouped(&self, scope: &Scope, name: &Name) -> Diagnostic {
        if let Err(unknown) = scope.resolve(name) {
            return unknown;
        }
        let column = &name.last().text;
        let message = format!("column `{column}` is neither grouped nor inside an aggregate");
        let diagnostic = Diagnostic::new(Code::UngroupedColumn, message, name.span)
            .label("which row of the group is meant?");
        if self.clause {
            diagnostic.help(format!(
                "add it to GROUP BY, or aggregate it: MAX({column})"
            ))
        } else {
            diagnostic.help(format!(
                "add GROUP BY {column}, or aggregate it: MAX({column})"
            ))
        }
    }
}
