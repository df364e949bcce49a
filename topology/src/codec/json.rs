//! JSON through serde.

use std::marker::PhantomData;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Codec, SharedCodec, bad_record};
use crate::error::Result;
use crate::record::Data;

struct Json<T>(PhantomData<fn() -> T>);

/// The codec that writes `T` as JSON.
///
/// A JSON `null` is a value like any other; a payload that is absent is one only for
/// [`nullable`](super::nullable) types.
pub fn json<T: Data + Serialize + DeserializeOwned>() -> SharedCodec<T> {
    Arc::new(Json(PhantomData))
}

impl<T: Data + Serialize + DeserializeOwned> Codec<T> for Json<T> {
    fn encode(&self, value: &T, out: &mut Vec<u8>) -> Result<()> {
        serde_json::to_writer(out, value)
            .map_err(|e| bad_record("cannot write a value as JSON").with_source(e))
    }

    fn decode(&self, bytes: &[u8]) -> Result<T> {
        serde_json::from_slice(bytes)
            .map_err(|e| bad_record("cannot read a value as JSON").with_source(e))
    }

    fn name(&self) -> String {
        "json".to_owned()
    }
}

/// JSON in which what would be `null` is the absence of a payload.
pub(crate) struct JsonOrNull<T>(Json<T>);

impl<T> JsonOrNull<T> {
    pub(crate) fn new() -> Self {
        JsonOrNull(Json(PhantomData))
    }
}

impl<T: Data + Serialize + DeserializeOwned> Codec<T> for JsonOrNull<T> {
    fn encode(&self, value: &T, out: &mut Vec<u8>) -> Result<()> {
        self.0.encode(value, out)
    }

    fn decode(&self, bytes: &[u8]) -> Result<T> {
        self.0.decode(bytes)
    }

    fn encode_payload(&self, value: &T, out: &mut Vec<u8>) -> Result<bool> {
        let start = out.len();
        self.0.encode(value, out)?;
        if &out[start..] == b"null" {
            out.truncate(start);
            return Ok(false);
        }
        Ok(true)
    }

    fn decode_payload(&self, bytes: Option<&[u8]>) -> Result<T> {
        self.0.decode(bytes.unwrap_or(b"null"))
    }

    fn name(&self) -> String {
        self.0.name()
    }
}
