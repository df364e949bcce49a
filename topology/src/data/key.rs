//! Rows as keys whose bytes sort as their columns do.
//!
//! Every column begins with a byte that says whether it is NULL, which sorts last. Integers follow
//! big-endian with their sign bit turned, floating-point numbers by the order of their bits, text and
//! bytes with zeros escaped and an end mark, so that no column runs into the next. The scheme is that
//! of many ordered stores; FoundationDB's tuple layer and CockroachDB describe theirs.
//!
//! Two rows have one key where their bytes are the same. Floating-point numbers are equal with other
//! bytes too, as 0 and -0: where these are to be one key, rows hold [`one_of_equals`] of each.

use super::float::one_of_equals;
use super::{
    Interval, ParseError, Physical, RowBuffer, RowLayout, RowSpan, RowWriter, Schema, Slot,
};

const VALUE: u8 = 1;
const NULL: u8 = 2;

/// Turns rows of one layout into keys and back.
///
/// ```
/// use ferrisstreams_topology::data::{DataType, Field, KeyEncoder, RowBuffer, RowLayout, Schema};
///
/// let schema = Schema::new(vec![Field::new("n", DataType::BigInt)]);
/// let layout = RowLayout::new(&schema);
/// let encoder = KeyEncoder::new(&schema);
/// let mut rows = RowBuffer::new();
/// let mut key = |n: Option<i64>| {
///     let mut row = rows.begin(&layout);
///     if let Some(n) = n {
///         row.set_integer(0, n);
///     }
///     let span = row.finish();
///     let mut key = Vec::new();
///     encoder.encode(rows.get(span), &mut key);
///     key
/// };
/// assert!(key(Some(-2)) < key(Some(-1)));
/// assert!(key(Some(-1)) < key(Some(300)));
/// assert!(key(Some(300)) < key(None));
/// ```
#[derive(Debug, Clone)]
pub struct KeyEncoder {
    layout: RowLayout,
}

impl KeyEncoder {
    /// The encoder of rows of `schema`.
    pub fn new(schema: &Schema) -> Self {
        KeyEncoder {
            layout: RowLayout::new(schema),
        }
    }

    /// Appends the key of `row`.
    #[inline]
    pub fn encode(&self, row: &[u8], out: &mut Vec<u8>) {
        for slot in self.layout.slots() {
            encode_column(row, *slot, out);
        }
    }

    /// Appends the row that `key` was made of to a buffer.
    ///
    /// # Errors
    ///
    /// Where the bytes are not the key of a row of this schema.
    pub fn decode(&self, key: &[u8], buffer: &mut RowBuffer) -> Result<RowSpan, ParseError> {
        let mut writer = buffer.begin(&self.layout);
        let mut input = Input { rest: key };
        for (column, slot) in self.layout.slots().iter().enumerate() {
            if let Err(e) = decode_column(&mut input, slot.physical(), column, &mut writer) {
                writer.cancel();
                return Err(e);
            }
        }
        if !input.rest.is_empty() {
            writer.cancel();
            return Err(ParseError::Malformed);
        }
        Ok(writer.finish())
    }
}

/// Appends one column of a row, so that the bytes sort as its values do.
#[inline]
pub fn encode_column(row: &[u8], slot: Slot, out: &mut Vec<u8>) {
    encode_with(row, slot, out, |value| value);
}

/// The same with equal bytes where the values are equal: there is one zero, and one NaN above all numbers.
#[inline]
pub fn encode_rank(row: &[u8], slot: Slot, out: &mut Vec<u8>) {
    encode_with(row, slot, out, one_of_equals);
}

#[inline]
fn encode_with(row: &[u8], slot: Slot, out: &mut Vec<u8>, float: impl Fn(f64) -> f64) {
    if slot.is_null(row) {
        out.push(NULL);
        return;
    }
    out.push(VALUE);
    match slot.physical() {
        Physical::Bool => out.push(u8::from(slot.bool(row).unwrap_or_default())),
        Physical::I8 => out.push((slot.integer(row).unwrap_or_default() as u8) ^ 0x80),
        Physical::I16 => {
            let value = slot.integer(row).unwrap_or_default() as u16;
            out.extend_from_slice(&(value ^ (1 << 15)).to_be_bytes());
        }
        Physical::I32 => {
            let value = slot.i32(row).unwrap_or_default() as u32;
            out.extend_from_slice(&(value ^ (1 << 31)).to_be_bytes());
        }
        Physical::I64 => {
            let value = slot.i64(row).unwrap_or_default() as u64;
            out.extend_from_slice(&(value ^ (1 << 63)).to_be_bytes());
        }
        Physical::I128 => put_i128(out, slot.wide(row).unwrap_or_default()),
        Physical::F32 => {
            let bits = (float(slot.float(row).unwrap_or_default()) as f32).to_bits();
            let ordered = if bits >> 31 == 1 {
                !bits
            } else {
                bits | 1 << 31
            };
            out.extend_from_slice(&ordered.to_be_bytes());
        }
        Physical::F64 => {
            let bits = float(slot.float(row).unwrap_or_default()).to_bits();
            let ordered = if bits >> 63 == 1 {
                !bits
            } else {
                bits | 1 << 63
            };
            out.extend_from_slice(&ordered.to_be_bytes());
        }
        Physical::Bytes => put_bytes(out, slot.bytes(row).unwrap_or_default()),
        Physical::Interval => {
            // Intervals of one length in other units are other values of the same rank.
            let interval = slot.interval(row).unwrap_or_default();
            put_i128(out, interval.approximate_micros());
            out.extend_from_slice(&((interval.months as u32) ^ (1 << 31)).to_be_bytes());
            out.extend_from_slice(&((interval.days as u32) ^ (1 << 31)).to_be_bytes());
        }
    }
}

