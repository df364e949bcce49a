//! A query in two forms: answered once over the rows that are there, and kept as a table while they come and go.

use std::sync::Arc;
use std::time::Duration;

use ferrisstreams::connect::Connections;
use ferrisstreams::runtime::{Embedded, EmbeddedOptions, Outcome as Ended};
use ferrisstreams::sql::{
    Answer, Colour, Program, ResultSet, Select, Session, Source, Table, read_rows, render_all,
};
use ferrisstreams::store::{State, StateOptions};

use super::cells::rows_as_text;
use super::changing::ChangingTables;

/// The name of the table that a query is kept as.
const VIEW: &str = "maintained";

/// How long an engine may take to read what is there.
const LIMIT: Duration = Duration::from_secs(60);

/// A query that is kept as a table, with the tables that it reads.
pub struct Maintained {
    session: Session,
    tables: ChangingTables,
    select: Select,
    program: Program,
    view: Arc<Table>,
    state: State,
    workers: u16,
    first: bool,
}

impl Maintained {
    /// Runs statements that create tables, and then `query` in both forms. Tables from `rows://name` are empty.
    ///
    /// # Errors
    ///
    /// What is wrong with them, as it is shown to users.
    pub fn new(setup: &str, query: &str, workers: u16) -> Result<Maintained, String> {
        let tables = ChangingTables::default();
        let mut session = session(&tables);
        execute(&mut session, setup)?;
        let select = one_select(&mut session, query)?;
        execute(&mut session, &format!("CREATE TABLE {VIEW} AS {query}"))?;
        let program = session
            .program()
            .map_err(|problems| {
                render_all(&problems, &Source::new("program", query), Colour::Never)
            })?
            .ok_or("nothing runs")?;
        let view = program.tables.iter().find(|table| table.name == VIEW);
        let view = view.ok_or("the table is not there")?.clone();
        Ok(Maintained {
            session,
            tables,
            select,
            program,
            view,
            state: State::in_memory(StateOptions::default()),
            workers,
            first: true,
        })
    }

    /// The tables from `rows://name`, to be changed.
    #[must_use]
    pub fn tables(&self) -> &ChangingTables {
        &self.tables
    }

    /// Has the table take in what changed, and checks that it holds what the query answers now: over the rows
    /// themselves, and over the tables that the same engine keeps. The rows are sorted by their text.
    ///
    /// # Errors
    ///
    /// The difference, or what failed.
    pub fn check(&mut self) -> Result<Vec<String>, String> {
        let mut options = EmbeddedOptions::default().workers(self.workers).bounded();
        // Half of the time rows come a few at a time, so that changes follow changes within a commit.
        if !self.first {
            options = options.max_run(3);
        }
        self.first = false;
        let mut engine = Embedded::with_plans(
            &self.program.topology,
            self.state.clone(),
            options,
            &self.program.plans,
        )
        .map_err(chain)?;
        engine.start().map_err(chain)?;
        match engine.wait(Some(LIMIT)).map_err(chain)? {
            Ended::Finished => {}
            other => return Err(format!("the engine has not read what is there: {other:?}")),
        }
        let snapshot = engine.snapshot();
        let rows = ResultSet {
            columns: self.view.columns.clone(),
            rows: read_rows(&snapshot, &self.view).map_err(chain)?,
        };
        let maintained = sorted(rows_as_text(&rows));
        let from_tables = self.session.select(&self.select, Some(&snapshot));
        let from_tables = sorted(rows_as_text(&from_tables.map_err(|e| e.to_string())?));
        engine.close(LIMIT).map_err(chain)?;
        let recomputed = self
            .session
            .select(&self.select, None)
            .map_err(|e| e.to_string())?;
        let recomputed = sorted(rows_as_text(&recomputed));
        same(
            "the table differs from the query answered now",
            &recomputed,
            &maintained,
        )?;
        same(
            "the query over tables of the engine differs from that over sources",
            &recomputed,
            &from_tables,
        )?;
        Ok(maintained)
    }
}

/// A session that knows changing tables besides what every session knows.
fn session(tables: &ChangingTables) -> Session {
    Session::new(Arc::new(Connections::new().with(tables.clone())))
}

/// Runs statements; the answer is what they say that is wrong.
fn execute(session: &mut Session, text: &str) -> Result<Vec<Answer>, String> {
    let source = Source::new("sql", text);
    let outcome = session.execute(&source);
    if outcome.has_errors() {
        return Err(render_all(&outcome.diagnostics, &source, Colour::Never));
    }
    Ok(outcome.answers)
}

fn one_select(session: &mut Session, query: &str) -> Result<Select, String> {
    match execute(session, query)?.pop() {
        Some(Answer::Select(select)) => Ok(select),
        other => Err(format!("no query that answers once: {other:?}")),
    }
}

fn sorted(mut rows: Vec<String>) -> Vec<String> {
    rows.sort_unstable();
    rows
}

fn chain(error: ferrisstreams::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(inner) = cause {
        text.push_str(&format!(": {inner}"));
        cause = inner.source();
    }
    text
}

/// Compares sorted rows.
fn same(what: &str, expected: &[String], found: &[String]) -> Result<(), String> {
    if expected == found {
        return Ok(());
    }
    let count = |rows: &[String], row: &String| rows.iter().filter(|other| *other == row).count();
    let mut text = format!("{what}:");
    let mut all: Vec<&String> = expected.iter().chain(found).collect();
    all.sort_unstable();
    all.dedup();
    for row in all {
        let (wanted, there) = (count(expected, row), count(found, row));
        if wanted != there {
            text.push_str(&format!("\n  {there} instead of {wanted} times: {row}"));
        }
    }
    Err(text)
}
