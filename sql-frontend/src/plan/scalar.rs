//! Bound expressions: every name is a column, every operator has its types.
//!
//! The binder makes them, rules rewrite them, the compiler turns them into code. Operands have the
//! types that their operator wants: where a value is widened or read as another type, a
//! [`ScalarKind::Cast`] says so.

use std::sync::Arc;

use ferrisstreams_topology::data::{DataType, Value};

use crate::functions::Function;
use crate::span::{NodeSpan, Span};

/// An expression over the columns of one row, with its type.
#[derive(Clone, Debug, PartialEq)]
pub struct Scalar {
    /// What it computes.
    pub kind: ScalarKind,
    /// The type of its value.
    pub data_type: DataType,
    /// Whether the value may be NULL.
    pub nullable: bool,
    /// Where it stands in the statement, which does not count in comparisons.
    pub span: NodeSpan,
}

/// The forms of bound expressions.
#[derive(Clone, Debug, PartialEq)]
pub enum ScalarKind {
    /// A column of the input row, by its place.
    Column(usize),
    /// A constant of the expression's type, or NULL.
    Literal(Value),
    /// A value turned into the expression's type.
    Cast {
        /// The value.
        input: Box<Scalar>,
        /// Whether a value that does not fit is NULL without being counted as a failure.
        forgiving: bool,
    },
    /// `NOT x`, of a boolean.
    Not(Box<Scalar>),
    /// `a AND b AND ...`, of at least two booleans.
    And(Vec<Scalar>),
    /// `a OR b OR ...`, of at least two booleans.
    Or(Vec<Scalar>),
    /// A comparison of two values of one type; decimals may differ in scale.
    Compare {
        /// Which comparison.
        op: CompareOp,
        /// The left operand.
        left: Box<Scalar>,
        /// The right operand.
        right: Box<Scalar>,
    },
    /// `a IS [NOT] DISTINCT FROM b`, never NULL.
    Distinct {
        /// The left operand.
        left: Box<Scalar>,
        /// The right operand.
        right: Box<Scalar>,
        /// Whether with NOT.
        negated: bool,
    },
    /// `x IS NULL`, never NULL.
    IsNull(Box<Scalar>),
    /// `x IS TRUE`, `x IS FALSE`, of a boolean, never NULL.
    Is(Box<Scalar>, bool),
    /// `-x`, of a number or an interval.
    Negate(Box<Scalar>),
    /// Arithmetic on two numbers: both integers of the expression's type, both of its floating-point
    /// type, or both decimals, each with its own precision and scale.
    Arithmetic {
        /// Which operation.
        op: ArithmeticOp,
        /// The left operand.
        left: Box<Scalar>,
        /// The right operand.
        right: Box<Scalar>,
    },
    /// `CASE WHEN ... END`: the first branch whose condition is true; later ones are not evaluated.
    Case {
        /// Conditions and results, which have the expression's type.
        branches: Vec<(Scalar, Scalar)>,
        /// The result where no condition is true; NULL if there is none.
        otherwise: Option<Box<Scalar>>,
    },
    /// `x [NOT] IN (a, b, ...)`, all of one type.
    InList {
        /// What is looked for.
        operand: Box<Scalar>,
        /// Where, at least one.
        list: Vec<Scalar>,
        /// Whether with NOT.
        negated: bool,
    },
    /// `x [NOT] LIKE pattern`.
    Like {
        /// The text.
        operand: Box<Scalar>,
        /// The pattern.
        pattern: Box<Scalar>,
        /// The escape character, if another than `\`; an empty text means none.
        escape: Option<Box<Scalar>>,
        /// Whether case does not count.
        ignore_case: bool,
        /// Whether with NOT.
        negated: bool,
    },
    /// A call of a function of the catalog, its arguments cast as its signature says.
    Call {
        /// The function, with the signature that was chosen.
        function: Arc<Function>,
        /// The arguments.
        arguments: Vec<Scalar>,
    },
}

/// Comparisons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CompareOp {
    /// `=`
    Equal,
    /// `<>`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

/// Arithmetic operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ArithmeticOp {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Modulo,
}

impl Scalar {
    /// A column of the input row.
    pub fn column(index: usize, data_type: DataType, nullable: bool, span: Span) -> Self {
        Scalar {
            kind: ScalarKind::Column(index),
            data_type,
            nullable,
            span: span.into(),
        }
    }

    /// A constant.
    pub fn literal(value: Value, data_type: DataType, span: Span) -> Self {
        Scalar {
            nullable: value == Value::Null,
            kind: ScalarKind::Literal(value),
            data_type,
            span: span.into(),
        }
    }

    /// A boolean expression.
    pub fn boolean(kind: ScalarKind, nullable: bool, span: Span) -> Self {
        Scalar {
            kind,
            data_type: DataType::Boolean,
            nullable,
            span: span.into(),
        }
    }

    /// The value of a constant.
    pub fn as_literal(&self) -> Option<&Value> {
        match &self.kind {
            ScalarKind::Literal(value) => Some(value),
            _ => None,
        }
    }