fn put_i128(out: &mut Vec<u8>, value: i128) {
    out.extend_from_slice(&((value as u128) ^ (1 << 127)).to_be_bytes());
}

fn put_bytes(out: &mut Vec<u8>, value: &[u8]) {
    for piece in value.split_inclusive(|byte| *byte == 0) {
        out.extend_from_slice(piece);
        if piece.last() == Some(&0) {
            out.push(0xff);
        }
    }
    out.extend_from_slice(&[0, 0]);
}

struct Input<'a> {
    rest: &'a [u8],
}

impl<'a> Input<'a> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], ParseError> {
        let (taken, rest) = self
            .rest
            .split_first_chunk::<N>()
            .ok_or(ParseError::Malformed)?;
        self.rest = rest;
        Ok(*taken)
    }

    fn bytes(&mut self) -> Result<Vec<u8>, ParseError> {
        let mut out = Vec::new();
        loop {
            let zero = self.rest.iter().position(|byte| *byte == 0);
            let zero = zero.ok_or(ParseError::Malformed)?;
            out.extend_from_slice(&self.rest[..zero]);
            self.rest = &self.rest[zero + 1..];
            match self.take::<1>()? {
                [0] => return Ok(out),
                [0xff] => out.push(0),
                _ => return Err(ParseError::Malformed),
            }
        }
    }
}

fn decode_column(
    input: &mut Input<'_>,
    physical: Physical,
    column: usize,
    writer: &mut RowWriter<'_>,
) -> Result<(), ParseError> {
    match input.take::<1>()? {
        [NULL] => return Ok(()),
        [VALUE] => {}
        _ => return Err(ParseError::Malformed),
    }
    match physical {
        Physical::Bool => {
            let [byte] = input.take()?;
            writer.set_bool(column, byte != 0);
        }
        Physical::I8 => {
            let [byte] = input.take()?;
            writer.set_integer(column, i64::from((byte ^ 0x80) as i8));
        }
        Physical::I16 => {
            let value = u16::from_be_bytes(input.take()?) ^ (1 << 15);
            writer.set_integer(column, i64::from(value as i16));
        }
        Physical::I32 => {
            writer.set_integer(column, i64::from(take_i32(input)?));
        }
        Physical::I64 => {
            let value = u64::from_be_bytes(input.take()?) ^ (1 << 63);
            writer.set_integer(column, value as i64);
        }
        Physical::I128 => {
            let value = u128::from_be_bytes(input.take()?) ^ (1 << 127);
            writer.set_wide(column, value as i128);
        }
        Physical::F32 => {
            let ordered = u32::from_be_bytes(input.take()?);
            let bits = if ordered >> 31 == 1 {
                ordered & !(1 << 31)
            } else {
                !ordered
            };
            writer.set_float(column, f64::from(f32::from_bits(bits)));
        }
        Physical::F64 => {
            let ordered = u64::from_be_bytes(input.take()?);
            let bits = if ordered >> 63 == 1 {
                ordered & !(1 << 63)
            } else {
                !ordered
            };
            writer.set_float(column, f64::from_bits(bits));
        }
        Physical::Bytes => {
            let bytes = input.bytes()?;
            writer.set_bytes(column, &bytes);
        }
        Physical::Interval => {
            let length = (u128::from_be_bytes(input.take()?) ^ (1 << 127)) as i128;
            let (months, days) = (take_i32(input)?, take_i32(input)?);
            let whole = Interval {
                months,
                days,
                micros: 0,
            };
            let micros = i64::try_from(length - whole.approximate_micros());
            let micros = micros.map_err(|_| ParseError::Malformed)?;
            writer.set_interval(
                column,
                Interval {
                    months,
                    days,
                    micros,
                },
            );
        }
    }
    Ok(())
}

