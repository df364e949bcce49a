//! MIN and MAX.
//!
//! The state holds the least value, or the greatest. Where rows can be taken back, all values are in
//! a multiset as well, whose first one takes the place of one that is gone: for MAX the bytes of the
//! set are turned over, so that the greatest comes first.

use std::cmp::Ordering;

use ferrisstreams_topology::data::{
    DataType, Field, Interval, KeyEncoder, Physical, RowBuffer, RowLayout, RowWriter, Schema, Slot,
};
use ferrisstreams_topology::{Error, ErrorKind, Result};

use super::state::AggState;

/// Keeps the least or the greatest value.
#[derive(Debug, Clone)]
pub(super) struct Extreme {
    pub(super) greatest: bool,
    /// The word that says whether there is a value.
    present: usize,
    form: Form,
    /// The multiset of all values.
    pub(super) set: Option<u16>,
    /// How values in the set read.
    encoder: KeyEncoder,
    layout: RowLayout,
}

/// How the value is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// In one word, that sorts as the value does.
    Narrow { word: usize },
    /// In two words.
    Wide { word: usize },
    /// In two words: months and days, then microseconds.
    Interval { word: usize },
    /// In an extra.
    Bytes { extra: usize },
}

impl Form {
    /// How many words values of a type take.
    pub(super) fn words(data_type: DataType) -> usize {
        match data_type.physical() {
            Physical::I128 | Physical::Interval => 2,
            Physical::Bytes => 0,
            _ => 1,
        }
    }

    fn new(data_type: DataType, word: usize, extra: usize) -> Form {
        match data_type.physical() {
            Physical::I128 => Form::Wide { word },
            Physical::Interval => Form::Interval { word },
            Physical::Bytes => Form::Bytes { extra },
            _ => Form::Narrow { word },
        }
    }
}

impl Extreme {
    /// Keeps values of a type in the words from `word` on, of which there are one more than
    /// [`Form::words`], and in `extra` if it needs one.
    pub(super) fn new(greatest: bool, data_type: DataType, word: usize, extra: usize) -> Self {
        let schema = Schema::new(vec![Field::new("value", data_type)]);
        Extreme {
            greatest,
            present: word,
            form: Form::new(data_type, word + 1, extra),
            set: None,
            encoder: KeyEncoder::new(&schema),
            layout: RowLayout::new(&schema),
        }
    }

    /// Takes in a value, which is not NULL.
    #[inline]
    pub(super) fn enter(&self, state: &mut AggState, row: &[u8], slot: Slot) {
        let better = if self.greatest {
            Ordering::Greater
        } else {
            Ordering::Less
        };
        if state.word(self.present) == 0 || self.compare(state, row, slot) == better {
            self.put(state, row, slot);
        }
    }

    /// True where the value in a row is the one that is kept.
    pub(super) fn is_kept(&self, state: &AggState, row: &[u8], slot: Slot) -> bool {
        state.word(self.present) != 0 && self.compare(state, row, slot) == Ordering::Equal
    }

    /// Keeps `first`, a value as it is in the set, in place of the one that was kept.
    pub(super) fn replace(&self, state: &mut AggState, first: Option<Vec<u8>>) -> Result<()> {
        self.clear(state);
        let Some(mut first) = first else {
            return Ok(());
        };
        if self.greatest {
            turn_over(&mut first);
        }
        let mut buffer = RowBuffer::new();
        let span = self.encoder.decode(&first, &mut buffer).map_err(|e| {
            let message = format!("cannot read a value of {} bytes of a multiset", first.len());
            Error::new(ErrorKind::BadRecord, message).with_source(e)
        })?;
        self.put(state, buffer.get(span), self.layout.slot(0));
        Ok(())
    }

    fn clear(&self, state: &mut AggState) {
        state.set_word(self.present, 0);
        match self.form {
            Form::Narrow { word } => state.set_word(word, 0),
            Form::Wide { word } | Form::Interval { word } => state.set_wide(word, 0),
            Form::Bytes { extra } => state.set_bytes(extra, None),
        }
    }

