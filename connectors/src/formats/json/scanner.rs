//! The members of objects that columns want, found by a scanner that expects each object to look
//! like those before it.
//!
//! An object that looks like the last one, but for some values, is read by that [`Habit`] alone.
//!
//! Of others, for each key it remembers the bytes from the end of the value before it up to its own value, and
//! which key came behind it last. Where an object goes on with just these bytes, as almost all do, the
//! key is known by one comparison, without being taken apart.

use std::collections::HashMap;

use super::super::cell::{Cell, Form};
use super::super::fault::{bad_record, excerpt};
use super::habit::Habit;
use super::members::members;
use super::prefix::Prefix;
use super::shape::Member;
use super::value::{skip_blanks, value};
use ferrisstreams_topology::{Error, Result};

/// The most keys that are remembered; a source with more uses its keys as data.
const MAX_KEYS: usize = 1_024;

/// Finds the members of objects by the columns that want them.
pub(in super::super) struct JsonReader {
    /// The names of the wanted columns.
    names: Vec<String>,
    /// False where the only column stands there without an object around it.
    wrapped: bool,
    cells: Vec<Cell>,
    /// How well the key of each cell fits its column: not at all, but for case, exactly.
    fits: Vec<Fit>,
    keys: Vec<Key>,
    by_name: HashMap<Box<[u8]>, usize>,
    /// The key that the last object began with.
    first: usize,
    habit: Habit,
    /// The members of the object that is scanned, where the habit is to learn from them.
    members: Vec<Member>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    Absent,
    ButForCase,
    Exact,
}

/// A key that was met.
struct Key {
    /// What stood between `{` or `,` and the value.
    prefix: Prefix,
    /// The cell that wants it.
    cell: Option<(usize, Fit)>,
    /// The key that came next when it was met last.
    next: usize,
}

/// A key that was read.
struct Met {
    /// Its index, or `NONE` where it is not remembered.
    index: usize,
    /// The cell that wants it.
    cell: Option<(usize, Fit)>,
    /// Where its value begins.
    value: usize,
}

/// No key.
const NONE: usize = usize::MAX;

impl JsonReader {
    pub(in super::super) fn new(names: Vec<String>, wrapped: bool) -> Self {
        JsonReader {
            wrapped,
            cells: vec![Cell::NULL; names.len()],
            fits: vec![Fit::Absent; names.len()],
            names,
            keys: Vec::new(),
            by_name: HashMap::new(),
            first: NONE,
            habit: Habit::new(),
            members: Vec::new(),
        }
    }

    /// The member of the wanted column `index`.
    #[inline(always)]
    pub(in super::super) fn cell(&self, index: usize) -> Cell {
        self.cells[index]
    }

    /// Finds the members of an object; false where the text is `null`.
    #[inline]
    pub(in super::super) fn scan(&mut self, text: &[u8]) -> Result<bool> {
        if self.wrapped && (self.habit.read(text, &mut self.cells) || self.scan_other(text)) {
            return Ok(true);
        }
        self.scan_rare(text)
    }

    /// How many objects had the usual shape.
    #[cfg(test)]
    pub(super) fn usual(&self) -> u64 {
        self.habit.read_so_far()
    }

    /// Scans an object that does not have the usual shape.
    fn scan_other(&mut self, text: &[u8]) -> bool {
        self.forget();
        let is_object = self.scan_object(text).is_some();
        if is_object && self.habit.is_curious() {
            self.settle();
            let sizes = (self.keys.len(), self.cells.len());
            self.habit.learn(text, &self.members, sizes);
        }
        is_object
    }

    /// Leaves the columns to the members whose values they have.
    fn settle(&mut self) {
        for member in &mut self.members {
            member.column = member
                .column
                .filter(|column| self.cells[*column] == member.value);
        }
    }

    #[inline]
    fn forget(&mut self) {
        self.cells.fill(Cell::NULL);
        self.fits.fill(Fit::Absent);
    }

