//! The compact binary row that SQL works on.
//!
//! A row is one run of bytes: a bitmap with a bit for each NULL, then a slot of fixed width for each
//! column, then the bytes of the columns of variable width in column order. Slots are little-endian
//! and packed. The slot of a NULL is zero, so that equal rows are equal bytes. What the bytes mean
//! stands in a [`RowLayout`], never in the row itself.
//!
//! A [`Row`] is a handle: a counted buffer that the rows of a batch share, and a place in it. A short
//! row, as most keys are, stands in the handle itself.
//! [`Row::compact`] copies a row out, so that one row that is kept does not keep its batch.

use std::fmt;
use std::hash::{Hash, Hasher};

use bytemuck::{Pod, Zeroable};
use triomphe::ThinArc;

use super::float::one_of_equals;
use super::{Interval, Physical, Schema};
use crate::prefetch::prefetch_bytes;

/// The version of the layout of rows on disk.
pub const ROW_FORMAT: u8 = 1;

/// Where a column stands in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    offset: u32,
    null_byte: u32,
    null_mask: u8,
    physical: Physical,
}

impl Slot {
    /// How the value stands in its slot.
    pub fn physical(self) -> Physical {
        self.physical
    }

    #[inline]
    fn field<const N: usize>(self, row: &[u8]) -> Option<[u8; N]> {
        if row[self.null_byte as usize] & self.null_mask != 0 {
            return None;
        }
        let at = self.offset as usize;
        let bytes = &row[at..at + N];
        Some(bytes.try_into().expect("the slice has N bytes"))
    }

    /// True where the column is NULL.
    #[inline]
    pub fn is_null(self, row: &[u8]) -> bool {
        row[self.null_byte as usize] & self.null_mask != 0
    }

    /// The value of a boolean column.
    #[inline]
    pub fn bool(self, row: &[u8]) -> Option<bool> {
        debug_assert_eq!(self.physical, Physical::Bool);
        self.field::<1>(row).map(|[byte]| byte != 0)
    }

    /// The value of a column of type [`Physical::I64`].
    #[inline]
    pub fn i64(self, row: &[u8]) -> Option<i64> {
        debug_assert_eq!(self.physical, Physical::I64);
        self.field(row).map(i64::from_le_bytes)
    }

    /// The value of a column of type [`Physical::I32`].
    #[inline]
    pub fn i32(self, row: &[u8]) -> Option<i32> {
        debug_assert_eq!(self.physical, Physical::I32);
        self.field(row).map(i32::from_le_bytes)
    }

    /// The value of a column of any integer type of at most eight bytes.
    #[inline]
    pub fn integer(self, row: &[u8]) -> Option<i64> {
        match self.physical {
            Physical::I8 => self
                .field::<1>(row)
                .map(|b| i64::from(i8::from_le_bytes(b))),
            Physical::I16 => self.field(row).map(|b| i64::from(i16::from_le_bytes(b))),
            Physical::I32 => self.field(row).map(|b| i64::from(i32::from_le_bytes(b))),
            Physical::I64 => self.field(row).map(i64::from_le_bytes),
            other => unreachable!("an integer was read from a slot of {other:?}"),
        }
    }

    /// The value of a column of any integer type, widened to 128 bits.
    #[inline]
    pub fn wide(self, row: &[u8]) -> Option<i128> {
        match self.physical {
            Physical::I128 => self.field(row).map(i128::from_le_bytes),
            _ => self.integer(row).map(i128::from),
        }
    }

    /// The value of a column of either floating-point type.
    #[inline]
    pub fn float(self, row: &[u8]) -> Option<f64> {
        match self.physical {
            Physical::F32 => self.field(row).map(|b| f64::from(f32::from_le_bytes(b))),
            Physical::F64 => self.field(row).map(f64::from_le_bytes),
            other => unreachable!("a floating-point number was read from a slot of {other:?}"),
        }
    }

