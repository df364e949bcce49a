//! A list that grows a piece at a time: what stands in it is not moved, and never there twice.

use std::ops;

/// How many elements a piece has, as a power of two.
const BITS: u32 = 12;
const PIECE: usize = 1 << BITS;

/// Elements by number. The first piece grows as lists do, so that a short list takes little.
pub(super) struct Slots<T> {
    pieces: Vec<Vec<T>>,
    len: usize,
}

impl<T> Slots<T> {
    pub(super) fn new() -> Self {
        Slots {
            pieces: Vec::new(),
            len: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Adds an element behind the last one.
    pub(super) fn push(&mut self, element: T) {
        if self.len.is_multiple_of(PIECE) {
            let capacity = if self.len == 0 { 0 } else { PIECE };
            self.pieces.push(Vec::with_capacity(capacity));
        }
        let last = self.pieces.last_mut().expect("there is one now");
        last.push(element);
        self.len += 1;
    }
}

impl<T> ops::Index<usize> for Slots<T> {
    type Output = T;

    #[inline]
    fn index(&self, at: usize) -> &T {
        &self.pieces[at >> BITS][at % PIECE]
    }
}

impl<T> ops::IndexMut<usize> for Slots<T> {
    #[inline]
    fn index_mut(&mut self, at: usize) -> &mut T {
        &mut self.pieces[at >> BITS][at % PIECE]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_keep_their_numbers_and_their_places() {
        let mut slots = Slots::new();
        let mut second: *const String = std::ptr::null();
        for at in 0..3 * PIECE + 7 {
            slots.push(at.to_string());
            assert_eq!(slots.len(), at + 1);
            if at == PIECE {
                second = &raw const slots[at];
            }
        }
        assert!((0..slots.len()).all(|at| slots[at] == at.to_string()));
        assert_eq!(&raw const slots[PIECE], second);
        slots[PIECE].push('!');
        assert_eq!(slots[PIECE], format!("{PIECE}!"));
    }
}
