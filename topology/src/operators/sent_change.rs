//! The form of changes between processes.
//!
//! A change is `version`, `parts`, and the parts that there are, in this order:
//!
//! | part | bit of `parts` | bytes |
//! |---|---|---|
//! | the row's own key, where the change goes by another one | 4 | its length and itself |
//! | the row before | 1 | its length and itself |
//! | the row now | 2 | all that is left |
//!
//! `version` and `parts` are a byte each, a length four bytes, the lowest first. Rows and keys have the forms
//! that the table's codecs give them. A change that moves a row from one key to another is two records: one
//! takes the row away from the old key, and one adds it under the new key. Each goes to the partition of its
//! own key, so that they may arrive in either order.

use std::sync::Arc;

use super::index::Indexed;
use crate::codec::{Codec, SharedCodec, bad_record};
use crate::error::Result;
use crate::record::{Change, Data};

/// The version of the form.
const VERSION: u8 = 1;

const OLD: u8 = 1;
const NEW: u8 = 2;
const KEY: u8 = 4;

struct SentChange<V>(SharedCodec<V>);

/// The codec of changes between processes, from that of rows.
pub(crate) fn sent_change<V: Data>(row: SharedCodec<V>) -> SharedCodec<Change<V>> {
    Arc::new(SentChange(row))
}

struct SentIndexed<K, V> {
    key: SharedCodec<K>,
    row: SharedCodec<V>,
}

/// The codec of changes that go by another key than the row's own.
pub(crate) fn sent_indexed<K: Data, V: Data>(
    key: SharedCodec<K>,
    row: SharedCodec<V>,
) -> SharedCodec<Indexed<K, V>> {
    Arc::new(SentIndexed { key, row })
}

impl<V: Data> Codec<Change<V>> for SentChange<V> {
    fn encode(&self, change: &Change<V>, out: &mut Vec<u8>) -> Result<()> {
        out.extend([VERSION, parts(change)]);
        put_rows(change, &self.0, out)
    }

    fn decode(&self, bytes: &[u8]) -> Result<Change<V>> {
        let (parts, rest) = take_parts(bytes, OLD | NEW)?;
        take_rows(parts, rest, &self.0)
    }

    fn name(&self) -> String {
        format!("change/{VERSION} of {}", self.0.name())
    }
}

impl<K: Data, V: Data> Codec<Indexed<K, V>> for SentIndexed<K, V> {
    fn encode(&self, (key, change): &Indexed<K, V>, out: &mut Vec<u8>) -> Result<()> {
        out.extend([VERSION, parts(change) | KEY]);
        put_measured(key, &self.key, out)?;
        put_rows(change, &self.row, out)
    }

    fn decode(&self, bytes: &[u8]) -> Result<Indexed<K, V>> {
        let (parts, mut rest) = take_parts(bytes, OLD | NEW | KEY)?;
        if parts & KEY == 0 {
            return Err(bad_record("a change lacks the key of its row"));
        }
        let key = self.key.decode(take_measured(&mut rest)?)?;
        Ok((key, take_rows(parts, rest, &self.row)?))
    }

    fn name(&self) -> String {
        let (key, row) = (self.key.name(), self.row.name());
        format!("change/{VERSION} of {key} and {row}")
    }
}

fn parts<V>(change: &Change<V>) -> u8 {
    let old = if change.old.is_some() { OLD } else { 0 };
    old | if change.new.is_some() { NEW } else { 0 }
}

fn put_rows<V: Data>(change: &Change<V>, codec: &SharedCodec<V>, out: &mut Vec<u8>) -> Result<()> {
    if let Some(old) = &change.old {
        put_measured(old, codec, out)?;
    }
    change
        .new
        .as_ref()
        .map_or(Ok(()), |new| codec.encode(new, out))
}

/// Puts a value behind its length.
fn put_measured<T: Data>(value: &T, codec: &SharedCodec<T>, out: &mut Vec<u8>) -> Result<()> {
    let at = out.len();
    out.extend([0; 4]);
    codec.encode(value, out)?;
    let length = u32::try_from(out.len() - at - 4)
        .map_err(|_| bad_record("a row has more than four gigabytes"))?;
    out[at..at + 4].copy_from_slice(&length.to_le_bytes());
    Ok(())
}

