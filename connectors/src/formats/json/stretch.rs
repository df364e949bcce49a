//! Bytes that stand between two values of an object, where all that they may be is known.

/// How many bytes are compared at once.
const BLOCK: usize = 16;

/// What a byte may be.
#[derive(Debug, Clone, Copy)]
struct Possible {
    /// The least that it usually is.
    least: u8,
    /// How far above the least it usually is at most.
    range: u8,
    /// Whether it is one of a string: it may be anything then that needs no escape.
    is_text: bool,
}

/// What the bytes of a stretch may be, one after another.
///
/// Where there is structure that is one byte. In a number it is any digit. In a string it is anything
/// but a quote, a backslash and a control character, which makes another string of the same length.
#[derive(Debug, Default)]
pub(super) struct Pattern(Vec<Possible>);

impl Pattern {
    /// Adds bytes that must be just these.
    pub(super) fn push_bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.push(*byte, 0, false);
        }
    }

    /// Adds the text of a string, without quotes and without escapes.
    ///
    /// The range is that of the bytes of the same kind; whether another one may be there is looked at
    /// more closely.
    pub(super) fn push_text(&mut self, text: &[u8]) {
        for byte in text {
            match byte {
                ..b'"' => self.push(b' ', 1, true),
                ..b'\\' => self.push(b'#', b'[' - b'#', true),
                _ => self.push(b']', u8::MAX - b']', true),
            }
        }
    }

    /// Adds a number of JSON.
    pub(super) fn push_number(&mut self, number: &[u8]) {
        let start = usize::from(number.starts_with(b"-"));
        let goes_on = number.get(start + 1).is_some_and(u8::is_ascii_digit);
        for (at, byte) in number.iter().enumerate() {
            match byte {
                // The first of several digits is no zero.
                b'0'..=b'9' if at == start && goes_on => self.push(b'1', 8, false),
                b'0'..=b'9' => self.push(b'0', 9, false),
                _ => self.push(*byte, 0, false),
            }
        }
    }

    fn push(&mut self, least: u8, range: u8, is_text: bool) {
        self.0.push(Possible {
            least,
            range,
            is_text,
        });
    }

    /// The stretch of all that was added.
    pub(super) fn into_stretch(self) -> Stretch {
        let mut blocks: Vec<Block> = self.0.chunks(BLOCK).map(Block::new).collect();
        if let Some(tail) = self.0.last_chunk::<BLOCK>() {
            // Behind whole blocks the last bytes are those that a block has that ends with them.
            blocks.truncate(self.0.len() / BLOCK);
            blocks.push(Block::new(tail));
        }
        Stretch {
            len: self.0.len(),
            blocks,
        }
    }
}

/// A stretch of an object: keys, what stands around them, and values that have a known length.
#[derive(Debug)]
pub(super) struct Stretch {
    len: usize,
    /// Whole blocks, and the one that ends with the stretch; of a shorter stretch, one that is filled up.
    blocks: Vec<Block>,
}

impl Stretch {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// True where bytes such as these stand in `text` from `at` on.
    #[inline(always)]
    pub(super) fn stands_at(&self, text: &[u8], at: usize) -> bool {
        if self.len < BLOCK {
            return self.short_stands_at(text, at);
        }
        let Some(found) = text.get(at..at + self.len) else {
            return false;
        };
        let (Some((last, blocks)), Some(tail)) = (self.blocks.split_last(), found.last_chunk())
        else {
            return false;
        };
        let whole = found.as_chunks::<BLOCK>().0;
        blocks
            .iter()
            .zip(whole)
            .all(|(block, found)| block.is_like(found))
            && last.is_like(tail)
    }

    #[inline(always)]
    fn short_stands_at(&self, text: &[u8], at: usize) -> bool {
        let (Some(block), Some(rest)) = (self.blocks.first(), text.get(at..)) else {
            return self.len == 0;
        };
        match rest.first_chunk() {
            Some(found) => block.is_like(found),
            None => self.len <= rest.len() && block.is_like(&filled(rest)),
        }
    }
}

#[inline(never)]
fn filled(rest: &[u8]) -> [u8; BLOCK] {
    let mut bytes = [0; BLOCK];
    bytes[..rest.len()].copy_from_slice(rest);
    bytes
}

#[derive(Debug)]
struct Block {
    least: [u8; BLOCK],
    range: [u8; BLOCK],
    /// All bits where the byte is one of a string.
    text: [u8; BLOCK],
}

impl Block {
    /// At most so many bytes; what follows them may be anything.
    fn new(bytes: &[Possible]) -> Self {
        let mut block = Block {
            least: [0; BLOCK],
            range: [u8::MAX; BLOCK],
            text: [0; BLOCK],
        };
        for (at, byte) in bytes.iter().enumerate() {
            block.least[at] = byte.least;
            block.range[at] = byte.range;
            block.text[at] = if byte.is_text { u8::MAX } else { 0 };
        }
        block
    }

    #[inline(always)]
    fn is_like(&self, found: &[u8; BLOCK]) -> bool {
        self.is_near(found) || self.is_possible(found)
    }

    /// True where every byte is in its range.
    #[inline(always)]
    fn is_near(&self, found: &[u8; BLOCK]) -> bool {
        let mut beyond = [0; BLOCK];
        for at in 0..BLOCK {
            let above = found[at].wrapping_sub(self.least[at]);
            beyond[at] = above.saturating_sub(self.range[at]);
        }
        u128::from_ne_bytes(beyond) == 0
    }

    /// True where every byte is in its range, or is one of a string and needs no escape.
    #[inline(never)]
    fn is_possible(&self, found: &[u8; BLOCK]) -> bool {
        let mut wrong = [0; BLOCK];
        for at in 0..BLOCK {
            let byte = found[at];
            let beyond = u8::from(byte.wrapping_sub(self.least[at]) > self.range[at]);
            let special = u8::from(byte == b'"') | u8::from(byte == b'\\') | u8::from(byte < b' ');
            wrong[at] = (beyond & !self.text[at]) | (special & self.text[at]);
        }
        u128::from_ne_bytes(wrong) == 0
    }
}
