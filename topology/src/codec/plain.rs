//! Types that have one obvious form: strings, bytes, integers, and tuples of them.
//!
//! Two forms stand side by side. The form on a topic is Kafka's own: a string is its UTF-8 bytes,
//! an integer is big-endian. The form as a key in a store keeps the order of the values, so that a
//! range of keys is a range of bytes: integers are big-endian with the sign flipped, strings and
//! bytes are escaped and terminated.

use std::marker::PhantomData;
use std::sync::Arc;

use super::{Codec, Key, SharedCodec, bad_record};
use crate::error::Result;
use crate::record::Data;

/// A type that has one obvious form on a topic.
pub trait Plain: Data {
    /// Appends the form.
    fn write(&self, out: &mut Vec<u8>);

    /// Reads the form.
    ///
    /// # Errors
    ///
    /// Where `bytes` do not have it.
    fn read(bytes: &[u8]) -> Result<Self>;

    /// Writes a payload that may be null; false for null.
    fn write_payload(&self, out: &mut Vec<u8>) -> bool {
        self.write(out);
        true
    }

    /// Reads a payload that may be null.
    ///
    /// # Errors
    ///
    /// Where the type has no null, or `bytes` do not have its form.
    fn read_payload(bytes: Option<&[u8]>) -> Result<Self> {
        match bytes {
            Some(bytes) => Self::read(bytes),
            None => Err(bad_record("a null where a value is needed")),
        }
    }

    /// The name of the form. State that was written in a form of another name is not read.
    fn form() -> String {
        std::any::type_name::<Self>().to_owned()
    }
}

struct PlainCodec<T>(PhantomData<fn() -> T>);

/// The codec of a [`Plain`] type, in its form on a topic.
pub fn plain<T: Plain>() -> SharedCodec<T> {
    Arc::new(PlainCodec(PhantomData))
}

impl<T: Plain> Codec<T> for PlainCodec<T> {
    fn encode(&self, value: &T, out: &mut Vec<u8>) -> Result<()> {
        value.write(out);
        Ok(())
    }

    fn decode(&self, bytes: &[u8]) -> Result<T> {
        T::read(bytes)
    }

    fn encode_payload(&self, value: &T, out: &mut Vec<u8>) -> Result<bool> {
        Ok(value.write_payload(out))
    }

    fn decode_payload(&self, bytes: Option<&[u8]>) -> Result<T> {
        T::read_payload(bytes)
    }

    fn name(&self) -> String {
        format!("plain {}", T::form())
    }
}

impl Plain for String {
    fn form() -> String {
        "string".to_owned()
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.as_bytes());
    }

    fn read(bytes: &[u8]) -> Result<Self> {
        std::str::from_utf8(bytes)
            .map(str::to_owned)
            .map_err(|e| bad_record("cannot read a string").with_source(e))
    }
}

impl Plain for Vec<u8> {
    fn form() -> String {
        "bytes".to_owned()
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }

    fn read(bytes: &[u8]) -> Result<Self> {
        Ok(bytes.to_vec())
    }
}

impl Plain for () {
    fn write(&self, _out: &mut Vec<u8>) {}

    fn read(_bytes: &[u8]) -> Result<Self> {
        Ok(())
    }

    fn write_payload(&self, _out: &mut Vec<u8>) -> bool {
        false
    }

    fn read_payload(_bytes: Option<&[u8]>) -> Result<Self> {
        Ok(())
    }
}

impl Plain for bool {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }

    fn read(bytes: &[u8]) -> Result<Self> {
        match bytes {
            [0] => Ok(false),
            [1] => Ok(true),
            _ => Err(bad_record(format!(
                "cannot read a boolean from {} bytes",
                bytes.len()
            ))),
        }
    }
}

impl<T: Plain> Plain for Option<T> {
    fn form() -> String {
        format!("optional {}", T::form())
    }

    fn write(&self, out: &mut Vec<u8>) {
        if let Some(value) = self {
            value.write(out);
        }
    }

    fn read(bytes: &[u8]) -> Result<Self> {
        T::read(bytes).map(Some)
    }

    fn write_payload(&self, out: &mut Vec<u8>) -> bool {
        self.as_ref().is_some_and(|value| value.write_payload(out))
    }

