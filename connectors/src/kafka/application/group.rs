//! The process as a member of its application's group.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use ferrisstreams_topology::cluster::{GroupEvent, GroupMetadata, Member, MemberOptions};
use ferrisstreams_topology::{Error, ErrorKind, Result};
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::statistics::Statistics;
use rdkafka::topic_partition_list::TopicPartitionList;
use rdkafka::types::RDKafkaRespErr;

use super::super::cluster::Cluster;
use super::super::failure::{engine_error, in_words, lacks_right};
use super::super::listener::{self, Listener, WithListener};
use super::super::native::{commit_offsets, member_name};
use super::super::properties::Role;
use super::super::statistics;
use super::number;
use super::offsets::{Committer, Committers};

/// A member of a group.
pub(super) struct GroupMember {
    options: MemberOptions,
    consumer: Arc<BaseConsumer<Rebalances>>,
    metadata: Option<GroupMetadata>,
}

/// Hears of rebalances.
#[derive(Clone, Default)]
struct Rebalances {
    shared: Arc<Shared>,
    listener: Listener,
}

#[derive(Default)]
struct Shared {
    events: Mutex<VecDeque<GroupEvent>>,
    /// What was revoked and is not given away yet.
    revoked: Mutex<Vec<u32>>,
    /// True where whatever is revoked is given away at once.
    leaving: AtomicBool,
    fatal: Mutex<Option<String>>,
}

impl Rebalances {
    fn events(&self) -> MutexGuard<'_, VecDeque<GroupEvent>> {
        self.shared.events.lock().expect("no panic while locked")
    }

    fn revoked(&self) -> MutexGuard<'_, Vec<u32>> {
        self.shared.revoked.lock().expect("no panic while locked")
    }
}

impl ClientContext for Rebalances {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        listener::log(level, facility, line);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::Fatal) {
            let mut fatal = self.shared.fatal.lock().expect("no panic while locked");
            *fatal = Some(reason.to_owned());
        }
        self.listener.error(error, reason);
    }

    fn stats(&self, told: Statistics) {
        statistics::tell(&told);
    }
}

impl WithListener for Rebalances {
    fn listener(&self) -> &Listener {
        &self.listener
    }
}

impl ConsumerContext for Rebalances {
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Self>,
        code: RDKafkaRespErr,
        list: &mut TopicPartitionList,
    ) {
        let elements = list.elements();
        let numbers: Vec<u32> = elements
            .iter()
            .map(|element| element.partition().unsigned_abs())
            .collect();
        let answered = match code {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => {
                self.events().push_back(GroupEvent::Assigned(numbers));
                consumer.incremental_assign(list)
            }
            _ if consumer.assignment_lost() => {
                self.events().push_back(GroupEvent::Lost(numbers));
                consumer.incremental_unassign(list)
            }
            _ if numbers.is_empty() || self.shared.leaving.load(Ordering::Acquire) => {
                consumer.incremental_unassign(list)
            }
            // They are given away once they are released.
            _ => {
                self.revoked().extend(&numbers);
                self.events().push_back(GroupEvent::Revoked(numbers));
                Ok(())
            }
        };
        if let Err(e) = answered {
            tracing::warn!("the group did not take the answer to a rebalance: {e}");
        }
    }
}

impl GroupMember {
    pub(super) fn join(
        cluster: &Cluster,
        options: MemberOptions,
        committers: &Committers,
    ) -> Result<Self> {
        let session = options.session_timeout.as_millis().to_string();
        let heartbeat = (options.session_timeout.as_millis() / 12)
            .max(1)
            .to_string();
        let mut fixed = vec![
            ("group.id", &*options.group),
            ("partition.assignment.strategy", "cooperative-sticky"),
            ("enable.auto.commit", "false"),
            ("enable.auto.offset.store", "false"),
            ("auto.offset.reset", "latest"),
            ("session.timeout.ms", &*session),
            ("heartbeat.interval.ms", &*heartbeat),
        ];
        if let Some(instance) = &options.instance {
            fixed.push(("group.instance.id", instance));
        }
        let defaults = [
            ("client.id", "ferrisstreams"),
            ("reconnect.backoff.ms", "50"),
            ("reconnect.backoff.max.ms", "1000"),
        ];
        let config = cluster.properties.config(Role::Consumer, &defaults, &fixed);
        let made = cluster.client(&config, Rebalances::default());
        let consumer: Arc<BaseConsumer<Rebalances>> = made.map_err(engine_error)?;
        consumer.subscribe(&[&options.topic]).map_err(|e| {
            let message = format!("topic {} cannot be subscribed to: {e}", options.topic);
            Error::new(ErrorKind::Failed, message)
        })?;
        let committer: Arc<dyn Committer> = consumer.clone();
        committers.add(&options.group, Arc::downgrade(&committer));
        Ok(GroupMember {
            options,
            consumer,
            metadata: None,
        })
    }

