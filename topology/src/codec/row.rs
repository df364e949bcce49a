//! Rows, as SQL keeps them.

use std::sync::Arc;

use super::{Codec, Key, SharedCodec};
use crate::data::{ROW_FORMAT, Row};
use crate::error::Result;

struct RowBytes;

/// The codec that keeps a [`Row`] byte for byte.
///
/// It is canonical, so rows can be keys; the order of the bytes says nothing.
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

    fn memory(&self, value: &Row) -> usize {
        size_of::<Row>() + 24 + value.bytes().len()
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