    fn read_payload(bytes: Option<&[u8]>) -> Result<Self> {
        bytes.map(T::read).transpose()
    }
}

macro_rules! plain_numbers {
    ($($t:ty),*) => {$(
        impl Plain for $t {
            fn write(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_be_bytes());
            }

            fn read(bytes: &[u8]) -> Result<Self> {
                bytes.try_into().map(<$t>::from_be_bytes).map_err(|_| {
                    bad_record(format!(
                        "cannot read a number of {} bytes from {} bytes",
                        size_of::<$t>(),
                        bytes.len()
                    ))
                })
            }
        }
    )*};
}

plain_numbers!(i8, i16, i32, i64, i128, u8, u16, u32, u64, u128, f32, f64);

/// A type whose form keeps its order and says where it ends, so that forms can follow one another.
trait Ordered: Data {
    /// The name of the form.
    const FORM: &'static str;

    fn put(&self, out: &mut Vec<u8>);
    fn take(bytes: &mut &[u8]) -> Result<Self>;
}

struct OrderedCodec<T>(PhantomData<fn() -> T>);

impl<T: Ordered> Codec<T> for OrderedCodec<T> {
    fn encode(&self, value: &T, out: &mut Vec<u8>) -> Result<()> {
        value.put(out);
        Ok(())
    }

    fn decode(&self, mut bytes: &[u8]) -> Result<T> {
        let value = T::take(&mut bytes)?;
        if bytes.is_empty() {
            Ok(value)
        } else {
            Err(bad_record("a key is longer than its type"))
        }
    }

    fn name(&self) -> String {
        format!("ordered {}", T::FORM)
    }
}

fn ordered<T: Ordered>() -> SharedCodec<T> {
    Arc::new(OrderedCodec(PhantomData))
}

fn split<'a>(bytes: &mut &'a [u8], n: usize) -> Result<&'a [u8]> {
    let (head, tail) = bytes
        .split_at_checked(n)
        .ok_or_else(|| bad_record("a key is shorter than its type"))?;
    *bytes = tail;
    Ok(head)
}

/// Bytes, a zero as `00 ff`, and `00 00` at the end.
pub(crate) fn put_escaped(value: &[u8], out: &mut Vec<u8>) {
    for &byte in value {
        out.push(byte);
        if byte == 0 {
            out.push(0xff);
        }
    }
    out.extend_from_slice(&[0, 0]);
}

fn take_escaped(bytes: &mut &[u8]) -> Result<Vec<u8>> {
    let mut value = Vec::new();
    loop {
        match split(bytes, 1)?[0] {
            0 => match split(bytes, 1)?[0] {
                0 => return Ok(value),
                0xff => value.push(0),
                _ => return Err(bad_record("a key has a broken escape")),
            },
            byte => value.push(byte),
        }
    }
}

impl Ordered for Vec<u8> {
    const FORM: &'static str = "bytes";

    fn put(&self, out: &mut Vec<u8>) {
        put_escaped(self, out);
    }

    fn take(bytes: &mut &[u8]) -> Result<Self> {
        take_escaped(bytes)
    }
}

impl Ordered for String {
    const FORM: &'static str = "string";

    fn put(&self, out: &mut Vec<u8>) {
        put_escaped(self.as_bytes(), out);
    }

    fn take(bytes: &mut &[u8]) -> Result<Self> {
        String::from_utf8(take_escaped(bytes)?)
            .map_err(|e| bad_record("cannot read a string key").with_source(e))
    }
}

impl Ordered for bool {
    const FORM: &'static str = "bool";

    fn put(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }

    fn take(bytes: &mut &[u8]) -> Result<Self> {
        Ok(split(bytes, 1)?[0] != 0)
    }
}

macro_rules! ordered_numbers {
    ($($t:ty, $flip:expr);*) => {$(
        impl Ordered for $t {
            const FORM: &'static str = stringify!($t);

            fn put(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&(*self ^ $flip).to_be_bytes());
            }

            fn take(bytes: &mut &[u8]) -> Result<Self> {
                let head = split(bytes, size_of::<$t>())?;
                let value = <$t>::from_be_bytes(head.try_into().expect("split gives that length"));
                Ok(value ^ $flip)
            }
        }
    )*};
}

ordered_numbers!(
    i8, i8::MIN; i16, i16::MIN; i32, i32::MIN; i64, i64::MIN; i128, i128::MIN;
    u8, 0; u16, 0; u32, 0; u64, 0; u128, 0
);

