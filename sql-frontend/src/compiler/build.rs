//! From bound expressions to code.

use std::cmp::Ordering;

use ferrisstreams_topology::data::decimal::DecimalType;
use ferrisstreams_topology::data::{DataType, RowLayout, Value};

use super::cast::{self, Cast};
use super::code::{Class, Code};
use super::eval::Eval;
use super::like::{Like, like};
use super::node::Node;
use super::{arithmetic, call, compare, conditional, decimal, in_list, logic};
use crate::functions::{Function, Implementation, Lazy};
use crate::plan::{ArithmeticOp, CompareOp, Scalar, ScalarKind};

/// Makes code of expressions over rows of one layout.
pub(super) struct Builder<'a> {
    pub(super) layout: &'a RowLayout,
}

impl Builder<'_> {
    /// Code of an expression. What is the same for each row is computed now, unless it fails, which is
    /// then told for each row.
    pub(super) fn build(&self, scalar: &Scalar) -> Code {
        let code = self.unfolded(scalar);
        let is_leaf = matches!(scalar.kind, ScalarKind::Column(_) | ScalarKind::Literal(_));
        if is_leaf || code.as_constant().is_some() || !scalar.is_constant() {
            return code;
        }
        match evaluate(&code, scalar.data_type) {
            Ok(value) => Code::constant(&value, scalar.data_type),
            Err(_) => code,
        }
    }

    fn unfolded(&self, scalar: &Scalar) -> Code {
        let data_type = scalar.data_type;
        match &scalar.kind {
            ScalarKind::Column(index) => Code::column(self.layout.slot(*index)),
            ScalarKind::Literal(value) => Code::constant(value, data_type),
            ScalarKind::Cast { input, forgiving } => self.cast(input, data_type, *forgiving),
            ScalarKind::Not(operand) => Code::Bool(logic::not(self.boolean(operand))),
            ScalarKind::And(operands) => self.connect(operands, false),
            ScalarKind::Or(operands) => self.connect(operands, true),
            ScalarKind::Compare { op, left, right } => self.compare(*op, left, right),
            ScalarKind::Distinct {
                left,
                right,
                negated,
            } => self.distinct(left, right, *negated),
            ScalarKind::IsNull(operand) => Code::Bool(logic::is_null(self.build(operand))),
            ScalarKind::Is(operand, wanted) => {
                Code::Bool(logic::is(self.boolean(operand), *wanted))
            }
            ScalarKind::Negate(operand) => self.negate(operand),
            ScalarKind::Arithmetic { op, left, right } => {
                self.arithmetic(*op, left, right, data_type)
            }
            ScalarKind::Case {
                branches,
                otherwise,
            } => self.case(branches, otherwise.as_deref(), data_type),
            ScalarKind::InList {
                operand,
                list,
                negated,
            } => self.in_list(operand, list, *negated),
            ScalarKind::Like { .. } => self.like(&scalar.kind),
            ScalarKind::Call {
                function,
                arguments,
            } => self.call(function, arguments),
        }
    }

    /// Code of a boolean expression.
    pub(super) fn boolean(&self, scalar: &Scalar) -> Node<bool> {
        bool::node(self.build(scalar))
    }

    fn all(&self, scalars: &[Scalar]) -> Vec<Code> {
        scalars.iter().map(|scalar| self.build(scalar)).collect()
    }

    fn cast(&self, input: &Scalar, to: DataType, forgiving: bool) -> Code {
        let cast = Cast {
            from: input.data_type,
            to,
            forgiving,
        };
        // NULL has any type.
        match input.as_literal() {
            Some(Value::Null) => Code::null(to),
            _ => cast::apply(cast, self.build(input)),
        }
    }

    fn connect(&self, operands: &[Scalar], decides: bool) -> Code {
        let operands = operands
            .iter()
            .map(|operand| self.boolean(operand))
            .collect();
        Code::Bool(logic::connect(operands, decides))
    }

    fn compare(&self, op: CompareOp, left: &Scalar, right: &Scalar) -> Code {
        let (l, r) = (self.build(left), self.build(right));
        Code::Bool(
            match compare::aligned(l, left.data_type, r, right.data_type) {
                Ok((left, right)) => compare::compare(op, left, right),
                Err((left, right)) => {
                    let order = decimal::order(left, right);
                    Node::code(move |row, eval| {
                        order(row, eval).map(|order| compare::holds(op, order))
                    })
                }
            },
        )
    }

    fn distinct(&self, left: &Scalar, right: &Scalar, equal: bool) -> Code {
        let (l, r) = (self.build(left), self.build(right));
        Code::Bool(
            match compare::aligned(l, left.data_type, r, right.data_type) {
                Ok((left, right)) => compare::distinct(left, right, equal),
                Err((left, right)) => decimal::distinct(left, right, equal),
            },
        )
    }

    fn negate(&self, operand: &Scalar) -> Code {
        match self.build(operand) {
            Code::Int(node) => Code::Int(arithmetic::negate_integer(operand.data_type, node)),
            Code::Wide(node) => Code::Wide(arithmetic::negate_wide(node)),
            Code::Float(node) => Code::Float(arithmetic::negate_float(node)),
            Code::Interval(node) => Code::Interval(arithmetic::negate_interval(node)),
            Code::Bool(_) | Code::Text(_) => {
                unreachable!("the binder lets only numbers and intervals be negated")
            }
        }
    }

    fn arithmetic(
        &self,
        op: ArithmeticOp,
        left: &Scalar,
        right: &Scalar,
        data_type: DataType,
    ) -> Code {
        let operands = (self.build(left), self.build(right));
        match (operands, data_type) {
            ((left_code, right_code), DataType::Decimal { precision, scale }) => {
                let size = |scalar: &Scalar| {
                    DecimalType::holding(scalar.data_type).expect("operands are decimals")
                };
                let (left, right) = ((left_code, size(left)), (right_code, size(right)));
                decimal::arithmetic(op, left, right, DecimalType::new(precision, scale))
            }
            ((Code::Int(left), Code::Int(right)), _) => {
                Code::Int(arithmetic::integers(op, data_type, left, right))
            }
            ((Code::Float(left), Code::Float(right)), _) => {
                Code::Float(arithmetic::floats(op, data_type, left, right))
            }
            _ => unreachable!("the binder lets only numbers be computed with"),
        }
    }

    fn case(
        &self,
        branches: &[(Scalar, Scalar)],
        otherwise: Option<&Scalar>,
        data_type: DataType,
    ) -> Code {
        let branches = branches
            .iter()
            .map(|(condition, result)| (self.boolean(condition), self.build(result)))
            .collect();
        let otherwise = otherwise.map_or_else(|| Code::null(data_type), |o| self.build(o));
        conditional::case(data_type.physical(), branches, otherwise)
    }

    fn in_list(&self, operand: &Scalar, list: &[Scalar], negated: bool) -> Code {
        let operand = self.build(operand);
        let mut list = self.all(list);
        Code::Bool(if list.len() == 1 {
            in_list::single(operand, list.remove(0), negated)
        } else {
            in_list::in_list(operand, list, negated)
        })
    }

    fn like(&self, kind: &ScalarKind) -> Code {
        let ScalarKind::Like {
            operand,
            pattern,
            escape,
            ignore_case,
            negated,
        } = kind
        else {
            unreachable!("called for LIKE alone");
        };
        let matched = like(Like {
            operand: self.build(operand).text(),
            pattern: self.build(pattern).text(),
            escape: escape.as_ref().map(|escape| self.build(escape).text()),
            ignore_case: *ignore_case,
        });
        Code::Bool(if *negated {
            logic::not(matched)
        } else {
            matched
        })
    }

    fn call(&self, function: &std::sync::Arc<Function>, arguments: &[Scalar]) -> Code {
        let mut arguments = self.all(arguments);
        let Implementation::Lazy(lazy) = function.implementation else {
            return call::call(function, arguments);
        };
        let physical = function.result.physical();
        match lazy {
            Lazy::Coalesce => conditional::coalesce(physical, arguments),
            Lazy::NullIf => {
                let other = arguments.pop().expect("NULLIF has two arguments");
                let value = arguments.pop().expect("NULLIF has two arguments");
                conditional::null_if(physical, value, other)
            }
            Lazy::Greatest => conditional::extreme(physical, arguments, Ordering::Greater),
            Lazy::Least => conditional::extreme(physical, arguments, Ordering::Less),
            Lazy::Same => arguments.pop().expect("it has one argument"),
        }
    }
}

/// The value of code that reads no column.
pub(super) fn evaluate(code: &Code, data_type: DataType) -> Result<Value, String> {
    let mut eval = Eval::default();
    let held = code.held(&[], &mut eval);
    match eval.take_failure() {
        Some(message) => Err(message),
        None => Ok(super::code::value_of(
            held.argument(&eval.scratch),
            data_type,
        )),
    }
}