    /// True where the group has given up who the process was before.
    fn is_another(&self, before: Option<&GroupMetadata>) -> bool {
        match (before, &self.metadata) {
            (Some(before), Some(now)) => before.member() != now.member(),
            (Some(_), None) => true,
            (None, _) => false,
        }
    }

    /// Takes note of who the member is now.
    fn refresh(&mut self) {
        let named = match member_name(self.consumer.client()) {
            Ok(Some(named)) => named,
            Ok(None) => return,
            Err(e) => {
                tracing::warn!(
                    "who we are in group {} is not told: {e}",
                    self.options.group
                );
                return;
            }
        };
        let (id, instance) = (named.id.to_string_lossy(), named.instance.as_ref());
        let instance = instance.map(|id| id.to_string_lossy());
        let group = &self.options.group;
        self.metadata = GroupMetadata::new(group, named.generation, &id, instance.as_deref()).ok();
    }
}

impl Committer for BaseConsumer<Rebalances> {
    fn name(&self) -> Option<String> {
        let named = member_name(self.client()).ok()??;
        Some(named.id.to_string_lossy().into_owned())
    }

    fn commit(
        &self,
        offsets: &TopicPartitionList,
        limit: Duration,
    ) -> Result<(), RDKafkaErrorCode> {
        commit_offsets(self.client(), offsets, limit).map_err(|e| e.code)
    }
}

impl Member for GroupMember {
    fn poll(&mut self, timeout: Duration) -> Result<Option<GroupEvent>> {
        let context = self.consumer.context().clone();
        if context.events().is_empty() {
            match self.consumer.poll(timeout) {
                // Nobody writes to the topic; whatever is there is nobody's business.
                None | Some(Ok(_)) => {}
                Some(Err(e)) => match e.rdkafka_error_code() {
                    Some(
                        RDKafkaErrorCode::GroupAuthorizationFailed
                        | RDKafkaErrorCode::TopicAuthorizationFailed
                        | RDKafkaErrorCode::InconsistentGroupProtocol
                        | RDKafkaErrorCode::InvalidSessionTimeout,
                    ) => {
                        let why = match e.rdkafka_error_code() {
                            Some(code) if lacks_right(code) => in_words(code, "Describe and Read"),
                            _ => e.to_string(),
                        };
                        let group = &self.options.group;
                        let message = format!("group {group} does not take this process: {why}");
                        return Err(Error::new(ErrorKind::Invalid, message));
                    }
                    _ => tracing::debug!("group {}: {e}", self.options.group),
                },
            }
        }
        let fatal = context
            .shared
            .fatal
            .lock()
            .expect("no panic while locked")
            .take();
        if let Some(why) = fatal {
            let message = format!(
                "group {} has given this process up: {why}",
                self.options.group
            );
            return Err(Error::new(ErrorKind::Failed, message));
        }
        let event = context.events().pop_front();
        if event.is_some() || self.metadata.is_some() {
            let before = self.metadata.take();
            self.refresh();
            if event.is_none() && self.is_another(before.as_ref()) {
                // A member without partitions is not told that it was given up.
                return Ok(Some(GroupEvent::Lost(Vec::new())));
            }
        }
        if matches!(event, Some(GroupEvent::Lost(_))) {
            // Until it is told that it is a member again.
            self.metadata = None;
        }
        Ok(event)
    }

    fn release(&mut self) {
        let numbers = std::mem::take(&mut *self.consumer.context().revoked());
        let mut list = TopicPartitionList::with_capacity(numbers.len());
        for number_of in numbers {
            list.add_partition(&self.options.topic, number(number_of));
        }
        if let Err(e) = self.consumer.incremental_unassign(&list) {
            tracing::warn!("the group did not take back what was revoked: {e}");
        }
        self.refresh();
    }

    fn metadata(&self) -> Option<GroupMetadata> {
        self.metadata.clone()
    }

    fn leave(&mut self) {
        let context = self.consumer.context().clone();
        context.shared.leaving.store(true, Ordering::Release);
        if !context.revoked().is_empty() {
            self.release();
        }
        self.consumer.unsubscribe();
        // What follows is served as the consumer is closed.
        self.metadata = None;
    }
}
