//! Memory that is used again from record to record.

use std::cell::RefCell;

use ferrisstreams_topology::data::{Row, RowBuffer};

use crate::compiler::Eval;

/// What the evaluation of a row needs on the side.
#[derive(Default)]
pub(super) struct Scratch {
    pub(super) eval: Eval,
    /// Rows between the steps of a pipeline.
    pub(super) first: RowBuffer,
    /// Rows between the steps of a pipeline.
    pub(super) second: RowBuffer,
    /// A row that is about to be handed on.
    pub(super) out: RowBuffer,
    /// A row that a step has put together for a pipeline.
    pub(super) made: RowBuffer,
}

impl Scratch {
    /// Forgets all rows, and a failure that nobody asked for.
    pub(super) fn clear(&mut self) {
        self.eval.take_failure();
        self.first.clear();
        self.second.clear();
        self.out.clear();
        self.made.clear();
    }
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::new(Scratch::default());
}

/// Lends the thread's scratch memory to a function that is called a record at a time.
pub(super) fn with_scratch<T>(work: impl FnOnce(&mut Scratch) -> T) -> T {
    SCRATCH.with(|scratch| {
        let mut scratch = scratch.borrow_mut();
        scratch.clear();
        work(&mut scratch)
    })
}

thread_local! {
    static EVAL: RefCell<Eval> = RefCell::new(Eval::default());
}

/// Lends the thread's memory to a condition, which makes no rows and cannot fail.
#[inline]
pub(super) fn with_eval<T>(work: impl FnOnce(&mut Eval) -> T) -> T {
    EVAL.with(|eval| work(&mut eval.borrow_mut()))
}

/// The row that was written last, on its own.
pub(super) fn owned(bytes: &[u8]) -> Row {
    Row::from_bytes(bytes)
}
