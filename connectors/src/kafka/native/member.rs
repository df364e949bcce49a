//! Who a consumer is in its group.

use std::ffi::CString;

use rdkafka::bindings as sys;
use rdkafka::client::Client;

use super::call::{self, CallError};

/// A member of a group, in one of its generations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::kafka) struct MemberName {
    /// Below zero for who never joined.
    pub(in crate::kafka) generation: i32,
    pub(in crate::kafka) id: CString,
    pub(in crate::kafka) instance: Option<CString>,
}

/// Who a consumer is now; none where it has no group.
pub(in crate::kafka) fn member_name<C: rdkafka::ClientContext>(
    client: &Client<C>,
) -> Result<Option<MemberName>, CallError> {
    // SAFETY: the client lives; the metadata is ours and destroyed once, and its texts are copied before.
    unsafe {
        let metadata = sys::rd_kafka_consumer_group_metadata(client.native_ptr());
        if metadata.is_null() {
            return Ok(None);
        }
        let generation = sys::rd_kafka_consumer_group_metadata_generation_id(metadata);
        let id = call::text(sys::rd_kafka_consumer_group_metadata_member_id(metadata));
        let instance = sys::rd_kafka_consumer_group_metadata_group_instance_id(metadata);
        let instance = (!instance.is_null()).then(|| call::text(instance));
        sys::rd_kafka_consumer_group_metadata_destroy(metadata);
        Ok(Some(MemberName {
            generation,
            id: call::name(&id)?,
            instance: instance.map(|id| call::name(&id)).transpose()?,
        }))
    }
}
