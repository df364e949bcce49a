//! `x IN (a, b, ...)`.

use std::collections::HashSet;

use foldhash::fast::FixedState;

use super::code::Code;
use super::compare::{Ordered, compare};
use super::node::Node;
use super::text::TextNode;
use crate::plan::CompareOp;

/// Up to this many constants are compared one by one.
const FEW: usize = 8;

/// Whether a value is one of a list, all of one type.
pub(super) fn in_list(operand: Code, list: Vec<Code>, negated: bool) -> Node<bool> {
    let found = match (operand, constants(&list)) {
        (Code::Int(node), Some((has_null, Constants::Integers(list)))) => {
            among_integers(node, list, has_null)
        }
        (Code::Text(node), Some((has_null, Constants::Texts(list)))) => {
            among_texts(node, list, has_null)
        }
        (operand, _) => one_by_one(operand, list),
    };
    if negated {
        super::logic::not(found)
    } else {
        found
    }
}

enum Constants {
    Integers(Vec<i64>),
    Texts(Vec<Box<[u8]>>),
}

/// The values of a list of constants that are not NULL, and whether NULL is among them.
fn constants(list: &[Code]) -> Option<(bool, Constants)> {
    let (mut integers, mut texts, mut has_null) = (Vec::new(), Vec::new(), false);
    for item in list {
        match item {
            Code::Int(Node::Constant(Some(value))) => integers.push(*value),
            Code::Text(TextNode::Constant(Some(value))) => texts.push(value.clone()),
            Code::Int(Node::Constant(None)) | Code::Text(TextNode::Constant(None)) => {
                has_null = true;
            }
            _ => return None,
        }
    }
    let constants = if texts.is_empty() {
        Constants::Integers(integers)
    } else {
        Constants::Texts(texts)
    };
    Some((has_null, constants))
}

/// True where it is found; unknown where it is not, but NULL is in the list.
#[inline]
fn answer(found: bool, has_null: bool) -> Option<bool> {
    if found || !has_null {
        Some(found)
    } else {
        None
    }
}

fn among_integers(node: Node<i64>, mut list: Vec<i64>, has_null: bool) -> Node<bool> {
    list.sort_unstable();
    list.dedup();
    if list.len() <= FEW {
        return Node::code(move |row, eval| {
            let value = node.get(row, eval)?;
            answer(list.contains(&value), has_null)
        });
    }
    let set: HashSet<i64, FixedState> = list.into_iter().collect();
    Node::code(move |row, eval| answer(set.contains(&node.get(row, eval)?), has_null))
}

fn among_texts(node: TextNode, mut list: Vec<Box<[u8]>>, has_null: bool) -> Node<bool> {
    list.sort_unstable();
    list.dedup();
    if list.len() <= FEW {
        return Node::code(move |row, eval| {
            let found = node.with(row, eval, |text| list.iter().any(|item| **item == *text))?;
            answer(found, has_null)
        });
    }
    let set: HashSet<Box<[u8]>, FixedState> = list.into_iter().collect();
    Node::code(move |row, eval| {
        let found = node.with(row, eval, |text| set.contains(text))?;
        answer(found, has_null)
    })
}

/// The operand is evaluated once, the items until one is equal.
fn one_by_one(operand: Code, list: Vec<Code>) -> Node<bool> {
    fn fixed<T: Ordered>(operand: Node<T>, list: Vec<Node<T>>) -> Node<bool> {
        Node::code(move |row, eval| {
            let value = operand.get(row, eval)?;
            let mut has_null = false;
            for item in &list {
                match item.get(row, eval) {
                    Some(item) if item.order(value).is_eq() => return Some(true),
                    Some(_) => {}
                    None => has_null = true,
                }
            }
            answer(false, has_null)
        })
    }
    macro_rules! nodes {
        ($variant:ident) => {
            list.into_iter()
                .map(|item| match item {
                    Code::$variant(node) => node,
                    _ => unreachable!("the items have the type of the operand"),
                })
                .collect()
        };
    }
    match operand {
        Code::Bool(node) => fixed(node, nodes!(Bool)),
        Code::Int(node) => fixed(node, nodes!(Int)),
        Code::Float(node) => fixed(node, nodes!(Float)),
        Code::Interval(node) => fixed(node, nodes!(Interval)),
        Code::Wide(node) => fixed(node, list.into_iter().map(Code::widened).collect()),
        Code::Text(node) => texts(node, nodes!(Text)),
    }
}

fn texts(operand: TextNode, list: Vec<TextNode>) -> Node<bool> {
    Node::code(move |row, eval| {
        let value = operand.get(row, eval)?;
        let mut has_null = false;
        for item in &list {
            match item.get(row, eval) {
                Some(item) => {
                    if item.bytes(&eval.scratch) == value.bytes(&eval.scratch) {
                        return Some(true);
                    }
                }
                None => has_null = true,
            }
        }
        answer(false, has_null)
    })
}

/// A list of one item is a comparison.
pub(super) fn single(operand: Code, item: Code, negated: bool) -> Node<bool> {
    let op = if negated {
        CompareOp::NotEqual
    } else {
        CompareOp::Equal
    };
    compare(op, operand, item)
}
