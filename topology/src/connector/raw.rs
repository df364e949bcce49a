//! Records as a source hands them over: bytes that nobody has looked into yet.

use crate::record::Headers;
use crate::time::Timestamp;

/// A stretch of the bytes of a [`RawBatch`], or null.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    start: u32,
    len: u32,
}

impl Span {
    /// No bytes at all, which is not the same as an empty stretch.
    pub const NULL: Span = Span {
        start: 0,
        len: u32::MAX,
    };

    /// The stretch from `start` up to but without `end`.
    ///
    /// # Panics
    ///
    /// Where a batch would have 4 GiB or more.
    #[inline]
    pub fn new(start: usize, end: usize) -> Self {
        assert!(end < u32::MAX as usize, "a batch has less than 4 GiB");
        Span {
            start: start as u32,
            len: (end - start) as u32,
        }
    }

    /// The bytes, or none for null.
    #[inline]
    pub fn of(self, bytes: &[u8]) -> Option<&[u8]> {
        if self.len == u32::MAX {
            return None;
        }
        let start = self.start as usize;
        Some(&bytes[start..start + self.len as usize])
    }

    /// Where the stretch begins.
    #[inline]
    pub fn start(self) -> usize {
        self.start as usize
    }
}

/// The timestamps of the records of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Times {
    /// All have the same.
    Same(Timestamp),
    /// Each has its own, in order.
    Each(Vec<Timestamp>),
}

impl Times {
    /// The timestamp of record `index`.
    #[inline]
    pub fn at(&self, index: usize) -> Timestamp {
        match self {
            Times::Same(time) => *time,
            Times::Each(times) => times[index],
        }
    }
}

/// The positions of the records of a batch in their partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Offsets {
    /// Each record stands where its value begins: this many bytes before the batch's first byte.
    Bytes(i64),
    /// Each has its own, in rising order.
    Each(Vec<i64>),
}

/// Records of one partition, in order, as bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct RawBatch {
    /// Which partition of the source they come from.
    pub partition: u32,
    /// The bytes that keys and values are stretches of.
    pub bytes: Vec<u8>,
    /// The values, one a record.
    pub values: Vec<Span>,
    /// The keys, one a record; empty where the source has none.
    pub keys: Vec<Span>,
    /// The headers, one a record; empty where no record has any.
    pub headers: Vec<Headers>,
    /// When each record happened.
    pub times: Times,
    /// Where each record stands in the partition.
    pub offsets: Offsets,
    /// The position behind the last record: where reading goes on.
    pub end: i64,
}

impl RawBatch {
    /// A batch without records that ends at `end`.
    pub fn empty(partition: u32, end: i64) -> Self {
        RawBatch {
            partition,
            bytes: Vec::new(),
            values: Vec::new(),
            keys: Vec::new(),
            headers: Vec::new(),
            times: Times::Same(0),
            offsets: Offsets::Each(Vec::new()),
            end,
        }
    }

    /// The number of records.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// True where there is no record.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The bytes of the key of record `index`, if it has one.
    #[inline]
    pub fn key(&self, index: usize) -> Option<&[u8]> {
        self.keys.get(index).and_then(|span| span.of(&self.bytes))
    }

    /// The bytes of the value of record `index`, if it has one.
    #[inline]
    pub fn value(&self, index: usize) -> Option<&[u8]> {
        self.values[index].of(&self.bytes)
    }

    /// The headers of record `index`.
    #[inline]
    pub fn headers(&self, index: usize) -> Headers {
        self.headers.get(index).cloned().unwrap_or_default()
    }

    /// The position of record `index` in its partition.
    #[inline]
    pub fn offset(&self, index: usize) -> i64 {
        match &self.offsets {
            Offsets::Bytes(base) => base + self.values[index].start() as i64,
            Offsets::Each(offsets) => offsets[index],
        }
    }

    /// Drops the records that stand before `offset`. Their bytes stay, unused.
    pub(crate) fn skip_before(&mut self, offset: i64) {
        let mut n = 0;
        while n < self.len() && self.offset(n) < offset {
            n += 1;
        }
        if n == 0 {
            return;
        }
        self.values.drain(..n);
        self.keys.drain(..n.min(self.keys.len()));
        self.headers.drain(..n.min(self.headers.len()));
        if let Times::Each(times) = &mut self.times {
            times.drain(..n);
        }
        if let Offsets::Each(offsets) = &mut self.offsets {
            offsets.drain(..n);
        }
    }

    /// Appends a record with bytes of its own.
    pub fn push(&mut self, record: RawRecord<'_>) {
        let mut span = |bytes: Option<&[u8]>| match bytes {
            None => Span::NULL,
            Some(bytes) => {
                let start = self.bytes.len();
                self.bytes.extend_from_slice(bytes);
                Span::new(start, self.bytes.len())
            }
        };
        let key = span(record.key);
        let value = span(record.value);
        let index = self.values.len();
        self.values.push(value);
        self.keys.push(key);
        if !record.headers.is_empty() || !self.headers.is_empty() {
            self.headers.resize(index, Headers::default());
            self.headers.push(record.headers);
        }
        let mut times = match std::mem::replace(&mut self.times, Times::Same(0)) {
            Times::Same(time) => vec![time; index],
            Times::Each(times) => times,
        };
        times.push(record.timestamp);
        self.times = Times::Each(times);
        if let Offsets::Each(offsets) = &mut self.offsets {
            offsets.push(record.offset);
        }
        self.end = record.offset + 1;
    }
}

/// A record to be put in a [`RawBatch`].
#[derive(Debug, Clone, Default)]
pub struct RawRecord<'a> {
    /// The key.
    pub key: Option<&'a [u8]>,
    /// The value.
    pub value: Option<&'a [u8]>,
    /// When it happened.
    pub timestamp: Timestamp,
    /// Where it stands in its partition.
    pub offset: i64,
    /// What travels along.
    pub headers: Headers,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_keep_nulls_and_headers_apart() {
        let mut batch = RawBatch::empty(0, 0);
        batch.push(RawRecord {
            value: Some(b""),
            timestamp: 5,
            ..RawRecord::default()
        });
        let headers = Headers::default().with("h", *b"1");
        batch.push(RawRecord {
            key: Some(b"k"),
            offset: 4,
            headers: headers.clone(),
            ..RawRecord::default()
        });
        assert_eq!((batch.key(0), batch.value(0)), (None, Some(&b""[..])));
        assert_eq!((batch.key(1), batch.value(1)), (Some(&b"k"[..]), None));
        assert!(batch.headers(0).is_empty());
        assert_eq!(batch.headers(1), headers);
        assert_eq!((batch.times.at(0), batch.times.at(1)), (5, 0));
        assert_eq!((batch.offset(1), batch.end), (4, 5));
    }
}
