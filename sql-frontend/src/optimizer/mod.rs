//! Rules that make plans cheaper, in a fixed order.
//!
//! Each rule is a file and a name, and gives a plan of the same rows. What EXPLAIN shows is the list
//! of the rules that changed the plan, with the plan after each.

mod fold_constants;
mod push_filters;
mod merge_projections;
mod prune_columns;

use crate::plan::{Plan, print};

/// A rule: its name, and what it makes of a plan.
struct Rule {
    name: &'static str,
    apply: fn(Plan) -> Plan,
}

/// The rules, in the order in which they are applied.
const RULES: &[Rule] = &[
    Rule {
        name: "fold constants",
        apply: fold_constants::apply,
    },
    Rule {
        name: "push filters",
        apply: push_filters::apply,
    },
    Rule {
        name: "merge projections",
        apply: merge_projections::apply,
    },
    Rule {
        name: "prune columns",
        apply: prune_columns::apply,
    },
    Rule {
        name: "merge projections",
        apply: merge_projections::apply,
    },
];

/// A rule that changed a plan, and the plan behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// The rule.
    pub rule: &'static str,
    /// The plan behind it, printed.
    pub plan: String,
}

/// The plan that the rules make of a plan, and which of them changed it.
pub fn optimize(plan: Plan) -> (Plan, Vec<Applied>) {
    let mut plan = plan;
    let mut applied = Vec::new();
    let mut before = print(&plan);
    for rule in RULES {
        plan = (rule.apply)(plan);
        let after = print(&plan);
        if after != before {
            applied.push(Applied {
                rule: rule.name,
                plan: after.clone(),
            });
            before = after;
        }
    }
    (plan, applied)
}
