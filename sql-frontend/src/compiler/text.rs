//! Code for text and bytes.

use ferrisstreams_topology::data::Slot;

use super::eval::Eval;

/// Text or bytes: of the row, of the code, or computed for the row.
#[derive(Clone, Copy)]
pub(super) enum Piece<'a> {
    /// Borrowed from the row or the code.
    Slice(&'a [u8]),
    /// A place in the memory of the [`Eval`].
    Scratch(usize, usize),
}

impl<'a> Piece<'a> {
    /// The bytes.
    #[inline]
    pub(super) fn bytes(self, scratch: &'a [u8]) -> &'a [u8] {
        match self {
            Piece::Slice(bytes) => bytes,
            Piece::Scratch(start, end) => &scratch[start..end],
        }
    }
}

impl From<(usize, usize)> for Piece<'_> {
    fn from((start, end): (usize, usize)) -> Self {
        Piece::Scratch(start, end)
    }
}

/// Computes text or bytes of a row; NULL is none.
pub(super) trait TextCode: Send + Sync {
    /// The text for a row.
    fn get<'a>(&'a self, row: &'a [u8], eval: &mut Eval) -> Option<Piece<'a>>;
}

/// Code for text or bytes.
pub(super) enum TextNode {
    /// The same for each row.
    Constant(Option<Box<[u8]>>),
    /// A column.
    Column(Slot),
    /// Anything else.
    Code(Box<dyn TextCode>),
}

impl TextNode {
    /// Code as a node.
    pub(super) fn code(code: impl TextCode + 'static) -> Self {
        TextNode::Code(Box::new(code))
    }

    /// A closure that tells where in the memory of the [`Eval`] it has put its text.
    pub(super) fn made(
        make: impl Fn(&[u8], &mut Eval) -> Option<(usize, usize)> + Send + Sync + 'static,
    ) -> Self {
        TextNode::code(Made(make))
    }

    /// The text for a row.
    #[inline]
    pub(super) fn get<'a>(&'a self, row: &'a [u8], eval: &mut Eval) -> Option<Piece<'a>> {
        match self {
            TextNode::Constant(value) => value.as_deref().map(Piece::Slice),
            TextNode::Column(slot) => slot.bytes(row).map(Piece::Slice),
            TextNode::Code(code) => code.get(row, eval),
        }
    }

    /// What `use_it` makes of the text for a row.
    #[inline]
    pub(super) fn with<T>(
        &self,
        row: &[u8],
        eval: &mut Eval,
        use_it: impl FnOnce(&[u8]) -> T,
    ) -> Option<T> {
        let piece = self.get(row, eval)?;
        Some(use_it(piece.bytes(&eval.scratch)))
    }
}

struct Made<F>(F);

impl<F> TextCode for Made<F>
where
    F: Fn(&[u8], &mut Eval) -> Option<(usize, usize)> + Send + Sync,
{
    fn get<'a>(&'a self, row: &'a [u8], eval: &mut Eval) -> Option<Piece<'a>> {
        (self.0)(row, eval).map(Piece::from)
    }
}
