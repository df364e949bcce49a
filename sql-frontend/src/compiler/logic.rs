//! NOT, AND, OR and tests, in three-valued logic.

use super::code::Code;
use super::node::{Fixed, Node};

/// `NOT x`.
pub(super) fn not(operand: Node<bool>) -> Node<bool> {
    operand.map(|value, _| Some(!value))
}

/// `a AND b AND ...` or `a OR b OR ...`; operands behind the one that decides are not evaluated.
pub(super) fn connect(mut operands: Vec<Node<bool>>, decides: bool) -> Node<bool> {
    if operands.len() == 2 {
        let right = operands.pop().expect("there are two");
        let left = operands.pop().expect("there are two");
        return Node::code(move |row, eval| {
            let left = left.get(row, eval);
            if left == Some(decides) {
                return left;
            }
            match right.get(row, eval) {
                Some(right) if right == decides => Some(decides),
                None => None,
                Some(_) => left,
            }
        });
    }
    Node::code(move |row, eval| {
        let mut result = Some(!decides);
        for operand in &operands {
            match operand.get(row, eval) {
                Some(value) if value == decides => return Some(decides),
                Some(_) => {}
                None => result = None,
            }
        }
        result
    })
}

/// `x IS TRUE` or `x IS FALSE`.
pub(super) fn is(operand: Node<bool>, wanted: bool) -> Node<bool> {
    Node::code(move |row, eval| Some(operand.get(row, eval) == Some(wanted)))
}

/// `x IS NULL`.
pub(super) fn is_null(operand: Code) -> Node<bool> {
    fn fixed<T: Fixed>(node: Node<T>) -> Node<bool> {
        match node {
            Node::Constant(value) => Node::Constant(Some(value.is_none())),
            Node::Column(slot) => Node::code(move |row, _| Some(slot.is_null(row))),
            Node::Code(code) => Node::code(move |row, eval| Some(code(row, eval).is_none())),
        }
    }
    match operand {
        Code::Bool(node) => fixed(node),
        Code::Int(node) => fixed(node),
        Code::Wide(node) => fixed(node),
        Code::Float(node) => fixed(node),
        Code::Interval(node) => fixed(node),
        Code::Text(super::text::TextNode::Column(slot)) => {
            Node::code(move |row, _| Some(slot.is_null(row)))
        }
        Code::Text(node) => Node::code(move |row, eval| Some(node.get(row, eval).is_none())),
    }
}
