//! Queries: SELECT, VALUES and their combinations, with the clauses around them.

use ferrisstreams_topology::data::{DataType, Value, cast};

use super::Binder;
use super::coerce::{Operand, cast_scalar, coerce_all};
use super::expression::ExprBinder;
use super::from::{decide, renamed};
use super::order::limited;
use super::problems::{Bound, all, both};
use super::scope::Scope;
use super::select::distinct;
use crate::ast::{CommonTable, Ident, Query, QueryBody, SetOp, SetOperation, Values};
use crate::compiler;
use crate::error::{Code, Diagnostic};
use crate::plan::{Column, Plan, PlanKind, Scalar, ScanKind};
use crate::span::Span;

impl Binder<'_> {
    /// A query as a whole: rows that are given once may be sorted and cut.
    pub(super) fn query(&mut self, query: &Query) -> Bound<Plan> {
        let names = self.with(&query.with)?;
        let plan = self.ordered(query).and_then(|plan| limited(plan, query));
        self.forget(names);
        plan
    }
    /// The rows of a query in the order that it wants.
    fn ordered(&mut self, query: &Query) -> Bound<Plan> {
        match &query.body {
            body if query.order_by.is_empty() => self.body(body),
            QueryBody::Select(select) => self.select_in_order(select, &query.order_by),
            body => {
                let plan = self.body(body)?;
                self.in_order(plan, &query.order_by)
            }
        }
    }

    /// A query inside another one, or one that goes on for ever.
    pub(super) fn subquery(&mut self, query: &Query) -> Bound<Plan> {
        if let Some(item) = query.order_by.first() {
            let what = "ORDER BY in a query that goes on";
            return Err(Diagnostic::not_supported(what, item.expr.span).into());
        }
        if let Some(cut) = query.limit.as_ref().or(query.offset.as_ref()) {
            let what = "LIMIT and OFFSET in a query that goes on";
            return Err(Diagnostic::not_supported(what, cut.span).into());
        }
        if let Some(emit) = &query.emit
            && emit.kind == crate::ast::EmitKind::Final
        {
            return Err(Diagnostic::not_supported("EMIT FINAL", emit.span).into());
        }
        self.query(query)
    }

    /// Binds common table expressions; the answer is how many there are.
    fn with(&mut self, tables: &[CommonTable]) -> Bound<usize> {
        let mut bound = 0;
        for table in tables {
            match self.common(table) {
                Ok(plan) => {
                    self.common.push((table.name.clone(), plan));
                    bound += 1;
                }
                Err(problems) => {
                    self.forget(bound);
                    return Err(problems);
                }
            }
        }
        Ok(bound)
    }

    fn common(&mut self, table: &CommonTable) -> Bound<Plan> {
        let plan = self.subquery(&table.query)?;
        if table.columns.is_empty() {
            return Ok(plan);
        }
        if table.columns.len() != plan.columns.len() {
            let message = format!(
                "`{}` has {} columns, and {} names are given",
                table.name.text,
                plan.columns.len(),
                table.columns.len()
            );
            return Err(Diagnostic::new(Code::DuplicateColumn, message, table.name.span).into());
        }
        Ok(renamed(
            plan,
            table.columns.iter().map(|name| name.text.clone()).collect(),
        ))
    }

    fn forget(&mut self, names: usize) {
        self.common.truncate(self.common.len() - names);
    }

    /// The common table expression of a name.
    pub(super) fn common_table(&self, name: &Ident) -> Option<Plan> {
        let found = self
            .common
            .iter()
            .rev()
            .find(|(known, _)| name.matches(&known.text));
        found.map(|(_, plan)| plan.clone())
    }

    /// The names of the common table expressions.
    pub(super) fn common_names(&self) -> impl Iterator<Item = &str> {
        self.common.iter().map(|(name, _)| &name.text[..])
    }

    fn body(&mut self, body: &QueryBody) -> Bound<Plan> {
        match body {
            QueryBody::Select(select) => self.select(select),
            QueryBody::Values(values) => self.values(values, None),
            QueryBody::Nested(query) => self.subquery(query),
            QueryBody::SetOperation(operation) => self.set_operation(operation),
        }
    }

    fn set_operation(&mut self, operation: &SetOperation) -> Bound<Plan> {
        let name = match operation.op {
            SetOp::Union => "UNION",
            SetOp::Intersect => return Err(unsupported("INTERSECT", operation)),
            SetOp::Except => return Err(unsupported("EXCEPT", operation)),
        };
        let (left, right) = both(self.body(&operation.left), self.body(&operation.right))?;
        if left.columns.len() != right.columns.len() {
            let message = format!(
                "the sides of {name} have {} and {} columns",
                left.columns.len(),
                right.columns.len()
            );
            return Err(
                Diagnostic::new(Code::TypeMismatch, message, operation.right.span())
                    .secondary(
                        operation.left.span(),
                        format!("{} columns", left.columns.len()),
                    )
                    .label(format!("{} columns", right.columns.len()))
                    .into(),
            );
        }
        let mut columns = Vec::new();
        for (at, (l, r)) in left.columns.iter().zip(&right.columns).enumerate() {
            let common = match (is_null(&left, at), is_null(&right, at)) {
                (true, false) => Some(r.data_type),
                (false, true) => Some(l.data_type),
                _ => cast::common_type(l.data_type, r.data_type),
            };
            let Some(data_type) = common else {
                let message = format!(
                    "column `{}` is {} on one side of {name} and {} on the other",
                    l.name, l.data_type, r.data_type
                );
                return Err(Diagnostic::new(Code::TypeMismatch, message, operation.span)
                    .help("cast one of them")
                    .into());
            };
            columns.push(Column {
                name: l.name.clone(),
                data_type,
                nullable: l.nullable || r.nullable,
            });
        }
        let united = Plan {
            kind: PlanKind::UnionAll(vec![
                retyped(decide(left, ScanKind::Stream), &columns),
                retyped(decide(right, ScanKind::Stream), &columns),
            ]),
            columns,
        };
        Ok(if operation.all {
            united
        } else {
            distinct(united)
        })
    }

    /// Rows written out, of given types where a table wants them.
    pub(super) fn values(&mut self, values: &Values, wanted: Option<&[Column]>) -> Bound<Plan> {
        let width = wanted.map_or(values.rows[0].len(), <[Column]>::len);
        let scope = Scope::default();
        let mut rows = Vec::new();
        for row in &values.rows {
            if row.len() != width {
                let message = format!("a row has {} values, and {width} are wanted", row.len());
                let place = row.first().map_or(values.span, |first| first.span);
                return Err(Diagnostic::new(Code::TypeMismatch, message, place).into());
            }
            let mut binder = ExprBinder {
                scope: &scope,
                grouping: None,
                warnings: &mut self.warnings,
            };
            rows.push(binder.operands(row));
        }
        let rows = all(rows)?;
        let mut columns = Vec::new();
        let mut values_by_column = Vec::new();
        for at in 0..width {
            let operands: Vec<Operand> = rows.iter().map(|row| row[at].clone()).collect();
            let (column, values) = match wanted {
                Some(wanted) => (wanted[at].clone(), self.assigned(operands, &wanted[at])?),
                None => open_column(operands, at, values)?,
            };
            columns.push(column);
            values_by_column.push(values);
        }
        let rows = (0..rows.len())
            .map(|row| {
                values_by_column
                    .iter()
                    .map(|column| column[row].clone())
                    .collect()
            })
            .collect();
        Ok(Plan {
            kind: PlanKind::Values(rows),
            columns,
        })
    }

    /// Values that are put into a column: cast as an assignment casts.
    fn assigned(&mut self, operands: Vec<Operand>, column: &Column) -> Bound<Vec<Value>> {
        let assign = |operand: Operand| -> Bound<Value> {
            let (span, given) = (operand.span(), operand.data_type());
            let scalar = super::coerce::assign(operand, column.data_type, &column.name)?;
            let value = compiler::constant(&scalar).map_err(|message| {
                Diagnostic::new(Code::InvalidLiteral, message, span).label(given.to_string())
            })?;
            if value == Value::Null && !column.nullable {
                let message = format!("column `{}` is NOT NULL", column.name);
                return Err(Diagnostic::new(Code::InvalidLiteral, message, span).into());
            }
            Ok(value)
        };
        all(operands.into_iter().map(assign).collect::<Vec<_>>())
    }

    /// A query's rows as values of columns that they are put into.
    pub(crate) fn assigned_to(
        &mut self,
        plan: Plan,
        columns: &[Column],
        span: Span,
    ) -> Bound<Plan> {
        if plan.columns.len() != columns.len() {
            let message = format!(
                "the query gives {} columns, and {} are wanted",
                plan.columns.len(),
                columns.len()
            );
            return Err(Diagnostic::new(Code::TypeMismatch, message, span).into());
        }
        let mut exprs = Vec::new();
        for (at, column) in columns.iter().enumerate() {
            let mut scalar = plan.column(at);
            scalar.span = span.into();
            let operand = Operand::known(scalar);
            exprs.push((
                column.name.clone(),
                super::coerce::assign(operand, column.data_type, &column.name)?,
            ));
        }
        Ok(plan.project(exprs))
    }
}

