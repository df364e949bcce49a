//! The offsets that a group has committed, and those that transactions are about to.

use std::collections::BTreeMap;

use crate::cluster::{CommittedOffset, TopicPartition};

/// An offset, and when it was handed in: the later one stands, whichever transaction ends first.
#[derive(Clone)]
struct Handed {
    order: u64,
    offset: CommittedOffset,
}

/// What a group remembers.
#[derive(Default)]
pub(super) struct GroupOffsets {
    committed: BTreeMap<TopicPartition, Handed>,
    pending: BTreeMap<u64, BTreeMap<TopicPartition, Handed>>,
    handed: u64,
}

impl GroupOffsets {
    /// Takes offsets in that count once the transaction is committed.
    pub(super) fn add(&mut self, transaction: u64, offsets: &[(TopicPartition, CommittedOffset)]) {
        let pending = self.pending.entry(transaction).or_default();
        for (partition, offset) in offsets {
            self.handed += 1;
            let handed = Handed {
                order: self.handed,
                offset: offset.clone(),
            };
            pending.insert(partition.clone(), handed);
        }
    }

    /// Takes offsets in that count at once.
    pub(super) fn set(&mut self, offsets: &[(TopicPartition, CommittedOffset)]) {
        for (partition, offset) in offsets {
            self.handed += 1;
            let handed = Handed {
                order: self.handed,
                offset: offset.clone(),
            };
            self.committed.insert(partition.clone(), handed);
        }
    }

    /// Forgets what is committed of these partitions.
    pub(super) fn forget(&mut self, is_one: impl Fn(&TopicPartition) -> bool) {
        self.committed.retain(|of, _| !is_one(of));
    }

    /// Ends a transaction here.
    pub(super) fn mark(&mut self, transaction: u64, committed: bool) {
        let pending = self.pending.remove(&transaction).unwrap_or_default();
        if !committed {
            return;
        }
        for (partition, handed) in pending {
            let before = self.committed.get(&partition);
            if before.is_none_or(|before| before.order < handed.order) {
                self.committed.insert(partition, handed);
            }
        }
    }

    /// True where a transaction is open that may change what is committed of the partition.
    pub(super) fn is_pending(&self, partition: &TopicPartition) -> bool {
        let mut pending = self.pending.values();
        pending.any(|offsets| offsets.contains_key(partition))
    }

    pub(super) fn committed(&self, partition: &TopicPartition) -> Option<CommittedOffset> {
        let handed = self.committed.get(partition)?;
        Some(handed.offset.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(offset: i64) -> Vec<(TopicPartition, CommittedOffset)> {
        let committed = CommittedOffset {
            offset,
            metadata: format!("m{offset}"),
        };
        vec![(TopicPartition::new("in", 0), committed)]
    }

    #[test]
    fn offsets_count_when_their_transaction_is_committed() {
        let at = TopicPartition::new("in", 0);
        let mut offsets = GroupOffsets::default();
        offsets.add(1, &of(5));
        assert!(offsets.is_pending(&at) && offsets.committed(&at).is_none());
        offsets.mark(1, true);
        assert!(!offsets.is_pending(&at));
        assert_eq!(offsets.committed(&at), Some(of(5)[0].1.clone()));
        offsets.add(2, &of(7));
        offsets.mark(2, false);
        assert_eq!(offsets.committed(&at).unwrap().offset, 5);
    }

    #[test]
    fn what_is_forgotten_was_committed() {
        let at = TopicPartition::new("in", 0);
        let mut offsets = GroupOffsets::default();
        offsets.set(&of(5));
        offsets.add(1, &of(7));
        offsets.forget(|_| true);
        assert_eq!(offsets.committed(&at), None);
        offsets.mark(1, true);
        assert_eq!(offsets.committed(&at), Some(of(7)[0].1.clone()));
    }

    #[test]
    fn the_offset_that_was_handed_in_last_stands() {
        let at = TopicPartition::new("in", 0);
        let mut offsets = GroupOffsets::default();
        offsets.add(1, &of(5));
        offsets.add(2, &of(4));
        offsets.mark(2, true);
        assert!(offsets.is_pending(&at));
        offsets.mark(1, true);
        assert_eq!(offsets.committed(&at).unwrap().offset, 4);
    }
}
