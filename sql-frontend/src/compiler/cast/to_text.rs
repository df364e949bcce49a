//! Values as text, cut to the length of the type.

use std::convert::Infallible;

use super::Cast;
use crate::compiler::code::Code;
use crate::compiler::eval::Eval;
use crate::compiler::text::{Piece, TextCode, TextNode};
use crate::functions::write_text;
use ferrisstreams_topology::data::DataType;

pub(super) fn cast(cast: Cast, input: Code, length: Option<u32>) -> Code {
    let fits = match cast.from {
        DataType::Varchar { length: from } => {
            length.is_none() || from.is_some_and(|from| length.is_some_and(|to| from <= to))
        }
        _ => length.is_none(),
    };
    let text = match cast.from {
        DataType::Varchar { .. } => input.text(),
        from => written(from, input),
    };
    match length {
        Some(length) if !fits => Code::Text(cut(text, length)),
        _ => Code::Text(text),
    }
}

fn written(from: DataType, input: Code) -> TextNode {
    TextNode::made(move |row, eval| {
        let value = input.held(row, eval);
        if value.is_null() {
            return None;
        }
        let written = eval.write(|scratch, out| {
            write_text(out, value.argument(scratch), from);
            Ok::<(), Infallible>(())
        });
        written.ok()
    })
}

/// Text cut to its first characters, as a cast to VARCHAR(n) does it in PostgreSQL.
fn cut(input: TextNode, length: u32) -> TextNode {
    TextNode::code(Cut {
        input,
        length: length as usize,
    })
}

struct Cut {
    input: TextNode,
    length: usize,
}

impl TextCode for Cut {
    fn get<'a>(&'a self, row: &'a [u8], eval: &mut Eval) -> Option<Piece<'a>> {
        let piece = self.input.get(row, eval)?;
        let end = end_of(piece.bytes(&eval.scratch), self.length);
        Some(match piece {
            Piece::Slice(bytes) => Piece::Slice(&bytes[..end]),
            Piece::Scratch(start, _) => Piece::Scratch(start, start + end),
        })
    }
}

/// Where the first characters of a text end.
fn end_of(text: &[u8], characters: usize) -> usize {
    if text.len() <= characters {
        return text.len();
    }
    let begins = |byte: &u8| (*byte as i8) >= -0x40;
    let mut starts = text.iter().enumerate().filter(|(_, byte)| begins(byte));
    starts.nth(characters).map_or(text.len(), |(at, _)| at)
}
