//! A partition at work: messages become batches of raw records.

use ferrisstreams_topology::connector::{Offsets, RawBatch, Span, Times};
use ferrisstreams_topology::time::{NO_TIMESTAMP, Timestamp};
use rdkafka::error::RDKafkaErrorCode;

use super::failure::{in_words, lacks_right};
use super::native::{Fetch, Message, Messages};
use super::reading::Untimed;
use super::start::Start;

/// A partition that is being read.
pub(super) struct Partition {
    pub(super) number: i32,
    pub(super) fetch: Fetch,
    /// Where it was begun.
    pub(super) first: i64,
    /// The offset behind what was read; marks of transactions and gaps that stood there are passed.
    pub(super) next: i64,
    /// The end that was seen at the start.
    pub(super) goal: i64,
    /// True where nothing from `goal` on is wanted.
    pub(super) bounded: bool,
    /// True while the broker says that there is nothing behind what was read.
    at_end: bool,
    /// The end with all transactions when it said so.
    end_then: Option<i64>,
    /// True where what came last is a record, so that the library's own position is right.
    settled: bool,
    /// True once the engine was told where reading begins.
    pub(super) announced: bool,
    /// What the engine was told last: whether more is known to be there.
    pub(super) behind: bool,
    /// The time of the last record.
    pub(super) reached: Timestamp,
}

/// What was found.
pub(super) struct Found {
    /// Records, or a new position.
    pub(super) batch: Option<RawBatch>,
    /// What the library had to say besides.
    pub(super) notice: Option<Notice>,
    /// How many records had no time and were left out.
    pub(super) untimed: u64,
}

/// What the library has to say of a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Notice {
    /// There is nothing at the offset that was asked for.
    OutOfRange,
    /// Something that may pass: is the topic still there?
    Doubt(String),
    /// Reading cannot go on.
    Failed(String),
}

impl Partition {
    pub(super) fn new(fetch: Fetch, start: &Start, bounded: bool) -> Self {
        Partition {
            number: start.partition,
            fetch,
            first: start.offset,
            next: start.offset,
            goal: start.end,
            bounded,
            at_end: false,
            end_then: None,
            settled: false,
            announced: false,
            behind: false,
            reached: NO_TIMESTAMP,
        }
    }

    /// Goes to another offset.
    pub(super) fn go_to(&mut self, offset: i64) {
        self.next = offset;
        self.at_end = false;
        self.settled = false;
        self.announced = false;
        self.reached = NO_TIMESTAMP;
    }

    /// True where nothing more is wanted of it.
    pub(super) fn is_done(&self) -> bool {
        self.bounded && self.next >= self.goal
    }

    /// True where the end that was seen at the start is reached.
    pub(super) fn has_caught_up(&self) -> bool {
        self.next >= self.goal
    }

    /// True where more is known to be there.
    pub(super) fn knows_more(&self) -> bool {
        if self.is_done() || self.at_end {
            return false;
        }
        let end = self.fetch.known_end().unwrap_or(self.goal);
        let end = if self.bounded {
            self.goal
        } else {
            end.max(self.goal)
        };
        self.next < end
    }

    /// Where the partition ends as far as it is known, also where the library was not asked since for what has
    /// come.
    pub(super) fn known_end(&self) -> i64 {
        let told = self.fetch.known_end();
        if self.at_end && told == self.end_then {
            // What stands there is of open transactions.
            return self.next;
        }
        told.unwrap_or(self.goal).max(self.goal).max(self.next)
    }

    /// The batch that tells the engine where reading begins, and that it has.
    pub(super) fn announce(&mut self) -> RawBatch {
        self.announced = true;
        self.behind = self.knows_more();
        RawBatch::empty(self.number.unsigned_abs(), self.next)
    }

