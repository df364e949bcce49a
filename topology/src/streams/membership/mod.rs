//! Who runs which tasks: the instances of an application settle it among themselves.
//!
//! All instances are members of one group, over a coordination topic of one partition. The group tells
//! who is alive, gives each member a name that never comes back, and has brokers refuse the offsets of
//! whoever is no member any more. Whoever has the partition leads; an instance that led last and is
//! started again does so too, until another has led.
//!
//! What must be known of tasks travels over a control topic of one partition, compacted by key:
//!
//! * each instance writes what it is, which assignment it has followed, which tasks it holds, and how
//!   far the rows that it has are behind ([`InstanceRecord`]);
//! * the leader compares that with the members of the group, and writes who is to have which tasks
//!   ([`Assignment`]). It writes with a transactional id that all leaders share, so that a former leader
//!   can write nothing once there is another.
//!
//! A task goes to another instance in two steps. First the assignment says that its owner is to stop;
//! the owner commits, and says by its next record that it holds the task no more. Only then, or once the
//! owner is no member of the group, the next assignment gives the task away. An owner that was expelled
//! cannot commit what it still does: brokers know its name no longer, and with its new name it has no
//! task until an assignment gives it one.

mod assignor;
mod control;
mod handover;
mod leader;
mod record;

pub(super) use self::assignor::Limits;
pub(super) use self::control::{Control, Producing};
pub(super) use self::leader::{Leader, Office};
pub(super) use self::record::{Assignment, InstanceRecord, Share};
