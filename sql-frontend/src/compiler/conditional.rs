//! CASE, COALESCE, NULLIF, GREATEST and LEAST: not all operands are evaluated, or any type will do.

use std::cmp::Ordering;

use ferrisstreams_topology::data::{Interval, Physical};

use super::code::{Class, Code, for_class};
use super::compare::Ordered;
use super::eval::Eval;
use super::node::Node;
use super::text::{Piece, TextCode, TextNode};

/// `CASE WHEN ... END` with results of one type.
pub(super) fn case(physical: Physical, branches: Vec<(Node<bool>, Code)>, otherwise: Code) -> Code {
    macro_rules! fixed {
        ($class:ty) => {
            <$class>::code(fixed_case::<$class>(branches, otherwise))
        };
    }
    for_class!(physical, Code::Text(text_case(branches, otherwise)), fixed)
}

fn fixed_case<T: Class>(branches: Vec<(Node<bool>, Code)>, otherwise: Code) -> Node<T> {
    let otherwise = T::node(otherwise);
    let mut branches: Vec<(Node<bool>, Node<T>)> = branches
        .into_iter()
        .map(|(condition, result)| (condition, T::node(result)))
        .collect();
    if branches.len() == 1 {
        let (condition, result) = branches.remove(0);
        return Node::code(move |row, eval| match condition.get(row, eval) {
            Some(true) => result.get(row, eval),
            _ => otherwise.get(row, eval),
        });
    }
    Node::code(move |row, eval| {
        for (condition, result) in &branches {
            if condition.get(row, eval) == Some(true) {
                return result.get(row, eval);
            }
        }
        otherwise.get(row, eval)
    })
}

fn text_case(branches: Vec<(Node<bool>, Code)>, otherwise: Code) -> TextNode {
    let branches = branches
        .into_iter()
        .map(|(condition, result)| (condition, result.text()))
        .collect();
    TextNode::code(TextCase {
        branches,
        otherwise: otherwise.text(),
    })
}

struct TextCase {
    branches: Vec<(Node<bool>, TextNode)>,
    otherwise: TextNode,
}

impl TextCode for TextCase {
    fn get<'a>(&'a self, row: &'a [u8], eval: &mut Eval) -> Option<Piece<'a>> {
        for (condition, result) in &self.branches {
            if condition.get(row, eval) == Some(true) {
                return result.get(row, eval);
            }
        }
        self.otherwise.get(row, eval)
    }
}

/// The first of some values of one type that is not NULL.
pub(super) fn coalesce(physical: Physical, operands: Vec<Code>) -> Code {
    fn fixed_coalesce<T: Class>(operands: Vec<Code>) -> Node<T> {
        let operands: Vec<Node<T>> = operands.into_iter().map(T::node).collect();
        Node::code(move |row, eval| operands.iter().find_map(|operand| operand.get(row, eval)))
    }
    macro_rules! fixed {
        ($class:ty) => {
            <$class>::code(fixed_coalesce::<$class>(operands))
        };
    }
    let text = |operands: Vec<Code>| {
        let operands = operands.into_iter().map(Code::text).collect();
        Code::Text(TextNode::code(TextCoalesce { operands }))
    };
    for_class!(physical, text(operands), fixed)
}

struct TextCoalesce {
    operands: Vec<TextNode>,
}

impl TextCode for TextCoalesce {
    fn get<'a>(&'a self, row: &'a [u8], eval: &mut Eval) -> Option<Piece<'a>> {
        self.operands
            .iter()
            .find_map(|operand| operand.get(row, eval))
    }
}

/// The first of two values of one type, NULL where they are equal.
pub(super) fn null_if(physical: Physical, left: Code, right: Code) -> Code {
    fn fixed_null_if<T: Class + Ordered>(left: Code, right: Code) -> Node<T> {
        let (left, right) = (T::node(left), T::node(right));
        Node::code(move |row, eval| {
            let value = left.get(row, eval)?;
            let other = right.get(row, eval);
            let equal = other.is_some_and(|other| value.order(other).is_eq());
            (!equal).then_some(value)
        })
    }
    macro_rules! fixed {
        ($class:ty) => {
            <$class>::code(fixed_null_if::<$class>(left, right))
        };
    }
    let text = |left: Code, right: Code| {
        let (left, right) = (left.text(), right.text());
        Code::Text(TextNode::code(TextNullIf { left, right }))
    };
    for_class!(physical, text(left, right), fixed)
}

struct TextNullIf {
    left: TextNode,
    right: TextNode,
}

impl TextCode for TextNullIf {
    fn get<'a>(&'a self, row: &'a [u8], eval: &mut Eval) -> Option<Piece<'a>> {
        let value = self.left.get(row, eval)?;
        let Some(other) = self.right.get(row, eval) else {
            return Some(value);
        };
        let scratch = &eval.scratch;
        (value.bytes(scratch) != other.bytes(scratch)).then_some(value)
    }
}

/// The greatest or the least of some values of one type; NULL does not count.
pub(super) fn extreme(physical: Physical, operands: Vec<Code>, wanted: Ordering) -> Code {
    fn fixed_extreme<T: Class + Ordered>(operands: Vec<Code>, wanted: Ordering) -> Node<T> {
        let operands: Vec<Node<T>> = operands.into_iter().map(T::node).collect();
        Node::code(move |row, eval| {
            let mut best: Option<T> = None;
            for operand in &operands {
                let Some(value) = operand.get(row, eval) else {
                    continue;
                };
                if best.is_none_or(|best| value.order(best) == wanted) {
                    best = Some(value);
                }
            }
            best
        })
    }
    macro_rules! fixed {
        ($class:ty) => {
            <$class>::code(fixed_extreme::<$class>(operands, wanted))
        };
    }
    let text = |operands: Vec<Code>| {
        let operands = operands.into_iter().map(Code::text).collect();
        Code::Text(TextNode::code(TextExtreme { operands, wanted }))
    };
    for_class!(physical, text(operands), fixed)
}

struct TextExtreme {
    operands: Vec<TextNode>,
    wanted: Ordering,
}

impl TextCode for TextExtreme {
    fn get<'a>(&'a self, row: &'a [u8], eval: &mut Eval) -> Option<Piece<'a>> {
        let mut best: Option<Piece<'a>> = None;
        for operand in &self.operands {
            let Some(value) = operand.get(row, eval) else {
                continue;
            };
            let scratch = &eval.scratch;
            let is_better =
                |best: Piece<'_>| value.bytes(scratch).cmp(best.bytes(scratch)) == self.wanted;
            if best.is_none_or(is_better) {
                best = Some(value);
            }
        }
        best
    }
}
