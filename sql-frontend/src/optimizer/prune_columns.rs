//! Columns that nobody reads are not read from the source, nor carried along.

use std::collections::BTreeSet;

use crate::plan::{Aggregate, JoinOn, Plan, PlanKind, Scalar, SortKey};

pub(super) fn apply(plan: Plan) -> Plan {
    let all = (0..plan.columns.len()).collect();
    prune(plan, &all).0
}

/// For each column of the plan before, its place now.
type Places = Vec<Option<usize>>;

fn reads<'a>(scalars: impl IntoIterator<Item = &'a Scalar>) -> BTreeSet<usize> {
    let mut read = BTreeSet::new();
    for scalar in scalars {
        scalar.for_each_column(&mut |column| {
            read.insert(column);
        });
    }
    read
}

fn moved(scalar: Scalar, places: &Places) -> Scalar {
    scalar.remap(&|column| places[column].expect("a column that is read is kept"))
}

fn keep(width: usize, wanted: &BTreeSet<usize>) -> (Vec<usize>, Places) {
    let kept: Vec<usize> = (0..width)
        .filter(|column| wanted.contains(column))
        .collect();
    let mut places = vec![None; width];
    for (place, column) in kept.iter().enumerate() {
        places[*column] = Some(place);
    }
    (kept, places)
}

