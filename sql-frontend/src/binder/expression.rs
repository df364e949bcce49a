//! Expressions: names become columns, operators get their types.
//!
//! A string or NULL written out has no type of its own: it takes that of what it is used with. What
//! is wrong is told at the smallest expression that is wrong.

use ferrisstreams_topology::data::datetime::Field;
use ferrisstreams_topology::data::{DataType, Value};

use super::coerce::{Operand, coerce, coerce_all, common_type, comparable};
use super::grouped::Grouping;
use super::problems::{Bound, all, both};
use super::scope::Scope;
use super::types::bind_type;
use super::{arithmetic, call};
use crate::ast::{
    Between, BinaryOp, Case, Cast, CastForm, Expr, ExprKind, IsTest, Like, LikeForm, Literal,
    LogicalOp, Substring, Trim, TrimSide, TypeKind, TypedLiteral, UnaryOp,
};
use crate::error::{Code, Diagnostic};
use crate::plan::{CompareOp, Scalar, ScalarKind};
use crate::span::Span;

/// Binds expressions over the columns of a scope.
pub(super) struct ExprBinder<'a> {
    /// What names mean.
    pub(super) scope: &'a Scope,
    /// Where rows are grouped: what an expression may be made of.
    pub(super) grouping: Option<&'a mut Grouping>,
    /// Mistakes that do not keep the statement from running.
    pub(super) warnings: &'a mut Vec<Diagnostic>,
}

