//! A topic: records, in order, and who waits for more.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use ferrisstreams_topology::connector::Waker;
use ferrisstreams_topology::data::Schema;
use ferrisstreams_topology::record::Headers;
use ferrisstreams_topology::time::Timestamp;

use crate::clock::now;
use crate::formats::Formats;

/// Records in memory, under a name. Cloning gives another handle to the same.
///
/// ```
/// use ferrisstreams_connectors::Connections;
///
/// let connections = Connections::new();
/// let orders = connections.memory("orders");
/// orders.push(r#"{"id":1,"price":2.50}"#);
/// assert_eq!(connections.memory("orders").len(), 1);
/// ```
#[derive(Clone)]
pub struct MemoryTopic {
    name: Arc<str>,
    shared: Arc<Shared>,
}

struct Shared {
    content: Mutex<Content>,
    grown: Condvar,
}

#[derive(Default)]
struct Content {
    records: Vec<MemoryRecord>,
    /// How many records each sink has written since ever.
    delivered: BTreeMap<String, u64>,
    wakers: BTreeMap<u64, Waker>,
    next_waker: u64,
    rows: Option<TopicRows>,
}

/// How the rows look that a sink writes.
#[derive(Clone)]
pub(super) struct TopicRows {
    pub(super) schema: Schema,
    pub(super) key: Vec<usize>,
    pub(super) formats: Formats,
}

/// A record of a topic.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MemoryRecord {
    /// The key, if there is one.
    pub key: Option<Vec<u8>>,
    /// The value; none deletes the key in a table.
    pub value: Option<Vec<u8>>,
    /// When it happened, in milliseconds since the epoch.
    pub timestamp: Timestamp,
    /// What travels along.
    pub headers: Headers,
}

impl MemoryRecord {
    /// A record that happens now.
    pub fn new(value: impl Into<Vec<u8>>) -> Self {
        MemoryRecord {
            value: Some(value.into()),
            timestamp: now(),
            ..MemoryRecord::default()
        }
    }

    /// The same record, with a key.
    pub fn key(self, key: impl Into<Vec<u8>>) -> Self {
        MemoryRecord {
            key: Some(key.into()),
            ..self
        }
    }

    /// The same record, at a time in milliseconds since the epoch.
    pub fn at(self, timestamp: Timestamp) -> Self {
        MemoryRecord { timestamp, ..self }
    }
}

impl MemoryTopic {
    pub(super) fn new(name: &str) -> Self {
        MemoryTopic {
            name: name.into(),
            shared: Arc::new(Shared {
                content: Mutex::default(),
                grown: Condvar::new(),
            }),
        }
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn lock(&self) -> MutexGuard<'_, Content> {
        self.shared.content.lock().expect("no panic while locked")
    }

    fn grow(&self, content: &mut Content, records: impl IntoIterator<Item = MemoryRecord>) {
        content.records.extend(records);
        for waker in content.wakers.values() {
            waker.wake();
        }
        self.shared.grown.notify_all();
    }

    /// Appends a record of a value, which happens now.
    pub fn push(&self, value: impl Into<Vec<u8>>) {
        self.push_record(MemoryRecord::new(value));
    }

    /// Appends a record.
    pub fn push_record(&self, record: MemoryRecord) {
        self.push_all([record]);
    }

    /// Appends records, all at once.
    pub fn push_all(&self, records: impl IntoIterator<Item = MemoryRecord>) {
        let mut content = self.lock();
        self.grow(&mut content, records);
    }

    /// The number of records.
    pub fn len(&self) -> usize {
        self.lock().records.len()
    }

    /// True where there is no record.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A copy of all records.
    pub fn records(&self) -> Vec<MemoryRecord> {
        self.lock().records.clone()
    }

    /// The values of all records as text, `null` for those without one.
    pub fn values(&self) -> Vec<String> {
        let text = |record: &MemoryRecord| match &record.value {
            Some(value) => String::from_utf8_lossy(value).into_owned(),
            None => "null".to_owned(),
        };
        self.lock().records.iter().map(text).collect()
    }

    /// Waits until there are `count` records, or for `timeout`; true where there are.
    pub fn wait_for(&self, count: usize, timeout: Duration) -> bool {
        let deadline = Instant::now() + timeout;
        let mut content = self.lock();
        while content.records.len() < count {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let waited = self.shared.grown.wait_timeout(content, left);
            content = waited.expect("no panic while locked").0;
        }
        true
    }

    /// Calls `read` with the records from `start` up to but without `end`.
    pub(super) fn read<T>(
        &self,
        start: usize,
        end: usize,
        read: impl FnOnce(&[MemoryRecord]) -> T,
    ) -> T {
        let content = self.lock();
        let end = end.min(content.records.len());
        read(&content.records[start.min(end)..end])
    }

    /// Has a waker called when the topic grows, until [`forget`](MemoryTopic::forget).
    pub(super) fn wake(&self, waker: Waker) -> u64 {
        let mut content = self.lock();
        content.next_waker += 1;
        let number = content.next_waker;
        content.wakers.insert(number, waker);
        number
    }

    pub(super) fn forget(&self, waker: u64) {
        self.lock().wakers.remove(&waker);
    }

    /// How many records a sink has written.
    pub(super) fn delivered(&self, sink: &str) -> u64 {
        self.lock().delivered.get(sink).copied().unwrap_or(0)
    }

    /// Appends records `first`, `first + 1`, ... of a sink, but for those that it wrote before.
    pub(super) fn deliver(&self, sink: &str, first: u64, records: Vec<MemoryRecord>) {
        let mut content = self.lock();
        let had = content.delivered.get(sink).copied().unwrap_or(0);
        let end = first + records.len() as u64;
        content.delivered.insert(sink.to_owned(), had.max(end));
        let skipped = had.saturating_sub(first) as usize;
        self.grow(&mut content, records.into_iter().skip(skipped));
    }

    pub(super) fn rows(&self) -> Option<TopicRows> {
        self.lock().rows.clone()
    }

    pub(super) fn set_rows(&self, rows: TopicRows) {
        self.lock().rows = Some(rows);
    }

    /// What tells this topic from any other in the process.
    pub(super) fn identity(&self) -> String {
        format!("memory://{} at {:p}", self.name, Arc::as_ptr(&self.shared))
    }
}

impl fmt::Debug for MemoryTopic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "memory://{} ({} records)", self.name, self.len())
    }
}
