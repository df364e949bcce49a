//! Rows, as SQL keeps them.

use std::sync::Arc;

use super::{Codec, Key, SharedCodec, bad_record};
use crate::data::{KeyEncoder, ROW_FORMAT, Row, RowBuffer, Schema};
use crate::error::Result;

/// The form of rows between processes: that of rows in stores.
const SENT_FORMAT: u8 = ROW_FORMAT;

struct RowBytes;

/// The codec that keeps a [`Row`] byte for byte.
///
/// It is canonical, so rows can be keys; the order of the bytes says nothing. For keys in the order
/// of their columns see [`row_key`].
pub fn row() -> SharedCodec<Row> {
    Arc::new(RowBytes)
}

impl Codec<Row> for RowBytes {
    fn encode(&self, value: &Row, out: &mut Vec<u8>) -> Result<()> {
        out.extend_from_slice(value.bytes());
        Ok(())
    }

    fn decode(&self, bytes: &[u8]) -> Result<Row> {
        Ok(Row::from_bytes(bytes))
    }

    fn keep(&self, value: Row) -> Row {
        value.compact()
    }

    fn heap_bytes(&self, value: &Row) -> usize {
        value.heap_bytes()
    }

    fn prefetch(&self, value: &Row) {
        value.prefetch();
    }

    fn name(&self) -> String {
        format!("row/{ROW_FORMAT}")
    }
}

impl Key for Row {
    fn codec() -> SharedCodec<Self> {
        row()
    }
}

struct SentRow;

/// The codec of rows that travel between processes: the version of their form in a byte, and the bytes of
/// [`row`]. Processes of versions with other forms refuse what they cannot read.
pub fn sent_row() -> SharedCodec<Row> {
    Arc::new(SentRow)
}

impl Codec<Row> for SentRow {
    fn encode(&self, value: &Row, out: &mut Vec<u8>) -> Result<()> {
        out.push(SENT_FORMAT);
        out.extend_from_slice(value.bytes());
        Ok(())
    }

    fn decode(&self, bytes: &[u8]) -> Result<Row> {
        match bytes.split_first() {
            Some((&SENT_FORMAT, row)) => Ok(Row::from_bytes(row)),
            Some((version, _)) => Err(bad_record(format!(
                "a row has the form {version}, and this program reads {SENT_FORMAT}: the other processes \
                 of the application are of another version"
            ))),
            None => Err(bad_record("a row without bytes")),
        }
    }

    fn keep(&self, value: Row) -> Row {
        value.compact()
    }

    fn heap_bytes(&self, value: &Row) -> usize {
        value.heap_bytes()
    }

    fn name(&self) -> String {
        format!("sent row/{SENT_FORMAT}")
    }
}

struct RowKey {
    encoder: KeyEncoder,
    schema: Schema,
}

/// The codec of rows as keys whose bytes keep the order of the columns, NULL last.
pub fn row_key(schema: &Schema) -> SharedCodec<Row> {
    Arc::new(RowKey {
        encoder: KeyEncoder::new(schema),
        schema: schema.clone(),
    })
}

impl Codec<Row> for RowKey {
    fn encode(&self, value: &Row, out: &mut Vec<u8>) -> Result<()> {
        self.encoder.encode(value.bytes(), out);
        Ok(())
    }

    fn decode(&self, bytes: &[u8]) -> Result<Row> {
        let mut buffer = RowBuffer::new();
        let span = self.encoder.decode(bytes, &mut buffer).map_err(|e| {
            bad_record(format!("cannot read a key of ({})", self.schema)).with_source(e)
        })?;
        Ok(Row::from_bytes(buffer.get(span)))
    }

    fn keep(&self, value: Row) -> Row {
        value.compact()
    }

    fn heap_bytes(&self, value: &Row) -> usize {
        value.heap_bytes()
    }

    fn prefetch(&self, value: &Row) {
        value.prefetch();
    }

    fn name(&self) -> String {
        let types: Vec<String> = self
            .schema
            .fields()
            .iter()
            .map(|field| field.data_type.to_string())
            .collect();
        format!("row key/1 ({})", types.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_between_processes_say_their_form() {
        let codec = sent_row();
        for bytes in [&b""[..], b"bytes of a row"] {
            let mut sent = Vec::new();
            codec.encode(&Row::from_bytes(bytes), &mut sent).unwrap();
            assert_eq!(sent[0], SENT_FORMAT);
            assert_eq!(codec.decode(&sent).unwrap().bytes(), bytes);
        }
        let told = |bytes: &[u8]| codec.decode(bytes).unwrap_err().to_string();
        assert!(told(b"").contains("a row without bytes"));
        let other = told(&[SENT_FORMAT + 1, 0]);
        assert!(other.contains("are of another version"), "{other}");
    }
}
