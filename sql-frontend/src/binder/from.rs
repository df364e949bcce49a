//! FROM: relations, and joins of them.

use std::sync::Arc;

use ferrisstreams_topology::data::{DataType, cast};

use super::coerce::{Operand, cast_scalar, comparable};
use super::expression::ExprBinder;
use super::problems::{Bound, both};
use super::scope::Scope;
use super::{Binder, source};
use crate::ast::{
    self, FromItem, Ident, Join, JoinConstraint, Name, Relation, RelationKind, TableAlias,
};
use crate::catalog::{self, Relation as Known};
use crate::error::{Code, Diagnostic};
use crate::plan::{
    Column, CompareOp, JoinKind, JoinOn, Plan, PlanKind, Scalar, ScalarKind, ScanKind,
};
use crate::span::Span;

impl Binder<'_> {
    /// All of a FROM clause; what stands between commas is a cross join.
    pub(super) fn relations(&mut self, items: &[FromItem], span: Span) -> Bound<(Plan, Scope)> {
        let Some((first, rest)) = items.split_first() else {
            // A SELECT without FROM is over one row without columns.
            let one = Plan {
                kind: PlanKind::Values(vec![Vec::new()]),
                columns: Vec::new(),
            };
            return Ok((one, Scope::default()));
        };
        let mut bound = self.joined_item(first)?;
        for item in rest {
            let right = self.joined_item(item)?;
            bound = cross(bound, right);
        }
        check_aliases(&bound.1, span)?;
        Ok(bound)
    }

    fn joined_item(&mut self, item: &FromItem) -> Bound<(Plan, Scope)> {
        let mut bound = self.relation(&item.relation)?;
        for join in &item.joins {
            let right = self.relation(&join.relation)?;
            bound = self.join(bound, right, join)?;
        }
        Ok(bound)
    }

    fn relation(&mut self, relation: &Relation) -> Bound<(Plan, Scope)> {
        let alias = relation.alias.as_ref();
        let (plan, name) = match &relation.kind {
            RelationKind::Name { name, as_of } => {
                if let Some(as_of) = as_of {
                    let what = "FOR SYSTEM_TIME AS OF";
                    return Err(Diagnostic::not_supported(what, as_of.span).into());
                }
                (self.named(name)?, Some(name.last().clone()))
            }
            RelationKind::Uri { uri, options } => {
                let source = source::undeclared(self, uri, options)?;
                (scan(&source), uri_name(&uri.text))
            }
            RelationKind::Query { query, lateral } => {
                if *lateral {
                    return Err(Diagnostic::not_supported("LATERAL", relation.span).into());
                }
                (self.subquery(query)?, None)
            }
            RelationKind::Function(function) => {
                let what = format!("{} as a relation", function.name.last().text);
                return Err(Diagnostic::not_supported(what, relation.span).into());
            }
            RelationKind::Join(item) => {
                let (plan, scope) = self.joined_item(item)?;
                return match alias {
                    None => Ok((plan, scope)),
                    Some(alias) => rename(plan, alias),
                };
            }
        };
        match alias {
            Some(alias) => rename(plan, alias),
            None => {
                let scope = Scope::of(&plan, name.as_ref());
                Ok((plan, scope))
            }
        }
    }

    /// What a name means: a common table expression, or what the catalog knows.
    fn named(&self, name: &Name) -> Bound<Plan> {
        if let Some(ident) = catalog::single(name) {
            if let Some(plan) = self.common_table(ident) {
                return Ok(plan);
            }
            if let Some(relation) = self.catalog.relation(ident) {
                return Ok(of_catalog(relation));
            }
        }
        Err(self.unknown_relation(name).into())
    }

    /// The mistake of naming a relation that is not there.
    pub(super) fn unknown_relation(&self, name: &Name) -> Diagnostic {
        let written = &name.last().text;
        let known: Vec<&str> = self
            .common_names()
            .chain(self.catalog.relations().map(Known::name))
            .collect();
        let message = format!("no stream or table `{written}`");
        let diagnostic = Diagnostic::new(Code::UnknownRelation, message, name.span)
            .label("not found")
            .suggest_nearest(written, known.iter().copied());
        if known.is_empty() {
            diagnostic.help("create it first, or name a source by its URI: file:///path/to.csv")
        } else {
            diagnostic.note("available", known.join(", "))
        }
    }

    fn join(
        &mut self,
        left: (Plan, Scope),
        right: (Plan, Scope),
        join: &Join,
    ) -> Bound<(Plan, Scope)> {
        if let Some(within) = &join.within {
            return Err(Diagnostic::not_supported("a join WITHIN a time", within.span).into());
        }
        let kind = match join.kind {
            ast::JoinKind::Cross => return Ok(cross(left, right)),
            ast::JoinKind::Inner => JoinKind::Inner,
            ast::JoinKind::Left => JoinKind::Left,
            ast::JoinKind::Right => JoinKind::Right,
            ast::JoinKind::Full => JoinKind::Full,
        };
        let left_plan = decide(left.0, ScanKind::Stream);
        let right_plan = decide(right.0, ScanKind::Table);
        let width = left.1.len();
        let mut scope = left.1.join(right.1);
        let (on, residual) = match &join.constraint {
            JoinConstraint::On(condition) => self.condition(&scope, width, condition)?,
            JoinConstraint::Using(columns) => {
                let pairs = columns
                    .iter()
                    .map(|column| same_name(&scope, width, column));
                let pairs = super::problems::all(pairs.collect::<Vec<_>>())?;
                (hide_pairs(&mut scope, kind, pairs, join.span.into())?, None)
            }
            JoinConstraint::Natural => {
                let pairs = common_columns(&scope, width);
                (hide_pairs(&mut scope, kind, pairs, join.span.into())?, None)
            }
            JoinConstraint::None => (Vec::new(), None),
        };
        let on: Vec<JoinOn> = on
            .into_iter()
            .map(|(l, r)| JoinOn {
                left: l,
                right: r.remap(&|column| column - width),
            })
            .collect();
        if on.is_empty() && kind != JoinKind::Inner {
            return Err(Diagnostic::new(
                Code::NotSupported,
                "an outer join needs a condition with an equality of both sides",
                join.span,
            )
            .label("no `left column = right column` here")
            .into());
        }
        let total = scope.len();
        if matches!(kind, JoinKind::Right | JoinKind::Full) {
            scope.set_nullable(0..width);
        }
        if matches!(kind, JoinKind::Left | JoinKind::Full) {
            scope.set_nullable(width..total);
        }
        let plan = joined(kind, left_plan, right_plan, on, residual, &scope);
        Ok((plan, scope))
    }

    /// A join's condition as pairs that must be equal, and what must hold besides.
    fn condition(
        &mut self,
        scope: &Scope,
        width: usize,
        condition: &ast::Expr,
    ) -> Bound<SplitCondition> {
        let mut binder = ExprBinder {
            scope,
            grouping: None,
            warnings: &mut self.warnings,
        };
        let condition = binder.predicate(condition, "the condition of a join")?;
        Ok(split_condition(condition, width))
    }
}

