//! What is known without a row is computed once.
//!
//! An expression that would fail is left, to fail where it stands. Filters that are always true go.

use ferrisstreams_topology::data::{DataType, Value};

use crate::compiler;
use crate::plan::{Aggregate, JoinOn, Plan, PlanKind, Scalar, ScalarKind, SortKey};

pub(super) fn apply(plan: Plan) -> Plan {
    plan.rewrite(&mut fold_plan)
}

fn fold_plan(plan: Plan) -> Plan {
    let kind = match plan.kind {
        PlanKind::Filter { input, predicate } => {
            let predicate = fold(predicate);
            if predicate.as_literal() == Some(&Value::Boolean(true)) {
                return *input;
            }
            PlanKind::Filter { input, predicate }
        }
        PlanKind::Project { input, exprs } => PlanKind::Project {
            input,
            exprs: exprs.into_iter().map(fold).collect(),
        },
        PlanKind::Aggregate {
            input,
            groups,
            aggregates,
        } => PlanKind::Aggregate {
            input,
            groups: groups.into_iter().map(fold).collect(),
            aggregates: aggregates.into_iter().map(fold_aggregate).collect(),
        },
        PlanKind::Join {
            kind,
            left,
            right,
            on,
            residual,
        } => PlanKind::Join {
            kind,
            left,
            right,
            on: on
                .into_iter()
                .map(|pair| JoinOn {
                    left: fold(pair.left),
                    right: fold(pair.right),
                })
                .collect(),
            residual: residual.map(fold),
        },
        PlanKind::Sort { input, keys } => PlanKind::Sort {
            input,
            keys: keys
                .into_iter()
                .map(|key| SortKey {
                    expr: fold(key.expr),
                    ..key
                })
                .collect(),
        },
        kind => kind,
    };
    Plan {
        kind,
        columns: plan.columns,
    }
}

fn fold_aggregate(aggregate: Aggregate) -> Aggregate {
    Aggregate {
        argument: aggregate.argument.map(fold),
        filter: aggregate
            .filter
            .map(fold)
            .filter(|filter| filter.as_literal() != Some(&Value::Boolean(true))),
        ..aggregate
    }
}

/// An expression with its constant parts computed.
pub(super) fn fold(scalar: Scalar) -> Scalar {
    scalar.rewrite(&mut |scalar| {
        if scalar.as_literal().is_some() {
            return scalar;
        }
        if scalar.is_constant()
            && let Ok(value) = compiler::constant(&scalar)
        {
            return Scalar::literal(value, scalar.data_type, scalar.span.into());
        }
        simplify(scalar)
    })
}

/// AND and OR without the operands that decide nothing.
fn simplify(scalar: Scalar) -> Scalar {
    let span = scalar.span.into();
    let (operands, neutral, rebuild): (_, _, fn(Vec<Scalar>) -> ScalarKind) = match scalar.kind {
        ScalarKind::And(operands) => (operands, true, ScalarKind::And),
        ScalarKind::Or(operands) => (operands, false, ScalarKind::Or),
        kind => return Scalar { kind, ..scalar },
    };
    let decides = Value::Boolean(!neutral);
    if operands
        .iter()
        .any(|operand| operand.as_literal() == Some(&decides))
    {
        return Scalar::literal(decides, DataType::Boolean, span);
    }
    let mut left: Vec<Scalar> = operands
        .into_iter()
        .filter(|operand| operand.as_literal() != Some(&Value::Boolean(neutral)))
        .collect();
    match left.len() {
        0 => Scalar::literal(Value::Boolean(neutral), DataType::Boolean, span),
        1 => left.remove(0),
        _ => {
            let nullable = left.iter().any(|operand| operand.nullable);
            Scalar::boolean(rebuild(left), nullable, span)
        }
    }
}
