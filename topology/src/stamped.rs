//! Rows of a table with the time of their last change.

use std::sync::Arc;

use crate::codec::{Codec, SharedCodec, bad_record};
use crate::error::Result;
use crate::record::Data;
use crate::time::Timestamp;

/// A value, and when it became what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamped<V> {
    /// The value.
    pub value: V,
    /// The timestamp of the change that made it so.
    pub timestamp: Timestamp,
}

struct StampedCodec<V>(SharedCodec<V>);

/// The codec that writes the timestamp in eight bytes, little-endian, and then the value.
pub(crate) fn stamped<V: Data>(value: SharedCodec<V>) -> SharedCodec<Stamped<V>> {
    Arc::new(StampedCodec(value))
}

impl<V: Data> Codec<Stamped<V>> for StampedCodec<V> {
    fn encode(&self, row: &Stamped<V>, out: &mut Vec<u8>) -> Result<()> {
        out.extend_from_slice(&row.timestamp.to_le_bytes());
        self.0.encode(&row.value, out)
    }

    fn decode(&self, bytes: &[u8]) -> Result<Stamped<V>> {
        let (timestamp, value) = bytes
            .split_first_chunk()
            .ok_or_else(|| bad_record("a row is shorter than its timestamp"))?;
        Ok(Stamped {
            timestamp: Timestamp::from_le_bytes(*timestamp),
            value: self.0.decode(value)?,
        })
    }

    fn keep(&self, row: Stamped<V>) -> Stamped<V> {
        Stamped {
            value: self.0.keep(row.value),
            timestamp: row.timestamp,
        }
    }

    fn heap_bytes(&self, row: &Stamped<V>) -> usize {
        self.0.heap_bytes(&row.value)
    }

    fn prefetch(&self, row: &Stamped<V>) {
        self.0.prefetch(&row.value);
    }

    fn name(&self) -> String {
        format!("stamped/1 {}", self.0.name())
    }
}