/// Pairs of expressions of one side each that must be equal, and what must hold besides.
pub(crate) type SplitCondition = (Vec<(Scalar, Scalar)>, Option<Scalar>);

/// A condition over both sides' columns, the left side having `width`: pairs of expressions of one
/// side each that must be equal, and what must hold besides.
pub(crate) fn split_condition(condition: Scalar, width: usize) -> SplitCondition {
    let mut pairs = Vec::new();
    let mut rest = Vec::new();
    let span: Span = condition.span.into();
    for conjunct in conjuncts(condition) {
        match equality(conjunct, width) {
            Ok(pair) => pairs.push(pair),
            Err(other) => rest.push(*other),
        }
    }
    (pairs, conjunction(rest, span))
}

/// The operands of AND, or the expression itself.
pub(crate) fn conjuncts(condition: Scalar) -> Vec<Scalar> {
    match condition.kind {
        ScalarKind::And(operands) => operands.into_iter().flat_map(conjuncts).collect(),
        kind => vec![Scalar { kind, ..condition }],
    }
}

/// All of these, joined by AND; none where there are none.
pub(crate) fn conjunction(mut operands: Vec<Scalar>, span: Span) -> Option<Scalar> {
    match operands.len() {
        0 => None,
        1 => operands.pop(),
        _ => {
            let nullable = operands.iter().any(|operand| operand.nullable);
            Some(Scalar::boolean(ScalarKind::And(operands), nullable, span))
        }
    }
}

