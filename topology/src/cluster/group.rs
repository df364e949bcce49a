//! The group that the instances of an application are members of.

use std::sync::Arc;
use std::time::Duration;

use crate::error::{Error, ErrorKind, Result};

/// How a member joins.
#[derive(Debug, Clone)]
pub struct MemberOptions {
    /// The name of the group.
    pub group: String,
    /// The topic whose partitions are shared among the members.
    pub topic: String,
    /// The name of an instance that is expected back: its share is kept for it as long as a session is.
    pub instance: Option<String>,
    /// How long a member that is not heard of stays one.
    pub session_timeout: Duration,
}

/// In whose name offsets are committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupMetadata {
    group: Arc<str>,
    generation: i32,
    member: Arc<str>,
    instance: Option<Arc<str>>,
}

impl GroupMetadata {
    /// The metadata of a member that has joined.
    ///
    /// # Errors
    ///
    /// Where it has not: brokers take the offsets of who never joined unchecked.
    pub fn new(group: &str, generation: i32, member: &str, instance: Option<&str>) -> Result<Self> {
        if generation < 0 || member.is_empty() {
            return Err(Error::new(
                ErrorKind::Invalid,
                format!("this process is not a member of group {group}"),
            ));
        }
        Ok(GroupMetadata {
            group: group.into(),
            generation,
            member: member.into(),
            instance: instance.map(Into::into),
        })
    }

    /// The name of the group.
    pub fn group(&self) -> &str {
        &self.group
    }

    /// The generation of the group; it changes whenever members come or go.
    pub fn generation(&self) -> i32 {
        self.generation
    }

    /// The name of the member.
    pub fn member(&self) -> &str {
        &self.member
    }

    /// The name of the instance, if it has one.
    pub fn instance(&self) -> Option<&str> {
        self.instance.as_deref()
    }
}

/// What a member is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupEvent {
    /// The group has a new generation, and these partitions of its topic are the member's as well.
    Assigned(Vec<u32>),
    /// These partitions go to others. They still are the member's until it
    /// [releases](Member::release) them, which should be soon.
    Revoked(Vec<u32>),
    /// These partitions have gone to others: the member was not heard of in time.
    Lost(Vec<u32>),
}

/// A member of a group. It must be polled all the time, or else the group gives it up.
pub trait Member: Send {
    /// Waits for news, up to `timeout`; none where there are none.
    ///
    /// # Errors
    ///
    /// Where the member cannot go on: its instance's name was taken by another process, or the brokers
    /// refuse it.
    fn poll(&mut self, timeout: Duration) -> Result<Option<GroupEvent>>;

    /// Gives away what was revoked last.
    fn release(&mut self);

    /// In whose name offsets are committed now; none until something was assigned first.
    fn metadata(&self) -> Option<GroupMetadata>;

    /// Leaves the group, so that others need not wait for the session to end.
    fn leave(&mut self);
}
