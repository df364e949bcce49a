//! Code for a value of any type.

use ferrisstreams_topology::data::{DataType, Interval, Physical, RowWriter, Slot, Value};

use super::eval::Eval;
use super::held::Held;
use super::node::{Fixed, Node};
use super::text::{Piece, TextNode};
use crate::functions::Argument;

/// Code, by the class of the value's physical type.
pub(super) enum Code {
    /// Booleans.
    Bool(Node<bool>),
    /// All that has at most 64 bits: integers, short decimals without their point, dates and times.
    Int(Node<i64>),
    /// Long decimals without their point.
    Wide(Node<i128>),
    /// Floating-point numbers of both widths.
    Float(Node<f64>),
    /// Intervals.
    Interval(Node<Interval>),
    /// Text and bytes.
    Text(TextNode),
}

/// The classes of [`Code`] of a fixed width, to be generic over.
pub(super) trait Class: Fixed {
    /// The node of code that is of this class.
    fn node(code: Code) -> Node<Self>;

    /// A node as code.
    fn code(node: Node<Self>) -> Code;
}

macro_rules! class {
    ($type:ty, $variant:ident) => {
        impl Class for $type {
            fn node(code: Code) -> Node<Self> {
                match code {
                    Code::$variant(node) => node,
                    _ => unreachable!("operands have the class that the binder gave them"),
                }
            }

            fn code(node: Node<Self>) -> Code {
                Code::$variant(node)
            }
        }
    };
}

class!(bool, Bool);
class!(i64, Int);
class!(i128, Wide);
class!(f64, Float);
class!(Interval, Interval);

/// Does the same for the nodes of codes of any class: text on the one hand, a fixed width on the other.
macro_rules! for_class {
    ($physical:expr, $text:expr, $fixed:ident) => {
        match $physical {
            Physical::Bool => $fixed!(bool),
            Physical::I8 | Physical::I16 | Physical::I32 | Physical::I64 => $fixed!(i64),
            Physical::I128 => $fixed!(i128),
            Physical::F32 | Physical::F64 => $fixed!(f64),
            Physical::Interval => $fixed!(Interval),
            Physical::Bytes => $text,
        }
    };
}
pub(super) use for_class;

impl Code {
    /// A column of a type at a place.
    pub(super) fn column(slot: Slot) -> Code {
        macro_rules! fixed {
            ($class:ty) => {
                <$class>::code(Node::Column(slot))
            };
        }
        for_class!(slot.physical(), Code::Text(TextNode::Column(slot)), fixed)
    }

    /// A constant of a type.
    pub(super) fn constant(value: &Value, data_type: DataType) -> Code {
        let wide = data_type.physical() == Physical::I128;
        match value {
            Value::Null => Code::null(data_type),
            Value::Boolean(value) => Code::Bool(Node::Constant(Some(*value))),
            Value::Integer(value)
            | Value::Time(value)
            | Value::Timestamp(value)
            | Value::TimestampTz(value) => Code::Int(Node::Constant(Some(*value))),
            Value::Date(value) => Code::Int(Node::Constant(Some(i64::from(*value)))),
            Value::Decimal { unscaled, .. } if wide => Code::Wide(Node::Constant(Some(*unscaled))),
            Value::Decimal { unscaled, .. } => {
                let short = i64::try_from(*unscaled).expect("18 digits fit 64 bits");
                Code::Int(Node::Constant(Some(short)))
            }
            Value::Real(value) => Code::Float(Node::Constant(Some(f64::from(*value)))),
            Value::Double(value) => Code::Float(Node::Constant(Some(*value))),
            Value::Interval(value) => Code::Interval(Node::Constant(Some(*value))),
            Value::Text(value) => text_constant(value.as_bytes()),
            Value::Bytes(value) => text_constant(value),
        }
    }

    /// NULL of a type.
    pub(super) fn null(data_type: DataType) -> Code {
        macro_rules! fixed {
            ($class:ty) => {
                <$class>::code(Node::Constant(None))
            };
        }
        for_class!(
            data_type.physical(),
            Code::Text(TextNode::Constant(None)),
            fixed
        )
    }

    /// The text of code that is of text or bytes.
    pub(super) fn text(self) -> TextNode {
        match self {
            Code::Text(node) => node,
            _ => unreachable!("operands have the class that the binder gave them"),
        }
    }

    /// A decimal or integer in 128 bits.
    pub(super) fn widened(self) -> Node<i128> {
        match self {
            Code::Wide(node) => node,
            Code::Int(Node::Column(slot)) => Node::Column(slot),
            Code::Int(Node::Constant(value)) => Node::Constant(value.map(i128::from)),
            Code::Int(Node::Code(code)) => {
                Node::code(move |row, eval| code(row, eval).map(i128::from))
            }
            _ => unreachable!("operands have the class that the binder gave them"),
        }
    }

