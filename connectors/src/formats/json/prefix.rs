//! The bytes that stand before a value, compared a word at a time.

/// Bytes that are looked for at a place of a text.
///
/// Those of most keys are between eight and sixteen, which two words that overlap cover.
#[derive(Debug, Default)]
pub(super) struct Prefix {
    bytes: Vec<u8>,
    /// The first eight bytes; of fewer, those that there are, and zeros.
    head: u64,
    /// The last eight bytes, where there are so many.
    tail: u64,
    /// What counts of the word at the place.
    mask: u64,
}

impl Prefix {
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn set(&mut self, bytes: &[u8]) {
        if self.bytes == bytes {
            return;
        }
        self.bytes.clear();
        self.bytes.extend_from_slice(bytes);
        let mut head = [0; 8];
        let len = bytes.len().min(8);
        head[..len].copy_from_slice(&bytes[..len]);
        self.head = u64::from_le_bytes(head);
        self.mask = u64::MAX.checked_shr(64 - 8 * len as u32).unwrap_or(0);
        self.tail = bytes
            .last_chunk()
            .map_or(0, |tail| u64::from_le_bytes(*tail));
    }

    /// True where the bytes stand in `text` from `at` on.
    #[inline]
    pub(super) fn stands_at(&self, text: &[u8], at: usize) -> bool {
        let Some(rest) = text.get(at..) else {
            return false;
        };
        let len = self.bytes.len();
        let Some(word) = rest.first_chunk() else {
            return rest.starts_with(&self.bytes);
        };
        if (u64::from_le_bytes(*word) ^ self.head) & self.mask != 0 {
            return false;
        }
        match len {
            0..=8 => true,
            9..=16 => {
                let tail = rest.get(len - 8..len).and_then(|tail| tail.first_chunk());
                tail.is_some_and(|tail| u64::from_le_bytes(*tail) == self.tail)
            }
            _ => rest.starts_with(&self.bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Prefix;

    proptest! {
        #[test]
        fn it_stands_where_slices_say_so(
            text in "[ab]{0,40}",
            at in 0..45usize,
            bytes in prop_oneof![Just(None), "[ab]{0,20}".prop_map(Some)],
            len in 0..25usize,
        ) {
            let text = text.as_bytes();
            let rest = text.get(at..).unwrap_or_default();
            let bytes = bytes.map_or(rest[..len.min(rest.len())].to_vec(), String::into_bytes);
            let mut prefix = Prefix::default();
            prefix.set(b"something else");
            prefix.set(&bytes);
            let expected = text.get(at..).is_some_and(|rest| rest.starts_with(&bytes));
            prop_assert_eq!(prefix.stands_at(text, at), expected);
            prop_assert_eq!(prefix.len(), bytes.len());
        }
    }
}
