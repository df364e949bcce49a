//! An expression as code.

use std::fmt;

use ferrisstreams_topology::data::{RowLayout, RowWriter, Schema, Value};

use super::build::{Builder, evaluate};
use super::code::Code;
use super::eval::Eval;
use crate::plan::Scalar;

/// An expression as code over rows of a layout.
pub struct Compiled {
    code: Code,
}

impl fmt::Debug for Compiled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Compiled").finish_non_exhaustive()
    }
}

impl Compiled {
    /// Makes code of an expression over rows of `layout`.
    pub fn new(scalar: &Scalar, layout: &RowLayout) -> Self {
        Compiled {
            code: Builder { layout }.build(scalar),
        }
    }

    /// Whether a boolean expression holds for a row; none where that is unknown, or cannot be told.
    ///
    /// # Panics
    ///
    /// Where the expression is no boolean.
    #[inline]
    pub fn test(&self, row: &[u8], eval: &mut Eval) -> Option<bool> {
        match &self.code {
            Code::Bool(node) => {
                eval.begin();
                node.get(row, eval)
            }
            _ => unreachable!("only booleans are tested"),
        }
    }

    /// Sets a column of another row to the value for a row. The columns of variable width are set in
    /// their order.
    #[inline]
    pub fn write(&self, row: &[u8], eval: &mut Eval, writer: &mut RowWriter<'_>, column: usize) {
        self.code.write(row, eval, writer, column);
    }
}

/// The value of an expression that reads no column.
///
/// ```
/// use ferrisstreams_sql_frontend::compiler::constant;
/// use ferrisstreams_sql_frontend::plan::{ArithmeticOp, Scalar, ScalarKind};
/// use ferrisstreams_topology::data::{DataType, Value};
///
/// let number = |n| Scalar::literal(Value::Integer(n), DataType::Int, Default::default());
/// let quotient = |a, b| Scalar {
///     kind: ScalarKind::Arithmetic {
///         op: ArithmeticOp::Divide,
///         left: Box::new(number(a)),
///         right: Box::new(number(b)),
///     },
///     data_type: DataType::Int,
///     nullable: true,
///     span: Default::default(),
/// };
/// assert_eq!(constant(&quotient(7, 2)), Ok(Value::Integer(3)));
/// assert_eq!(constant(&quotient(7, 0)), Err("division by zero: 7 / 0".to_owned()));
/// ```
///
/// # Errors
///
/// What failed, where it has no value.
///
/// # Panics
///
/// Where the expression reads a column.
pub fn constant(scalar: &Scalar) -> Result<Value, String> {
    let layout = RowLayout::new(&Schema::new(Vec::new()));
    let code = Builder { layout: &layout }.build(scalar);
    evaluate(&code, scalar.data_type)
}