    /// The value of a constant as functions take it.
    pub(super) fn as_constant(&self) -> Option<Argument<'_>> {
        Some(match self {
            Code::Bool(Node::Constant(Some(value))) => Argument::Integer(i64::from(*value)),
            Code::Int(Node::Constant(Some(value))) => Argument::Integer(*value),
            Code::Wide(Node::Constant(Some(value))) => Argument::Wide(*value),
            Code::Float(Node::Constant(Some(value))) => Argument::Float(*value),
            Code::Interval(Node::Constant(Some(value))) => Argument::Interval(*value),
            Code::Text(TextNode::Constant(Some(value))) => Argument::Bytes(value),
            Code::Bool(Node::Constant(None))
            | Code::Int(Node::Constant(None))
            | Code::Wide(Node::Constant(None))
            | Code::Float(Node::Constant(None))
            | Code::Interval(Node::Constant(None))
            | Code::Text(TextNode::Constant(None)) => Argument::Null,
            _ => return None,
        })
    }

    /// Sets a column of a row to the value; NULL leaves it.
    #[inline]
    pub(super) fn write(
        &self,
        row: &[u8],
        eval: &mut Eval,
        writer: &mut RowWriter<'_>,
        column: usize,
    ) {
        fn fixed<T: Fixed>(value: Option<T>, writer: &mut RowWriter<'_>, column: usize) {
            if let Some(value) = value {
                value.write(writer, column);
            }
        }
        eval.begin();
        match self {
            Code::Bool(node) => fixed(node.get(row, eval), writer, column),
            Code::Int(node) => fixed(node.get(row, eval), writer, column),
            Code::Wide(node) => fixed(node.get(row, eval), writer, column),
            Code::Float(node) => fixed(node.get(row, eval), writer, column),
            Code::Interval(node) => fixed(node.get(row, eval), writer, column),
            Code::Text(node) => {
                if let Some(piece) = node.get(row, eval) {
                    writer.set_bytes(column, piece.bytes(&eval.scratch));
                }
            }
        }
    }

    /// The value for a row, before its text is looked up.
    #[inline]
    pub(super) fn held<'a>(&'a self, row: &'a [u8], eval: &mut Eval) -> Held<'a> {
        let value = match self {
            Code::Bool(node) => node
                .get(row, eval)
                .map(|value| Argument::Integer(i64::from(value))),
            Code::Int(node) => node.get(row, eval).map(Argument::Integer),
            Code::Wide(node) => node.get(row, eval).map(Argument::Wide),
            Code::Float(node) => node.get(row, eval).map(Argument::Float),
            Code::Interval(node) => node.get(row, eval).map(Argument::Interval),
            Code::Text(node) => match node.get(row, eval) {
                Some(Piece::Scratch(start, end)) => return Held::Scratch(start, end),
                Some(Piece::Slice(bytes)) => Some(Argument::Bytes(bytes)),
                None => None,
            },
        };
        Held::Value(value.unwrap_or(Argument::Null))
    }
}

fn text_constant(bytes: &[u8]) -> Code {
    Code::Text(TextNode::Constant(Some(bytes.into())))
}

/// A value that functions take as a value on its own, of a type.
pub(super) fn value_of(argument: Argument<'_>, data_type: DataType) -> Value {
    match (argument, data_type) {
        (Argument::Null, _) => Value::Null,
        (Argument::Integer(value), DataType::Boolean) => Value::Boolean(value != 0),
        (value @ (Argument::Integer(_) | Argument::Wide(_)), DataType::Decimal { scale, .. }) => {
            Value::Decimal {
                unscaled: value.wide(),
                scale,
            }
        }
        (Argument::Integer(value), DataType::Date) => Value::Date(value as i32),
        (Argument::Integer(value), DataType::Time) => Value::Time(value),
        (Argument::Integer(value), DataType::Timestamp) => Value::Timestamp(value),
        (Argument::Integer(value), DataType::TimestampTz) => Value::TimestampTz(value),
        (Argument::Integer(value), _) => Value::Integer(value),
        (Argument::Wide(_), other) => unreachable!("{other} is never of 128 bits"),
        (Argument::Float(value), DataType::Real) => Value::Real(value as f32),
        (Argument::Float(value), _) => Value::Double(value),
        (Argument::Interval(value), _) => Value::Interval(value),
        (value @ Argument::Bytes(_), DataType::Varchar { .. }) => {
            Value::Text(value.text().to_owned())
        }
        (Argument::Bytes(value), _) => Value::Bytes(value.to_vec()),
    }
}