    /// The bytes of a column of variable width.
    #[inline]
    pub fn bytes(self, row: &[u8]) -> Option<&[u8]> {
        debug_assert_eq!(self.physical, Physical::Bytes);
        let [a, b, c, d, e, f, g, h] = self.field::<8>(row)?;
        let start = u32::from_le_bytes([a, b, c, d]) as usize;
        let len = u32::from_le_bytes([e, f, g, h]) as usize;
        Some(&row[start..start + len])
    }

    /// The text of a VARCHAR column.
    ///
    /// # Panics
    ///
    /// Where the bytes are not UTF-8, which a [`RowWriter`] never lets in.
    #[inline]
    pub fn text(self, row: &[u8]) -> Option<&str> {
        self.bytes(row)
            .map(|bytes| std::str::from_utf8(bytes).expect("text in a row is UTF-8"))
    }

    /// The value of an INTERVAL column.
    #[inline]
    pub fn interval(self, row: &[u8]) -> Option<Interval> {
        let bytes = self.field::<16>(row)?;
        let (months, rest) = bytes.split_at(4);
        let (days, micros) = rest.split_at(4);
        Some(Interval {
            months: i32::from_le_bytes(months.try_into().expect("four bytes")),
            days: i32::from_le_bytes(days.try_into().expect("four bytes")),
            micros: i64::from_le_bytes(micros.try_into().expect("eight bytes")),
        })
    }
}

/// Where each column of a schema stands in its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowLayout {
    slots: Box<[Slot]>,
    /// The row whose columns are all NULL.
    nulls: Box<[u8]>,
}

impl RowLayout {
    /// The layout of the rows of `schema`.
    pub fn new(schema: &Schema) -> Self {
        RowLayout::of(
            schema
                .fields()
                .iter()
                .map(|field| field.data_type.physical()),
        )
    }

    /// The layout of rows whose columns have these physical types.
    pub fn of(columns: impl IntoIterator<Item = Physical>) -> Self {
        let columns: Vec<Physical> = columns.into_iter().collect();
        let null_bytes = columns.len().div_ceil(8);
        let mut offset = null_bytes;
        let mut slots = Vec::with_capacity(columns.len());
        for (i, physical) in columns.into_iter().enumerate() {
            slots.push(Slot {
                offset: offset as u32,
                null_byte: (i / 8) as u32,
                null_mask: 1 << (i % 8),
                physical,
            });
            offset += physical.width();
        }
        let mut nulls = vec![0; offset];
        for slot in &slots {
            nulls[slot.null_byte as usize] |= slot.null_mask;
        }
        RowLayout {
            slots: slots.into(),
            nulls: nulls.into(),
        }
    }

    /// The place of column `index`.
    ///
    /// # Panics
    ///
    /// Where there is no such column.
    #[inline]
    pub fn slot(&self, index: usize) -> Slot {
        self.slots[index]
    }

    /// The places of all columns, in order.
    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// The number of columns.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// True where there is no column.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Checks that `bytes` can be read as a row of this layout without leaving its bounds.
    ///
    /// Rows that this process wrote are not checked again; those that come from outside are.
    pub fn is_valid(&self, bytes: &[u8]) -> bool {
        if bytes.len() < self.nulls.len() {
            return false;
        }
        self.slots.iter().all(|slot| {
            if slot.physical != Physical::Bytes || slot.is_null(bytes) {
                return true;
            }
            let at = slot.offset as usize;
            let word = |at: usize| {
                u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes")) as usize
            };
            let (start, len) = (word(at), word(at + 4));
            start >= self.nulls.len()
                && start.checked_add(len).is_some_and(|end| end <= bytes.len())
        })
    }
}

/// A row: a handle to bytes that a [`RowLayout`] gives meaning to.
///
/// Cloning counts a reference. Rows are equal where their bytes are, which for rows of one layout
/// means that all columns are.
#[derive(Clone)]
pub struct Row(Repr);

/// How many bytes a row may have that stands in its handle.
const INLINE: usize = 22;

/// What both have at the same place is of the same width: `start` and `b`, `len` and `c`, `buffer` and `d`. So a row
/// is moved in registers; written in pieces and read as others, it would go through memory and be waited for.
#[derive(Clone)]
enum Repr {
    /// Most keys are short: they are copied, compared and hashed without a look elsewhere.
    Inline { len: u8, bytes: Short },
    /// A place in a buffer.
    Shared {
        start: u32,
        len: usize,
        buffer: ThinArc<(), u8>,
    },
}

