//! The instance that says who has which tasks.

use std::collections::BTreeSet;
use std::time::Duration;

use super::assignor::Limits;
use super::control::{Control, Producing};
use super::handover::{Known, next};
use super::record::{Assignment, assignment_key, encode};
use crate::cluster::Cluster;
use crate::error::{ErrorKind, Result};
use crate::time::Timestamp;

/// How often the members of the group are asked for where no new generation is heard of.
const ASK: Duration = Duration::from_secs(2);

/// How long a leader waits before it tries again what the brokers did not do.
const AGAIN: Duration = Duration::from_millis(200);

/// What a leader leads.
#[derive(Clone, Copy)]
pub(in crate::streams) struct Office<'a> {
    pub(in crate::streams) cluster: &'a dyn Cluster,
    /// The name of the group.
    pub(in crate::streams) group: &'a str,
    /// The name of the leader's state, and its own in the group.
    pub(in crate::streams) instance: &'a str,
    pub(in crate::streams) member: &'a str,
    /// The fingerprint of its tasks, and how many there are.
    pub(in crate::streams) map: &'a str,
    pub(in crate::streams) lanes: u16,
    pub(in crate::streams) limits: Limits,
}

/// The instance that says who has which tasks.
pub(in crate::streams) struct Leader {
    producing: Producing,
    /// The control topic must be read up to here before anything follows from it.
    read_to: Option<i64>,
    group: BTreeSet<String>,
    /// Nothing follows from what was read up to here.
    settled_at: Option<i64>,
    /// When the members of the group were asked for last; none where they must be now.
    asked: Option<Timestamp>,
    /// When brokers last did not do what they were asked.
    failed: Option<Timestamp>,
}

impl Leader {
    /// The leader of an application.
    pub(in crate::streams) fn new(application: &str) -> Self {
        Leader {
            producing: Producing::alone(format!("{application}-leader")),
            read_to: None,
            group: BTreeSet::new(),
            settled_at: None,
            asked: None,
            failed: None,
        }
    }

    /// The group has a new generation: others may have come or gone.
    pub(in crate::streams) fn hear_of_generation(&mut self) {
        self.asked = None;
    }

    /// Writes the next assignment, if there is to be one.
    ///
    /// # Errors
    ///
    /// Where brokers refuse. What may pass is tried again with one of the next calls.
    pub(in crate::streams) fn lead(
        &mut self,
        office: Office<'_>,
        control: &Control,
        now: Timestamp,
    ) -> Result<()> {
        if self
            .failed
            .is_some_and(|since| !has_passed(AGAIN, since, now))
        {
            return Ok(());
        }
        self.failed = None;
        match self.attempt(office, control, now) {
            Err(e) if e.kind() == ErrorKind::Unavailable => {
                tracing::warn!("tasks cannot be assigned yet: {e}");
                self.failed = Some(now);
                Ok(())
            }
            done => done,
        }
    }

    fn attempt(&mut self, office: Office<'_>, control: &Control, now: Timestamp) -> Result<()> {
        if !self.producing.is_ready() {
            self.read_to = None;
            self.producing.fence(office.cluster)?;
        }
        // Nobody else writes assignments from here on; what former leaders wrote is read first.
        let read_to = match self.read_to {
            Some(offset) => offset,
            None => *self.read_to.insert(control.end()?),
        };
        if control.position() < read_to {
            return Ok(());
        }
        if self.asked.is_none_or(|since| has_passed(ASK, since, now)) {
            let members = office.cluster.group_members(office.group)?;
            let members: BTreeSet<String> = members.into_iter().collect();
            // Whoever answers without knowing of the leader does not know the group as it is.
            if !members.contains(office.member) {
                return Ok(());
            }
            self.asked = Some(now);
            if self.group != members {
                self.group = members;
                self.settled_at = None;
            }
        }
        if self.settled_at == Some(control.position()) {
            return Ok(());
        }
        let nothing = Assignment::nothing(office.map, office.lanes);
        let known = Known {
            group: &self.group,
            instances: control.instances(),
            leader: office.instance,
            map: office.map,
            lanes: office.lanes,
            limits: office.limits,
        };
        let Some(following) = next(control.assignment().unwrap_or(&nothing), known) else {
            self.settled_at = Some(control.position());
            return Ok(());
        };
        tracing::debug!(number = following.number, "assigns {:?}", following.owners);
        let value = encode(&following);
        let (to, key) = (control.topic(), assignment_key());
        let written = self.producing.write(office.cluster, to, key, &value, now);
        self.read_to = None;
        self.read_to = Some(written?);
        Ok(())
    }
}

fn has_passed(interval: Duration, since: Timestamp, now: Timestamp) -> bool {
    // A clock that was put back does not stop anything.
    u64::try_from(now - since).map_or(true, |ms| Duration::from_millis(ms) >= interval)
}