    /// The object that the text is; none where it is something else, or has to be looked at closer.
    #[inline]
    fn scan_object(&mut self, text: &[u8]) -> Option<()> {
        self.members.clear();
        let mut at = skip_blanks(text, 0);
        if text.get(at) != Some(&b'{') {
            return None;
        }
        at += 1;
        let (mut last, mut expected) = (NONE, self.first);
        let mut is_first = true;
        loop {
            // Behind `{` or `,`.
            let cell;
            match self.keys.get(expected) {
                Some(key) if key.prefix.stands_at(text, at) => {
                    at += key.prefix.len();
                    cell = key.cell;
                    last = expected;
                    expected = key.next;
                }
                _ => {
                    let start = skip_blanks(text, at);
                    if is_first && text.get(start) == Some(&b'}') {
                        at = start;
                        break;
                    }
                    let met = self.meet(text, at, start, last)?;
                    at = met.value;
                    cell = met.cell;
                    last = met.index;
                    expected = self.keys.get(last).map_or(NONE, |key| key.next);
                }
            }
            is_first = false;
            let (found, end) = value(text, at)?;
            if let Some((index, fit)) = cell
                && fit >= self.fits[index]
            {
                self.cells[index] = found;
                self.fits[index] = fit;
            }
            if self.habit.is_curious() {
                self.members.push(Member {
                    key: last,
                    column: cell.map(|(index, _)| index),
                    value: found,
                });
            }
            at = end;
            match text.get(at) {
                Some(b',') => at += 1,
                Some(b'}') => break,
                _ => {
                    at = skip_blanks(text, at);
                    match text.get(at)? {
                        b',' => at += 1,
                        b'}' => break,
                        _ => return None,
                    }
                }
            }
        }
        (skip_blanks(text, at + 1) == text.len()).then_some(())
    }

    /// Reads a key that was not expected, which begins at `start`, behind blanks from `from` on.
    #[inline(never)]
    fn meet(&mut self, text: &[u8], from: usize, start: usize, last: usize) -> Option<Met> {
        if text.get(start) != Some(&b'"') {
            return None;
        }
        let (name, end) = value(text, start)?;
        if name.form != Form::String {
            return None;
        }
        let colon = skip_blanks(text, end);
        if text.get(colon) != Some(&b':') {
            return None;
        }
        let at = skip_blanks(text, colon + 1);
        let name = name.of(text);
        let prefix = &text[from..at];
        let index = match self.by_name.get(name) {
            Some(index) => *index,
            None if self.keys.len() < MAX_KEYS => self.learn(name),
            None => {
                return Some(Met {
                    index: NONE,
                    cell: self.wanted(name),
                    value: at,
                });
            }
        };
        let key = &mut self.keys[index];
        key.prefix.set(prefix);
        let wanted = key.cell;
        match self.keys.get_mut(last) {
            Some(before) => before.next = index,
            None if last == NONE => self.first = index,
            None => {}
        }
        Some(Met {
            index,
            cell: wanted,
            value: at,
        })
    }

    fn learn(&mut self, name: &[u8]) -> usize {
        let index = self.keys.len();
        self.by_name.insert(name.into(), index);
        self.keys.push(Key {
            prefix: Prefix::default(),
            cell: self.wanted(name),
            next: NONE,
        });
        index
    }

    /// The cell that wants a key: that of the column of just this name, or of one that is equal but
    /// for case.
    fn wanted(&self, name: &[u8]) -> Option<(usize, Fit)> {
        let find =
            |is: &dyn Fn(&[u8]) -> bool| self.names.iter().position(|own| is(own.as_bytes()));
        let exact = find(&|own| own == name).map(|index| (index, Fit::Exact));
        exact
            .or_else(|| find(&|own| own.eq_ignore_ascii_case(name)).map(|at| (at, Fit::ButForCase)))
    }

    /// What does not look like an object, looked at closely.
    #[cold]
    fn scan_rare(&mut self, text: &[u8]) -> Result<bool> {
        self.forget();
        if text.trim_ascii() == b"null" {
            return Ok(false);
        }
        if !self.wrapped {
            return self.scan_bare(text).map(|()| true);
        }
        for (name, cell) in members(text)? {
            if let Some((index, fit)) = self.wanted(name.as_bytes())
                && fit >= self.fits[index]
            {
                self.cells[index] = cell;
                self.fits[index] = fit;
            }
        }
        Ok(true)
    }

    /// The one value that the text is; an object with the column in it will do as well.
    fn scan_bare(&mut self, text: &[u8]) -> Result<()> {
        let start = skip_blanks(text, 0);
        let is_object = text.get(start) == Some(&b'{') && self.scan_object(text).is_some();
        if is_object && self.fits.iter().all(|fit| *fit > Fit::Absent) {
            return Ok(());
        }
        let (cell, end) = value(text, start).ok_or_else(|| no_value(text))?;
        if skip_blanks(text, end) != text.len() {
            return Err(no_value(text));
        }
        // At most one column is wanted where there is only one.
        self.cells.fill(cell);
        Ok(())
    }
}

fn no_value(text: &[u8]) -> Error {
    bad_record(format!("not JSON: `{}`", excerpt(text)))
}
