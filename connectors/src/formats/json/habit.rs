//! What shape the objects of a source mostly have, learned from those that are read.

use super::super::cell::Cell;
use super::shape::{Member, Shape};

/// What learning a shape costs, in objects that are then read by it. A source whose objects differ
/// more than that is better scanned.
const PRICE: u32 = 64;

/// The most that is saved up.
const WEALTH: u32 = 64 * PRICE;

/// How many objects are scanned without a thought of shapes where learning was too dear.
const PAUSE: u32 = 1_024;

/// How often in a row a value may be of another length than before, until it is not relied on.
const PATIENCE: u8 = 4;

/// After so many objects a value of another length is the first one in its row.
const ROW: u64 = 256;

/// The longest object whose shape is learned, and the most members.
const LONGEST: usize = 16 << 10;
const MOST: usize = 256;

/// The shape that objects are expected to have.
#[derive(Debug)]
pub(super) struct Habit {
    shape: Option<Shape>,
    /// How reliable the length of the values of each key is.
    lengths: Vec<Length>,
    credit: u32,
    pause: u32,
    /// How many objects had the shape.
    read: u64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Length {
    misses: u8,
    last: u64,
}

impl Length {
    fn miss(&mut self, now: u64) {
        if self.is_loose() {
            return;
        }
        if now - self.last > ROW {
            self.misses = 0;
        }
        self.misses += 1;
        self.last = now;
    }

    fn is_loose(self) -> bool {
        self.misses >= PATIENCE
    }
}

impl Habit {
    pub(super) fn new() -> Self {
        Habit {
            shape: None,
            lengths: Vec::new(),
            credit: WEALTH,
            pause: 0,
            read: 0,
        }
    }

    /// Reads an object that has the shape; false where it has another, and must be scanned.
    #[inline]
    pub(super) fn read(&mut self, text: &[u8], cells: &mut [Cell]) -> bool {
        if self.pause > 0 {
            self.pause -= 1;
            return false;
        }
        let Some(shape) = &self.shape else {
            return false;
        };
        let is_read = shape.read(text, cells);
        if is_read {
            self.read += 1;
            self.credit = (self.credit + 1).min(WEALTH);
        }
        is_read
    }

    /// How many objects were read by the shape.
    #[cfg(test)]
    pub(super) fn read_so_far(&self) -> u64 {
        self.read
    }

    /// True where it helps to be told of the members of what is scanned.
    #[inline]
    pub(super) fn is_curious(&self) -> bool {
        self.pause == 0
    }

    /// Learns from the members of an object that did not have the shape, of a source of which so many
    /// keys are known and so many columns are wanted.
    #[cold]
    pub(super) fn learn(
        &mut self,
        text: &[u8],
        members: &[Member],
        (keys, columns): (usize, usize),
    ) {
        let is_strange = members.iter().any(|member| member.key >= keys);
        if self.credit < PRICE || is_strange || text.len() > LONGEST || members.len() > MOST {
            self.pause = PAUSE;
            self.credit += PRICE;
            self.credit = self.credit.min(WEALTH);
            return;
        }
        self.credit -= PRICE;
        self.lengths.resize(keys, Length::default());
        let (lengths, now) = (&mut self.lengths, self.read);
        if let Some(shape) = &self.shape {
            shape.compare(members, |key| lengths[key].miss(now));
        }
        self.shape = Some(Shape::new(text, members, columns, |key| {
            lengths[key].is_loose()
        }));
    }
}
