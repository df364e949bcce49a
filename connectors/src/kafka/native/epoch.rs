//! Which leaders of partitions tell where these end.

use std::time::Duration;

use rdkafka::bindings as sys;
use rdkafka::consumer::Consumer as _;
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::fetch::Consumer;

/// The ends of partitions, asked once, and the epochs of the leaders that tell them, in their order; an epoch
/// below zero is none.
pub(in crate::kafka) fn leader_ends(
    consumer: &Consumer,
    partitions: &[(&str, i32)],
    limit: Duration,
) -> KafkaResult<Vec<(i64, i32)>> {
    let mut list = TopicPartitionList::with_capacity(partitions.len());
    for (topic, partition) in partitions {
        list.add_partition_offset(topic, *partition, Offset::End)?;
    }
    let answer = consumer.offsets_for_times(list, limit)?;
    let mut found = Vec::with_capacity(partitions.len());
    for (topic, partition) in partitions {
        let element = answer.find_partition(topic, *partition);
        let element = element.ok_or(KafkaError::OffsetFetch(RDKafkaErrorCode::UnknownPartition))?;
        element.error()?;
        let Offset::Offset(end) = element.offset() else {
            return Err(KafkaError::OffsetFetch(RDKafkaErrorCode::Fail));
        };
        found.push((end, epoch_of(&answer, topic, *partition)?));
    }
    Ok(found)
}

fn epoch_of(list: &TopicPartitionList, topic: &str, partition: i32) -> KafkaResult<i32> {
    let name = super::call::name(topic).map_err(|e| KafkaError::OffsetFetch(e.code))?;
    // SAFETY: list and name live; what is found belongs to the list, and is looked at here alone.
    unsafe {
        let found = sys::rd_kafka_topic_partition_list_find(list.ptr(), name.as_ptr(), partition);
        Ok(match found.is_null() {
            true => -1,
            false => sys::rd_kafka_topic_partition_get_leader_epoch(found),
        })
    }
}
