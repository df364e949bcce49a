//! Matching texts against patterns that are known beforehand, or computed.

use super::pattern::Pattern;
use crate::compiler::eval::Eval;
use crate::compiler::node::Node;
use crate::compiler::text::TextNode;
use crate::functions::write_lower;

/// `x [NOT] LIKE pattern`, or ILIKE.
pub(in crate::compiler) struct Like {
    pub(in crate::compiler) operand: TextNode,
    pub(in crate::compiler) pattern: TextNode,
    pub(in crate::compiler) escape: Option<TextNode>,
    pub(in crate::compiler) ignore_case: bool,
}

/// Whether a text has the form of a pattern.
pub(in crate::compiler) fn like(like: Like) -> Node<bool> {
    let constant = match (&like.pattern, &like.escape) {
        (TextNode::Constant(None), _) | (_, Some(TextNode::Constant(None))) => {
            return Node::Constant(None);
        }
        (TextNode::Constant(Some(pattern)), None) => Some(read(pattern, None, like.ignore_case)),
        (TextNode::Constant(Some(pattern)), Some(TextNode::Constant(Some(escape)))) => {
            Some(read(pattern, Some(escape), like.ignore_case))
        }
        _ => None,
    };
    match constant {
        Some(Ok(pattern)) => known(like.operand, pattern, like.ignore_case),
        // It fails for every row that it is asked of, and not before.
        Some(Err(message)) => Node::code(move |_, eval| eval.failed(|| message.clone())),
        None => computed(like),
    }
}

fn read(pattern: &[u8], escape: Option<&[u8]>, ignore_case: bool) -> Result<Pattern, String> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let escape = match escape.map(text) {
        None => Some('\\'),
        Some(escape) => {
            let mut characters = escape.chars();
            match (characters.next(), characters.next()) {
                (first, None) => first,
                _ => {
                    return Err(format!(
                        "the escape '{escape}' of LIKE is more than a character"
                    ));
                }
            }
        }
    };
    if ignore_case {
        let mut lower = Vec::new();
        write_lower(&mut lower, pattern);
        return Pattern::parse(&text(&lower), escape);
    }
    Pattern::parse(&text(pattern), escape)
}

fn known(operand: TextNode, pattern: Pattern, ignore_case: bool) -> Node<bool> {
    if ignore_case {
        return Node::code(move |row, eval| {
            let text = operand.get(row, eval)?;
            let (start, end) = lowered(eval, |scratch, out| write_lower(out, text.bytes(scratch)));
            Some(pattern.matches(&eval.scratch[start..end]))
        });
    }
    match operand {
        TextNode::Column(slot) => Node::code(move |row, _| Some(pattern.matches(slot.bytes(row)?))),
        operand => {
            Node::code(move |row, eval| operand.with(row, eval, |text| pattern.matches(text)))
        }
    }
}

fn lowered(eval: &mut Eval, write: impl FnOnce(&[u8], &mut Vec<u8>)) -> (usize, usize) {
    let written = eval.write(|scratch, out| {
        write(scratch, out);
        Ok::<(), std::convert::Infallible>(())
    });
    match written {
        Ok(place) => place,
    }
}

/// The pattern is read for each row.
fn computed(like: Like) -> Node<bool> {
    Node::code(move |row, eval| {
        let text = like.operand.get(row, eval);
        let pattern = like.pattern.get(row, eval);
        let escape = match &like.escape {
            Some(escape) => Some(escape.get(row, eval)?),
            None => None,
        };
        let (text, pattern) = (text?, pattern?);
        let scratch = &eval.scratch;
        let escape = escape.map(|escape| escape.bytes(scratch));
        let matched = read(pattern.bytes(scratch), escape, like.ignore_case).map(|pattern| {
            let text = text.bytes(scratch);
            if like.ignore_case {
                let mut lower = Vec::new();
                write_lower(&mut lower, text);
                return pattern.matches(&lower);
            }
            pattern.matches(text)
        });
        match matched {
            Ok(matched) => Some(matched),
            Err(message) => eval.failed(|| message),
        }
    })
}