/// The two sides of an equality of the left side's columns with the right side's.
fn equality(scalar: Scalar, width: usize) -> Result<(Scalar, Scalar), Box<Scalar>> {
    let side = |scalar: &Scalar| {
        let columns = scalar.columns();
        let on_left = columns.iter().all(|column| *column < width);
        let on_right = columns.iter().all(|column| *column >= width);
        (
            !columns.is_empty() && on_left,
            !columns.is_empty() && on_right,
        )
    };
    let ScalarKind::Compare {
        op: CompareOp::Equal,
        left,
        right,
    } = scalar.kind
    else {
        return Err(Box::new(scalar));
    };
    let key = key_type(left.data_type, right.data_type)
        .filter(|_| left.is_deterministic() && right.is_deterministic());
    let as_key = |scalar: Scalar, key: DataType| {
        let span = scalar.span.into();
        cast_scalar(scalar, key, false, span)
    };
    match (side(&left), side(&right), key) {
        ((true, _), (_, true), Some(key)) => Ok((as_key(*left, key), as_key(*right, key))),
        ((_, true), (true, _), Some(key)) => Ok((as_key(*right, key), as_key(*left, key))),
        _ => Err(Box::new(Scalar {
            kind: ScalarKind::Compare {
                op: CompareOp::Equal,
                left,
                right,
            },
            ..scalar
        })),
    }
}

/// The type in which values of two types are equal where they are equal at all, so that they find each
/// other by their bytes: decimals need one scale.
fn key_type(left: DataType, right: DataType) -> Option<DataType> {
    if left == right {
        return Some(left);
    }
    let (DataType::Decimal { .. }, DataType::Decimal { .. }) = (left, right) else {
        return None;
    };
    let whole = |of: DataType| of.as_decimal().map(|(precision, scale)| precision - scale);
    let common = cast::common_type(left, right)?;
    (whole(common) >= whole(left).max(whole(right))).then_some(common)
}

fn joined(
    kind: JoinKind,
    left: Plan,
    right: Plan,
    on: Vec<JoinOn>,
    residual: Option<Scalar>,
    scope: &Scope,
) -> Plan {
    let columns = scope.columns().iter().map(|column| Column {
        name: column.name.clone(),
        data_type: column.data_type,
        nullable: column.nullable,
    });
    Plan {
        columns: columns.collect(),
        kind: PlanKind::Join {
            kind,
            left: Box::new(left),
            right: Box::new(right),
            on,
            residual,
        },
    }
}

fn cross(left: (Plan, Scope), right: (Plan, Scope)) -> (Plan, Scope) {
    let scope = left.1.join(right.1);
    let left = decide(left.0, ScanKind::Stream);
    let right = decide(right.0, ScanKind::Table);
    (
        joined(JoinKind::Inner, left, right, Vec::new(), None, &scope),
        scope,
    )
}

/// Decides what scans of sources that can be either are.
pub(super) fn decide(plan: Plan, as_kind: ScanKind) -> Plan {
    match plan.kind {
        PlanKind::Scan {
            source,
            kind: ScanKind::Open,
            projection,
            filter,
        } => Plan {
            kind: PlanKind::Scan {
                source,
                kind: as_kind,
                projection,
                filter,
            },
            columns: plan.columns,
        },
        PlanKind::Filter { .. } | PlanKind::Project { .. } => {
            plan.map_inputs(&mut |input| decide(input, as_kind))
        }
        kind => Plan { kind, ..plan },
    }
}

fn of_catalog(relation: &Known) -> Plan {
    match relation {
        Known::Source(source) => scan(source),
        Known::Stream(stream) => Plan {
            columns: stream.columns.clone(),
            kind: PlanKind::Stream(stream.clone()),
        },
        Known::Table(table) => Plan {
            columns: table.columns.clone(),
            kind: PlanKind::Table(table.clone()),
        },
    }
}

/// A scan of all columns of a source.
pub(super) fn scan(source: &Arc<crate::plan::Source>) -> Plan {
    Plan {
        columns: source.columns.clone(),
        kind: PlanKind::Scan {
            source: source.clone(),
            kind: source.kind,
            projection: (0..source.columns.len()).collect(),
            filter: None,
        },
    }
}

/// What a source that only has a URI is called: the last part of its path, without its ending.
fn uri_name(uri: &str) -> Option<Ident> {
    let path = uri.split("://").nth(1)?;
    let last = path.rsplit('/').find(|part| !part.is_empty())?;
    let stem = last.split('.').next().filter(|stem| !stem.is_empty())?;
    Some(Ident::new(stem))
}

