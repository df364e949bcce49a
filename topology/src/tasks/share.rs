//! Which lanes a set of tasks has.

/// Which lanes a set has.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Share {
    /// Those whose number leaves `index` when divided by `of`, the number of sets.
    Residue { index: usize, of: usize },
    /// One, of a set that sends nothing to others.
    Lane(u16),
}

impl Share {
    /// All lanes.
    pub(crate) const ALL: Share = Share::Residue { index: 0, of: 1 };

    pub(super) fn has(self, lane: u16) -> bool {
        match self {
            Share::Residue { index, of } => usize::from(lane) % of == index,
            Share::Lane(own) => lane == own,
        }
    }

    /// The number of the set that has a lane.
    pub(super) fn owner(self, lane: u16) -> usize {
        match self {
            Share::Residue { of, .. } => usize::from(lane) % of,
            Share::Lane(own) => {
                debug_assert_eq!(lane, own, "it sends nothing to others");
                0
            }
        }
    }

    /// The number of the set itself.
    pub(super) fn own(self) -> usize {
        match self {
            Share::Residue { index, .. } => index,
            Share::Lane(_) => 0,
        }
    }
}
