//! A run of one input is chosen, taken and processed.

use super::Task;
use super::channels::Channels;
use super::input::Taken;
use super::nodes::{deliver, node};
use crate::error::Result;
use crate::graph::NodeId;
use crate::processor::Child;
use crate::run::Stamp;

impl Task {
    /// Processes one run, if one may be taken that begins at or before `bound`; false where none may.
    ///
    /// # Errors
    ///
    /// Where the state cannot be read, or a record failed whose policy is to stop. What the run had
    /// done must be rolled back then.
    pub(crate) fn step(&mut self, bound: Stamp) -> Result<bool> {
        self.step_of(bound, self.options.max_run)
    }

    /// The same, with a run of `max_run` records at most.
    ///
    /// # Errors
    ///
    /// As those of [`step`](Task::step).
    pub(crate) fn step_of(&mut self, bound: Stamp, max_run: usize) -> Result<bool> {
        let Some((at, limit)) = self.choose(bound) else {
            return Ok(false);
        };
        self.shared.working = true;
        // Where others are waited for, no record of a run is what has the time come.
        let waits = self.channels.as_ref().is_some_and(Channels::wait);
        let until = self.next_stream_punctuation().filter(|_| !waits);
        let node_id = self.inputs[at].node;
        let taken = self.inputs[at].take(max_run, |stamp| limit.admits(stamp, at, bound), until);
        if !taken.run.is_empty() {
            let last = taken.origin.stamp(taken.run.cause(taken.run.len() - 1));
            self.shared.latest = self.shared.latest.max(last);
        }
        self.process(node_id, taken)?;
        self.shared.working = false;
        Ok(true)
    }

    fn process(&mut self, id: NodeId, taken: Taken) -> Result<()> {
        self.shared.now = self.options.clock.now();
        self.herald.work();
        let Taken {
            run,
            origin,
            bad,
            said,
            came,
            reached,
        } = taken;
        let instance = node(&mut self.nodes, id);
        instance.facts.stats.count_records(run.len());
        self.taken += run.len() as u64;
        let mut forwarded = self.shared.spare.pop().unwrap_or_default();
        // What failed may stand before everything else, or be all there is.
        let first_bad = bad.first().map(|(cause, _)| *cause);
        let first_good = (!run.is_empty()).then(|| run.cause(0));
        if let Some(first) = first_bad.into_iter().chain(first_good).min() {
            self.shared.exits.begin_run(first);
        }
        if !run.is_empty() {
            forwarded.push((Child::All, run));
        }
        deliver(&mut self.nodes, &mut self.shared, &origin, id, forwarded)?;
        // What fails from here on is the source's, and not that of the last who got a record.
        self.shared.at_work = id;
        let facts = &node(&mut self.nodes, id).facts;
        for (cause, error) in bad {
            facts.report(&origin, cause, &error.to_string(), &mut self.shared.exits)?;
        }
        let time = match &mut self.channels {
            None => reached,
            Some(channels) => {
                channels.pass(self.shared.now);
                channels.processed(reached);
                channels.hear(id, came, &said);
                channels.time()
            }
        };
        self.shared.stream_time = self.shared.stream_time.max(time);
        self.punctuate()
    }

    /// The input whose head is earliest, if it may go on, and what its run must not pass.
    fn choose(&self, bound: Stamp) -> Option<(usize, Limit)> {
        let mut best: Option<(Stamp, usize)> = None;
        for (at, input) in self.inputs.iter().enumerate() {
            if let Some(head) = input.head() {
                best = Some(best.map_or((head, at), |best| best.min((head, at))));
            }
        }
        let (head, at) = best?;
        let mut limit = Limit(Stamp::MAX, usize::MAX);
        for (other, input) in self.inputs.iter().enumerate() {
            if other != at {
                let next = input.next();
                if (next, other) < (limit.0, limit.1) {
                    limit = Limit(next, other);
                }
            }
        }
        limit.admits(head, at, bound).then_some((at, limit))
    }
}

/// What an input must not pass: the place of the head of another, and which that is.
#[derive(Debug, Clone, Copy)]
struct Limit(Stamp, usize);

impl Limit {
    /// True where a record of input `at` may be taken before the other input goes on.
    fn admits(self, stamp: Stamp, at: usize, bound: Stamp) -> bool {
        (stamp, at) < (self.0, self.1) && stamp <= bound
    }
}