/// A relation under another name, with other names for its columns if they are given.
fn rename(mut plan: Plan, alias: &TableAlias) -> Bound<(Plan, Scope)> {
    if alias.columns.len() > plan.columns.len() {
        let message = format!(
            "{} has {} columns, and {} names are given",
            alias.name.text,
            plan.columns.len(),
            alias.columns.len()
        );
        return Err(Diagnostic::new(Code::DuplicateColumn, message, alias.name.span).into());
    }
    if !alias.columns.is_empty() {
        let names: Vec<String> = plan
            .columns
            .iter()
            .enumerate()
            .map(|(at, column)| match alias.columns.get(at) {
                Some(name) => name.text.clone(),
                None => column.name.clone(),
            })
            .collect();
        plan = renamed(plan, names);
    }
    let scope = Scope::of(&plan, Some(&alias.name));
    Ok((plan, scope))
}

/// The same rows with other names for the columns.
pub(super) fn renamed(plan: Plan, names: Vec<String>) -> Plan {
    let exprs = names
        .into_iter()
        .enumerate()
        .map(|(at, name)| (name, plan.column(at)))
        .collect();
    plan.project(exprs)
}

fn check_aliases(scope: &Scope, span: Span) -> Result<(), Diagnostic> {
    // Columns of one relation stand side by side; a name that comes back is a second relation.
    let mut seen: Vec<&Ident> = Vec::new();
    let mut last: Option<&Ident> = None;
    for column in scope.columns() {
        let Some(relation) = &column.relation else {
            last = None;
            continue;
        };
        if last.is_some_and(|last| last.text == relation.text && last.span == relation.span) {
            continue;
        }
        if seen.iter().any(|known| relation.matches(&known.text)) {
            let message = format!("two relations are called `{}`", relation.text);
            let place = if relation.span.is_empty() {
                span
            } else {
                relation.span.into()
            };
            return Err(Diagnostic::new(Code::DuplicateAlias, message, place)
                .help("give one of them an alias: ... AS other"));
        }
        seen.push(relation);
        last = Some(relation);
    }
    Ok(())
}

type Pair = (usize, usize);

/// The columns of both sides that USING names.
fn same_name(scope: &Scope, width: usize, name: &Ident) -> Bound<Pair> {
    let find = |range: std::ops::Range<usize>, side: &str| -> Bound<usize> {
        let found: Vec<usize> = range
            .clone()
            .filter(|at| !scope.columns()[*at].hidden && name.matches(&scope.columns()[*at].name))
            .collect();
        match found[..] {
            [only] => Ok(only),
            _ => {
                let known: Vec<&str> = range.map(|at| &scope.columns()[at].name[..]).collect();
                let what = if found.is_empty() {
                    "no"
                } else {
                    "more than one"
                };
                let message = format!("{what} column `{}` on the {side} side", name.text);
                Err(Diagnostic::new(Code::UnknownColumn, message, name.span)
                    .note("available", known.join(", "))
                    .suggest_nearest(&name.text, known)
                    .into())
            }
        }
    };
    both(find(0..width, "left"), find(width..scope.len(), "right"))
}

/// The columns of both sides that have the same name.
fn common_columns(scope: &Scope, width: usize) -> Vec<Pair> {
    let columns = scope.columns();
    let mut pairs = Vec::new();
    for left in (0..width).filter(|at| !columns[*at].hidden) {
        let same = (width..scope.len()).find(|right| {
            columns[*right]
                .name
                .eq_ignore_ascii_case(&columns[left].name)
        });
        pairs.extend(same.map(|right| (left, right)));
    }
    pairs
}

/// The conditions of pairs of columns, of which one each is shown.
fn hide_pairs(
    scope: &mut Scope,
    kind: JoinKind,
    pairs: Vec<Pair>,
    span: Span,
) -> Bound<Vec<(Scalar, Scalar)>> {
    if kind == JoinKind::Full {
        return Err(
            Diagnostic::not_supported("USING and NATURAL of a FULL JOIN", span)
                .help("write ON, and COALESCE(left, right) in the select list")
                .into(),
        );
    }
    let mut on = Vec::new();
    for (left, right) in pairs {
        let (l, r) = comparable(
            Operand::known(scope.scalar(left, span)),
            Operand::known(scope.scalar(right, span)),
            "=",
            span,
        )?;
        let Some(key) = key_type(l.data_type, r.data_type) else {
            let message = format!("{} and {} have no type for both", l.data_type, r.data_type);
            return Err(Diagnostic::new(Code::TypeMismatch, message, span)
                .help("cast one of them, and join ON")
                .into());
        };
        on.push((
            cast_scalar(l, key, false, span),
            cast_scalar(r, key, false, span),
        ));
        scope.hide(if kind == JoinKind::Right { left } else { right });
    }
    Ok(on)
}
