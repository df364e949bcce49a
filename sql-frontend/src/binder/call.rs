//! Calls: of functions, of aggregates, of what the clock says.

use ferrisstreams_topology::data::{DataType, Value};

use super::coerce::{Operand, coerce};
use super::expression::ExprBinder;
use super::problems::Bound;
use crate::aggregates;
use crate::ast::{Argument, Call, Current, IntervalLiteral, TimeUnit};
use crate::error::{Code, Diagnostic};
use crate::functions::{self, ArgumentType, LookupError, Resolved, UnknownField};
use crate::plan::{Aggregate, AggregateFunction, ArithmeticOp, Scalar, ScalarKind};
use crate::span::Span;

/// A call as it is written.
pub(super) fn bind(binder: &mut ExprBinder<'_>, call: &Call, span: Span) -> Bound<Operand> {
    if call.over.is_some() {
        return Err(Diagnostic::not_supported("OVER", span).into());
    }
    if !call.within_group.is_empty() {
        return Err(Diagnostic::not_supported("WITHIN GROUP", span).into());
    }
    let name = &call.name.last().text;
    let is_star = matches!(call.arguments[..], [Argument::Star]);
    if let Some(function) = aggregates::lookup(name) {
        return aggregate(binder, call, function, is_star, span);
    }
    if call.distinct || call.filter.is_some() || !call.order_by.is_empty() || is_star {
        let known = functions::names().any(|known| known.eq_ignore_ascii_case(name));
        if known {
            let message = format!("{name} is no aggregate");
            return Err(Diagnostic::new(Code::TypeMismatch, message, span)
                .label("DISTINCT, FILTER, ORDER BY and * are for aggregates")
                .into());
        }
    }
    let mut arguments = Vec::new();
    for argument in &call.arguments {
        match argument {
            Argument::Expr(expr) => arguments.push(binder.operand(expr)),
            Argument::Star => {
                return Err(unknown_function(name, call.name.span.into()).into());
            }
            Argument::Lambda(lambda) => {
                return Err(Diagnostic::not_supported("a lambda", lambda.span).into());
            }
        }
    }
    let arguments = super::problems::all(arguments)?;
    resolve(name, call.name.span.into(), arguments, span)
}

/// A call of a function by its name.
pub(super) fn function(name: &str, arguments: Vec<Operand>, span: Span) -> Bound<Operand> {
    resolve(name, span, arguments, span)
}

fn resolve(name: &str, name_span: Span, arguments: Vec<Operand>, span: Span) -> Bound<Operand> {
    let types: Vec<ArgumentType> = arguments.iter().map(argument_type).collect();
    match functions::lookup(name, &types) {
        Ok(resolved) => Ok(Operand::known(call(resolved, arguments, span)?)),
        Err(LookupError::Unknown) => Err(unknown_function(name, name_span).into()),
        Err(LookupError::NoOverload { signatures }) => {
            let given: Vec<String> = arguments.iter().map(type_name).collect();
            let message = format!("{name}({}) does not exist", given.join(", "));
            let mut diagnostic = Diagnostic::new(Code::UnknownFunction, message, span)
                .label("no form of the function takes these");
            for signature in signatures {
                diagnostic = diagnostic.note("available", signature);
            }
            Err(diagnostic.into())
        }
    }
}

fn argument_type(operand: &Operand) -> ArgumentType {
    if operand.is_unknown() {
        ArgumentType::Unknown
    } else {
        ArgumentType::Known(operand.data_type())
    }
}

fn type_name(operand: &Operand) -> String {
    if operand.is_unknown() {
        "unknown".to_owned()
    } else {
        operand.data_type().to_string()
    }
}

fn unknown_function(name: &str, span: Span) -> Diagnostic {
    let known: Vec<&str> = functions::names().chain(aggregates::names()).collect();
    Diagnostic::new(Code::UnknownFunction, format!("no function `{name}`"), span)
        .label("not found")
        .suggest_nearest(name, known)
}

/// Checks the name of a field or unit of time that is given to a function first, where it takes one.
pub(super) fn check_field(function: &str, name: &str, span: Span) -> Result<(), Diagnostic> {
    match functions::unknown_field(function, name) {
        None => Ok(()),
        Some(UnknownField { message, known }) => {
            Err(Diagnostic::new(Code::UnknownColumn, message, span)
                .label("not found")
                .note("available", known.join(", "))
                .suggest_nearest(name, known))
        }
    }
}

/// A call of a function that was found, its arguments cast as it wants them.
fn call(resolved: Resolved, arguments: Vec<Operand>, span: Span) -> Result<Scalar, Diagnostic> {
    let arguments = arguments
        .into_iter()
        .zip(&resolved.arguments)
        .map(|(argument, wanted)| coerce(argument, *wanted))
        .collect::<Result<Vec<_>, _>>()?;
    if let Some(first) = arguments.first()
        && let Some(Value::Text(name)) = first.as_literal()
    {
        check_field(resolved.function.name, name, first.span.into())?;
        let of = arguments.get(1).map(|of| of.data_type);
        let missing = of.and_then(|of| functions::missing_field(resolved.function.name, name, of));
        if let Some(message) = missing {
            let span: Span = first.span.into();
            return Err(Diagnostic::new(Code::UnknownColumn, message, span).label("not found"));
        }
    }
    Ok(Scalar {
        // Any call can fail, and is NULL then.
        nullable: true,
        data_type: resolved.result,
        kind: ScalarKind::Call {
            function: resolved.function,
            arguments,
        },
        span: span.into(),
    })
}

