//! A group and its members, as the group's coordinator sees them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use super::assignment::balance;
use crate::cluster::{GroupEvent, GroupMetadata, MemberOptions};
use crate::time::Timestamp;

/// What the coordinator knows of a member.
struct Membership {
    name: Arc<str>,
    instance: Option<String>,
    session_ms: i64,
    heard: Timestamp,
    /// A member that waits for news is there.
    polling: bool,
    /// What it was asked to give away, and has not yet.
    revoked: BTreeSet<u32>,
    events: VecDeque<(i32, GroupEvent)>,
}

/// In the brokers' words, why a group does not take offsets.
pub(super) const UNKNOWN_MEMBER: &str = "UNKNOWN_MEMBER_ID";
pub(super) const ILLEGAL_GENERATION: &str = "ILLEGAL_GENERATION";

/// Why a member is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gone {
    /// It was not heard of in time.
    Expelled,
    /// Its instance's name was taken by another process.
    Replaced,
}

/// A group whose members share the partitions of a topic.
pub(super) struct Group {
    topic: String,
    generation: i32,
    members: BTreeMap<u64, Membership>,
    replaced: BTreeSet<u64>,
    /// Who has each partition, until it has given it away.
    holders: Vec<Option<u64>>,
}

impl Group {
    pub(super) fn new(topic: &str, partitions: u32) -> Self {
        Group {
            topic: topic.to_owned(),
            generation: 0,
            members: BTreeMap::new(),
            replaced: BTreeSet::new(),
            holders: vec![None; partitions as usize],
        }
    }

    pub(super) fn topic(&self) -> &str {
        &self.topic
    }

    pub(super) fn member_names(&self) -> impl Iterator<Item = &str> {
        self.members.values().map(|member| &*member.name)
    }

    /// The number of the member that has an instance's name.
    pub(super) fn instance(&self, name: &str) -> Option<u64> {
        let named = |m: &Membership| m.instance.as_deref() == Some(name);
        let mut members = self.members.iter();
        members.find(|(_, m)| named(m)).map(|(number, _)| *number)
    }

    /// Takes a member in. One that comes back under an instance's name takes the place of the former
    /// one, and nothing changes for others.
    pub(super) fn join(
        &mut self,
        number: u64,
        name: Arc<str>,
        options: &MemberOptions,
        now: Timestamp,
    ) {
        let former = options.instance.as_deref().and_then(|i| self.instance(i));
        let former = former.and_then(|n| Some((n, self.members.remove(&n)?)));
        let member = Membership {
            name,
            instance: options.instance.clone(),
            session_ms: options.session_timeout.as_millis() as i64,
            heard: now,
            polling: false,
            revoked: BTreeSet::new(),
            events: VecDeque::new(),
        };
        self.members.insert(number, member);
        match former {
            Some((before, former)) => self.replace(before, &former, number),
            None => self.rebalance(),
        }
    }

    fn replace(&mut self, before: u64, former: &Membership, number: u64) {
        self.replaced.insert(before);
        for &partition in &former.revoked {
            self.holders[partition as usize] = None;
        }
        let held = |h: &&mut Option<u64>| **h == Some(before);
        for holder in self.holders.iter_mut().filter(held) {
            *holder = Some(number);
        }
        let all = self.held_by(number);
        let event = (self.generation, GroupEvent::Assigned(all));
        self.member(number).events.push_back(event);
        if !former.revoked.is_empty() {
            self.rebalance();
        }
    }

    /// The member is heard of: it begins to wait for news, or has them.
    pub(super) fn hear(
        &mut self,
        number: u64,
        now: Timestamp,
    ) -> Result<Option<(i32, GroupEvent)>, Gone> {
        let Some(member) = self.members.get_mut(&number) else {
            return Err(match self.replaced.contains(&number) {
                true => Gone::Replaced,
                false => Gone::Expelled,
            });
        };
        member.heard = now;
        let event = member.events.pop_front();
        member.polling = event.is_none();
        Ok(event)
    }

    /// The member waits no longer.
    pub(super) fn end_poll(&mut self, number: u64, now: Timestamp) {
        if let Some(member) = self.members.get_mut(&number) {
            member.heard = now;
            member.polling = false;
        }
    }

    /// Takes partitions from a member that was asked for them.
    pub(super) fn release(&mut self, number: u64, partitions: &BTreeSet<u32>) {
        let Some(member) = self.members.get_mut(&number) else {
            return;
        };
        let mut released = false;
        for partition in partitions {
            if member.revoked.remove(partition) {
                self.holders[*partition as usize] = None;
                released = true;
            }
        }
        if released {
            self.rebalance();
        }
    }

