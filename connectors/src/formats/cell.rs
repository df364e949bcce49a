//! Where a field stands in the bytes of a record, and in which form.

/// A field of a record that was found and not read yet.
///
/// The place is one word: it is written and read at once, which a processor forwards without waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cell {
    /// Where the field begins, in the high half, and where it ends.
    place: u64,
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
    /// A number of JSON that is written with digits alone, but for its sign.
    Integer,
    /// Any other number of JSON.
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
        place: 0,
        form: Form::Null,
    };

    /// A field from `start` up to but without `end`, in a record of less than 4 GiB.
    #[inline]
    pub(super) fn new(start: usize, end: usize, form: Form) -> Self {
        Cell {
            place: (start as u64) << 32 | end as u64,
            form,
        }
    }

    /// Where the field begins and ends.
    #[inline]
    pub(super) fn place(self) -> (usize, usize) {
        ((self.place >> 32) as usize, self.place as u32 as usize)
    }

    /// The same field in a record that begins `by` bytes earlier.
    #[inline]
    pub(super) fn moved(self, by: usize) -> Self {
        Cell {
            place: self.place + ((by as u64) << 32 | by as u64),
            ..self
        }
    }

    /// The same field in another form.
    #[inline]
    pub(super) fn with(self, form: Form) -> Self {
        Cell { form, ..self }
    }

    /// The bytes of the field.
    #[inline]
    pub(super) fn of(self, record: &[u8]) -> &[u8] {
        let (start, end) = self.place();
        &record[start..end]
    }
}