/// The bytes of a row that stands in its handle, as whole numbers: these are moved in registers, where an array of this
/// length is moved through memory in pieces that overlap.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C, packed(2))]
struct Short {
    a: u16,
    b: u32,
    c: u64,
    d: u64,
}

impl Short {
    /// The bytes from `start` on of `all`; none where there are too few. What follows the row does not count.
    #[inline(always)]
    fn of(all: &[u8], start: usize) -> Option<Self> {
        let bytes: &[u8; INLINE] = all.get(start..start + INLINE)?.try_into().ok()?;
        let [a0, a1, b0, b1, b2, b3, ..] = *bytes;
        let word = |at: usize| {
            let bytes = bytes[at..at + 8].try_into().expect("eight bytes");
            u64::from_ne_bytes(bytes)
        };
        Some(Short {
            a: u16::from_ne_bytes([a0, a1]),
            b: u32::from_ne_bytes([b0, b1, b2, b3]),
            c: word(6),
            d: word(14),
        })
    }

    /// The `len` bytes from `start` on of `all`, where no more may follow.
    #[inline(never)]
    fn copy(all: &[u8], start: usize, len: usize) -> Self {
        let mut bytes = Short::zeroed();
        bytemuck::bytes_of_mut(&mut bytes)[..len].copy_from_slice(&all[start..start + len]);
        bytes
    }
}

impl Row {
    /// A row that owns a copy of `bytes`.
    pub fn from_bytes(bytes: &[u8]) -> Row {
        if bytes.len() <= INLINE {
            return Row::inline(Short::copy(bytes, 0, bytes.len()), bytes.len());
        }
        Row(Repr::Shared {
            start: 0,
            len: bytes.len(),
            buffer: ThinArc::from_header_and_slice((), bytes),
        })
    }

    /// A row of the first `len` of these bytes.
    #[inline]
    fn inline(bytes: Short, len: usize) -> Row {
        Row(Repr::Inline {
            len: len as u8,
            bytes,
        })
    }

    /// The row of no column.
    #[inline]
    pub fn empty() -> Row {
        Row::inline(Short::zeroed(), 0)
    }

    /// The bytes.
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        match &self.0 {
            Repr::Inline { len, bytes } => &bytemuck::bytes_of(bytes)[..usize::from(*len)],
            Repr::Shared { start, len, buffer } => {
                let start = *start as usize;
                &buffer.slice[start..start + *len]
            }
        }
    }

    /// About how many bytes the row takes beside the handle, where its buffer is its own: two counts
    /// before it, and what the allocator adds to make multiples of 16 of it.
    pub(crate) fn heap_bytes(&self) -> usize {
        match &self.0 {
            Repr::Inline { .. } => 0,
            Repr::Shared { len, .. } => (*len + 16 + 8).next_multiple_of(16),
        }
    }

    /// Asks the processor for the bytes, as they will be read soon.
    #[inline]
    pub(crate) fn prefetch(&self) {
        if let Repr::Shared { start, len, buffer } = &self.0 {
            // Two counts stand before the bytes, and are read as well.
            let head = buffer.heap_ptr().cast::<u8>();
            prefetch_bytes(head, 16);
            prefetch_bytes(head.wrapping_add(16 + *start as usize), *len);
        }
    }

    /// The same row without a hold on a buffer that it shares with others.
    pub fn compact(&self) -> Row {
        match &self.0 {
            Repr::Shared { len, buffer, .. } if buffer.slice.len() != *len => {
                Row::from_bytes(self.bytes())
            }
            _ => self.clone(),
        }
    }
}

impl PartialEq for Row {
    #[inline]
    fn eq(&self, other: &Row) -> bool {
        same_bytes(self.bytes(), other.bytes())
    }
}

impl Eq for Row {}

