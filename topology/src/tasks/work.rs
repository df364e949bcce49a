//! Tasks take turns.

use super::TaskSet;
use crate::error::Result;
use crate::run::Stamp;
use crate::task::Task;
use crate::time::Timestamp;

/// How many runs a task processes before the next one has its turn.
const RUNS_A_TURN: usize = 32;

impl TaskSet {
    /// Lets every task take runs that begin at or before `bound`, until none may or `runs` were
    /// taken; true where any was.
    ///
    /// # Errors
    ///
    /// As those of a task's step.
    pub(crate) fn work(&mut self, bound: Stamp, runs: usize) -> Result<bool> {
        let mut worked = false;
        for _ in 0..runs {
            self.receive();
            let mut any = false;
            for at in 0..self.tasks.len() {
                let bound = bound.min(self.limit(at));
                // What a task sends goes out for several runs together.
                for _ in 0..RUNS_A_TURN {
                    if !self.tasks[at].step(bound)? {
                        break;
                    }
                    any = true;
                }
                self.send(at);
            }
            worked |= any;
            if !any {
                break;
            }
        }
        Ok(worked)
    }

    /// Lets every task take one run that begins at or before `bound`, of `max_run` records at most; true
    /// where any could.
    ///
    /// # Errors
    ///
    /// As those of a task's step.
    pub(crate) fn step(&mut self, bound: Stamp, max_run: usize) -> Result<bool> {
        self.receive();
        let mut any = false;
        for at in 0..self.tasks.len() {
            let bound = bound.min(self.limit(at));
            any |= self.tasks[at].step_of(bound, max_run)?;
            self.send(at);
        }
        Ok(any)
    }

    /// The number of levels of the plan.
    pub(crate) fn levels(&self) -> u32 {
        self.plan
            .parts
            .iter()
            .map(|part| part.level + 1)
            .max()
            .unwrap_or(0)
    }

    /// Has the tasks of a level process all that was sent to them, and send what they held back.
    /// Everything of lower levels must have been sent.
    ///
    /// # Errors
    ///
    /// As those of a task's step.
    pub(crate) fn drain_level(&mut self, level: u32, bound: Stamp) -> Result<()> {
        self.receive();
        for at in 0..self.tasks.len() {
            if self.tasks[at].level == level {
                self.tasks[at].release();
                // What was sent is taken whole; what was read waits for what is still to be read.
                let own = bound.min(self.limit(at));
                loop {
                    let sent = self.tasks[at].has_been_sent();
                    if !self.tasks[at].step(if sent { bound } else { own })? {
                        break;
                    }
                    self.send(at);
                }
                self.tasks[at].go_by_heard_time()?;
                while self.tasks[at].flush()? {}
                self.send(at);
                self.say_time(at);
            }
        }
        Ok(())
    }

    /// Sends what is held back until a commit, or some of it: true where there is more. More may wait to
    /// be processed: this is for sets that send nothing to one another.
    ///
    /// # Errors
    ///
    /// As those of a task's step.
    pub(crate) fn flush(&mut self) -> Result<bool> {
        for at in 0..self.tasks.len() {
            let more = self.tasks[at].flush()?;
            self.send(at);
            if more {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Lets wall-clock time pass.
    ///
    /// # Errors
    ///
    /// As those of a task's step.
    pub(crate) fn tick(&mut self) -> Result<()> {
        for at in 0..self.tasks.len() {
            self.tasks[at].tick()?;
            self.send(at);
        }
        Ok(())
    }

    /// When wall-clock time next matters.
    pub(crate) fn next_tick(&self) -> Option<Timestamp> {
        self.tasks.iter().filter_map(Task::next_tick).min()
    }
}
