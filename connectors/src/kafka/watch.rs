//! Looks after a topic that is being read, on a thread of its own: whether its brokers are there, whether
//! it has new partitions, and whether it is still the same topic. Everything that waits for an answer is
//! asked here, so that reading never waits.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use ferrisstreams_topology::connector::{Health, Stats, Waker};
use ferrisstreams_topology::{Error, ErrorKind, Result};
use rdkafka::consumer::Consumer as _;

use super::listener::TroubleKind;
use super::native::{self, Consumer};
use super::reading::Reading;
use super::topic::{Missing, Moment, TopicId, described, offsets};

/// How long events are waited for until it is looked whether there is something to do.
const SLICE: Duration = Duration::from_millis(100);

/// The pause between looks while something is wrong.
const RETRY: Duration = Duration::from_millis(500);

/// How long a broker may take to answer.
const ANSWER: Duration = Duration::from_secs(2);

/// A thread that looks after a topic; it ends soon after this is dropped.
pub(super) struct Watch {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    stopped: AtomicBool,
    has_news: AtomicBool,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    news: Vec<News>,
    /// Partitions of which is asked where they begin and end.
    asked: Vec<i32>,
    /// Somebody doubts that all is well.
    doubt: Option<String>,
}

/// What was found out.
#[derive(Debug)]
pub(super) enum News {
    /// The topic has this many partitions.
    Partitions(i32),
    /// A partition that was asked about has records from `first` up to but without `end`.
    Range {
        partition: i32,
        first: i64,
        end: i64,
    },
    /// Reading cannot go on.
    Failed(Error),
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("no panic while locked")
    }
}

/// What the thread knows.
struct Looker {
    shared: Arc<Shared>,
    consumer: Arc<Consumer>,
    reading: Arc<Reading>,
    waker: Waker,
    stats: Arc<Stats>,
    partitions: i32,
    id: Option<TopicId>,
    /// True while something is wrong.
    troubled: bool,
    /// Why brokers could not be reached, as was heard last.
    reason: Option<String>,
}

impl Watch {
    /// Begins to look after a topic that had `partitions` and `id` when it was opened.
    pub(super) fn begin(
        consumer: &Arc<Consumer>,
        reading: &Arc<Reading>,
        (partitions, id): (i32, Option<TopicId>),
        waker: Waker,
        stats: Arc<Stats>,
    ) -> Result<Watch> {
        let shared = Arc::new(Shared::default());
        let looker = Looker {
            shared: shared.clone(),
            consumer: consumer.clone(),
            reading: reading.clone(),
            waker,
            stats,
            partitions,
            id,
            troubled: false,
            reason: None,
        };
        thread::Builder::new()
            .name(format!("kafka-{}", reading.topic))
            .spawn(move || looker.run())
            .map_err(|e| {
                let message = format!("cannot start a thread for {}", reading.location());
                Error::new(ErrorKind::Unavailable, message).with_source(e)
            })?;
        Ok(Watch { shared })
    }

    /// Takes what was found out.
    pub(super) fn news(&self) -> Vec<News> {
        if !self.shared.has_news.swap(false, Ordering::AcqRel) {
            return Vec::new();
        }
        std::mem::take(&mut self.shared.lock().news)
    }

    /// Asks where a partition begins and ends.
    pub(super) fn ask(&self, partition: i32) {
        let mut inner = self.shared.lock();
        if !inner.asked.contains(&partition) {
            inner.asked.push(partition);
        }
    }

    /// Has it look at once, since something may be wrong.
    pub(super) fn doubt(&self, why: String) {
        self.shared.lock().doubt = Some(why);
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::Release);
    }
}

impl Looker {
    fn run(mut self) {
        let mut next_look = Instant::now() + self.reading.refresh;
        while !self.shared.stopped.load(Ordering::Acquire) {
            let heard = self.listen();
            self.answer();
            if !heard && Instant::now() < next_look {
                continue;
            }
            match self.look() {
                Ok(()) => self.well(),
                Err(why) => self.wrong(&why),
            }
            let pause = if self.troubled {
                RETRY
            } else {
                self.reading.refresh
            };
            next_look = Instant::now() + pause;
        }
    }

