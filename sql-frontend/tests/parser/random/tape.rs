//! Choices from a tape of bytes.

/// The bytes that are left, and how deep what grows may still get.
pub struct Tape {
    bytes: Vec<u8>,
    depth: usize,
}

/// Levels to which trees grow; far below the parser's limit, as each takes several of its levels.
const DEPTH: usize = 12;

impl Tape {
    pub fn new(mut bytes: Vec<u8>) -> Self {
        bytes.reverse();
        Tape {
            bytes,
            depth: DEPTH,
        }
    }

    /// A number below `limit`; 0 at the end of the tape.
    pub fn below(&mut self, limit: usize) -> usize {
        usize::from(self.bytes.pop().unwrap_or(0)) % limit
    }

    pub fn coin(&mut self) -> bool {
        self.below(2) == 1
    }

    /// True once in `times`.
    pub fn rarely(&mut self, times: usize) -> bool {
        self.below(times) == times - 1
    }

    pub fn pick<T: Clone>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())].clone()
    }

    pub fn maybe<T>(&mut self, item: impl FnOnce(&mut Tape) -> T) -> Option<T> {
        self.coin().then(|| item(self))
    }

    /// `min` items, or a few more.
    pub fn some<T>(&mut self, min: usize, mut item: impl FnMut(&mut Tape) -> T) -> Vec<T> {
        let count = min + self.below(3);
        (0..count).map(|_| item(self)).collect()
    }

    /// Something one level deeper, or `flat` where it is deep enough.
    pub fn deeper<T>(
        &mut self,
        deep: impl FnOnce(&mut Tape) -> T,
        flat: impl FnOnce(&mut Tape) -> T,
    ) -> T {
        if self.depth == 0 || self.bytes.is_empty() {
            return flat(self);
        }
        self.depth -= 1;
        let made = deep(self);
        self.depth += 1;
        made
    }
}
