//! Comparisons.

use std::cmp::Ordering;

use ferrisstreams_topology::data::{DataType, Interval, Physical, Slot};

use super::code::Code;
use super::decimal::{Scaled, scaled_up};
use super::eval::Eval;
use super::node::{Fixed, Node};
use super::text::TextNode;
use crate::plan::CompareOp;

/// Values with an order.
pub(super) trait Ordered: Fixed {
    /// How a value stands to another one.
    fn order(self, other: Self) -> Ordering;

    /// A comparison of a column with a constant.
    fn column_with(
        slot: Slot,
        constant: Self,
        holds: impl Fn(Self, Self) -> bool + Copy + Send + Sync + 'static,
    ) -> Node<bool> {
        Node::code(move |row, _| Some(holds(Self::read(slot, row)?, constant)))
    }
}

impl Ordered for bool {
    #[inline]
    fn order(self, other: Self) -> Ordering {
        self.cmp(&other)
    }
}

impl Ordered for i64 {
    #[inline]
    fn order(self, other: Self) -> Ordering {
        self.cmp(&other)
    }

    fn column_with(
        slot: Slot,
        constant: Self,
        holds: impl Fn(Self, Self) -> bool + Copy + Send + Sync + 'static,
    ) -> Node<bool> {
        match slot.physical() {
            Physical::I64 => Node::code(move |row, _| Some(holds(slot.i64(row)?, constant))),
            Physical::I32 => {
                Node::code(move |row, _| Some(holds(i64::from(slot.i32(row)?), constant)))
            }
            _ => Node::code(move |row, _| Some(holds(slot.integer(row)?, constant))),
        }
    }
}

impl Ordered for i128 {
    #[inline]
    fn order(self, other: Self) -> Ordering {
        self.cmp(&other)
    }
}

/// NaN is equal to itself and greater than all else, as in PostgreSQL.
impl Ordered for f64 {
    #[inline]
    fn order(self, other: Self) -> Ordering {
        match self.partial_cmp(&other) {
            Some(order) => order,
            None => self.is_nan().cmp(&other.is_nan()),
        }
    }
}

/// By length, a month counting as 30 days and a day as 24 hours, as in PostgreSQL.
impl Ordered for Interval {
    #[inline]
    fn order(self, other: Self) -> Ordering {
        self.approximate_micros().cmp(&other.approximate_micros())
    }
}

/// Whether an order is what a comparison wants.
#[inline]
pub(super) fn holds(op: CompareOp, order: Ordering) -> bool {
    match op {
        CompareOp::Equal => order.is_eq(),
        CompareOp::NotEqual => order.is_ne(),
        CompareOp::Less => order.is_lt(),
        CompareOp::LessOrEqual => order.is_le(),
        CompareOp::Greater => order.is_gt(),
        CompareOp::GreaterOrEqual => order.is_ge(),
    }
}

/// The comparison with its operands swapped.
fn swapped(op: CompareOp) -> CompareOp {
    match op {
        CompareOp::Less => CompareOp::Greater,
        CompareOp::LessOrEqual => CompareOp::GreaterOrEqual,
        CompareOp::Greater => CompareOp::Less,
        CompareOp::GreaterOrEqual => CompareOp::LessOrEqual,
        CompareOp::Equal | CompareOp::NotEqual => op,
    }
}

/// A comparison of two values of one type; decimals are brought to one scale before.
pub(super) fn compare(op: CompareOp, left: Code, right: Code) -> Node<bool> {
    match (left, right) {
        (Code::Bool(left), Code::Bool(right)) => fixed(op, left, right),
        (Code::Int(left), Code::Int(right)) => fixed(op, left, right),
        (Code::Float(left), Code::Float(right)) => fixed(op, left, right),
        (Code::Interval(left), Code::Interval(right)) => fixed(op, left, right),
        (Code::Text(left), Code::Text(right)) => texts(op, left, right),
        (left, right) => {
            let (left, right) = (left.widened(), right.widened());
            match narrowed(&left).zip(narrowed(&right)) {
                Some((left, right)) => fixed(op, left, right),
                None => fixed(op, left, right),
            }
        }
    }
}

/// A number in 64 bits, if it stands in as many and was only widened to be compared.
fn narrowed(node: &Node<i128>) -> Option<Node<i64>> {
    match node {
        Node::Column(slot) if slot.physical() != Physical::I128 => Some(Node::Column(*slot)),
        Node::Constant(None) => Some(Node::Constant(None)),
        Node::Constant(Some(value)) => Some(Node::Constant(Some(i64::try_from(*value).ok()?))),
        _ => None,
    }
}

fn fixed<T: Ordered>(op: CompareOp, left: Node<T>, right: Node<T>) -> Node<bool> {
    match op {
        CompareOp::Equal => pair(left, right, |a: T, b| a.order(b).is_eq()),
        CompareOp::NotEqual => pair(left, right, |a: T, b| a.order(b).is_ne()),
        CompareOp::Less => pair(left, right, |a: T, b| a.order(b).is_lt()),
        CompareOp::LessOrEqual => pair(left, right, |a: T, b| a.order(b).is_le()),
        CompareOp::Greater => pair(left, right, |a: T, b| a.order(b).is_gt()),
        CompareOp::GreaterOrEqual => pair(left, right, |a: T, b| a.order(b).is_ge()),
    }
}

