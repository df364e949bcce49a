//! Code for values of a fixed width.

use ferrisstreams_topology::data::{Interval, RowWriter, Slot};

use super::eval::Eval;

/// Computes a value of a row; NULL is none.
pub(super) type Closure<T> = Box<dyn Fn(&[u8], &mut Eval) -> Option<T> + Send + Sync>;

/// Code for one value of a row.
pub(super) enum Node<T> {
    /// The same for each row.
    Constant(Option<T>),
    /// A column, of which the slot may be narrower than the value.
    Column(Slot),
    /// Anything else.
    Code(Closure<T>),
}

/// Values of a fixed width.
pub(super) trait Fixed: Copy + Send + Sync + 'static {
    /// Reads a column.
    fn read(slot: Slot, row: &[u8]) -> Option<Self>;

    /// Sets a column.
    fn write(self, writer: &mut RowWriter<'_>, column: usize);
}

impl<T: Fixed> Node<T> {
    /// A closure as a node.
    pub(super) fn code(
        closure: impl Fn(&[u8], &mut Eval) -> Option<T> + Send + Sync + 'static,
    ) -> Self {
        Node::Code(Box::new(closure))
    }

    /// The value for a row.
    #[inline]
    pub(super) fn get(&self, row: &[u8], eval: &mut Eval) -> Option<T> {
        match self {
            Node::Constant(value) => *value,
            Node::Column(slot) => T::read(*slot, row),
            Node::Code(code) => code(row, eval),
        }
    }

    /// What `map` makes of each value that is not NULL.
    pub(super) fn map<U: Fixed>(
        self,
        map: impl Fn(T, &mut Eval) -> Option<U> + Send + Sync + 'static,
    ) -> Node<U> {
        match self {
            Node::Column(slot) => Node::code(move |row, eval| map(T::read(slot, row)?, eval)),
            node => Node::code(move |row, eval| {
                let value = node.get(row, eval)?;
                map(value, eval)
            }),
        }
    }

    /// What `map` makes of each pair of values that are not NULL.
    pub(super) fn zip<U: Fixed, V: Fixed>(
        self,
        other: Node<U>,
        map: impl Fn(T, U, &mut Eval) -> Option<V> + Send + Sync + 'static,
    ) -> Node<V> {
        match (self, other) {
            (Node::Constant(None), _) | (_, Node::Constant(None)) => Node::Constant(None),
            (Node::Column(left), Node::Column(right)) => {
                Node::code(move |row, eval| map(T::read(left, row)?, U::read(right, row)?, eval))
            }
            (Node::Column(left), Node::Constant(Some(right))) => {
                Node::code(move |row, eval| map(T::read(left, row)?, right, eval))
            }
            (left, right) => Node::code(move |row, eval| {
                // Both are evaluated, so that what fails on the right is told where the left is NULL.
                let (left, right) = (left.get(row, eval), right.get(row, eval));
                map(left?, right?, eval)
            }),
        }
    }
}

impl Fixed for bool {
    #[inline]
    fn read(slot: Slot, row: &[u8]) -> Option<Self> {
        slot.bool(row)
    }

    #[inline]
    fn write(self, writer: &mut RowWriter<'_>, column: usize) {
        writer.set_bool(column, self);
    }
}

impl Fixed for i64 {
    #[inline]
    fn read(slot: Slot, row: &[u8]) -> Option<Self> {
        slot.integer(row)
    }

    #[inline]
    fn write(self, writer: &mut RowWriter<'_>, column: usize) {
        writer.set_integer(column, self);
    }
}

impl Fixed for i128 {
    #[inline]
    fn read(slot: Slot, row: &[u8]) -> Option<Self> {
        slot.wide(row)
    }

    #[inline]
    fn write(self, writer: &mut RowWriter<'_>, column: usize) {
        writer.set_wide(column, self);
    }
}

impl Fixed for f64 {
    #[inline]
    fn read(slot: Slot, row: &[u8]) -> Option<Self> {
        slot.float(row)
    }

    #[inline]
    fn write(self, writer: &mut RowWriter<'_>, column: usize) {
        writer.set_float(column, self);
    }
}

impl Fixed for Interval {
    #[inline]
    fn read(slot: Slot, row: &[u8]) -> Option<Self> {
        slot.interval(row)
    }

    #[inline]
    fn write(self, writer: &mut RowWriter<'_>, column: usize) {
        writer.set_interval(column, self);
    }
}
