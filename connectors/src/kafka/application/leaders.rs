//! The leaders of partitions, and what became of what former ones had.
//!
//! Brokers answer for the epoch of a former leader where its log ended that they took over. The library has no
//! call for that; it asks itself where a position that has an epoch is gone to, and tells what it has found as
//! an error of the partition, in words. So partitions are read from there with a consumer of their own, until
//! something comes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ferrisstreams_topology::cluster::{Cut, LogPoint, TopicPartition};
use ferrisstreams_topology::connector::{ConnectorError, Waker};
use ferrisstreams_topology::{Error, ErrorKind, Result};
use rdkafka::consumer::Consumer as _;
use rdkafka::error::RDKafkaErrorCode as Code;

use super::super::cluster::Cluster;
use super::super::failure::{engine_error, in_words, lacks_right};
use super::super::listener::Listener;
use super::super::native::{self, Consumer, Fetch, Message, Messages};
use super::number;

/// How long is waited at a time: what goes wrong with brokers is told without a call.
const GLANCE: Duration = Duration::from_millis(100);

/// How long until it is asked again for a leader that nobody knows of.
const AGAIN: Duration = Duration::from_millis(500);

/// Where partitions end, and by which leaders; none where brokers are too old to tell.
///
/// # Errors
///
/// Where the brokers do not answer in time, or refuse.
pub(super) fn ends(
    cluster: &Cluster,
    consumer: &Consumer,
    partitions: &[TopicPartition],
) -> Result<Vec<Option<LogPoint>>, ConnectorError> {
    if partitions.is_empty() {
        return Ok(Vec::new());
    }
    let places: Vec<(&str, i32)> = partitions
        .iter()
        .map(|of| (&*of.topic, number(of.partition)))
        .collect();
    let told = cluster.retry(consumer, |limit| {
        let found = native::leader_ends(consumer, &places, limit);
        if found.is_err() {
            // The brokers that are known to lead may be gone, and the library goes on asking them unless it is
            // told to look again.
            let _ = look_again(consumer, &places, limit);
        }
        found
    })?;
    let point = |(offset, epoch)| (epoch >= 0).then_some(LogPoint { offset, epoch });
    Ok(told.into_iter().map(point).collect())
}

/// Has the library look again for the leaders of topics.
fn look_again(
    consumer: &Consumer,
    places: &[(&str, i32)],
    limit: Duration,
) -> Result<(), rdkafka::error::KafkaError> {
    let mut topics: Vec<&str> = places.iter().map(|(topic, _)| *topic).collect();
    topics.sort_unstable();
    topics.dedup();
    for topic in topics {
        consumer.fetch_metadata(Some(topic), limit)?;
    }
    Ok(())
}

/// What became of places in partitions.
///
/// # Errors
///
/// Where the brokers do not answer in time, or refuse.
pub(super) fn cuts(
    cluster: &Cluster,
    had: &[(TopicPartition, LogPoint)],
) -> Result<Vec<Option<Cut>>> {
    let mut config = cluster.consumer_config();
    config
        .set("isolation.level", "read_uncommitted")
        // Nothing is wanted but that something comes.
        .set("fetch.wait.max.ms", "10")
        .set("max.partition.fetch.bytes", "1024");
    let made = cluster.client(&config, Listener::default());
    let consumer: Arc<Consumer> = made.map_err(engine_error)?;
    let waker = Waker::new();
    let mut checks = Vec::new();
    for (at, (of, point)) in had.iter().enumerate() {
        // Nothing stands before the first offset.
        if point.offset > 0 {
            checks.push(Check::begin(at, of, *point, &consumer, &waker)?);
        }
    }
    let mut found = vec![None; had.len()];
    let deadline = Instant::now() + cluster.patience;
    while !checks.is_empty() {
        let now = Instant::now();
        let mut pending = Vec::new();
        for mut check in checks {
            match check.look(now >= deadline)? {
                Some(cut) => found[check.at] = cut,
                None => pending.push(check.again(now, &consumer, &waker)?),
            }
        }
        native::serve_events(&consumer);
        if let (Some(check), true) = (pending.first(), now >= deadline) {
            return Err(check.unanswered(&consumer));
        }
        if !pending.is_empty() {
            waker.wait(GLANCE.min(deadline.saturating_duration_since(now)));
        }
        checks = pending;
    }
    Ok(found)
}

/// A place of which it is found out what became.
struct Check<'a> {
    at: usize,
    of: &'a TopicPartition,
    point: LogPoint,
    /// Dropped before what it reads from.
    messages: Messages,
    fetch: Fetch,
    /// What kept it from being found out so far.
    doubt: Option<String>,
    /// When it was told that there was no such leader.
    unknown: Option<Instant>,
}

/// What a message says of a place.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// All before it is as it was.
    Whole,
    Cut(Cut),
    /// The broker knows of no such leader, nor of one before; it may be one that leads no more and has yet to
    /// hear of that.
    Unknown,
    /// Nothing yet.
    Doubt(String),
    Refused(String),
}

