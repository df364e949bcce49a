//! Payloads that may be null: deletions in a topic of a table, records without a key.

use std::sync::Arc;

use super::{Codec, SharedCodec, bad_record};
use crate::error::Result;
use crate::record::Data;

struct Nullable<T>(SharedCodec<T>);

/// The codec of `Option<T>` whose none is the absence of a payload, and whose some is `inner`'s form.
///
/// It has no form for none where a payload must be, inside a store for instance.
pub fn nullable<T: Data>(inner: SharedCodec<T>) -> SharedCodec<Option<T>> {
    Arc::new(Nullable(inner))
}

impl<T: Data> Codec<Option<T>> for Nullable<T> {
    fn encode(&self, value: &Option<T>, out: &mut Vec<u8>) -> Result<()> {
        match value {
            Some(value) => self.0.encode(value, out),
            None => Err(bad_record("a null where a value is needed")),
        }
    }

    fn decode(&self, bytes: &[u8]) -> Result<Option<T>> {
        self.0.decode(bytes).map(Some)
    }

    fn encode_payload(&self, value: &Option<T>, out: &mut Vec<u8>) -> Result<bool> {
        match value {
            Some(value) => self.0.encode_payload(value, out),
            None => Ok(false),
        }
    }

    fn decode_payload(&self, bytes: Option<&[u8]>) -> Result<Option<T>> {
        bytes.map(|bytes| self.0.decode(bytes)).transpose()
    }

    fn name(&self) -> String {
        format!("nullable {}", self.0.name())
    }
}
