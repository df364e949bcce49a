//! How an object looks: what stands between the values of which not even the length is known.

use super::super::cell::{Cell, Form};
use super::stretch::{Pattern, Stretch};
use super::value::value;

/// A member of an object that was scanned.
#[derive(Debug, Clone, Copy)]
pub(super) struct Member {
    /// Which of the keys that are remembered it has.
    pub(super) key: usize,
    /// The wanted column that it is for, unless another member of the object is.
    pub(super) column: Option<usize>,
    pub(super) value: Cell,
}

impl Member {
    /// Whether other values of the same length can be told apart from what is no value without
    /// scanning them.
    fn is_plain(&self) -> bool {
        matches!(
            self.value.form,
            Form::String | Form::Integer | Form::Number | Form::True | Form::False | Form::Null
        )
    }

    /// Where the value stands, with its quotes.
    fn place(&self) -> (usize, usize) {
        let (start, end) = self.value.place();
        match self.value.form {
            Form::String | Form::Escaped => (start - 1, end + 1),
            _ => (start, end),
        }
    }

    fn has_length_of(&self, other: &Member) -> bool {
        let len = |member: &Member| {
            let (start, end) = member.value.place();
            end - start
        };
        len(self) == len(other) && self.value.form == other.value.form
    }
}

/// What objects that look like another one have in common.
///
/// An object that has it is one by the grammar of JSON, with the same keys in the same order.
#[derive(Debug)]
pub(super) struct Shape {
    parts: Vec<Part>,
    members: Vec<Member>,
    is_loose: Vec<bool>,
    /// The wanted columns that no member is for.
    absent: Vec<usize>,
}

/// A stretch, and the value behind it.
#[derive(Debug)]
struct Part {
    stretch: Stretch,
    /// The wanted columns whose values are in the stretch; their places are counted from its start.
    cells: Vec<(usize, Cell)>,
    /// The value behind it, which may be any; at the end of the object none.
    loose: Option<Loose>,
}

#[derive(Debug, Clone, Copy)]
struct Loose {
    column: Option<usize>,
}

impl Shape {
    /// The shape of an object with these members, of which some are loose: their values are scanned.
    pub(super) fn new(
        text: &[u8],
        members: &[Member],
        columns: usize,
        is_loose: impl Fn(usize) -> bool,
    ) -> Self {
        let loose = |member: &Member| !member.is_plain() || is_loose(member.key);
        let is_absent = |column: &usize| {
            let mut found = members.iter().filter_map(|member| member.column);
            found.all(|found| found != *column)
        };
        let mut shape = Shape {
            parts: Vec::new(),
            members: members.to_vec(),
            is_loose: members.iter().map(loose).collect(),
            absent: (0..columns).filter(is_absent).collect(),
        };
        let (mut pattern, mut cells) = (Pattern::default(), Vec::new());
        // Where the part begins, and up to where the text is in it.
        let (mut start, mut done) = (0, 0);
        for (member, is_loose) in members.iter().zip(&shape.is_loose) {
            if *is_loose {
                let (from, to) = member.place();
                pattern.push_bytes(&text[done..from]);
                shape.parts.push(Part {
                    stretch: std::mem::take(&mut pattern).into_stretch(),
                    cells: std::mem::take(&mut cells),
                    loose: Some(Loose {
                        column: member.column,
                    }),
                });
                (start, done) = (to, to);
                continue;
            }
            let (from, to) = member.value.place();
            pattern.push_bytes(&text[done..from]);
            let value = &text[from..to];
            match member.value.form {
                Form::String => pattern.push_text(value),
                Form::Integer | Form::Number => pattern.push_number(value),
                _ => pattern.push_bytes(value),
            }
            if let Some(column) = member.column {
                let cell = Cell::new(from - start, to - start, member.value.form);
                cells.push((column, cell));
            }
            done = to;
        }
        pattern.push_bytes(&text[done..]);
        shape.parts.push(Part {
            stretch: pattern.into_stretch(),
            cells,
            loose: None,
        });
        shape
    }

    /// The cells of an object of this shape; false where the text has another one, and the cells are
    /// those of no object.
    #[inline]
    pub(super) fn read(&self, text: &[u8], cells: &mut [Cell]) -> bool {
        let mut at = 0;
        for part in &self.parts {
            if !part.stretch.stands_at(text, at) {
                return false;
            }
            for (column, cell) in &part.cells {
                cells[*column] = cell.moved(at);
            }
            at += part.stretch.len();
            let Some(loose) = part.loose else {
                self.absent.iter().for_each(|at| cells[*at] = Cell::NULL);
                return at == text.len();
            };
            let Some((found, end)) = value(text, at) else {
                return false;
            };
            if let Some(column) = loose.column {
                cells[column] = found;
            }
            at = end;
        }
        false
    }

    /// Calls `missed` with the keys whose values are not loose, but have another length or form in an
    /// object with the same keys.
    pub(super) fn compare(&self, members: &[Member], mut missed: impl FnMut(usize)) {
        let same = |(own, other): (&Member, &Member)| own.key == other.key;
        if self.members.len() != members.len() || !self.members.iter().zip(members).all(same) {
            return;
        }
        for ((own, other), is_loose) in self.members.iter().zip(members).zip(&self.is_loose) {
            if !is_loose && !own.has_length_of(other) {
                missed(own.key);
            }
        }
    }
}