impl Ordered for () {
    const FORM: &'static str = "()";

    fn put(&self, _out: &mut Vec<u8>) {}

    fn take(_bytes: &mut &[u8]) -> Result<Self> {
        Ok(())
    }
}

macro_rules! keys {
    ($($t:ty),*) => {$(
        impl Key for $t {
            fn codec() -> SharedCodec<Self> {
                ordered()
            }

            fn topic_codec() -> SharedCodec<Self> {
                plain()
            }
        }
    )*};
}

keys!(
    i8,
    i16,
    i32,
    i64,
    i128,
    u8,
    u16,
    u32,
    u64,
    u128,
    bool,
    String,
    Vec<u8>,
    ()
);

/// A key made of others. The form of each part is preceded by its length only where it does not say
/// itself where it ends, which the forms of keys need not.
struct Joined<A, B>(SharedCodec<A>, SharedCodec<B>);

/// The codec of pairs, from those of its parts. Pairs with an equal first part follow one another.
pub(crate) fn joined<A: Data, B: Data>(
    first: SharedCodec<A>,
    second: SharedCodec<B>,
) -> SharedCodec<(A, B)> {
    Arc::new(Joined(first, second))
}

impl<A: Data, B: Data> Codec<(A, B)> for Joined<A, B> {
    fn encode(&self, value: &(A, B), out: &mut Vec<u8>) -> Result<()> {
        let mut first = Vec::with_capacity(32);
        self.0.encode(&value.0, &mut first)?;
        put_escaped(&first, out);
        self.1.encode(&value.1, out)
    }

    fn decode(&self, mut bytes: &[u8]) -> Result<(A, B)> {
        let first = take_escaped(&mut bytes)?;
        Ok((self.0.decode(&first)?, self.1.decode(bytes)?))
    }

    fn keep(&self, (a, b): (A, B)) -> (A, B) {
        (self.0.keep(a), self.1.keep(b))
    }

    fn heap_bytes(&self, (a, b): &(A, B)) -> usize {
        self.0.heap_bytes(a) + self.1.heap_bytes(b)
    }

    fn prefetch(&self, (a, b): &(A, B)) {
        self.0.prefetch(a);
        self.1.prefetch(b);
    }

    fn name(&self) -> String {
        format!("({}, {})", self.0.name(), self.1.name())
    }
}

impl<A: Key, B: Key> Key for (A, B) {
    fn codec() -> SharedCodec<Self> {
        joined(A::codec(), B::codec())
    }
}

struct Optional<T>(SharedCodec<T>);

impl<T: Key> Codec<Option<T>> for Optional<T> {
    fn encode(&self, value: &Option<T>, out: &mut Vec<u8>) -> Result<()> {
        match value {
            None => {
                out.push(0);
                Ok(())
            }
            Some(value) => {
                out.push(1);
                self.0.encode(value, out)
            }
        }
    }

    fn decode(&self, bytes: &[u8]) -> Result<Option<T>> {
        match bytes.split_first() {
            Some((0, [])) => Ok(None),
            Some((1, rest)) => self.0.decode(rest).map(Some),
            _ => Err(bad_record("a key has a broken option")),
        }
    }

    fn keep(&self, value: Option<T>) -> Option<T> {
        value.map(|value| self.0.keep(value))
    }

    fn heap_bytes(&self, value: &Option<T>) -> usize {
        value.as_ref().map_or(0, |value| self.0.heap_bytes(value))
    }

    fn prefetch(&self, value: &Option<T>) {
        if let Some(value) = value {
            self.0.prefetch(value);
        }
    }

    fn name(&self) -> String {
        format!("optional {}", self.0.name())
    }
}

/// The codec of keys that may be absent, from that of those that are there.
pub fn nullable_key<T: Key>(codec: SharedCodec<T>) -> SharedCodec<Option<T>> {
    Arc::new(Optional(codec))
}

impl<T: Key> Key for Option<T> {
    fn codec() -> SharedCodec<Self> {
        nullable_key(T::codec())
    }

    fn topic_codec() -> SharedCodec<Self> {
        super::nullable(T::topic_codec())
    }

    fn is_null(&self) -> bool {
        self.is_none()
    }
}