fn pair<T: Ordered>(
    left: Node<T>,
    right: Node<T>,
    holds: impl Fn(T, T) -> bool + Copy + Send + Sync + 'static,
) -> Node<bool> {
    match (left, right) {
        (Node::Column(slot), Node::Constant(Some(constant))) => {
            T::column_with(slot, constant, holds)
        }
        (left, right) => left.zip(right, move |a, b, _| Some(holds(a, b))),
    }
}

fn texts(op: CompareOp, left: TextNode, right: TextNode) -> Node<bool> {
    match (left, right) {
        (TextNode::Constant(None), _) | (_, TextNode::Constant(None)) => Node::Constant(None),
        (TextNode::Column(slot), TextNode::Constant(Some(text))) => column_text(op, slot, text),
        (TextNode::Constant(Some(text)), TextNode::Column(slot)) => {
            column_text(swapped(op), slot, text)
        }
        (left, right) => Node::code(move |row, eval| {
            order_texts(&left, &right, row, eval).map(|order| holds(op, order))
        }),
    }
}

fn column_text(op: CompareOp, slot: Slot, text: Box<[u8]>) -> Node<bool> {
    match op {
        CompareOp::Equal => Node::code(move |row, _| Some(same_text(slot.bytes(row)?, &text))),
        CompareOp::NotEqual => Node::code(move |row, _| Some(!same_text(slot.bytes(row)?, &text))),
        _ => Node::code(move |row, _| Some(holds(op, slot.bytes(row)?.cmp(&text)))),
    }
}

/// Without a call where they are short, as the constants of conditions mostly are.
#[inline]
fn same_text(text: &[u8], constant: &[u8]) -> bool {
    const SHORT: usize = 8;
    text.len() == constant.len()
        && if constant.len() <= SHORT {
            text.iter().zip(constant).all(|(a, b)| a == b)
        } else {
            text == constant
        }
}

/// Texts are compared by their bytes, which sorts them by the numbers of their characters.
pub(super) fn order_texts(
    left: &TextNode,
    right: &TextNode,
    row: &[u8],
    eval: &mut Eval,
) -> Option<Ordering> {
    let (left, right) = (left.get(row, eval), right.get(row, eval));
    let scratch = &eval.scratch;
    Some(left?.bytes(scratch).cmp(right?.bytes(scratch)))
}

/// `a IS NOT DISTINCT FROM b` if `equal`, otherwise `a IS DISTINCT FROM b`.
pub(super) fn distinct(left: Code, right: Code, equal: bool) -> Node<bool> {
    fn fixed<T: Ordered>(left: Node<T>, right: Node<T>, equal: bool) -> Node<bool> {
        Node::code(move |row, eval| {
            let same = match (left.get(row, eval), right.get(row, eval)) {
                (Some(left), Some(right)) => left.order(right).is_eq(),
                (left, right) => left.is_none() && right.is_none(),
            };
            Some(same == equal)
        })
    }
    match (left, right) {
        (Code::Bool(left), Code::Bool(right)) => fixed(left, right, equal),
        (Code::Int(left), Code::Int(right)) => fixed(left, right, equal),
        (Code::Float(left), Code::Float(right)) => fixed(left, right, equal),
        (Code::Interval(left), Code::Interval(right)) => fixed(left, right, equal),
        (Code::Text(left), Code::Text(right)) => Node::code(move |row, eval| {
            let (left, right) = (left.get(row, eval), right.get(row, eval));
            let scratch = &eval.scratch;
            let same = match (left, right) {
                (Some(left), Some(right)) => left.bytes(scratch) == right.bytes(scratch),
                (left, right) => left.is_none() && right.is_none(),
            };
            Some(same == equal)
        }),
        (left, right) => fixed(left.widened(), right.widened(), equal),
    }
}

/// Two values brought to what can be compared as it is: of decimals with different scales the one
/// with the smaller scale is scaled up.
///
/// # Errors
///
/// Where it has too many digits for that; the decimals are then compared with their scales.
pub(super) fn aligned(
    left: Code,
    left_type: DataType,
    right: Code,
    right_type: DataType,
) -> Result<(Code, Code), (Scaled, Scaled)> {
    let (
        DataType::Decimal {
            precision: p1,
            scale: s1,
        },
        DataType::Decimal {
            precision: p2,
            scale: s2,
        },
    ) = (left_type, right_type)
    else {
        return Ok((left, right));
    };
    let scaled = |node, scale| Scaled { node, scale };
    match s1.cmp(&s2) {
        Ordering::Equal => Ok((left, right)),
        Ordering::Less => match scaled_up(left, p1, s2 - s1) {
            Ok(left) => Ok((left, right)),
            Err(left) => Err((scaled(left, s1), scaled(right.widened(), s2))),
        },
        Ordering::Greater => match scaled_up(right, p2, s1 - s2) {
            Ok(right) => Ok((left, right)),
            Err(right) => Err((scaled(left.widened(), s1), scaled(right, s2))),
        },
    }
}
