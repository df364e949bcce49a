//! Filters move towards the sources, as far as they mean the same there.
//!
//! Through projections they take the expressions along; at a join each condition goes to the side
//! whose columns it reads, an equality of both sides becomes one that is joined on; below an
//! aggregate goes what the groups are told apart by; into a scan goes what is left.

use crate::binder::{conjunction, conjuncts, split_condition};
use crate::plan::{JoinKind, JoinOn, Plan, PlanKind, Scalar, ScalarKind, ScanKind};
use crate::span::Span;

pub(super) fn apply(plan: Plan) -> Plan {
    match plan.kind {
        PlanKind::Filter { input, predicate } => push(apply(*input), predicate),
        _ => plan.map_inputs(&mut apply),
    }
}

/// A plan with a filter above it, moved as far down as it can.
fn push(plan: Plan, predicate: Scalar) -> Plan {
    let columns = plan.columns;
    match plan.kind {
        PlanKind::Filter {
            input,
            predicate: inner,
        } => {
            let span: Span = inner.span.into();
            let together = [conjuncts(inner), conjuncts(predicate)].concat();
            match conjunction(together, span) {
                Some(predicate) => push(*input, predicate),
                None => *input,
            }
        }
        PlanKind::Project { input, exprs } if exprs.iter().all(Scalar::is_deterministic) => {
            let below = push(*input, substitute(predicate, &exprs));
            Plan {
                kind: PlanKind::Project {
                    input: Box::new(below),
                    exprs,
                },
                columns,
            }
        }
        PlanKind::UnionAll(inputs) => Plan {
            kind: PlanKind::UnionAll(
                inputs
                    .into_iter()
                    .map(|input| push(input, predicate.clone()))
                    .collect(),
            ),
            columns,
        },
        PlanKind::Aggregate { .. } => push_below_groups(
            Plan {
                columns,
                ..plan_of(plan.kind)
            },
            predicate,
        ),
        PlanKind::Join { .. } => push_into_join(
            Plan {
                columns,
                ..plan_of(plan.kind)
            },
            predicate,
        ),
        PlanKind::Scan {
            source,
            kind,
            projection,
            filter,
        } if may_filter(kind, &source.key) && predicate.is_deterministic() => {
            let span: Span = predicate.span.into();
            let mut all = filter.map(conjuncts).unwrap_or_default();
            all.extend(conjuncts(predicate));
            Plan {
                kind: PlanKind::Scan {
                    source,
                    kind,
                    projection,
                    filter: conjunction(all, span),
                },
                columns,
            }
        }
        kind => Plan { kind, columns }.filter(predicate),
    }
}

fn plan_of(kind: PlanKind) -> Plan {
    Plan {
        kind,
        columns: Vec::new(),
    }
}

/// Whether records can be left out before they are rows. Those of a table with a key cannot: a
/// record that is left out may still replace an earlier one.
fn may_filter(kind: ScanKind, key: &[usize]) -> bool {
    kind == ScanKind::Stream || (kind == ScanKind::Table && key.is_empty())
}

/// An expression over a projection's columns as one over what the projection reads.
pub(super) fn substitute(scalar: Scalar, exprs: &[Scalar]) -> Scalar {
    scalar.rewrite(&mut |scalar| match scalar.kind {
        ScalarKind::Column(index) => exprs[index].clone(),
        kind => Scalar { kind, ..scalar },
    })
}

fn with_filter(plan: Plan, conditions: Vec<Scalar>, span: Span) -> Plan {
    match conjunction(conditions, span) {
        Some(predicate) => push(plan, predicate),
        None => plan,
    }
}

fn push_below_groups(plan: Plan, predicate: Scalar) -> Plan {
    let PlanKind::Aggregate {
        input,
        groups,
        aggregates,
    } = plan.kind
    else {
        return plan.filter(predicate);
    };
    let span: Span = predicate.span.into();
    let of_groups = |condition: &Scalar| {
        let columns = condition.columns();
        // Without groups there is a row even where no row is left.
        !groups.is_empty()
            && condition.is_deterministic()
            && columns.iter().all(|column| *column < groups.len())
    };
    let (below, above): (Vec<_>, Vec<_>) = conjuncts(predicate).into_iter().partition(of_groups);
    let below = below
        .into_iter()
        .map(|condition| substitute(condition, &groups))
        .collect();
    let gathered = Plan {
        kind: PlanKind::Aggregate {
            input: Box::new(with_filter(*input, below, span)),
            groups,
            aggregates,
        },
        columns: plan.columns,
    };
    match conjunction(above, span) {
        Some(predicate) => gathered.filter(predicate),
        None => gathered,
    }
}

fn push_into_join(plan: Plan, predicate: Scalar) -> Plan {
    let PlanKind::Join {
        kind,
        left,
        right,
        mut on,
        residual,
    } = plan.kind
    else {
        return plan.filter(predicate);
    };
    let span: Span = predicate.span.into();
    let width = left.columns.len();
    // A side whose rows may be missing cannot be filtered before the join.
    let (keeps_left, keeps_right) = (
        matches!(kind, JoinKind::Inner | JoinKind::Left),
        matches!(kind, JoinKind::Inner | JoinKind::Right),
    );
    let (mut to_left, mut to_right, mut both, mut above) = (vec![], vec![], vec![], vec![]);
    for condition in conjuncts(predicate) {
        let columns = condition.columns();
        let on_left = columns.iter().all(|column| *column < width);
        let on_right = columns.iter().all(|column| *column >= width);
        if !condition.is_deterministic() || columns.is_empty() {
            above.push(condition);
        } else if on_left && keeps_left {
            to_left.push(condition);
        } else if on_right && keeps_right {
            to_right.push(condition.remap(&|column| column - width));
        } else if kind == JoinKind::Inner {
            both.push(condition);
        } else {
            above.push(condition);
        }
    }
    let mut rest = residual.map(conjuncts).unwrap_or_default();
    if let Some(both) = conjunction(both, span) {
        let (pairs, other) = split_condition(both, width);
        on.extend(pairs.into_iter().map(|(l, r)| JoinOn {
            left: l,
            right: r.remap(&|column| column - width),
        }));
        rest.extend(other.map(conjuncts).unwrap_or_default());
    }
    let joined = Plan {
        kind: PlanKind::Join {
            kind,
            left: Box::new(with_filter(*left, to_left, span)),
            right: Box::new(with_filter(*right, to_right, span)),
            on,
            residual: conjunction(rest, span),
        },
        columns: plan.columns,
    };
    match conjunction(above, span) {
        Some(predicate) => joined.filter(predicate),
        None => joined,
    }
}
