//! bincode: compact, fast, and tied to the shape of the Rust type. The form of state by default.

use std::marker::PhantomData;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Codec, SharedCodec, bad_record};
use crate::error::Result;
use crate::record::Data;

struct Bincode<T>(PhantomData<fn() -> T>);

/// The codec that writes `T` with bincode, integers in fixed width.
pub fn bincode<T: Data + Serialize + DeserializeOwned>() -> SharedCodec<T> {
    Arc::new(Bincode(PhantomData))
}

const CONFIG: ::bincode::config::Configuration<
    ::bincode::config::LittleEndian,
    ::bincode::config::Fixint,
> = ::bincode::config::standard().with_fixed_int_encoding();

impl<T: Data + Serialize + DeserializeOwned> Codec<T> for Bincode<T> {
    fn encode(&self, value: &T, out: &mut Vec<u8>) -> Result<()> {
        ::bincode::serde::encode_into_std_write(value, out, CONFIG)
            .map(|_| ())
            .map_err(|e| bad_record("cannot write a value with bincode").with_source(e))
    }

    fn decode(&self, bytes: &[u8]) -> Result<T> {
        let (value, used) = ::bincode::serde::decode_from_slice(bytes, CONFIG)
            .map_err(|e| bad_record("cannot read a value with bincode").with_source(e))?;
        if used != bytes.len() {
            return Err(bad_record(format!(
                "cannot read a value with bincode: {} of {} bytes are left over",
                bytes.len() - used,
                bytes.len()
            )));
        }
        Ok(value)
    }

    fn name(&self) -> String {
        "bincode/2-fixed".to_owned()
    }
}