/// The plan with the columns that are wanted, and where each stands now.
fn prune(plan: Plan, wanted: &BTreeSet<usize>) -> (Plan, Places) {
    let width = plan.columns.len();
    let columns = plan.columns;
    let pick = |kept: &[usize]| {
        kept.iter()
            .map(|at| columns[*at].clone())
            .collect::<Vec<_>>()
    };
    match plan.kind {
        PlanKind::Scan {
            source,
            kind,
            projection,
            filter,
        } => {
            let mut wanted = wanted.clone();
            wanted.extend(reads(&filter));
            if wanted.is_empty() {
                // A row has at least one column, so that there is something to count.
                wanted.extend((width > 0).then_some(0));
            }
            let (kept, places) = keep(width, &wanted);
            let kind = PlanKind::Scan {
                source,
                kind,
                projection: kept.iter().map(|at| projection[*at]).collect(),
                filter: filter.map(|filter| moved(filter, &places)),
            };
            let plan = Plan {
                kind,
                columns: pick(&kept),
            };
            (plan, places)
        }
        PlanKind::Filter { input, predicate } => {
            let mut below = wanted.clone();
            below.extend(reads([&predicate]));
            let (input, places) = prune(*input, &below);
            let predicate = moved(predicate, &places);
            (input.filter(predicate), places)
        }
        PlanKind::Project { input, exprs } => {
            let (kept, places) = keep(width, wanted);
            let exprs: Vec<Scalar> = kept.iter().map(|at| exprs[*at].clone()).collect();
            let (input, below) = prune(*input, &reads(&exprs));
            let kind = PlanKind::Project {
                input: Box::new(input),
                exprs: exprs.into_iter().map(|expr| moved(expr, &below)).collect(),
            };
            let plan = Plan {
                kind,
                columns: pick(&kept),
            };
            (plan, places)
        }
        PlanKind::Aggregate {
            input,
            groups,
            aggregates,
        } => {
            let mut wanted = wanted.clone();
            wanted.extend(0..groups.len());
            let (kept, places) = keep(width, &wanted);
            let aggregates: Vec<Aggregate> = kept
                .iter()
                .filter_map(|at| at.checked_sub(groups.len()))
                .map(|at| aggregates[at].clone())
                .collect();
            let parts = aggregates
                .iter()
                .flat_map(|a| a.argument.iter().chain(&a.filter));
            let (input, below) = prune(*input, &reads(groups.iter().chain(parts)));
            let kind = PlanKind::Aggregate {
                input: Box::new(input),
                groups: groups
                    .into_iter()
                    .map(|group| moved(group, &below))
                    .collect(),
                aggregates: aggregates
                    .into_iter()
                    .map(|aggregate| Aggregate {
                        argument: aggregate.argument.map(|argument| moved(argument, &below)),
                        filter: aggregate.filter.map(|filter| moved(filter, &below)),
                        ..aggregate
                    })
                    .collect(),
            };
            let plan = Plan {
                kind,
                columns: pick(&kept),
            };
            (plan, places)
        }
        PlanKind::Join {
            kind,
            left,
            right,
            on,
            residual,
        } => {
            let split = left.columns.len();
            let mut wanted = wanted.clone();
            wanted.extend(reads(&residual));
            let mut wanted_left: BTreeSet<usize> = wanted.range(..split).copied().collect();
            let mut wanted_right: BTreeSet<usize> =
                wanted.range(split..).map(|column| column - split).collect();
            wanted_left.extend(reads(on.iter().map(|pair| &pair.left)));
            wanted_right.extend(reads(on.iter().map(|pair| &pair.right)));
            let (left, left_places) = prune(*left, &wanted_left);
            let (right, right_places) = prune(*right, &wanted_right);
            let now = left.columns.len();
            let places: Places = left_places
                .iter()
                .copied()
                .chain(
                    right_places
                        .iter()
                        .map(|place| place.map(|place| place + now)),
                )
                .collect();
            let mut kept: Vec<(usize, usize)> = places
                .iter()
                .enumerate()
                .filter_map(|(before, place)| Some(((*place)?, before)))
                .collect();
            kept.sort_unstable();
            let plan = Plan {
                columns: kept
                    .iter()
                    .map(|(_, before)| columns[*before].clone())
                    .collect(),
                kind: PlanKind::Join {
                    kind,
                    left: Box::new(left),
                    right: Box::new(right),
                    on: on
                        .into_iter()
                        .map(|pair| JoinOn {
                            left: moved(pair.left, &left_places),
                            right: moved(pair.right, &right_places),
                        })
                        .collect(),
                    residual: residual.map(|residual| moved(residual, &places)),
                },
            };
            (plan, places)
        }
        PlanKind::UnionAll(inputs) => {
            let (kept, places) = keep(width, wanted);
            // All inputs must give the same columns, whatever each of them could leave out.
            let inputs = inputs
                .into_iter()
                .map(|input| exactly(input, &kept))
                .collect();
            let plan = Plan {
                kind: PlanKind::UnionAll(inputs),
                columns: pick(&kept),
            };
            (plan, places)
        }
        PlanKind::Sort { input, keys } => {
            let mut below = wanted.clone();
            below.extend(reads(keys.iter().map(|key| &key.expr)));
            let (input, places) = prune(*input, &below);
            let keys = keys.into_iter().map(|key| SortKey {
                expr: moved(key.expr, &places),
                ..key
            });
            // What is only sorted by stands behind what is wanted, and is no column of the result.
            let shown: Vec<usize> = (0..width)
                .filter(|column| wanted.contains(column))
                .collect();
            let plan = Plan {
                columns: pick(&shown),
                kind: PlanKind::Sort {
                    keys: keys.collect(),
                    input: Box::new(input),
                },
            };
            (plan, places)
        }
        PlanKind::Limit {
            input,
            offset,
            limit,
        } => {
            let (input, places) = prune(*input, wanted);
            let plan = Plan {
                columns: input.columns.clone(),
                kind: PlanKind::Limit {
                    input: Box::new(input),
                    offset,
                    limit,
                },
            };
            (plan, places)
        }
        kind @ (PlanKind::Table(_) | PlanKind::Stream(_) | PlanKind::Values(_)) => {
            let places = (0..width).map(Some).collect();
            (Plan { kind, columns }, places)
        }
    }
}

/// The plan with exactly these columns, in this order.
fn exactly(plan: Plan, kept: &[usize]) -> Plan {
    let (plan, places) = prune(plan, &kept.iter().copied().collect());
    let now: Vec<usize> = kept
        .iter()
        .map(|column| places[*column].expect("a column that is wanted is kept"))
        .collect();
    if now.iter().copied().eq(0..plan.columns.len()) {
        return plan;
    }
    let exprs = now
        .into_iter()
        .map(|at| (plan.columns[at].name.clone(), plan.column(at)))
        .collect();
    plan.project(exprs)
}