/// Arithmetic on dates, times and intervals, if there is such.
pub(super) fn operator(
    op: ArithmeticOp,
    left: &Operand,
    right: &Operand,
    span: Span,
) -> Option<Bound<Operand>> {
    let resolved = functions::lookup_operator(op_name(op), left.data_type(), right.data_type())?;
    let bound = call(resolved, vec![left.clone(), right.clone()], span);
    Some(bound.map(Operand::known).map_err(Into::into))
}

fn op_name(op: ArithmeticOp) -> &'static str {
    match op {
        ArithmeticOp::Add => "+",
        ArithmeticOp::Subtract => "-",
        ArithmeticOp::Multiply => "*",
        ArithmeticOp::Divide => "/",
        ArithmeticOp::Modulo => "%",
    }
}

/// `CURRENT_DATE` and the like.
pub(super) fn current(current: Current, span: Span) -> Bound<Operand> {
    let name = match current {
        Current::Date => "current_date",
        Current::Time => "current_time",
        Current::Timestamp => "current_timestamp",
        Current::LocalTime => "localtime",
        Current::LocalTimestamp => "localtimestamp",
    };
    function(name, Vec::new(), span)
}

/// `INTERVAL '1' DAY`.
pub(super) fn interval(literal: &IntervalLiteral, span: Span) -> Bound<Operand> {
    let text = match &literal.fields {
        None => literal.text.clone(),
        Some(fields) if fields.to.is_none() => {
            format!("{} {}", literal.text, unit_name(fields.from))
        }
        Some(_) => {
            return Err(
                Diagnostic::not_supported("an interval of several fields", span)
                    .help("write it in one string: INTERVAL '1 day 02:03:04'")
                    .into(),
            );
        }
    };
    match Value::parse(&text, DataType::Interval) {
        Ok(value) => Ok(Operand::known(Scalar::literal(
            value,
            DataType::Interval,
            span,
        ))),
        Err(e) => {
            let message = format!("'{text}' cannot be read as INTERVAL");
            Err(Diagnostic::new(Code::InvalidLiteral, message, span)
                .label(e.to_string())
                .into())
        }
    }
}

fn unit_name(unit: TimeUnit) -> &'static str {
    match unit {
        TimeUnit::Microsecond => "microseconds",
        TimeUnit::Millisecond => "milliseconds",
        TimeUnit::Second => "seconds",
        TimeUnit::Minute => "minutes",
        TimeUnit::Hour => "hours",
        TimeUnit::Day => "days",
        TimeUnit::Week => "weeks",
        TimeUnit::Month => "months",
        TimeUnit::Year => "years",
    }
}

fn aggregate(
    binder: &mut ExprBinder<'_>,
    call: &Call,
    function: AggregateFunction,
    is_star: bool,
    span: Span,
) -> Bound<Operand> {
    if !call.order_by.is_empty() {
        return Err(Diagnostic::not_supported("ORDER BY inside an aggregate", span).into());
    }
    if binder.grouping.is_none() {
        let message = format!("{} is an aggregate and cannot stand here", function.name());
        return Err(Diagnostic::new(Code::MisplacedAggregate, message, span)
            .label("aggregates stand in SELECT and HAVING, and not in one another")
            .into());
    }
    // Arguments and filter are computed from the rows before they are grouped.
    let mut rows = ExprBinder {
        scope: binder.scope,
        grouping: None,
        warnings: &mut *binder.warnings,
    };
    let filter = call
        .filter
        .as_ref()
        .map(|filter| rows.predicate(filter, "the condition of FILTER"))
        .transpose()?;
    let (function, argument) = match (&call.arguments[..], is_star) {
        ([Argument::Star], _) if function == AggregateFunction::Count && !call.distinct => {
            (AggregateFunction::CountRows, None)
        }
        ([Argument::Expr(expr)], _) => (function, Some(rows.operand(expr)?)),
        _ => {
            let message = format!("{} takes one argument", function.name());
            return Err(Diagnostic::new(Code::UnknownFunction, message, span)
                .label(format!("{} given", call.arguments.len()))
                .into());
        }
    };
    let bound = typed_aggregate(function, argument, call.distinct, filter, span)?;
    let never_null = matches!(
        function,
        AggregateFunction::Count | AggregateFunction::CountRows
    );
    let grouping = binder.grouping.as_mut().expect("checked above");
    Ok(Operand::known(grouping.aggregate(bound, !never_null)))
}

fn typed_aggregate(
    function: AggregateFunction,
    argument: Option<Operand>,
    distinct: bool,
    filter: Option<Scalar>,
    span: Span,
) -> Result<Aggregate, Diagnostic> {
    let Some(argument) = argument else {
        return Ok(Aggregate {
            function,
            argument: None,
            distinct: false,
            filter,
            data_type: DataType::BigInt,
            span: span.into(),
        });
    };
    let given = argument.data_type();
    let Some((wanted, data_type)) = aggregates::result_type(function, given) else {
        let message = format!("{}({given}) does not exist", function.name());
        return Err(Diagnostic::new(Code::TypeMismatch, message, span)
            .secondary(argument.span(), given.to_string()));
    };
    Ok(Aggregate {
        function,
        argument: Some(coerce(argument, wanted)?),
        distinct,
        filter,
        data_type,
        span: span.into(),
    })
}
