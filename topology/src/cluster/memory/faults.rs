//! Failures that a test asks for.

use std::collections::BTreeMap;

/// What can be made to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// A call to the [`Cluster`](crate::cluster::Cluster) itself is not answered: an error of kind
    /// [`Unavailable`](crate::ErrorKind::Unavailable).
    Call,
    /// A record is not written: the transaction must be aborted.
    Send,
    /// Records are not acknowledged in time: the transaction must be aborted.
    Flush,
    /// Offsets of a group are refused: the transaction must be aborted.
    SendOffsets,
    /// A commit is refused: the transaction must be aborted.
    Commit,
    /// A commit gets lost on its way: nobody knows, and the transaction is still open.
    CommitLost,
    /// The answer to a commit gets lost: nobody knows, and the transaction is committed.
    AnswerLost,
    /// The answer to an abort gets lost: nobody knows, and the transaction is aborted.
    AbortAnswerLost,
    /// A partition cannot be read: an error of kind [`Failed`](crate::ErrorKind::Failed).
    Read,
}

/// Which calls fail.
#[derive(Default)]
pub(super) struct Faults {
    planned: BTreeMap<Fault, Plan>,
}

/// So many calls pass, then so many fail.
#[derive(Clone, Copy)]
struct Plan {
    passing: u32,
    failing: u32,
}

impl Faults {
    /// Plans failures, in place of those of the kind that were planned before.
    pub(super) fn plan(&mut self, fault: Fault, passing: u32, failing: u32) {
        self.planned.insert(fault, Plan { passing, failing });
    }

    pub(super) fn clear(&mut self) {
        self.planned.clear();
    }

    /// Whether this call fails.
    pub(super) fn hits(&mut self, fault: Fault) -> bool {
        let Some(plan) = self.planned.get_mut(&fault) else {
            return false;
        };
        if plan.passing > 0 {
            plan.passing -= 1;
            return false;
        }
        let hits = plan.failing > 0;
        plan.failing = plan.failing.saturating_sub(1);
        if plan.failing == 0 {
            self.planned.remove(&fault);
        }
        hits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_fail_as_planned() {
        let mut faults = Faults::default();
        let hits = |faults: &mut Faults| -> Vec<bool> {
            (0..5).map(|_| faults.hits(Fault::Send)).collect()
        };
        assert_eq!(hits(&mut faults), [false; 5]);
        faults.plan(Fault::Send, 1, 2);
        faults.plan(Fault::Read, 0, 1);
        assert_eq!(hits(&mut faults), [false, true, true, false, false]);
        faults.plan(Fault::Send, 0, 9);
        faults.clear();
        assert_eq!(hits(&mut faults), [false; 5]);
    }
}