/// The parts that a change has, and what stands behind.
fn take_parts(bytes: &[u8], known: u8) -> Result<(u8, &[u8])> {
    match bytes {
        [VERSION, parts, rest @ ..] if parts & !known == 0 => Ok((*parts, rest)),
        [VERSION, parts, ..] => Err(bad_record(format!("a change has parts {parts:#04x}"))),
        [version, ..] if *version != VERSION => Err(bad_record(format!(
            "a change has the form {version}, and this program reads {VERSION}: the other processes of the \
             application are of another version"
        ))),
        _ => Err(bad_record("a change ends too early")),
    }
}

fn take_rows<V: Data>(parts: u8, mut rest: &[u8], codec: &SharedCodec<V>) -> Result<Change<V>> {
    let mut change = Change {
        old: None,
        new: None,
    };
    if parts & OLD != 0 {
        change.old = Some(codec.decode(take_measured(&mut rest)?)?);
    }
    if parts & NEW != 0 {
        change.new = Some(codec.decode(rest)?);
    } else if !rest.is_empty() {
        return Err(bad_record(format!(
            "a change has {} bytes behind its end",
            rest.len()
        )));
    }
    Ok(change)
}

/// Takes what stands behind its length.
fn take_measured<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8]> {
    let early = || bad_record("a change ends too early");
    let (length, behind) = rest.split_first_chunk::<4>().ok_or_else(early)?;
    let length = u32::from_le_bytes(*length) as usize;
    let (value, behind) = behind.split_at_checked(length).ok_or_else(early)?;
    *rest = behind;
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::plain;

    type Pair = Indexed<i64, String>;

    fn change(old: Option<&str>, new: Option<&str>) -> Change<String> {
        Change {
            old: old.map(str::to_owned),
            new: new.map(str::to_owned),
        }
    }

    const ROWS: [Option<&str>; 3] = [None, Some(""), Some("a row")];

    #[test]
    fn changes_are_what_they_were() {
        let plainly = sent_change::<String>(plain());
        let indexed: SharedCodec<Pair> = sent_indexed(plain(), plain());
        for (old, new) in ROWS.into_iter().flat_map(|old| ROWS.map(|new| (old, new))) {
            let change = change(old, new);
            let mut bytes = Vec::new();
            plainly.encode(&change, &mut bytes).unwrap();
            assert_eq!(plainly.decode(&bytes).unwrap(), change);
            let pair = (-7, change);
            bytes.clear();
            indexed.encode(&pair, &mut bytes).unwrap();
            assert_eq!(indexed.decode(&bytes).unwrap(), pair);
        }
    }

    #[test]
    fn the_form_is_the_documented_one() {
        let mut bytes = Vec::new();
        let codec = sent_change::<String>(plain());
        codec
            .encode(&change(Some("ab"), Some("c")), &mut bytes)
            .unwrap();
        assert_eq!(bytes, *b"\x01\x03\x02\0\0\0abc");
        bytes.clear();
        let codec: SharedCodec<Indexed<String, String>> = sent_indexed(plain(), plain());
        let pair = ("k".to_owned(), change(None, Some("c")));
        codec.encode(&pair, &mut bytes).unwrap();
        assert_eq!(bytes, *b"\x01\x06\x01\0\0\0kc");
    }

    #[test]
    fn broken_bytes_are_told() {
        let codec = sent_change::<String>(plain());
        let cases: [(&[u8], &str); 8] = [
            (b"", "ends too early"),
            (b"\x01", "ends too early"),
            (b"\x02\x01", "has the form 2, and this program reads 1"),
            (b"\x01\x04\0\0\0\0", "has parts 0x04"),
            (b"\x01\x01\x02\0\0", "ends too early"),
            (b"\x01\x01\x02\0\0\0a", "ends too early"),
            (b"\x01\x01\x01\0\0\0ab", "1 bytes behind its end"),
            (b"\x01\x02\xff", "invalid utf-8"),
        ];
        for (bytes, told) in cases {
            let e = codec.decode(bytes).unwrap_err().to_string();
            assert!(e.contains(told), "{bytes:?}: {e}");
        }
        let indexed: SharedCodec<Pair> = sent_indexed(plain(), plain());
        let e = indexed.decode(b"\x01\x02a").unwrap_err().to_string();
        assert!(e.contains("lacks the key"), "{e}");
    }

    #[test]
    fn no_cut_of_a_change_is_taken_for_a_change_with_both_rows() {
        let codec = sent_indexed::<i64, String>(plain(), plain());
        let pair = (1, change(Some("before"), Some("now")));
        let mut bytes = Vec::new();
        codec.encode(&pair, &mut bytes).unwrap();
        let new = "now".len();
        for end in 0..bytes.len() - new {
            assert!(codec.decode(&bytes[..end]).is_err(), "{end}");
        }
    }
}
