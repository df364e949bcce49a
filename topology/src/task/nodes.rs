//! The nodes of a task, and how runs go from one to the next.

use crate::error::{Error, ErrorKind, Result};
use crate::graph::NodeId;
use crate::processor::{Child, Context, Exits, NodeFacts, Processor, Stores};
use crate::run::{Origin, Run, Stamp};
use crate::time::Timestamp;

/// What all nodes of a task share.
pub(super) struct Shared {
    pub(super) stores: Stores,
    pub(super) exits: Exits,
    pub(super) stream_time: Timestamp,
    pub(super) now: Timestamp,
    /// The greatest place of a record that was taken.
    pub(super) latest: Stamp,
    /// The node that is at work, for the case that it panics.
    pub(super) at_work: NodeId,
    /// True while a call into the task has not returned well.
    pub(super) working: bool,
    pub(super) spare: Vec<Vec<(Child, Run)>>,
}

/// A node of a task.
pub(super) struct Instance {
    pub(super) processor: Option<Box<dyn Processor>>,
    pub(super) facts: NodeFacts,
    pub(super) children: Vec<(NodeId, u8)>,
    pub(super) one_by_one: bool,
    /// True where the node's query has failed: it is given nothing any more.
    pub(super) disabled: bool,
}

/// A node that belongs to the task.
pub(super) fn node(nodes: &mut [Option<Instance>], id: NodeId) -> &mut Instance {
    nodes[id.index()]
        .as_mut()
        .expect("the node belongs to the task")
}

impl Shared {
    /// What a processor is called with; what it forwards is added to `forwarded`.
    pub(super) fn context<'a>(
        &'a mut self,
        facts: &'a NodeFacts,
        origin: &'a Origin,
        forwarded: &'a mut Vec<(Child, Run)>,
        id: NodeId,
    ) -> Context<'a> {
        self.at_work = id;
        Context {
            stores: &mut self.stores,
            exits: &mut self.exits,
            origin,
            now: self.now,
            stream_time: self.stream_time,
            latest: self.latest,
            node: facts,
            forwarded,
        }
    }
}

/// Gives what a node forwarded to its children, depth first.
pub(super) fn deliver(
    nodes: &mut [Option<Instance>],
    shared: &mut Shared,
    origin: &Origin,
    from: NodeId,
    mut forwarded: Vec<(Child, Run)>,
) -> Result<()> {
    for (child, run) in forwarded.drain(..) {
        let instance = node(nodes, from);
        if instance.one_by_one && run.len() > 1 {
            for record in singles(run) {
                deliver_run(nodes, shared, origin, from, child, record)?;
            }
        } else {
            deliver_run(nodes, shared, origin, from, child, run)?;
        }
    }
    shared.spare.push(forwarded);
    Ok(())
}

fn deliver_run(
    nodes: &mut [Option<Instance>],
    shared: &mut Shared,
    origin: &Origin,
    from: NodeId,
    child: Child,
    run: Run,
) -> Result<()> {
    let count = node(nodes, from).children.len();
    let (first, end) = match child {
        Child::All => (0, count),
        Child::One(at) if at < count => (at, at + 1),
        Child::One(_) => return Ok(()),
    };
    let mut run = Some(run);
    for at in first..end {
        let (to, port) = node(nodes, from).children[at];
        let part = if at + 1 == end {
            run.take()
        } else {
            run.as_ref().map(Run::duplicate)
        };
        if let Some(part) = part {
            process(nodes, shared, origin, to, port, part)?;
        }
    }
    Ok(())
}

fn process(
    nodes: &mut [Option<Instance>],
    shared: &mut Shared,
    origin: &Origin,
    id: NodeId,
    port: u8,
    run: Run,
) -> Result<()> {
    if node(nodes, id).disabled {
        return Ok(());
    }
    if node(nodes, id).one_by_one && run.len() > 1 {
        for record in singles(run) {
            process(nodes, shared, origin, id, port, record)?;
        }
        return Ok(());
    }
    let mut forwarded = shared.spare.pop().unwrap_or_default();
    let instance = node(nodes, id);
    instance.facts.stats.count_records(run.len());
    let processor = instance
        .processor
        .as_mut()
        .ok_or_else(|| Error::new(ErrorKind::Invalid, "a run was sent to a source"))?;
    let mut cx = shared.context(&instance.facts, origin, &mut forwarded, id);
    processor.process(port, run, &mut cx)?;
    deliver(nodes, shared, origin, id, forwarded)
}

/// A run as runs of one record.
fn singles(mut run: Run) -> impl Iterator<Item = Run> {
    let mut last_first = Vec::with_capacity(run.len());
    while run.len() > 1 {
        last_first.push(run.split_off(run.len() - 1));
    }
    last_first.push(run);
    last_first.into_iter().rev()
}
