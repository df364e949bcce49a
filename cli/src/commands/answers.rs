//! What the statements of a script are answered with that are answered once.

use std::io::Write;

use ferrisstreams::query::Snapshot;
use ferrisstreams::sql::{Answer, SelectError, Session, Source};

use crate::args::Output;
use crate::failure::{Failure, chain};
use crate::render;

/// What is said of a query that does its work.
pub(super) const RUNNING: &str = "running";

/// What is said of queries where nothing runs.
pub(super) const NOT_RUNNING: &str = "not running";

/// A script that was executed, and how its results are shown.
pub(super) struct Script<'a> {
    pub(super) source: &'a Source,
    pub(super) session: &'a Session,
    pub(super) answers: &'a [Answer],
    pub(super) output: Output,
}

impl Script<'_> {
    /// Shows what statements came to that are answered once: from tables where they are there already.
    pub(super) fn answer(&self, snapshot: Option<&Snapshot>) -> Result<(), Failure> {
        let mut out = std::io::stdout().lock();
        for answer in self.answers {
            match answer {
                Answer::Done(_) | Answer::Changes(_) | Answer::Queries => {}
                Answer::Rows(rows) => render::result(&mut out, rows, self.output)?,
                Answer::Text(text) => writeln!(out, "{text}")?,
                Answer::Select(select) => match self.session.select(select, snapshot) {
                    Ok(rows) => render::result(&mut out, &rows, self.output)?,
                    Err(SelectError::Statement(diagnostic)) => {
                        return Err(Failure::Statements(self.source.clone(), vec![diagnostic]));
                    }
                    Err(SelectError::Failed(error)) => return Err(Failure::Failed(chain(&error))),
                },
            }
        }
        Ok(())
    }

    /// Answers SHOW QUERIES: how they stand in the end, as `state` says of each.
    pub(super) fn show_queries(&self, state: &dyn Fn(&str) -> String) -> Result<(), Failure> {
        let mut out = std::io::stdout().lock();
        for answer in self.answers {
            if matches!(answer, Answer::Queries) {
                render::result(&mut out, &self.session.queries(state), self.output)?;
            }
        }
        Ok(())
    }

    pub(super) fn has_selects(&self) -> bool {
        self.answers
            .iter()
            .any(|answer| matches!(answer, Answer::Select(_)))
    }
}