fn unsupported(what: &str, operation: &SetOperation) -> super::problems::Problems {
    Diagnostic::not_supported(what, operation.span).into()
}

/// True where a column is NULL in every row, written so, and has whatever type is wanted.
fn is_null(plan: &Plan, column: usize) -> bool {
    match &plan.kind {
        PlanKind::Project { exprs, .. } => exprs[column].as_literal() == Some(&Value::Null),
        PlanKind::Values(rows) => rows.iter().all(|row| row[column] == Value::Null),
        PlanKind::UnionAll(inputs) => inputs.iter().all(|input| is_null(input, column)),
        PlanKind::Filter { input, .. } => is_null(input, column),
        _ => false,
    }
}

/// The same rows with columns of other types.
fn retyped(plan: Plan, columns: &[Column]) -> Plan {
    let same = plan.columns.iter().zip(columns);
    if same
        .clone()
        .all(|(have, want)| have.data_type == want.data_type)
    {
        return plan;
    }
    let exprs = columns
        .iter()
        .enumerate()
        .map(|(at, column)| {
            let scalar = plan.column(at);
            (
                column.name.clone(),
                cast_scalar(scalar, column.data_type, false, Default::default()),
            )
        })
        .collect();
    plan.project(exprs)
}

fn open_column(operands: Vec<Operand>, at: usize, values: &Values) -> Bound<(Column, Vec<Value>)> {
    let scalars = coerce_all(operands, "VALUES", values.span.into())?;
    let data_type = scalars
        .first()
        .map_or(DataType::TEXT, |first| first.data_type);
    let mut column = Vec::new();
    for scalar in &scalars {
        let value = compiler::constant(scalar)
            .map_err(|message| Diagnostic::new(Code::InvalidLiteral, message, scalar.span))?;
        column.push(value);
    }
    let header = Column {
        name: format!("column{}", at + 1),
        data_type,
        nullable: column.contains(&Value::Null),
    };
    Ok((header, column))
}

/// A plan of all columns of a relation, made of one of the columns at `places`; the others are NULL.
pub(crate) fn spread(plan: Plan, places: &[usize], columns: &[Column]) -> Plan {
    if places.iter().copied().eq(0..columns.len()) {
        return plan;
    }
    let exprs = columns.iter().enumerate().map(|(at, column)| {
        let scalar = match places.iter().position(|place| *place == at) {
            Some(given) => plan.column(given),
            None => Scalar::literal(Value::Null, column.data_type, Default::default()),
        };
        (column.name.clone(), scalar)
    });
    let exprs = exprs.collect();
    plan.project(exprs)
}
