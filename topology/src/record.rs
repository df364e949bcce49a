//! Records: what streams carry.
//!
//! Operators work on *runs*, vectors of records that one task may handle together. The result of a
//! run is always that of its records handled one by one.

use std::fmt;
use std::sync::Arc;

use crate::time::Timestamp;

/// What a key or a value of a stream may be: any owned type that can be cloned and sent.
pub trait Data: Clone + Send + Sync + 'static {}

impl<T: Clone + Send + Sync + 'static> Data for T {}

/// A key, a value, the time at which it happened, and headers.
#[derive(Debug, Clone, PartialEq)]
pub struct Record<K, V> {
    /// What the record is about; records of one key keep their order.
    pub key: K,
    /// What is said about the key.
    pub value: V,
    /// When it happened, in milliseconds since the epoch.
    pub timestamp: Timestamp,
    /// Names and bytes that travel along.
    pub headers: Headers,
    /// Which record of the run that a task took in caused this one.
    pub(crate) cause: Cause,
}

/// The place of a record in a run, as a whole word: records are moved word by word, and one of which half was written just
/// now would be waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cause(u64);

impl Cause {
    #[inline]
    pub(crate) fn new(index: u32) -> Self {
        Cause(index.into())
    }

    #[inline]
    pub(crate) fn get(self) -> u32 {
        self.0 as u32
    }
}

impl<K, V> Record<K, V> {
    /// A record without headers.
    pub fn new(key: K, value: V, timestamp: Timestamp) -> Self {
        Record {
            key,
            value,
            timestamp,
            headers: Headers::default(),
            cause: Cause::new(0),
        }
    }

    /// A record that was read from the raw record `index` of a batch.
    #[inline]
    pub fn of_raw(index: u32, key: K, value: V, timestamp: Timestamp) -> Self {
        Record {
            key,
            value,
            timestamp,
            headers: Headers::default(),
            cause: Cause::new(index),
        }
    }

    /// A record that this one caused: another key and value, the same time and headers.
    #[inline]
    pub fn with<K2, V2>(self, key: K2, value: V2) -> Record<K2, V2> {
        Record {
            key,
            value,
            timestamp: self.timestamp,
            headers: self.headers,
            cause: self.cause,
        }
    }

    /// A record that this one caused, leaving this one as it is.
    #[inline]
    pub fn derive<K2, V2>(&self, key: K2, value: V2) -> Record<K2, V2> {
        Record {
            key,
            value,
            timestamp: self.timestamp,
            headers: self.headers.clone(),
            cause: self.cause,
        }
    }

    /// A record with another value that this one caused.
    #[inline]
    pub(crate) fn with_value<V2>(self, value: V2) -> Record<K, V2> {
        Record {
            key: self.key,
            value,
            timestamp: self.timestamp,
            headers: self.headers,
            cause: self.cause,
        }
    }

    /// A record whose value is made of this one's.
    #[inline]
    pub(crate) fn map_value<V2>(self, map: impl FnOnce(V) -> V2) -> Record<K, V2> {
        Record {
            key: self.key,
            value: map(self.value),
            timestamp: self.timestamp,
            headers: self.headers,
            cause: self.cause,
        }
    }

    /// The same record at another time.
    #[inline]
    pub(crate) fn at(mut self, timestamp: Timestamp) -> Self {
        self.timestamp = timestamp;
        self
    }
}

/// Names and bytes that travel with a record. Cheap to clone; most records have none.
#[derive(Clone, Default, PartialEq)]
pub struct Headers(Option<Arc<Vec<Header>>>);

/// One header of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The name; several headers may have the same.
    pub name: String,
    /// The bytes, if any.
    pub value: Option<Vec<u8>>,
}

impl Headers {
    /// Headers in the given order.
    pub fn new(headers: Vec<Header>) -> Self {
        if headers.is_empty() {
            Headers(None)
        } else {
            Headers(Some(Arc::new(headers)))
        }
    }

    /// The headers, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Header> {
        self.0.iter().flat_map(|headers| headers.iter())
    }

    /// The last header of this name.
    pub fn last(&self, name: &str) -> Option<&Header> {
        self.0.as_ref()?.iter().rev().find(|h| h.name == name)
    }

    /// True where there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// The same headers and one more.
    pub fn with(&self, name: impl Into<String>, value: impl Into<Vec<u8>>) -> Headers {
        let mut headers: Vec<Header> = self.iter().cloned().collect();
        headers.push(Header {
            name: name.into(),
            value: Some(value.into()),
        });
        Headers::new(headers)
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// How a row of a table changed.
///
/// `old` is what stood there before and `new` what stands there now; none means that there was or is
/// no row. Where nobody downstream needs the old value it is not computed, and none then says
/// nothing; operators that read it declare so when the topology is built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change<V> {
    /// The value before.
    pub old: Option<V>,
    /// The value now.
    pub new: Option<V>,
}

impl<V> Change<V> {
    /// A row that appeared.
    pub fn insert(new: V) -> Self {
        Change {
            old: None,
            new: Some(new),
        }
    }

    /// A row that went away.
    pub fn delete(old: V) -> Self {
        Change {
            old: Some(old),
            new: None,
        }
    }

    /// True where there was no row and is none.
    pub fn is_nothing(&self) -> bool {
        self.old.is_none() && self.new.is_none()
    }
}
