//! Offsets of a group, as the library takes them, and who commits them without a transaction.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use ferrisstreams_topology::cluster::{
    CommittedOffset, GroupMetadata, TopicPartition, TransactionError,
};
use ferrisstreams_topology::{Error, ErrorKind};
use rdkafka::error::RDKafkaErrorCode as Code;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::super::again::until_settled;
use super::super::failure::in_words;
use super::number;

/// How long the group may take to answer.
const ANSWER: Duration = Duration::from_secs(10);

/// Offsets as the library takes them.
pub(super) fn list(
    offsets: &[(TopicPartition, CommittedOffset)],
) -> Result<TopicPartitionList, TransactionError> {
    let mut list = TopicPartitionList::with_capacity(offsets.len());
    for (of, at) in offsets {
        let mut element = list.add_partition(&of.topic, number(of.partition));
        element
            .set_offset(Offset::Offset(at.offset))
            .map_err(|_| invalid("an offset below zero"))?;
        element.set_metadata(&at.metadata);
    }
    Ok(list)
}

pub(super) fn invalid(what: &str) -> TransactionError {
    let message = format!("{what} cannot be sent");
    TransactionError::Fatal(Error::new(ErrorKind::Invalid, message))
}

/// A member of a group, as those see it that commit in its name beside the thread that polls it.
pub(super) trait Committer: Send + Sync {
    /// The name by which the group knows the member now.
    fn name(&self) -> Option<String>;

    /// Commits offsets, and waits so long for the answer.
    fn commit(&self, offsets: &TopicPartitionList, limit: Duration) -> Result<(), Code>;
}

/// Commits offsets; where the members of the group are just being counted anew, until they are.
fn settled(
    member: &dyn Committer,
    offsets: &TopicPartitionList,
    limit: Duration,
    is_same: impl Fn() -> bool,
) -> Result<(), Code> {
    until_settled(
        limit,
        |answer| {
            let passes = matches!(
                answer,
                Err(Code::RebalanceInProgress
                    | Code::IllegalGeneration
                    | Code::CoordinatorLoadInProgress
                    | Code::NotCoordinator)
            );
            passes && is_same()
        },
        |left| member.commit(offsets, left),
    )
}

/// The members of groups in this process.
#[derive(Clone, Default)]
pub(super) struct Committers(Arc<Mutex<BTreeMap<String, Weak<dyn Committer>>>>);

impl Committers {
    pub(super) fn add(&self, group: &str, member: Weak<dyn Committer>) {
        let mut members = self.0.lock().expect("no panic while locked");
        members.insert(group.to_owned(), member);
    }

    /// Commits offsets in a member's name.
    ///
    /// The brokers are told of the generation that the member knows of then. Where it was expelled and has
    /// joined again, it has another name: what is committed for who it was before is refused here, and where
    /// that happens meanwhile, nobody knows.
    pub(super) fn commit(
        &self,
        offsets: &TopicPartitionList,
        group: &GroupMetadata,
    ) -> Result<(), TransactionError> {
        let members = self.0.lock().expect("no panic while locked");
        let member = members.get(group.group()).and_then(Weak::upgrade);
        drop(members);
        let failed = |why: &dyn std::fmt::Display| {
            let message = format!(
                "offsets of group {} are not committed: {why}",
                group.group()
            );
            Error::new(ErrorKind::Unavailable, message)
        };
        let stranger = || failed(&format!("{} is no member any more", group.member()));
        let Some(member) = member else {
            return Err(TransactionError::Abort(stranger()));
        };
        let is_same = || member.name().as_deref() == Some(group.member());
        if !is_same() {
            return Err(TransactionError::Abort(stranger()));
        }
        match settled(&*member, offsets, ANSWER, is_same) {
            Ok(()) if is_same() => Ok(()),
            Ok(()) => Err(TransactionError::Unknown(stranger())),
            Err(code @ (Code::GroupAuthorizationFailed | Code::TopicAuthorizationFailed)) => {
                let message = in_words(code, "Describe and Read");
                Err(TransactionError::Fatal(failed(&message)))
            }
            Err(code @ Code::OperationTimedOut) => Err(TransactionError::Unknown(failed(&code))),
            Err(code) => Err(TransactionError::Abort(failed(&code))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A member that answers one thing after the other.
    struct Scripted(Mutex<Vec<Result<(), Code>>>);

    impl Committer for Scripted {
        fn name(&self) -> Option<String> {
            Some("me".to_owned())
        }

        fn commit(&self, _: &TopicPartitionList, _: Duration) -> Result<(), Code> {
            let mut answers = self.0.lock().unwrap();
            match answers.len() {
                1 => answers[0],
                _ => answers.remove(0),
            }
        }
    }

    fn told(answers: &[Result<(), Code>], limit: Duration, is_same: bool) -> Result<(), Code> {
        let member = Scripted(Mutex::new(answers.to_vec()));
        settled(&member, &TopicPartitionList::new(), limit, || is_same)
    }

    #[test]
    fn offsets_wait_for_a_rebalance_to_end() {
        const LONG: Duration = Duration::from_secs(60);
        let rebalance = [
            Err(Code::RebalanceInProgress),
            Err(Code::IllegalGeneration),
            Err(Code::NotCoordinator),
            Ok(()),
        ];
        assert_eq!(told(&rebalance, LONG, true), Ok(()));
        // Who has another name by now is somebody else.
        assert_eq!(told(&rebalance, LONG, false), rebalance[0]);
        let expelled = [Err(Code::IllegalGeneration), Err(Code::UnknownMemberId)];
        assert_eq!(told(&expelled, LONG, true), expelled[1]);
        let never = [Err(Code::IllegalGeneration)];
        assert_eq!(told(&never, Duration::ZERO, true), never[0]);
    }
}
