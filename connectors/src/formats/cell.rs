//! Where a field stands in the bytes of a record, and in which form.

/// A field of a record that was found and not read yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) form: Form,
}

/// What the bytes of a field are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Nothing: the field is NULL, or not there.
    Null,
    /// The text of a value.
    Text,
    /// The same, with each quote doubled.
    Doubled,
    /// A string of JSON without its quotes and without escapes.
    String,
    /// A string of JSON without its quotes, with escapes.
    Escaped,
    /// A number of JSON.
    Number,
    /// `true` of JSON.
    True,
    /// `false` of JSON.
    False,
    /// An object of JSON.
    Object,
    /// An array of JSON.
    Array,
    /// A value as Kafka's serializers for Java write it.
    Binary,
}

impl Cell {
    /// No field.
    pub(super) const NULL: Cell = Cell {
        start: 0,
        end: 0,
        form: Form::Null,
    };

    /// A field from `start` up to but without `end`, in a record of less than 4 GiB.
    #[inline]
    pub(super) fn new(start: usize, end: usize, form: Form) -> Self {
        Cell {
            start: start as u32,
            end: end as u32,
            form,
        }
    }

    /// The bytes of the field.
    #[inline]
    pub(super) fn of(self, record: &[u8]) -> &[u8] {
        &record[self.start as usize..self.end as usize]
    }
}