    /// Takes up to `limit` records that were fetched.
    pub(super) fn take(
        &mut self,
        limit: usize,
        messages: &mut Messages,
        untimed: Untimed,
    ) -> Found {
        let before = self.next;
        self.fetch.take(messages, limit);
        let drained = messages.len() < limit;
        let mut gather = Gather::new(self.number, messages);
        let mut found = Found {
            batch: None,
            notice: None,
            untimed: 0,
        };
        for message in messages.iter() {
            if let Some(code) = message.notice() {
                self.notice(code, &message, &mut found.notice);
                // What is told is counted by the library as if it were a record.
                self.settled = false;
                continue;
            }
            let offset = message.offset();
            if offset < self.next || self.is_done() {
                continue;
            }
            if self.bounded && offset >= self.goal {
                self.next = self.goal;
                continue;
            }
            self.at_end = false;
            self.settled = true;
            self.next = offset + 1;
            let time = message.timestamp();
            if time < 0 && untimed != Untimed::Keep {
                found.untimed += 1;
                continue;
            }
            self.reached = time;
            gather.push(&message, time, offset);
        }
        messages.clear();
        if drained && self.settled && self.knows_more() {
            // Marks of transactions are passed silently.
            self.pass(self.fetch.passed().unwrap_or(0));
        }
        let behind = self.knows_more() || (!drained && !self.is_done());
        if self.next != before || (self.behind && !behind) {
            found.batch = Some(gather.finish(self.next));
            self.behind = behind;
            self.announced = true;
        }
        found
    }

    /// Nothing is left before `offset`.
    fn pass(&mut self, offset: i64) {
        let offset = if self.bounded {
            offset.min(self.goal)
        } else {
            offset
        };
        self.next = self.next.max(offset);
    }

    fn notice(
        &mut self,
        code: RDKafkaErrorCode,
        message: &Message<'_>,
        found: &mut Option<Notice>,
    ) {
        use RDKafkaErrorCode as Code;
        match code {
            Code::PartitionEOF => {
                self.at_end = true;
                self.end_then = self.fetch.known_end();
                self.pass(message.offset());
            }
            Code::AutoOffsetReset | Code::OffsetOutOfRange => *found = Some(Notice::OutOfRange),
            Code::TopicAuthorizationFailed
            | Code::NotImplemented
            | Code::BadCompression
            | Code::BadMessage
            | Code::InvalidMessage
            | Code::MessageSizeTooLarge
            | Code::UnsupportedCompressionType => {
                let why = match lacks_right(code) {
                    true => in_words(code, "Describe and Read"),
                    false => message.notice_text(),
                };
                *found = Some(Notice::Failed(why));
            }
            _ => *found = Some(Notice::Doubt(message.notice_text())),
        }
    }
}

/// A batch in the making.
struct Gather {
    batch: RawBatch,
    times: Vec<Timestamp>,
    offsets: Vec<i64>,
}

impl Gather {
    /// With room for all messages, so that nothing is moved as it grows.
    fn new(partition: i32, messages: &Messages) -> Self {
        let mut batch = RawBatch::empty(partition.unsigned_abs(), 0);
        let len = |bytes: Option<&[u8]>| bytes.map_or(0, <[u8]>::len);
        let records = messages.iter().filter(|message| message.notice().is_none());
        let bytes = records
            .map(|record| len(record.key()) + len(record.value()))
            .sum();
        let count = messages.len();
        batch.bytes.reserve_exact(bytes);
        batch.keys.reserve_exact(count);
        batch.values.reserve_exact(count);
        Gather {
            batch,
            times: Vec::with_capacity(count),
            offsets: Vec::with_capacity(count),
        }
    }

    #[inline]
    fn push(&mut self, message: &Message<'_>, time: Timestamp, offset: i64) {
        let batch = &mut self.batch;
        let key = span(&mut batch.bytes, message.key());
        let value = span(&mut batch.bytes, message.value());
        let headers = message.headers();
        if !headers.is_empty() || !batch.headers.is_empty() {
            batch
                .headers
                .resize_with(batch.values.len(), Default::default);
            batch.headers.push(headers);
        }
        batch.keys.push(key);
        batch.values.push(value);
        self.times.push(time);
        self.offsets.push(offset);
    }

    fn finish(self, end: i64) -> RawBatch {
        RawBatch {
            times: Times::Each(self.times),
            offsets: Offsets::Each(self.offsets),
            end,
            ..self.batch
        }
    }
}

#[inline]
fn span(bytes: &mut Vec<u8>, part: Option<&[u8]>) -> Span {
    let Some(part) = part else {
        return Span::NULL;
    };
    let start = bytes.len();
    bytes.extend_from_slice(part);
    Span::new(start, bytes.len())
}