impl ExprBinder<'_> {
    /// An expression with a type.
    pub(super) fn scalar(&mut self, expr: &Expr) -> Bound<Scalar> {
        Ok(self.operand(expr)?.typed())
    }

    /// An expression that must be true or false.
    pub(super) fn predicate(&mut self, expr: &Expr, clause: &str) -> Bound<Scalar> {
        let operand = self.operand(expr)?;
        if operand.is_unknown() || operand.data_type() == DataType::Boolean {
            return coerce(operand, DataType::Boolean).map_err(Into::into);
        }
        let message = format!("{clause} must be a boolean, not {}", operand.data_type());
        Err(Diagnostic::new(Code::TypeMismatch, message, expr.span)
            .label(operand.data_type().to_string())
            .into())
    }

    /// An expression, whose type may still be open.
    pub(super) fn operand(&mut self, expr: &Expr) -> Bound<Operand> {
        if let Some(column) = self.grouped(expr)? {
            return Ok(Operand::known(column));
        }
        let span: Span = expr.span.into();
        match &expr.kind {
            ExprKind::Literal(literal) => self.literal(literal, span),
            ExprKind::Typed(typed) => typed_literal(typed, span),
            ExprKind::Interval(interval) => call::interval(interval, span),
            ExprKind::Column(name) => match &self.grouping {
                None => Ok(Operand::known(self.scope.resolve(name)?)),
                Some(grouping) => Err(grouping.ungrouped(self.scope, name).into()),
            },
            ExprKind::Current(current) => call::current(*current, span),
            ExprKind::Unary { op, operand } => self.unary(*op, operand, span),
            ExprKind::Binary { op, left, right } => self.binary(*op, left, right, span),
            ExprKind::Logical { op, operands } => self.logical(*op, operands, span),
            ExprKind::Is {
                operand,
                test,
                negated,
            } => self.is(operand, *test, *negated, span),
            ExprKind::DistinctFrom {
                left,
                right,
                negated,
            } => {
                let (left, right) = self.pair(left, right, "IS DISTINCT FROM", span)?;
                let kind = ScalarKind::Distinct {
                    left: Box::new(left),
                    right: Box::new(right),
                    negated: *negated,
                };
                Ok(Operand::known(Scalar::boolean(kind, false, span)))
            }
            ExprKind::Between(between) => self.between(between, span),
            ExprKind::InList {
                operand,
                list,
                negated,
            } => self.in_list(operand, list, *negated, span),
            ExprKind::Like(like) => self.like(like, span),
            ExprKind::Case(case) => self.case(case, span),
            ExprKind::Cast(cast) => self.cast(cast, span),
            ExprKind::Extract { field, operand } => {
                let operand = self.operand(operand)?;
                call::check_field("extract", &field.text, field.span.into())?;
                // Seconds have a fraction, years do not.
                let name = if Field::parse(&field.text).is_some_and(Field::has_fraction) {
                    "extract_fraction"
                } else {
                    "extract"
                };
                let field = Operand::text(&field.text.to_lowercase(), field.span.into());
                call::function(name, vec![field, operand], span)
            }
            ExprKind::Position { needle, haystack } => {
                let (haystack, needle) = both(self.operand(haystack), self.operand(needle))?;
                call::function("strpos", vec![haystack, needle], span)
            }
            ExprKind::Substring(substring) => self.substring(substring, span),
            ExprKind::Trim(trim) => self.trim(trim, span),
            ExprKind::Call(written) => call::bind(self, written, span),
            other => Err(Diagnostic::not_supported(describe(other), span).into()),
        }
    }

    /// The column of the grouped rows that an expression is, if it is one as a whole.
    fn grouped(&mut self, expr: &Expr) -> Bound<Option<Scalar>> {
        let Some(grouping) = &mut self.grouping else {
            return Ok(None);
        };
        grouping.find(self.scope, expr)
    }

    /// Several expressions.
    pub(super) fn operands(&mut self, exprs: &[Expr]) -> Bound<Vec<Operand>> {
        let bound: Vec<Bound<Operand>> = exprs.iter().map(|expr| self.operand(expr)).collect();
        all(bound)
    }

    fn literal(&mut self, literal: &Literal, span: Span) -> Bound<Operand> {
        Ok(match literal {
            Literal::Null => Operand::null(span),
            Literal::String(text) => Operand::text(text, span),
            Literal::Boolean(value) => Operand::known(Scalar::literal(
                Value::Boolean(*value),
                DataType::Boolean,
                span,
            )),
            Literal::Integer(digits) => Operand::known(arithmetic::integer(digits, span)?),
            Literal::Decimal(digits) => Operand::known(arithmetic::decimal(digits, span)?),
            Literal::Float(digits) => Operand::known(arithmetic::float(digits, span)?),
        })
    }

    fn unary(&mut self, op: UnaryOp, operand: &Expr, span: Span) -> Bound<Operand> {
        match op {
            UnaryOp::Not => {
                let inner = self.predicate(operand, "the operand of NOT")?;
                let nullable = inner.nullable;
                let kind = ScalarKind::Not(Box::new(inner));
                Ok(Operand::known(Scalar::boolean(kind, nullable, span)))
            }
            UnaryOp::Minus | UnaryOp::Plus => {
                let inner = self.operand(operand)?;
                arithmetic::signed(op == UnaryOp::Minus, inner, span)
            }
        }
    }

    fn binary(&mut self, op: BinaryOp, left: &Expr, right: &Expr, span: Span) -> Bound<Operand> {
        if let Some(op) = compare_op(op) {
            self.warn_of_null(left, right, span);
            let (left, right) = self.pair(left, right, symbol(op), span)?;
            return Ok(Operand::known(compare(op, left, right, span)));
        }
        let (left, right) = both(self.operand(left), self.operand(right))?;
        if op == BinaryOp::Concat {
            return call::function("||", vec![left, right], span);
        }
        arithmetic::binary(op, left, right, span)
    }

    fn warn_of_null(&mut self, left: &Expr, right: &Expr, span: Span) {
        let is_null = |expr: &Expr| matches!(expr.kind, ExprKind::Literal(Literal::Null));
        if is_null(left) || is_null(right) {
            let message = "a comparison with NULL is never true";
            self.warnings.push(
                Diagnostic::new(Code::NullComparison, message, span)
                    .label("always unknown")
                    .help("write IS NULL or IS NOT NULL"),
            );
        }
    }

    /// Two expressions as operands of a comparison, brought to one type.
    fn pair(&mut self, left: &Expr, right: &Expr, op: &str, span: Span) -> Bound<(Scalar, Scalar)> {
        let (left, right) = both(self.operand(left), self.operand(right))?;
        Ok(comparable(left, right, op, span)?)
    }

    fn logical(&mut self, op: LogicalOp, operands: &[Expr], span: Span) -> Bound<Operand> {
        let clause = match op {
            LogicalOp::And => "an operand of AND",
            LogicalOp::Or => "an operand of OR",
        };
        let bound: Vec<_> = operands
            .iter()
            .map(|expr| self.predicate(expr, clause))
            .collect();
        let bound = all(bound)?;
        let nullable = bound.iter().any(|operand| operand.nullable);
        let kind = match op {
            LogicalOp::And => ScalarKind::And(bound),
            LogicalOp::Or => ScalarKind::Or(bound),
        };
        Ok(Operand::known(Scalar::boolean(kind, nullable, span)))
    }

    fn is(&mut self, operand: &Expr, test: IsTest, negated: bool, span: Span) -> Bound<Operand> {
        let kind = match test {
            IsTest::Null => ScalarKind::IsNull(Box::new(self.scalar(operand)?)),
            IsTest::Unknown => ScalarKind::IsNull(Box::new(
                self.predicate(operand, "the operand of IS UNKNOWN")?,
            )),
            IsTest::True | IsTest::False => {
                let inner = self.predicate(operand, "the operand of IS")?;
                ScalarKind::Is(Box::new(inner), test == IsTest::True)
            }
        };
        Ok(Operand::known(not_if(
            negated,
            Scalar::boolean(kind, false, span),
        )))
    }

    fn between(&mut self, between: &Between, span: Span) -> Bound<Operand> {
        let operand = self.operand(&between.operand);
        let (operand, (low, high)) = both(
            operand,
            both(self.operand(&between.low), self.operand(&between.high)),
        )?;
        let within = |low: Operand, high: Operand| -> Bound<Scalar> {
            let (a, low) = comparable(operand.clone(), low, ">=", span)?;
            let (b, high) = comparable(operand.clone(), high, "<=", span)?;
            let sides = vec![
                compare(CompareOp::GreaterOrEqual, a, low, span),
                compare(CompareOp::LessOrEqual, b, high, span),
            ];
            let nullable = sides.iter().any(|side| side.nullable);
            Ok(Scalar::boolean(ScalarKind::And(sides), nullable, span))
        };
        let mut result = within(low.clone(), high.clone())?;
        if between.symmetric {
            let other = within(high, low)?;
            let nullable = result.nullable || other.nullable;
            result = Scalar::boolean(ScalarKind::Or(vec![result, other]), nullable, span);
        }
        Ok(Operand::known(not_if(between.negated, result)))
    }

    fn in_list(
        &mut self,
        operand: &Expr,
        list: &[Expr],
        negated: bool,
        span: Span,
    ) -> Bound<Operand> {
        let (operand, list) = both(self.operand(operand), self.operands(list))?;
        let mut together = vec![operand];
        together.extend(list);
        let mut together = coerce_all(together, "IN", span)?;
        let list = together.split_off(1);
        let operand = together.remove(0);
        let nullable = operand.nullable || list.iter().any(|item| item.nullable);
        let kind = ScalarKind::InList {
            operand: Box::new(operand),
            list,
            negated,
        };
        Ok(Operand::known(Scalar::boolean(kind, nullable, span)))
    }

    fn like(&mut self, like: &Like, span: Span) -> Bound<Operand> {
        if like.form == LikeForm::SimilarTo {
            return Err(Diagnostic::not_supported("SIMILAR TO", span).into());
        }
        let (operand, pattern) = both(self.operand(&like.operand), self.operand(&like.pattern))?;
        let escape = like.escape.as_ref().map(|e| self.operand(e)).transpose()?;
        if let Some(Value::Text(text)) = escape.as_ref().and_then(|e| e.scalar().as_literal())
            && text.chars().count() > 1
        {
            let place = like
                .escape
                .as_ref()
                .map_or(span, |escape| escape.span.into());
            let message = format!("'{text}' cannot escape, it has more than one character");
            return Err(Diagnostic::new(Code::InvalidLiteral, message, place).into());
        }
        let text = |operand: Operand| -> Bound<Box<Scalar>> {
            let known = operand.data_type();
            if !operand.is_unknown() && !known.is_text() {
                let message = format!("LIKE matches text, not {known}");
                let place = operand.span();
                return Err(Diagnostic::new(Code::TypeMismatch, message, place)
                    .label(known.to_string())
                    .help("cast it: CAST(... AS VARCHAR)")
                    .into());
            }
            Ok(Box::new(coerce(operand, DataType::TEXT)?))
        };
        let (operand, pattern) = both(text(operand), text(pattern))?;
        let nullable = operand.nullable || pattern.nullable;
        let kind = ScalarKind::Like {
            operand,
            pattern,
            escape: escape.map(text).transpose()?,
            ignore_case: like.form == LikeForm::ILike,
            negated: like.negated,
        };
        Ok(Operand::known(Scalar::boolean(kind, nullable, span)))
    }

    fn case(&mut self, case: &Case, span: Span) -> Bound<Operand> {
        let operand = case.operand.as_ref().map(|e| self.operand(e)).transpose()?;
        let mut conditions = Vec::new();
        let mut results = Vec::new();
        for branch in &case.branches {
            conditions.push(match &operand {
                None => self.predicate(&branch.condition, "the condition of WHEN"),
                Some(operand) => self.operand(&branch.condition).and_then(|value| {
                    let (left, right) = comparable(operand.clone(), value, "=", span)?;
                    Ok(compare(
                        CompareOp::Equal,
                        left,
                        right,
                        branch.condition.span.into(),
                    ))
                }),
            });
            results.push(self.operand(&branch.result));
        }
        if let Some(otherwise) = &case.otherwise {
            results.push(self.operand(otherwise));
        }
        let (conditions, results) = both(all(conditions), all(results))?;
        let mut results = coerce_all(results, "CASE", span)?;
        let data_type = common_type(&results);
        let otherwise = case.otherwise.as_ref().and_then(|_| results.pop());
        let nullable = otherwise.as_ref().is_none_or(|o| o.nullable)
            || results.iter().any(|result| result.nullable);
        let scalar = Scalar {
            kind: ScalarKind::Case {
                branches: conditions.into_iter().zip(results).collect(),
                otherwise: otherwise.map(Box::new),
            },
            data_type,
            nullable,
            span: span.into(),
        };
        Ok(Operand::known(scalar))
    }

    fn cast(&mut self, cast: &Cast, span: Span) -> Bound<Operand> {
        let (operand, data_type) = both(self.operand(&cast.operand), bind_type(&cast.data_type))?;
        let forgiving = cast.form == CastForm::TryCast;
        let bound = Operand::known(super::coerce::cast(operand, data_type, forgiving, span)?);
        match &cast.data_type.kind {
            // CHAR(n) always has n characters: what is shorter ends in blanks.
            TypeKind::Char(length) => {
                let length = length.unwrap_or(1).to_string();
                let length = Operand::known(arithmetic::integer(&length, span)?);
                call::function("rpad", vec![bound, length], span)
            }
            _ => Ok(bound),
        }
    }

    fn substring(&mut self, substring: &Substring, span: Span) -> Bound<Operand> {
        let operand = self.operand(&substring.operand)?;
        let start = match &substring.start {
            Some(start) => self.operand(start)?,
            None => Operand::known(arithmetic::integer("1", span)?),
        };
        let mut arguments = vec![operand, start];
        if let Some(length) = &substring.length {
            arguments.push(self.operand(length)?);
        }
        call::function("substring", arguments, span)
    }

    fn trim(&mut self, trim: &Trim, span: Span) -> Bound<Operand> {
        let mut arguments = vec![self.operand(&trim.operand)?];
        if let Some(characters) = &trim.characters {
            arguments.push(self.operand(characters)?);
        }
        let name = match trim.side {
            None | Some(TrimSide::Both) => "btrim",
            Some(TrimSide::Leading) => "ltrim",
            Some(TrimSide::Trailing) => "rtrim",
        };
        call::function(name, arguments, span)
    }
}

