//! How keys and values become bytes and back.
//!
//! A [`Codec`] is used at the edges alone: where a record is read or written, and where a store
//! keeps a row on disk. What has one obvious form (strings, integers, bytes) has it by type, through
//! [`Key`] and [`Plain`]; everything else says [`json()`] or [`bincode()`].

mod text_for_any;
mod bincode;
mod json;
mod option;
mod plain;
mod row;

use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::record::Data;

pub use self::bincode::bincode;
pub(crate) use self::json::JsonOrNull;
pub use self::json::json;
pub use self::option::nullable;
pub use self::plain::{Plain, nullable_key, plain};
pub(crate) use self::plain::{joined, put_escaped};
pub use self::row::{row, row_key, sent_row};

/// Turns values of `T` into bytes and back.
///
/// A codec of keys that a store keeps must be canonical: equal keys give equal bytes, and different
/// ones different bytes. Ranges of a store follow the order of these bytes.
pub trait Codec<T: Data>: Send + Sync {
    /// Appends the bytes of `value`.
    ///
    /// # Errors
    ///
    /// Of kind [`ErrorKind::BadRecord`] where the value has no form in this codec.
    fn encode(&self, value: &T, out: &mut Vec<u8>) -> Result<()>;

    /// The value that `bytes` stand for.
    ///
    /// # Errors
    ///
    /// Of kind [`ErrorKind::BadRecord`] where they stand for none.
    fn decode(&self, bytes: &[u8]) -> Result<T>;

    /// Writes a payload that may be null; the answer is false for null, and nothing is written.
    ///
    /// # Errors
    ///
    /// As [`encode`](Codec::encode).
    fn encode_payload(&self, value: &T, out: &mut Vec<u8>) -> Result<bool> {
        self.encode(value, out).map(|()| true)
    }

    /// Reads a payload that may be null.
    ///
    /// # Errors
    ///
    /// As [`decode`](Codec::decode); also where there is no payload and the type has no null.
    fn decode_payload(&self, bytes: Option<&[u8]>) -> Result<T> {
        match bytes {
            Some(bytes) => self.decode(bytes),
            None => Err(bad_record("a null where a value is needed")),
        }
    }

    /// The value as a store keeps it: without hold on memory that it shares with others.
    fn keep(&self, value: T) -> T {
        value
    }

    /// About how many bytes a value takes on the heap, beside those of its own, for the store's
    /// accounts.
    fn heap_bytes(&self, _value: &T) -> usize {
        if std::mem::needs_drop::<T>() { 32 } else { 0 }
    }

    /// Asks the processor for the memory that `value` refers to, as it will be read soon.
    fn prefetch(&self, _value: &T) {}

    /// The name of the form, which says whether bytes written earlier can still be read.
    fn name(&self) -> String;
}

/// A codec that is shared.
pub type SharedCodec<T> = Arc<dyn Codec<T>>;

/// The form in topics that an application makes of keys that its stores keep by `codec`: what other clients
/// give such keys, unless a codec of its own was chosen for them.
pub(crate) fn travelling<K: Key>(codec: &SharedCodec<K>) -> SharedCodec<K> {
    if codec.name() == K::codec().name() {
        K::topic_codec()
    } else {
        codec.clone()
    }
}

pub(crate) fn bad_record(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::BadRecord, message)
}

/// A type that can be the key of a table.
///
/// It is implemented for integers, booleans, strings, bytes, options and tuples of these, whose
/// bytes in a store keep their order. For a type of one's own:
///
/// ```
/// use ferrisstreams_topology::codec::{self, Key, SharedCodec};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
/// struct OrderId { shop: u32, number: u64 }
///
/// impl Key for OrderId {
///     fn codec() -> SharedCodec<Self> {
///         codec::bincode()
///     }
/// }
/// ```
pub trait Key: Data + Eq + std::hash::Hash {
    /// The form of such keys in topics that are made for them: what other clients give them, where there
    /// is such a form.
    fn topic_codec() -> SharedCodec<Self> {
        Self::codec()
    }

    /// The form in which stores keep such keys.
    fn codec() -> SharedCodec<Self>;

    /// True for a key that stands for no key: grouping drops such records, inner joins skip them.
    fn is_null(&self) -> bool {
        false
    }
}