    /// Lets a member go.
    pub(super) fn leave(&mut self, number: u64) {
        if self.drop_member(number) {
            self.rebalance();
        }
    }

    /// Gives up the members that were not heard of in time; true where there were such.
    pub(super) fn expire(&mut self, now: Timestamp) -> bool {
        let silent = |m: &Membership| !m.polling && now - m.heard > m.session_ms;
        let members = self.members.iter();
        let expired: Vec<u64> = members
            .filter(|(_, m)| silent(m))
            .map(|(n, _)| *n)
            .collect();
        for number in &expired {
            self.drop_member(*number);
        }
        if !expired.is_empty() {
            self.rebalance();
        }
        !expired.is_empty()
    }

    /// When the next member may be given up.
    pub(super) fn deadline(&self) -> Option<Timestamp> {
        let waited_for = self.members.values().filter(|m| !m.polling);
        waited_for.map(|m| m.heard + m.session_ms + 1).min()
    }

    /// Every session begins anew, as with a coordinator that has just taken over.
    pub(super) fn hear_all(&mut self, now: Timestamp) {
        for member in self.members.values_mut() {
            member.heard = now;
        }
    }

    /// Why offsets in this name are refused, in the brokers' words; none where they are not.
    pub(super) fn refusal(&self, metadata: &GroupMetadata) -> Option<&'static str> {
        let mut members = self.members.values();
        if !members.any(|m| *m.name == *metadata.member()) {
            Some(UNKNOWN_MEMBER)
        } else if metadata.generation() != self.generation {
            Some(ILLEGAL_GENERATION)
        } else {
            None
        }
    }

    fn drop_member(&mut self, number: u64) -> bool {
        let held = |h: &&mut Option<u64>| **h == Some(number);
        for holder in self.holders.iter_mut().filter(held) {
            *holder = None;
        }
        self.members.remove(&number).is_some()
    }

    /// Begins a new generation, of which every member is told.
    fn rebalance(&mut self) {
        self.generation += 1;
        let revoked = self.members.values().flat_map(|m| m.revoked.iter());
        let given_away: BTreeSet<u32> = revoked.copied().collect();
        let mut settled = self.holders.clone();
        for &partition in &given_away {
            settled[partition as usize] = None;
        }
        let members: Vec<u64> = self.members.keys().copied().collect();
        let targets = balance(&settled, &members);
        let mut assigned: BTreeMap<u64, Vec<u32>> = BTreeMap::new();
        let mut revoked: BTreeMap<u64, Vec<u32>> = BTreeMap::new();
        for (partition, target) in (0_u32..).zip(targets) {
            match (&mut self.holders[partition as usize], target) {
                (holder @ None, Some(target)) => {
                    *holder = Some(target);
                    assigned.entry(target).or_default().push(partition);
                }
                (Some(holder), Some(target))
                    if *holder != target && !given_away.contains(&partition) =>
                {
                    revoked.entry(*holder).or_default().push(partition);
                }
                _ => {}
            }
        }
        for number in members {
            let generation = self.generation;
            let member = self.member(number);
            let new = assigned.remove(&number).unwrap_or_default();
            member
                .events
                .push_back((generation, GroupEvent::Assigned(new)));
            if let Some(old) = revoked.remove(&number) {
                member.revoked.extend(&old);
                member
                    .events
                    .push_back((generation, GroupEvent::Revoked(old)));
            }
        }
    }

    fn held_by(&self, number: u64) -> Vec<u32> {
        let partitions = (0_u32..).zip(&self.holders);
        partitions
            .filter(|(_, holder)| **holder == Some(number))
            .map(|(partition, _)| partition)
            .collect()
    }

    fn member(&mut self, number: u64) -> &mut Membership {
        self.members
            .get_mut(&number)
            .expect("the number is that of a member")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn options(instance: Option<&str>) -> MemberOptions {
        MemberOptions {
            group: "g".into(),
            topic: "t".into(),
            instance: instance.map(str::to_owned),
            session_timeout: Duration::from_millis(100),
        }
    }

    fn join(group: &mut Group, number: u64, instance: Option<&str>, now: Timestamp) {
        group.join(number, format!("m{number}").into(), &options(instance), now);
    }

    /// What a member is told: `2+[0] 2-[1]` are generations, and partitions assigned and revoked.
    fn news(group: &mut Group, number: u64, now: Timestamp) -> String {
        let mut told = Vec::new();
        while let Some((generation, event)) = group.hear(number, now).unwrap() {
            told.push(match event {
                GroupEvent::Assigned(partitions) => format!("{generation}+{partitions:?}"),
                GroupEvent::Revoked(partitions) => format!("{generation}-{partitions:?}"),
                GroupEvent::Lost(_) => unreachable!("the coordinator tells nobody who is gone"),
            });
        }
        group.end_poll(number, now);
        told.join(" ")
    }

    #[test]
    fn partitions_move_when_they_were_given_away() {
        let mut group = Group::new("t", 3);
        join(&mut group, 1, None, 0);
        assert_eq!(news(&mut group, 1, 0), "1+[0, 1, 2]");
        join(&mut group, 2, None, 0);
        assert_eq!(news(&mut group, 1, 0), "2+[] 2-[2]");
        assert_eq!(news(&mut group, 2, 0), "2+[]");
        join(&mut group, 3, None, 0);
        assert_eq!(news(&mut group, 1, 0), "3+[] 3-[1]");
        group.release(1, &[0, 1, 2].into());
        assert_eq!(news(&mut group, 1, 0), "4+[]");
        assert_eq!(news(&mut group, 2, 0), "3+[] 4+[1]");
        assert_eq!(news(&mut group, 3, 0), "3+[] 4+[2]");
        group.release(1, &[0].into());
        assert_eq!(news(&mut group, 1, 0), "");
        group.leave(2);
        group.leave(2);
        assert_eq!(news(&mut group, 1, 0), "5+[1]");
        assert_eq!(news(&mut group, 3, 0), "5+[]");
    }

    #[test]
    fn what_a_member_that_is_gone_was_asked_for_is_free() {
        let mut group = Group::new("t", 2);
        join(&mut group, 1, None, 0);
        join(&mut group, 2, None, 0);
        group.leave(1);
        assert_eq!(news(&mut group, 2, 0), "2+[] 3+[0, 1]");
    }

    #[test]
    fn silent_members_are_given_up() {
        let mut group = Group::new("t", 1);
        join(&mut group, 1, None, 0);
        join(&mut group, 2, None, 0);
        assert_eq!(group.deadline(), Some(101));
        assert_eq!(news(&mut group, 2, 60), "2+[]");
        assert!(!group.expire(100));
        assert!(group.expire(101));
        assert_eq!(group.hear(1, 101), Err(Gone::Expelled));
        assert_eq!(news(&mut group, 2, 101), "3+[0]");
        assert_eq!(group.hear(2, 110), Ok(None));
        assert!(
            !group.expire(1_000),
            "a member that waits for news is there"
        );
        assert_eq!(group.deadline(), None);
        group.end_poll(2, 1_000);
        assert!(!group.expire(1_100));
        group.hear_all(2_000);
        assert!(!group.expire(2_100));
        assert!(group.expire(2_101));
    }

    #[test]
    fn an_instance_that_comes_back_takes_its_share() {
        let mut group = Group::new("t", 2);
        join(&mut group, 1, Some("a"), 0);
        join(&mut group, 2, Some("b"), 0);
        assert_eq!(news(&mut group, 1, 0), "1+[0, 1] 2+[] 2-[1]");
        group.release(1, &[1].into());
        assert_eq!(news(&mut group, 2, 0), "2+[] 3+[1]");
        join(&mut group, 3, Some("b"), 0);
        assert_eq!(group.hear(2, 0), Err(Gone::Replaced));
        assert_eq!(news(&mut group, 3, 0), "3+[1]");
        assert_eq!(news(&mut group, 1, 0), "3+[]");
        assert_eq!(group.instance("b"), Some(3));
    }

    #[test]
    fn an_instance_that_comes_back_need_not_give_away_what_it_was_asked_for() {
        let mut group = Group::new("t", 2);
        join(&mut group, 1, Some("a"), 0);
        join(&mut group, 2, None, 0);
        join(&mut group, 3, Some("a"), 0);
        assert_eq!(news(&mut group, 3, 0), "2+[0] 3+[]");
        assert_eq!(news(&mut group, 2, 0), "2+[] 3+[1]");
    }

    #[test]
    fn offsets_are_taken_from_members_of_this_generation() {
        let mut group = Group::new("t", 1);
        join(&mut group, 1, None, 0);
        let of = |generation, member| GroupMetadata::new("g", generation, member, None).unwrap();
        assert_eq!(group.refusal(&of(1, "m1")), None);
        assert_eq!(group.refusal(&of(1, "m2")), Some(UNKNOWN_MEMBER));
        join(&mut group, 2, None, 0);
        assert_eq!(group.refusal(&of(1, "m1")), Some(ILLEGAL_GENERATION));
        assert_eq!(group.refusal(&of(2, "m2")), None);
        group.leave(1);
        assert_eq!(group.refusal(&of(2, "m1")), Some(UNKNOWN_MEMBER));
    }
}