/// True where both are the same, without a call where they are short: keys mostly are.
#[inline]
fn same_bytes(a: &[u8], b: &[u8]) -> bool {
    let word = |bytes: &[u8], at: usize| {
        let bytes = bytes[at..at + 8].try_into().expect("eight bytes");
        u64::from_le_bytes(bytes)
    };
    let len = a.len();
    if len == b.len() && (8..=16).contains(&len) {
        let end = len - 8;
        return (word(a, 0) ^ word(b, 0)) | (word(a, end) ^ word(b, end)) == 0;
    }
    a == b
}

impl Hash for Row {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(self.bytes());
    }
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Row(")?;
        for byte in self.bytes() {
            write!(f, "{byte:02x}")?;
        }
        write!(f, ")")
    }
}

/// The place of a finished row in a [`RowBuffer`].
///
/// It is one word, the length above the start, so that it is written and read as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowSpan(u64);

impl RowSpan {
    #[inline]
    fn new(start: u32, len: u32) -> Self {
        RowSpan(u64::from(len) << 32 | u64::from(start))
    }

    #[inline]
    fn start(self) -> u32 {
        self.0 as u32
    }

    #[inline]
    fn len(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// The length of the row in bytes.
    pub fn byte_len(self) -> usize {
        self.len() as usize
    }
}

/// A buffer that rows are written into, one after another, and that then becomes the shared
/// buffer of all of them.
///
/// Rows of several layouts may stand in one buffer.
///
/// ```
/// use ferrisstreams_topology::data::{DataType, Field, RowBuffer, RowLayout, Schema};
///
/// let schema = Schema::new(vec![
///     Field::new("user", DataType::TEXT),
///     Field::new("orders", DataType::BigInt),
/// ]);
/// let layout = RowLayout::new(&schema);
/// let mut buffer = RowBuffer::new();
/// let mut writer = buffer.begin(&layout);
/// writer.set_text(0, "alice");
/// writer.set_integer(1, 3);
/// let span = writer.finish();
/// let rows = buffer.freeze();
/// let row = rows.row(span);
/// assert_eq!(layout.slot(0).text(row.bytes()), Some("alice"));
/// assert_eq!(layout.slot(1).integer(row.bytes()), Some(3));
/// ```
#[derive(Debug, Default)]
pub struct RowBuffer {
    bytes: Vec<u8>,
}

impl RowBuffer {
    /// An empty buffer.
    pub fn new() -> Self {
        RowBuffer::default()
    }

    /// Begins a row with all columns NULL.
    #[inline]
    pub fn begin<'a>(&'a mut self, layout: &'a RowLayout) -> RowWriter<'a> {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&layout.nulls);
        RowWriter {
            bytes: &mut self.bytes,
            layout,
            start,
        }
    }

    /// Appends a copy of `row`.
    #[inline]
    pub fn push(&mut self, row: &[u8]) -> RowSpan {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(row);
        span(start, self.bytes.len())
    }

    /// The bytes of a row that was finished in this buffer.
    #[inline]
    pub fn get(&self, span: RowSpan) -> &[u8] {
        &self.bytes[span.start() as usize..(span.start() + span.len()) as usize]
    }

    /// The number of bytes written so far.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// True where nothing was written.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Takes back everything from `span` on.
    pub fn truncate(&mut self, span: RowSpan) {
        self.bytes.truncate(span.start() as usize);
    }

    /// Takes back everything, and keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
    }

    /// Makes what was written the shared buffer of its rows, and empties this one for reuse.
    pub fn freeze(&mut self) -> FrozenRows {
        let frozen = FrozenRows {
            buffer: ThinArc::from_header_and_slice((), &self.bytes),
        };
        self.bytes.clear();
        frozen
    }
}

#[inline]
fn span(start: usize, end: usize) -> RowSpan {
    assert!(
        end <= u32::MAX as usize,
        "a batch of rows has less than 4 GiB"
    );
    RowSpan::new(start as u32, (end - start) as u32)
}

/// The rows of a batch, in one shared buffer.
#[derive(Debug, Clone)]
pub struct FrozenRows {
    buffer: ThinArc<(), u8>,
}