fn typed_literal(typed: &TypedLiteral, span: Span) -> Bound<Operand> {
    let data_type = bind_type(&typed.data_type)?;
    let text = Operand::text(&typed.text, span);
    Ok(Operand::known(coerce(text, data_type)?))
}

/// The negation of a boolean, if it is wanted.
pub(super) fn not_if(negated: bool, scalar: Scalar) -> Scalar {
    if !negated {
        return scalar;
    }
    let (nullable, span) = (scalar.nullable, scalar.span.into());
    Scalar::boolean(ScalarKind::Not(Box::new(scalar)), nullable, span)
}

/// A comparison of two operands of one type.
pub(super) fn compare(op: CompareOp, left: Scalar, right: Scalar, span: Span) -> Scalar {
    let nullable = left.nullable || right.nullable;
    let kind = ScalarKind::Compare {
        op,
        left: Box::new(left),
        right: Box::new(right),
    };
    Scalar::boolean(kind, nullable, span)
}

fn compare_op(op: BinaryOp) -> Option<CompareOp> {
    Some(match op {
        BinaryOp::Equal => CompareOp::Equal,
        BinaryOp::NotEqual => CompareOp::NotEqual,
        BinaryOp::Less => CompareOp::Less,
        BinaryOp::LessOrEqual => CompareOp::LessOrEqual,
        BinaryOp::Greater => CompareOp::Greater,
        BinaryOp::GreaterOrEqual => CompareOp::GreaterOrEqual,
        _ => return None,
    })
}

fn symbol(op: CompareOp) -> &'static str {
    match op {
        CompareOp::Equal => "=",
        CompareOp::NotEqual => "<>",
        CompareOp::Less => "<",
        CompareOp::LessOrEqual => "<=",
        CompareOp::Greater => ">",
        CompareOp::GreaterOrEqual => ">=",
    }
}

/// What an expression that is not supported is called.
fn describe(kind: &ExprKind) -> &'static str {
    match kind {
        ExprKind::InQuery { .. } => "IN with a subquery",
        ExprKind::Quantified(_) => "ANY and ALL",
        ExprKind::AtTimeZone { .. } => "AT TIME ZONE",
        ExprKind::Subscript { .. } => "a subscript",
        ExprKind::Field { .. } => "a field of a struct",
        ExprKind::Exists(_) => "EXISTS",
        ExprKind::Query(_) => "a subquery as a value",
        ExprKind::Row(_) => "a row as a value",
        ExprKind::Array(_) => "ARRAY",
        ExprKind::Map(_) => "MAP",
        ExprKind::Struct(_) => "STRUCT",
        _ => "this expression",
    }
}
