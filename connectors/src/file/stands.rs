//! The places that reading has passed and that may still be asked for.

use std::collections::VecDeque;
use std::path::Path;

use super::check::Places;
use super::mark::Mark;
use super::position::Position;
use super::stamp::Stamp;

/// How many places are kept; with more, only every other is.
const MOST: usize = 1024;

/// A place that reading has passed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stand {
    pub(super) stamp: Stamp,
    pub(super) generation: u32,
    pub(super) base: i64,
    pub(super) mark: Mark,
}

impl Stand {
    /// The place as an offset of the partition.
    fn offset(&self) -> i64 {
        self.base + self.mark.offset() as i64
    }
}

/// Places in rising order.
#[derive(Debug, Default)]
pub(super) struct Stands {
    stands: VecDeque<Stand>,
}

impl Stands {
    /// Reading has come to a place.
    pub(super) fn push(&mut self, stand: Stand) {
        if self.stands.len() >= MOST {
            let mut at = 0;
            self.stands.retain(|_| {
                at += 1;
                at % 2 == 1
            });
        }
        self.stands.push_back(stand);
    }

    /// What to store so that reading goes on at an offset of the partition; none where reading never
    /// came there.
    pub(super) fn position(&self, path: &Path, offset: i64) -> Option<Position> {
        let behind = self
            .stands
            .partition_point(|stand| stand.offset() <= offset);
        let stand = self.stands.get(behind.checked_sub(1)?)?;
        let offset = (offset - stand.base) as u64;
        let last = behind == self.stands.len();
        if last && stand.mark.offset() < offset {
            return None;
        }
        let next = self
            .stands
            .get(behind)
            .filter(|next| next.base == stand.base);
        let between = stand.mark.offset() < offset;
        Some(Position {
            path: path.to_owned(),
            stamp: stand.stamp,
            generation: stand.generation,
            base: stand.base,
            places: Places {
                before: stand.mark,
                offset,
                behind: next.filter(|_| between).unwrap_or(stand).mark,
            },
        })
    }

    /// Nothing before an offset will be asked for.
    pub(super) fn forget_before(&mut self, offset: i64) {
        while self
            .stands
            .get(1)
            .is_some_and(|next| next.offset() <= offset)
        {
            self.stands.pop_front();
        }
    }

    pub(super) fn clear(&mut self) {
        self.stands.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::mark::Trace;

    fn stand(base: i64, len: usize) -> Stand {
        let mut trace = Trace::new();
        trace.advance(&vec![b'x'; len]);
        Stand {
            stamp: Stamp::default(),
            generation: 0,
            base,
            mark: trace.mark(),
        }
    }

    #[test]
    fn the_nearest_place_before_an_offset_is_found() {
        let mut stands = Stands::default();
        let path = Path::new("/a");
        assert!(stands.position(path, 0).is_none());
        for (base, len) in [(0, 0), (0, 10), (0, 20), (20, 0), (20, 5)] {
            stands.push(stand(base, len));
        }
        let at = |stands: &Stands, offset: i64| {
            let position = stands.position(path, offset)?;
            let Places {
                before,
                offset,
                behind,
            } = position.places;
            Some((position.base, before.offset(), offset, behind.offset()))
        };
        assert_eq!(at(&stands, 0), Some((0, 0, 0, 0)));
        assert_eq!(at(&stands, 10), Some((0, 10, 10, 10)));
        assert_eq!(at(&stands, 15), Some((0, 10, 15, 20)));
        assert_eq!(at(&stands, 20), Some((20, 0, 0, 0)));
        assert_eq!(at(&stands, 23), Some((20, 0, 3, 5)));
        assert_eq!(at(&stands, 25), Some((20, 5, 5, 5)));
        assert_eq!(at(&stands, 26), None);
        stands.forget_before(19);
        assert_eq!(at(&stands, 9), None);
        assert_eq!(at(&stands, 19), Some((0, 10, 19, 20)));
        stands.forget_before(1000);
        assert_eq!(at(&stands, 25), Some((20, 5, 5, 5)));
    }

    #[test]
    fn only_so_many_places_are_kept() {
        let mut stands = Stands::default();
        for len in 0..5 * MOST {
            stands.push(stand(0, len));
            assert!(stands.stands.len() <= MOST);
            assert!(stands.position(Path::new("/a"), len as i64).is_some());
        }
        assert_eq!(
            stands.position(Path::new("/a"), 0).unwrap().places.offset,
            0
        );
    }
}