    /// The expressions that this one is made of directly.
    pub fn children(&self) -> Vec<&Scalar> {
        match &self.kind {
            ScalarKind::Column(_) | ScalarKind::Literal(_) => Vec::new(),
            ScalarKind::Cast { input: one, .. }
            | ScalarKind::Not(one)
            | ScalarKind::IsNull(one)
            | ScalarKind::Is(one, _)
            | ScalarKind::Negate(one) => vec![one],
            ScalarKind::And(all) | ScalarKind::Or(all) => all.iter().collect(),
            ScalarKind::Compare { left, right, .. }
            | ScalarKind::Distinct { left, right, .. }
            | ScalarKind::Arithmetic { left, right, .. } => vec![left, right],
            ScalarKind::Case {
                branches,
                otherwise,
            } => branches
                .iter()
                .flat_map(|(condition, result)| [condition, result])
                .chain(otherwise.as_deref())
                .collect(),
            ScalarKind::InList { operand, list, .. } => {
                std::iter::once(&**operand).chain(list).collect()
            }
            ScalarKind::Like {
                operand,
                pattern,
                escape,
                ..
            } => [&**operand, &**pattern]
                .into_iter()
                .chain(escape.as_deref())
                .collect(),
            ScalarKind::Call { arguments, .. } => arguments.iter().collect(),
        }
    }

    /// The same expression with each of its direct parts replaced by what `replace` makes of it.
    pub fn map_children(mut self, replace: &mut dyn FnMut(Scalar) -> Scalar) -> Self {
        self.for_each_child_mut(&mut |child| {
            let taken = std::mem::replace(
                child,
                Scalar::literal(Value::Null, DataType::Boolean, Span::default()),
            );
            *child = replace(taken);
        });
        self
    }

    fn for_each_child_mut(&mut self, visit: &mut dyn FnMut(&mut Scalar)) {
        match &mut self.kind {
            ScalarKind::Column(_) | ScalarKind::Literal(_) => {}
            ScalarKind::Cast { input: one, .. }
            | ScalarKind::Not(one)
            | ScalarKind::IsNull(one)
            | ScalarKind::Is(one, _)
            | ScalarKind::Negate(one) => visit(one),
            ScalarKind::And(all) | ScalarKind::Or(all) => all.iter_mut().for_each(visit),
            ScalarKind::Compare { left, right, .. }
            | ScalarKind::Distinct { left, right, .. }
            | ScalarKind::Arithmetic { left, right, .. } => {
                visit(left);
                visit(right);
            }
            ScalarKind::Case {
                branches,
                otherwise,
            } => {
                for (condition, result) in branches {
                    visit(condition);
                    visit(result);
                }
                if let Some(otherwise) = otherwise {
                    visit(otherwise);
                }
            }
            ScalarKind::InList { operand, list, .. } => {
                visit(operand);
                list.iter_mut().for_each(visit);
            }
            ScalarKind::Like {
                operand,
                pattern,
                escape,
                ..
            } => {
                visit(operand);
                visit(pattern);
                if let Some(escape) = escape {
                    visit(escape);
                }
            }
            ScalarKind::Call { arguments, .. } => arguments.iter_mut().for_each(visit),
        }
    }

    /// The expression rewritten from the inside out.
    pub fn rewrite(self, rule: &mut dyn FnMut(Scalar) -> Scalar) -> Self {
        let mapped = self.map_children(&mut |child| child.rewrite(rule));
        rule(mapped)
    }

    /// Calls `visit` for every column that is read.
    pub fn for_each_column(&self, visit: &mut dyn FnMut(usize)) {
        if let ScalarKind::Column(index) = self.kind {
            visit(index);
        }
        for child in self.children() {
            child.for_each_column(visit);
        }
    }

    /// The columns that are read, in order and each once.
    pub fn columns(&self) -> Vec<usize> {
        let mut columns = Vec::new();
        self.for_each_column(&mut |column| columns.push(column));
        columns.sort_unstable();
        columns.dedup();
        columns
    }

    /// The expression with every column replaced by the one that `place` gives.
    pub fn remap(self, place: &dyn Fn(usize) -> usize) -> Self {
        self.rewrite(&mut |mut scalar| {
            if let ScalarKind::Column(index) = &mut scalar.kind {
                *index = place(*index);
            }
            scalar
        })
    }

    /// Whether it reads no column and calls nothing that may give another value next time.
    pub fn is_constant(&self) -> bool {
        match &self.kind {
            ScalarKind::Column(_) => false,
            ScalarKind::Call { function, .. } if function.volatile => false,
            _ => self.children().into_iter().all(Scalar::is_constant),
        }
    }

    /// Whether it gives the same value for the same row at any time.
    pub fn is_deterministic(&self) -> bool {
        let calls_volatile =
            matches!(&self.kind, ScalarKind::Call { function, .. } if function.volatile);
        !calls_volatile && self.children().into_iter().all(Scalar::is_deterministic)
    }
}
