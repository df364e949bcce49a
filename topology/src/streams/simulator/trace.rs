//! What was done last.

use std::collections::VecDeque;

/// How many steps are shown.
const KEPT: usize = 80;

/// The last steps of a run.
#[derive(Debug, Default)]
pub(super) struct Trace {
    steps: u64,
    last: VecDeque<String>,
}

impl Trace {
    pub(super) fn note(&mut self, step: String) {
        self.steps += 1;
        if self.last.len() == KEPT {
            self.last.pop_front();
        }
        self.last.push_back(format!("{:>6} {step}", self.steps));
    }

    pub(super) fn shown(&self) -> String {
        let lines: Vec<&str> = self.last.iter().map(String::as_str).collect();
        lines.join("\n")
    }
}
