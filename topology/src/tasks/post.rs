//! What the sets of tasks of a process send to one another.

use std::sync::{Arc, Mutex};

use crate::connector::{RawBatch, Waker};
use crate::graph::NodeId;
use crate::horizon::Horizon;
use crate::run::{Origin, Run, Stamp};
use crate::time::Timestamp;

/// What one set of tasks sends to another.
pub(crate) enum Mail {
    /// Records.
    Run {
        node: NodeId,
        from: u16,
        lane: u16,
        run: Run,
        origin: Origin,
    },
    /// Nothing before this place will still come.
    Frontier {
        node: NodeId,
        from: u16,
        lane: u16,
        frontier: Stamp,
    },
    /// What the time of a task is that sends, when all that it sent was said before.
    Time {
        node: NodeId,
        lane: u16,
        time: Timestamp,
    },
    /// A batch of a source.
    Batch {
        node: NodeId,
        rank: u32,
        batch: Arc<RawBatch>,
    },
    /// Whether more is known to be there of a partition of a source.
    Behind {
        node: NodeId,
        partition: u32,
        behind: bool,
    },
}

/// Where the sets of a process leave mail for one another.
pub(crate) struct PostOffice {
    boxes: Vec<(Mutex<Vec<Mail>>, Waker)>,
    /// How far sources may be processed.
    pub(super) horizon: Horizon,
}

impl PostOffice {
    /// An office with a box for each set; a set is woken when mail comes.
    pub(crate) fn new(wakers: Vec<Waker>) -> Arc<Self> {
        Arc::new(PostOffice {
            boxes: wakers
                .into_iter()
                .map(|waker| (Mutex::default(), waker))
                .collect(),
            horizon: Horizon::default(),
        })
    }

    pub(super) fn send(&self, to: usize, mail: Mail) {
        let (mails, waker) = &self.boxes[to];
        mails.lock().expect("no panic while locked").push(mail);
        waker.wake();
    }

    /// Throws all mail away, and forgets what is known of sources.
    pub(crate) fn clear(&self) {
        self.horizon.clear();
        for (mails, _) in &self.boxes {
            mails.lock().expect("no panic while locked").clear();
        }
    }

    pub(super) fn take(&self, of: usize) -> Vec<Mail> {
        let mut mails = self.boxes[of].0.lock().expect("no panic while locked");
        std::mem::take(&mut mails)
    }
}