impl FrozenRows {
    /// A handle to the row at `span`, which must come from the buffer that was frozen.
    #[inline]
    pub fn row(&self, span: RowSpan) -> Row {
        let (start, len) = (span.start(), span.len());
        let all = &self.buffer.slice;
        debug_assert!((start + len) as usize <= all.len());
        if len as usize <= INLINE {
            let (start, len) = (start as usize, len as usize);
            let bytes = Short::of(all, start).unwrap_or_else(|| {
                // Taken apart, so that what a call leaves in memory does not keep the others there.
                let Short { a, b, c, d } = Short::copy(all, start, len);
                Short { a, b, c, d }
            });
            return Row::inline(bytes, len);
        }
        Row(Repr::Shared {
            start,
            len: len as usize,
            buffer: self.buffer.clone(),
        })
    }
}

/// Writes the columns of one row.
///
/// Columns of variable width must be set in column order, so that equal rows are equal bytes; those
/// of fixed width in any. A column that is not set is NULL. A writer that is dropped without
/// [`finish`](RowWriter::finish) leaves its bytes behind, which no row refers to.
#[derive(Debug)]
pub struct RowWriter<'a> {
    bytes: &'a mut Vec<u8>,
    layout: &'a RowLayout,
    start: usize,
}

impl RowWriter<'_> {
    #[inline]
    fn set<const N: usize>(&mut self, slot: Slot, value: [u8; N]) {
        let at = self.start + slot.offset as usize;
        self.bytes[at..at + N].copy_from_slice(&value);
        self.bytes[self.start + slot.null_byte as usize] &= !slot.null_mask;
    }

    /// Sets a boolean column.
    #[inline]
    pub fn set_bool(&mut self, index: usize, value: bool) {
        let slot = self.layout.slots[index];
        debug_assert_eq!(slot.physical, Physical::Bool);
        self.set(slot, [u8::from(value)]);
    }

    /// Sets a column of type [`Physical::I64`].
    #[inline]
    pub fn set_i64(&mut self, index: usize, value: i64) {
        let slot = self.layout.slots[index];
        debug_assert_eq!(slot.physical, Physical::I64);
        self.set(slot, value.to_le_bytes());
    }

    /// Sets a column of any integer type of at most eight bytes.
    ///
    /// The value must fit the column's width: callers check ranges.
    #[inline]
    pub fn set_integer(&mut self, index: usize, value: i64) {
        let slot = self.layout.slots[index];
        match slot.physical {
            Physical::I64 => self.set(slot, value.to_le_bytes()),
            Physical::I32 => {
                debug_assert!(i32::try_from(value).is_ok());
                self.set(slot, (value as i32).to_le_bytes());
            }
            Physical::I16 => {
                debug_assert!(i16::try_from(value).is_ok());
                self.set(slot, (value as i16).to_le_bytes());
            }
            Physical::I8 => {
                debug_assert!(i8::try_from(value).is_ok());
                self.set(slot, (value as i8).to_le_bytes());
            }
            other => unreachable!("an integer was written to a slot of {other:?}"),
        }
    }

    /// Sets a column of any integer type; the value must fit the column's width.
    #[inline]
    pub fn set_wide(&mut self, index: usize, value: i128) {
        let slot = self.layout.slots[index];
        if slot.physical == Physical::I128 {
            self.set(slot, value.to_le_bytes());
        } else {
            debug_assert!(i64::try_from(value).is_ok());
            self.set_integer(index, value as i64);
        }
    }

    /// Sets a column of either floating-point type.
    #[inline]
    pub fn set_float(&mut self, index: usize, value: f64) {
        let slot = self.layout.slots[index];
        match slot.physical {
            Physical::F64 => self.set(slot, value.to_le_bytes()),
            Physical::F32 => self.set(slot, (value as f32).to_le_bytes()),
            other => unreachable!("a floating-point number was written to a slot of {other:?}"),
        }
    }

    /// Sets an INTERVAL column.
    #[inline]
    pub fn set_interval(&mut self, index: usize, value: Interval) {
        let slot = self.layout.slots[index];
        debug_assert_eq!(slot.physical, Physical::Interval);
        let mut bytes = [0; 16];
        bytes[..4].copy_from_slice(&value.months.to_le_bytes());
        bytes[4..8].copy_from_slice(&value.days.to_le_bytes());
        bytes[8..].copy_from_slice(&value.micros.to_le_bytes());
        self.set(slot, bytes);
    }

    /// Sets a BYTES column.
    #[inline]
    pub fn set_bytes(&mut self, index: usize, value: &[u8]) {
        let slot = self.layout.slots[index];
        debug_assert_eq!(slot.physical, Physical::Bytes);
        debug_assert!(
            self.layout.slots[index + 1..]
                .iter()
                .filter(|later| later.physical == Physical::Bytes)
                .all(|later| later.is_null(&self.bytes[self.start..])),
            "columns of variable width are set in column order"
        );
        let offset = (self.bytes.len() - self.start) as u32;
        let mut place = [0; 8];
        place[..4].copy_from_slice(&offset.to_le_bytes());
        place[4..].copy_from_slice(&(value.len() as u32).to_le_bytes());
        self.set(slot, place);
        self.bytes.extend_from_slice(value);
    }

    /// Sets a VARCHAR column.
    #[inline]
    pub fn set_text(&mut self, index: usize, value: &str) {
        self.set_bytes(index, value.as_bytes());
    }

    /// Copies a column, NULL or not, from a row where it stands at `slot`; both must have the same
    /// physical type.
    #[inline]
    pub fn copy(&mut self, index: usize, row: &[u8], slot: Slot) {
        if slot.is_null(row) {
            return;
        }
        match slot.physical {
            Physical::Bytes => {
                if let Some(bytes) = slot.bytes(row) {
                    self.set_bytes(index, bytes);
                }
            }
            physical => {
                debug_assert_eq!(self.layout.slots[index].physical, physical);
                // Copies of a width that is known are an instruction, others a call.
                match physical.width() {
                    1 => self.copy_fixed::<1>(index, row, slot),
                    2 => self.copy_fixed::<2>(index, row, slot),
                    4 => self.copy_fixed::<4>(index, row, slot),
                    8 => self.copy_fixed::<8>(index, row, slot),
                    _ => self.copy_fixed::<16>(index, row, slot),
                }
            }
        }
    }

    /// The same of a column of a key: of numbers that are equal it is always the same one.
    #[inline]
    pub fn copy_key(&mut self, index: usize, row: &[u8], slot: Slot) {
        match slot.physical {
            Physical::F32 | Physical::F64 => {
                if let Some(value) = slot.float(row) {
                    self.set_float(index, one_of_equals(value));
                }
            }
            _ => self.copy(index, row, slot),
        }
    }

    #[inline]
    fn copy_fixed<const N: usize>(&mut self, index: usize, row: &[u8], slot: Slot) {
        if let Some(bytes) = slot.field::<N>(row) {
            self.set(self.layout.slots[index], bytes);
        }
    }

    /// The bytes of the row so far.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    /// Ends the row and tells its place.
    #[inline]
    pub fn finish(self) -> RowSpan {
        span(self.start, self.bytes.len())
    }

    /// Takes the row back.
    pub fn cancel(self) {
        self.bytes.truncate(self.start);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_is_three_words() {
        assert_eq!(size_of::<Row>(), 24);
        assert_eq!(size_of::<Option<Row>>(), 24);
    }

    #[test]
    fn rows_of_every_length_are_what_was_written() {
        let all: Vec<u8> = (0..100).collect();
        let mut buffer = RowBuffer::new();
        let spans: Vec<RowSpan> = (0..60).map(|len| buffer.push(&all[..len])).collect();
        let rows = buffer.freeze();
        for (len, span) in spans.into_iter().enumerate() {
            let row = rows.row(span);
            assert_eq!(row.bytes(), &all[..len]);
            assert_eq!(row, Row::from_bytes(&all[..len]));
            assert_eq!(row, row.compact());
            assert_eq!(row.compact().heap_bytes() == 0, len <= INLINE);
            if len > 0 {
                let mut other = all[..len].to_vec();
                other[len / 2] ^= 1;
                assert_ne!(row, Row::from_bytes(&other));
                assert_ne!(row, Row::from_bytes(&all[..len - 1]));
            }
        }
    }
}