impl<'a> Check<'a> {
    fn begin(
        at: usize,
        of: &'a TopicPartition,
        point: LogPoint,
        consumer: &Arc<Consumer>,
        waker: &Waker,
    ) -> Result<Self> {
        Ok(Check {
            at,
            of,
            point,
            messages: Messages::default(),
            fetch: start(of, point, consumer, waker)?,
            doubt: None,
            unknown: None,
        })
    }

    /// Looks at what has come; none where nothing was found out yet. In the end a leader that nobody knows of
    /// never was one.
    fn look(&mut self, is_last: bool) -> Result<Option<Option<Cut>>> {
        if self.unknown.is_some() && is_last {
            return Ok(Some(Some(Cut { end: None })));
        }
        self.fetch.take(&mut self.messages, 1);
        let verdict = self.messages.iter().next().map(|m| verdict_of(&m));
        self.messages.clear();
        match verdict {
            None => {}
            Some(Verdict::Whole) => return Ok(Some(None)),
            Some(Verdict::Cut(cut)) => return Ok(Some(Some(cut))),
            Some(Verdict::Unknown) => self.unknown = Some(Instant::now()),
            Some(Verdict::Doubt(why)) => self.doubt = Some(why),
            Some(Verdict::Refused(why)) => {
                let message = format!("{} cannot be read: {why}", self.of);
                return Err(Error::new(ErrorKind::Failed, message));
            }
        }
        Ok(None)
    }

    /// Asks again for a leader that nobody knew of a while ago.
    fn again(mut self, now: Instant, consumer: &Arc<Consumer>, waker: &Waker) -> Result<Self> {
        if self.unknown.is_some_and(|since| now >= since + AGAIN) {
            // One partition is not read twice at a time.
            let (of, point) = (self.of, self.point);
            drop(self.messages);
            drop(self.fetch);
            self = Check {
                unknown: self.unknown,
                doubt: self.doubt,
                ..Check::begin(self.at, of, point, consumer, waker)?
            };
            self.unknown = Some(now);
        }
        Ok(self)
    }

    fn unanswered(&self, consumer: &Consumer) -> Error {
        let trouble = consumer.context().take_trouble();
        let why = trouble.map(|trouble| trouble.reason).or(self.doubt.clone());
        let why = why.unwrap_or_else(|| "no answer came".to_owned());
        let LogPoint { offset, epoch } = self.point;
        let message = format!(
            "{} does not tell what became of offset {offset} of its leader of epoch {epoch}: {why}",
            self.of
        );
        Error::new(ErrorKind::Unavailable, message)
    }
}

fn start(
    of: &TopicPartition,
    point: LogPoint,
    consumer: &Arc<Consumer>,
    waker: &Waker,
) -> Result<Fetch> {
    let LogPoint { offset, epoch } = point;
    let begun = Fetch::start(
        consumer,
        &of.topic,
        number(of.partition),
        offset,
        waker.clone(),
    );
    let gone = begun.and_then(|mut fetch| {
        fetch.go_back_to(offset, epoch)?;
        Ok(fetch)
    });
    gone.map_err(|e| {
        let message = format!("{of} cannot be read: {}", e.message);
        Error::new(ErrorKind::Failed, message)
    })
}

fn verdict_of(message: &Message<'_>) -> Verdict {
    match message.notice() {
        None | Some(Code::PartitionEOF) => Verdict::Whole,
        Some(Code::AutoOffsetReset) => verdict(&message.notice_text()),
        Some(code) if lacks_right(code) => Verdict::Refused(in_words(code, "Describe and Read")),
        Some(_) => Verdict::Doubt(message.notice_text()),
    }
}

/// What the library says where a position cannot be gone to.
fn verdict(text: &str) -> Verdict {
    if !text.contains("log truncation detected") {
        // What stood there is deleted, or not there yet: that is another question, and comes after this one.
        return Verdict::Whole;
    }
    if text.contains("No epoch found") {
        return Verdict::Unknown;
    }
    let end = text.split("broker end offset is ").nth(1).map(|rest| {
        let digits = rest.find(|c: char| !c.is_ascii_digit());
        rest[..digits.unwrap_or(rest.len())].parse()
    });
    Verdict::Cut(Cut {
        end: end.and_then(|end| end.ok()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_library_says_is_understood() {
        let cut = "Partition log truncation detected at offset 120 (leader epoch 3): broker end offset is 100 \
                   (offset leader epoch 3). Reset to INVALID.: Local: Partition log truncation detected (broker 1)";
        assert_eq!(verdict(cut), Verdict::Cut(Cut { end: Some(100) }));
        let unknown = "No epoch found less or equal to offset 120 (leader epoch 9): broker end offset is -1 \
                       (offset leader epoch -1). Reset using configured policy.: Local: Partition log truncation \
                       detected (broker 1)";
        assert_eq!(verdict(unknown), Verdict::Unknown);
        let deleted = "fetch failed due to requested offset not available on the broker: Broker: Offset out of \
                       range (broker 1)";
        assert_eq!(verdict(deleted), Verdict::Whole);
    }
}
