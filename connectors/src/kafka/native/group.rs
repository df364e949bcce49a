//! The members of a group.

use std::time::Duration;

use rdkafka::bindings as sys;

use super::admin;
use super::call::{self, CallError};
use super::fetch::Consumer;

/// The names of the members that a group has, as its coordinator knows them; none where there is no such
/// group.
pub(in crate::kafka) fn group_members(
    consumer: &Consumer,
    group: &str,
    limit: Duration,
) -> Result<Vec<String>, CallError> {
    let name = call::name(group)?;
    let operation = sys::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS;
    let answer = admin::ask(consumer, operation, None, limit, |asked| {
        let mut names = [name.as_ptr()];
        // SAFETY: what is asked for lives during the call, which copies the names.
        unsafe {
            sys::rd_kafka_DescribeConsumerGroups(
                asked.client,
                names.as_mut_ptr(),
                names.len(),
                asked.options,
                asked.queue,
            );
        }
    })?;
    // SAFETY: the event lives as long as the answer, and all that is read here belongs to it.
    unsafe {
        let result = sys::rd_kafka_event_DescribeConsumerGroups_result(answer.event());
        if result.is_null() {
            return Ok(Vec::new());
        }
        let mut count = 0;
        let groups = sys::rd_kafka_DescribeConsumerGroups_result_groups(result, &mut count);
        if count == 0 {
            return Ok(Vec::new());
        }
        let group = *groups;
        let error = sys::rd_kafka_ConsumerGroupDescription_error(group);
        if !error.is_null() {
            let code = sys::rd_kafka_error_code(error);
            if code == sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND {
                return Ok(Vec::new());
            }
            call::check(code)?;
        }
        let members = 0..sys::rd_kafka_ConsumerGroupDescription_member_count(group);
        Ok(members
            .map(|at| {
                let member = sys::rd_kafka_ConsumerGroupDescription_member(group, at);
                call::text(sys::rd_kafka_MemberDescription_consumer_id(member))
            })
            .collect())
    }
}