    /// Serves the client's events for a while; true where one of them says that something is wrong.
    fn listen(&mut self) -> bool {
        let _ = self.consumer.poll(SLICE);
        let doubt = self.shared.lock().doubt.take();
        let trouble = self.consumer.context().take_trouble();
        if let Some(trouble) = &trouble {
            self.reason = Some(trouble.reason.clone());
            if matches!(trouble.kind, TroubleKind::AllDown | TroubleKind::Refused) {
                self.wrong(&trouble.reason);
            }
        }
        // While it is known to be wrong, the pause is kept.
        !self.troubled && (trouble.is_some() || doubt.is_some())
    }

    fn well(&mut self) {
        self.reason = None;
        if std::mem::take(&mut self.troubled) {
            tracing::info!("{} can be read again", self.reading.location());
            self.stats.set_health(Health::Healthy);
        }
    }

    fn wrong(&mut self, why: &str) {
        if !std::mem::replace(&mut self.troubled, true) {
            tracing::warn!(
                "{} cannot be read, trying again: {why}",
                self.reading.location()
            );
        }
        self.stats.set_health(Health::Disconnected(why.to_owned()));
    }

    fn tell(&self, news: News) {
        self.shared.lock().news.push(news);
        self.shared.has_news.store(true, Ordering::Release);
        self.waker.wake();
    }

    /// Asks the brokers of the topic; the error says why it cannot be read at the moment.
    fn look(&mut self) -> Result<(), String> {
        let topic = self.reading.topic.clone();
        let metadata = self
            .consumer
            .fetch_metadata(Some(&topic), ANSWER)
            .map_err(|e| {
                let code = e.rdkafka_error_code().map(|code| code.to_string());
                self.reason
                    .clone()
                    .or(code)
                    .unwrap_or_else(|| e.to_string())
            })?;
        let found = described(&metadata, &topic).map_err(|missing| match missing {
            Missing::Unknown => format!("{} is gone", self.reading.location()),
            missing => self.reading.cluster.not_seen(&topic, missing).message,
        })?;
        self.compare_id(&topic, found.broker)?;
        if found.partitions > self.partitions {
            self.partitions = found.partitions;
            self.tell(News::Partitions(found.partitions));
        }
        match found.leaderless {
            Some(partition) => Err(format!("partition {partition} of `{topic}` has no leader")),
            None => Ok(()),
        }
    }

    fn compare_id(&mut self, topic: &str, broker: i32) -> Result<(), String> {
        let Some(known) = self.id else {
            return Ok(());
        };
        let id =
            native::topic_id(&self.consumer, topic, broker, ANSWER).map_err(|e| e.to_string())?;
        if id.is_some_and(|id| id != known) {
            self.id = id;
            let message = format!(
                "{} was deleted and made again while it was read (make the query anew to read it as \
                 it is now from its beginning)",
                self.reading.location()
            );
            self.tell(News::Failed(Error::new(ErrorKind::Failed, message)));
        }
        Ok(())
    }

    /// Answers what was asked; what has no answer yet is asked again.
    fn answer(&mut self) {
        let asked = std::mem::take(&mut self.shared.lock().asked);
        for partition in asked {
            let ask = |moment| {
                let topic = &self.reading.topic;
                offsets(&self.consumer, topic, &[partition], moment, ANSWER)
            };
            match (ask(Moment::Beginning), ask(Moment::End)) {
                (Ok(first), Ok(end)) => self.tell(News::Range {
                    partition,
                    first: first[&partition],
                    end: end[&partition],
                }),
                (Err(e), _) | (_, Err(e)) => {
                    tracing::debug!(partition, "cannot ask where the partition begins: {e}");
                    self.shared.lock().asked.push(partition);
                }
            }
        }
    }
}
