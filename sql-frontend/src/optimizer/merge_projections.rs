//! A projection of a projection is one projection, and one that changes nothing is none.

use super::push_filters::substitute;
use crate::plan::{Plan, PlanKind, Scalar, ScalarKind};

pub(super) fn apply(plan: Plan) -> Plan {
    plan.rewrite(&mut merge)
}

fn merge(plan: Plan) -> Plan {
    let PlanKind::Project { input, exprs } = plan.kind else {
        return plan;
    };
    let columns = plan.columns;
    if is_identity(&exprs, input.columns.len()) {
        // Only the names may differ.
        return Plan {
            kind: input.kind,
            columns,
        };
    }
    match input.kind {
        PlanKind::Project {
            input: below,
            exprs: inner,
        } if is_cheap(&exprs, &inner) => Plan {
            kind: PlanKind::Project {
                input: below,
                exprs: exprs
                    .into_iter()
                    .map(|expr| substitute(expr, &inner))
                    .collect(),
            },
            columns,
        },
        kind => Plan {
            kind: PlanKind::Project {
                input: Box::new(Plan {
                    kind,
                    columns: input.columns,
                }),
                exprs,
            },
            columns,
        },
    }
}

fn is_identity(exprs: &[Scalar], width: usize) -> bool {
    exprs.len() == width
        && exprs
            .iter()
            .enumerate()
            .all(|(at, expr)| matches!(expr.kind, ScalarKind::Column(index) if index == at))
}

/// Whether nothing that takes work would be computed more often than before.
fn is_cheap(outer: &[Scalar], inner: &[Scalar]) -> bool {
    let mut uses = vec![0; inner.len()];
    for expr in outer {
        expr.for_each_column(&mut |column| uses[column] += 1);
    }
    inner.iter().zip(uses).all(|(expr, uses)| {
        let plain = matches!(expr.kind, ScalarKind::Column(_) | ScalarKind::Literal(_));
        plain || (uses <= 1 && expr.is_deterministic())
    })
}