    fn put(&self, state: &mut AggState, row: &[u8], slot: Slot) {
        state.set_word(self.present, 1);
        match self.form {
            Form::Narrow { word } => state.set_word(word, narrow(row, slot) as u64),
            Form::Wide { word } => state.set_wide(word, slot.wide(row).unwrap_or_default()),
            Form::Interval { word } => {
                let interval = slot.interval(row).unwrap_or_default();
                let low = u64::from(interval.months as u32) | u64::from(interval.days as u32) << 32;
                state.set_word(word, low);
                state.set_word(word + 1, interval.micros as u64);
            }
            Form::Bytes { extra } => state.set_bytes(extra, slot.bytes(row)),
        }
    }

    /// How the value in a row stands to the one that is kept.
    #[inline]
    fn compare(&self, state: &AggState, row: &[u8], slot: Slot) -> Ordering {
        match self.form {
            Form::Narrow { word } => narrow(row, slot).cmp(&(state.word(word) as i64)),
            Form::Wide { word } => slot.wide(row).unwrap_or_default().cmp(&state.wide(word)),
            Form::Interval { word } => {
                let rank = |span: Interval| (span.approximate_micros(), span.months, span.days);
                rank(slot.interval(row).unwrap_or_default()).cmp(&rank(interval(state, word)))
            }
            Form::Bytes { extra } => slot.bytes(row).cmp(&state.bytes(extra)),
        }
    }

    /// Writes the value that is kept, if there is one.
    pub(super) fn write(&self, state: &AggState, writer: &mut RowWriter<'_>, column: usize) {
        if state.word(self.present) == 0 {
            return;
        }
        match self.form {
            Form::Narrow { word } => {
                let value = state.word(word) as i64;
                match self.layout.slot(0).physical() {
                    Physical::Bool => writer.set_bool(column, value != 0),
                    Physical::F32 | Physical::F64 => writer.set_float(column, from_ordered(value)),
                    _ => writer.set_integer(column, value),
                }
            }
            Form::Wide { word } => writer.set_wide(column, state.wide(word)),
            Form::Interval { word } => writer.set_interval(column, interval(state, word)),
            Form::Bytes { extra } => {
                writer.set_bytes(column, state.bytes(extra).unwrap_or_default());
            }
        }
    }
}

fn interval(state: &AggState, word: usize) -> Interval {
    let low = state.word(word);
    Interval {
        months: low as u32 as i32,
        days: (low >> 32) as u32 as i32,
        micros: state.word(word + 1) as i64,
    }
}

/// A value of at most eight bytes as a number that sorts as it does.
#[inline]
fn narrow(row: &[u8], slot: Slot) -> i64 {
    match slot.physical() {
        Physical::Bool => i64::from(slot.bool(row).unwrap_or_default()),
        Physical::F32 | Physical::F64 => to_ordered(slot.float(row).unwrap_or_default()),
        _ => slot.integer(row).unwrap_or_default(),
    }
}

/// A float as a number that sorts as it does: one zero, and one NaN above everything.
fn to_ordered(value: f64) -> i64 {
    let bits = if value.is_nan() {
        f64::NAN.abs().to_bits() as i64
    } else {
        (value + 0.0).to_bits() as i64
    };
    // The magnitude bits of negative numbers count down.
    bits ^ ((bits >> 63) as u64 >> 1) as i64
}

fn from_ordered(ordered: i64) -> f64 {
    f64::from_bits((ordered ^ ((ordered >> 63) as u64 >> 1) as i64) as u64)
}

/// Turns the order of bytes over: what sorted first sorts last.
pub(super) fn turn_over(bytes: &mut [u8]) {
    for byte in bytes {
        *byte = !*byte;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_sort_as_numbers() {
        let sorted = [
            f64::NEG_INFINITY,
            -1e300,
            -1.5,
            -1e-310,
            0.0,
            1e-310,
            2.0,
            f64::INFINITY,
        ];
        assert!(sorted.map(to_ordered).is_sorted_by(|a, b| a < b));
        assert!(to_ordered(f64::INFINITY) < to_ordered(f64::NAN));
        assert_eq!(to_ordered(-f64::NAN), to_ordered(f64::NAN));
        assert_eq!(to_ordered(-0.0), to_ordered(0.0));
        for value in sorted {
            assert_eq!(from_ordered(to_ordered(value)), value);
        }
        assert!(from_ordered(to_ordered(f64::NAN)).is_nan());
    }
}
