//! bincode: compact, fast, and tied to the shape of the Rust type. The form of state by default.

use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::text_for_any::TextForAny;
use super::{Codec, SharedCodec, bad_record};
use crate::error::Result;
use crate::record::Data;

struct Bincode<T> {
    /// True once a value was read back as it was written.
    proven: AtomicBool,
    types: PhantomData<fn() -> T>,
}

/// The codec that writes `T` with bincode, integers in fixed width.
///
/// bincode keeps no names and no types. What needs them to be read, such as an untagged enum or a
/// field that is left out when it is empty, has no such form: writing the first value says so, and
/// [`json`](super::json()) is the form to take.
pub fn bincode<T: Data + Serialize + DeserializeOwned>() -> SharedCodec<T> {
    Arc::new(Bincode {
        proven: AtomicBool::new(false),
        types: PhantomData,
    })
}

fn write<T: Serialize>(value: &T, out: &mut Vec<u8>) -> Result<()> {
    ::bincode::serde::encode_into_std_write(value, out, CONFIG)
        .map(|_| ())
        .map_err(|e| bad_record("cannot write a value with bincode").with_source(e))
}

impl<T: Data + Serialize + DeserializeOwned> Bincode<T> {
    /// What cannot be read back must not be found out when it is needed.
    #[cold]
    fn prove(&self, bytes: &[u8]) -> Result<()> {
        let mut again = Vec::with_capacity(bytes.len());
        let read = self
            .decode(bytes)
            .and_then(|value| write(&value, &mut again));
        match read {
            // A hash map may come out in another order.
            Ok(()) if again.len() == bytes.len() => {
                self.proven.store(true, Ordering::Relaxed);
                return Ok(());
            }
            _ => {}
        }
        let name = std::any::type_name::<T>();
        let said = format!("a value of type {name} cannot be read back from bincode; take json()");
        Err(match read {
            Ok(()) => bad_record(said),
            Err(e) => bad_record(said).with_source(e),
        })
    }
}

const CONFIG: ::bincode::config::Configuration<
    ::bincode::config::LittleEndian,
    ::bincode::config::Fixint,
> = ::bincode::config::standard().with_fixed_int_encoding();

impl<T: Data + Serialize + DeserializeOwned> Codec<T> for Bincode<T> {
    fn encode(&self, value: &T, out: &mut Vec<u8>) -> Result<()> {
        let start = out.len();
        write(value, out)?;
        if !self.proven.load(Ordering::Relaxed) {
            self.prove(&out[start..])?;
        }
        Ok(())
    }

    fn decode(&self, bytes: &[u8]) -> Result<T> {
        let (value, used) =
            ::bincode::serde::seed_decode_from_slice(TextForAny::new(), bytes, CONFIG)
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

#[cfg(test)]
mod tests {
    use rust_decimal::Decimal;
    use serde::Deserialize;

    use super::*;

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    enum Money {
        Nothing,
        Some(Decimal),
        Many(Vec<(String, Option<Decimal>)>, i128),
        Named { amount: Decimal, rate: f32 },
    }

    #[test]
    fn decimals_are_read_wherever_they_stand() {
        let one = Decimal::new(-1_250, 2);
        let values = [
            Money::Nothing,
            Money::Some(one),
            Money::Many(vec![("a".to_owned(), Some(one)), (String::new(), None)], -7),
            Money::Named {
                amount: one,
                rate: 0.5,
            },
        ];
        for value in values {
            let mut bytes = Vec::new();
            bincode().encode(&value, &mut bytes).unwrap();
            assert_eq!(bincode::<Money>().decode(&bytes).unwrap(), value);
        }
        let mut bytes = Vec::new();
        bincode().encode(&one, &mut bytes).unwrap();
        assert_eq!(bincode::<Decimal>().decode(&bytes).unwrap(), one);
    }

    #[derive(Clone, Serialize, Deserialize)]
    #[serde(untagged)]
    enum Untagged {
        Number(i64),
        Text(String),
    }

    #[test]
    fn what_cannot_be_read_back_is_refused_when_it_is_written() {
        let e = bincode().encode(&Untagged::Number(3), &mut Vec::new());
        let e = e.unwrap_err().to_string();
        assert!(
            e.contains("Untagged cannot be read back from bincode; take json()"),
            "{e}"
        );
        let text = Untagged::Text("three".to_owned());
        bincode().encode(&text, &mut Vec::new()).unwrap();
    }
}