fn take_i32(input: &mut Input<'_>) -> Result<i32, ParseError> {
    Ok((u32::from_be_bytes(input.take()?) ^ (1 << 31)) as i32)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::data::{DataType, Field, Value};

    fn schema() -> Schema {
        Schema::new(vec![
            Field::new("text", DataType::TEXT),
            Field::new(
                "long",
                DataType::Decimal {
                    precision: 38,
                    scale: 0,
                },
            ),
            Field::new("double", DataType::Double),
            Field::new("small", DataType::SmallInt),
            Field::new("span", DataType::Interval),
            Field::new("real", DataType::Real),
        ])
    }

    fn values() -> impl Strategy<Value = Vec<Value>> {
        let null = |some: BoxedStrategy<Value>| prop_oneof![1 => Just(Value::Null), 4 => some];
        let text = "[\\x00ab]{0,3}".prop_map(Value::Text).boxed();
        let long = any::<i64>()
            .prop_map(|n| Value::Decimal {
                unscaled: i128::from(n) << 30,
                scale: 0,
            })
            .boxed();
        let double = any::<f64>().prop_filter("a number", |f| !f.is_nan());
        let double = double.prop_map(Value::Double).boxed();
        let small = any::<i16>()
            .prop_map(|n| Value::Integer(i64::from(n)))
            .boxed();
        let span = (-9..9i32, -99..99i32, any::<i32>())
            .prop_map(|(months, days, micros)| {
                Value::Interval(Interval {
                    months,
                    days,
                    micros: i64::from(micros),
                })
            })
            .boxed();
        let real = (-1000..1000i32)
            .prop_map(|n| Value::Real(n as f32 / 8.0))
            .boxed();
        (
            null(text),
            null(long),
            null(double),
            null(small),
            null(span),
            null(real),
        )
            .prop_map(|(a, b, c, d, e, f)| vec![a, b, c, d, e, f])
    }

    fn key(values: &[Value]) -> (Vec<u8>, Vec<u8>) {
        let (schema, mut buffer) = (schema(), RowBuffer::new());
        let layout = RowLayout::new(&schema);
        let mut writer = buffer.begin(&layout);
        for (column, value) in values.iter().enumerate() {
            value.write(&mut writer, column);
        }
        let span = writer.finish();
        let mut out = Vec::new();
        KeyEncoder::new(&schema).encode(buffer.get(span), &mut out);
        (buffer.get(span).to_vec(), out)
    }

    fn rank(value: &Value) -> (u8, i128, String, f64) {
        match value {
            Value::Null => (1, 0, String::new(), 0.0),
            Value::Text(text) => (0, 0, text.clone(), 0.0),
            Value::Decimal { unscaled, .. } => (0, *unscaled, String::new(), 0.0),
            Value::Integer(n) => (0, i128::from(*n), String::new(), 0.0),
            Value::Interval(span) => (0, span.approximate_micros(), String::new(), 0.0),
            Value::Double(f) => (0, 0, String::new(), *f),
            Value::Real(f) => (0, 0, String::new(), f64::from(*f)),
            other => unreachable!("{other:?}"),
        }
    }

    #[test]
    fn numbers_that_are_equal_have_one_rank() {
        let rank = |value: Value, data_type: DataType| {
            let schema = Schema::new(vec![Field::new("n", data_type)]);
            let (layout, mut buffer) = (RowLayout::new(&schema), RowBuffer::new());
            let mut writer = buffer.begin(&layout);
            value.write(&mut writer, 0);
            let span = writer.finish();
            let mut out = Vec::new();
            encode_rank(buffer.get(span), layout.slot(0), &mut out);
            out
        };
        let double = |value: f64| rank(Value::Double(value), DataType::Double);
        let real = |value: f32| rank(Value::Real(value), DataType::Real);
        let other_nan = |bits: u64| f64::from_bits(f64::NAN.to_bits() | bits);
        assert_eq!(double(0.0), double(-0.0));
        assert_eq!(real(0.0), real(-0.0));
        assert_eq!(double(f64::NAN), double(other_nan(1 << 63)));
        assert_eq!(double(f64::NAN), double(other_nan(7)));
        assert_eq!(real(f32::NAN), real(-f32::NAN));
        assert!(double(f64::INFINITY) < double(other_nan(1 << 63)));
        assert!(real(f32::INFINITY) < real(-f32::NAN));
        assert!(double(-f64::MIN_POSITIVE) < double(-0.0));
    }

    proptest! {
        #[test]
        fn keys_read_back(values in values()) {
            let (row, key) = key(&values);
            let mut buffer = RowBuffer::new();
            let span = KeyEncoder::new(&schema()).decode(&key, &mut buffer).expect("a key");
            prop_assert_eq!(buffer.get(span), &row[..]);
            prop_assert!(KeyEncoder::new(&schema()).decode(&key[..key.len() - 1], &mut buffer).is_err());
        }

        #[test]
        fn keys_sort_as_their_columns(a in values(), b in values()) {
            let first_difference = a.iter().zip(&b).find(|(a, b)| rank(a) != rank(b));
            if let Some((x, y)) = first_difference {
                // Values of one rank that differ (0.0 and -0.0, a month and 30 days) decide earlier.
                let same = a.iter().zip(&b).take_while(|(a, b)| rank(a) == rank(b)).all(|(a, b)| {
                    format!("{a:?}") == format!("{b:?}")
                });
                if same {
                    let wanted = rank(x).partial_cmp(&rank(y));
                    prop_assert_eq!(Some(key(&a).1.cmp(&key(&b).1)), wanted);
                }
            }
        }
    }
}
