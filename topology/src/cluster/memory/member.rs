//! A member of a group, as its process sees it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::group::{Gone, Group};
use super::state::{Shared, State};
use crate::cluster::{GroupEvent, GroupMetadata, Member, MemberOptions};
use crate::error::{Error, ErrorKind, Result};

/// A member, or one that was a member and joins again.
pub(super) struct MemoryMember {
    shared: Arc<Shared>,
    options: MemberOptions,
    number: u64,
    name: Arc<str>,
    metadata: Option<GroupMetadata>,
    /// What it was told that it has.
    held: BTreeSet<u32>,
    /// What it was told to give away.
    revoked: BTreeSet<u32>,
    left: bool,
}

impl MemoryMember {
    /// Joins a group that is there.
    pub(super) fn join(shared: Arc<Shared>, state: &mut State, options: MemberOptions) -> Self {
        let (number, name) = enter(state, &options, shared.now());
        MemoryMember {
            shared,
            options,
            number,
            name,
            metadata: None,
            held: BTreeSet::new(),
            revoked: BTreeSet::new(),
            left: false,
        }
    }

    /// The member sees an event.
    fn see(&mut self, generation: i32, event: &GroupEvent) -> Result<()> {
        match event {
            GroupEvent::Assigned(partitions) => self.held.extend(partitions),
            GroupEvent::Revoked(partitions) => self.revoked.extend(partitions),
            GroupEvent::Lost(_) => {}
        }
        let MemberOptions {
            group, instance, ..
        } = &self.options;
        let metadata = GroupMetadata::new(group, generation, &self.name, instance.as_deref())?;
        self.metadata = Some(metadata);
        Ok(())
    }

    /// Joins again after the group gave the member up; what it lost by that.
    fn rejoin(&mut self, state: &mut State) -> Result<GroupEvent> {
        let group = state.groups.get(&self.options.group);
        let instance = self.options.instance.as_deref();
        let taken = |instance| group.is_some_and(|g| g.instance(instance).is_some());
        if instance.is_some_and(taken) {
            return Err(self.replaced());
        }
        (self.number, self.name) = enter(state, &self.options, self.shared.now());
        self.metadata = None;
        self.revoked.clear();
        let lost = std::mem::take(&mut self.held);
        Ok(GroupEvent::Lost(lost.into_iter().collect()))
    }

    fn replaced(&self) -> Error {
        let message = format!(
            "{} is no member of group {} any more: another process has joined as instance {} \
             (FENCED_INSTANCE_ID)",
            self.name,
            self.options.group,
            self.options.instance.as_deref().unwrap_or_default()
        );
        Error::new(ErrorKind::Closed, message)
    }
}

impl Member for MemoryMember {
    fn poll(&mut self, timeout: Duration) -> Result<Option<GroupEvent>> {
        if self.left {
            let message = format!("{} has left group {}", self.name, self.options.group);
            return Err(Error::new(ErrorKind::Closed, message));
        }
        let end = Instant::now() + timeout;
        let shared = Arc::clone(&self.shared);
        let mut state = shared.call();
        loop {
            if state.available {
                let heard = group(&mut state, &self.options).hear(self.number, shared.now());
                match heard {
                    Ok(Some((generation, event))) => {
                        self.see(generation, &event)?;
                        return Ok(Some(event));
                    }
                    Ok(None) => {}
                    Err(Gone::Replaced) => return Err(self.replaced()),
                    Err(Gone::Expelled) => {
                        let lost = self.rejoin(&mut state)?;
                        shared.notify();
                        return Ok(Some(lost));
                    }
                }
            }
            if Instant::now() >= end {
                break;
            }
            state = shared.wait(state, end);
        }
        group(&mut state, &self.options).end_poll(self.number, shared.now());
        Ok(None)
    }

    fn release(&mut self) {
        let revoked = std::mem::take(&mut self.revoked);
        self.held.retain(|partition| !revoked.contains(partition));
        let mut state = self.shared.call();
        group(&mut state, &self.options).release(self.number, &revoked);
        self.shared.notify();
    }

    fn metadata(&self) -> Option<GroupMetadata> {
        self.metadata.clone()
    }

    fn leave(&mut self) {
        if !self.left {
            self.left = true;
            let mut state = self.shared.call();
            if state.available {
                group(&mut state, &self.options).leave(self.number);
                self.shared.notify();
            }
        }
    }
}

fn enter(state: &mut State, options: &MemberOptions, now: i64) -> (u64, Arc<str>) {
    let number = state.number();
    let name: Arc<str> = match &options.instance {
        Some(instance) => format!("{instance}-{number}").into(),
        None => format!("member-{number}").into(),
    };
    group(state, options).join(number, Arc::clone(&name), options, now);
    (number, name)
}

fn group<'a>(state: &'a mut State, options: &MemberOptions) -> &'a mut Group {
    state
        .groups
        .get_mut(&options.group)
        .expect("groups stay once they are there")
}
