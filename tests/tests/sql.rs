//! The SQL language from end to end: each file of `sql/` is a script of statements, rows and expected answers.
//!
//! A query is answered once, and kept as a table while rows come and go, up to the last one and back; the table must
//! hold what the query answers at every step. Every statement is printed and read again, and every query explained.
//! With `UPDATE_EXPECTED=1` the scripts are rewritten with what came out.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;

use ferrisstreams::connect::Connections;
use ferrisstreams::sql::ast::{Query, StatementKind};
use ferrisstreams::sql::{Answer, Colour, Diagnostic, Session, Source, parser, render_all};
use ferrisstreams_tests::sql::{
    Block, BlockKind, Cells, ChangingTables, Maintained, Script, rows_as_text,
};

macro_rules! scripts {
    ($($name:ident)*) => {
        /// The scripts, by the names of their files.
        const SCRIPTS: &[&str] = &[$(stringify!($name)),*];

        $(#[test]
        fn $name() {
            run(stringify!($name));
        })*
    };
}

scripts! {
    expressions case predicates logic casts decimals strings math dates
    aggregates statistics grouping joins outer_joins using union subqueries ordering
    create insert names errors inspect
}

#[test]
fn every_script_is_run() {
    let files = std::fs::read_dir(folder()).expect("the folder of the scripts");
    for file in files {
        let path = file.expect("a file").path();
        let name = path
            .file_stem()
            .and_then(|name| name.to_str())
            .expect("a name")
            .to_owned();
        assert!(
            SCRIPTS.contains(&&name[..]),
            "sql/{name}.txt is not among the scripts"
        );
    }
}

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sql"))
}

/// Runs a script, and tells everything in it that is not as expected.
fn run(name: &str) {
    let path = folder().join(format!("{name}.txt"));
    let text = std::fs::read_to_string(&path).expect("the script can be read");
    let mut script = Script::parse(&text);
    let mut failures = Vec::new();
    for at in 0..script.blocks.len() {
        let block = &script.blocks[at];
        let place = format!("sql/{name}.txt:{}", block.line);
        let found = catch_unwind(AssertUnwindSafe(|| check(&script, at)))
            .unwrap_or_else(|panic| Err(format!("panicked: {}", said(&*panic))));
        match found {
            Ok(None) => {}
            Ok(Some(found)) => {
                if let Some(difference) = block.difference(&found) {
                    failures.push(format!("{place}: {}\n{difference}", block.sql()));
                    script.blocks[at].expected = Some(found);
                }
            }
            Err(message) => failures.push(format!("{place}: {}\n  {message}\n", block.sql())),
        }
    }
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        std::fs::write(&path, script.to_string()).expect("the script can be written");
    }
    assert!(
        failures.is_empty(),
        "{} failures:\n\n{}",
        failures.len(),
        failures.join("\n")
    );
}

fn said(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(|text| &text[..]);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message")
}

/// Runs a block; the answer is what came out where something is expected.
fn check(script: &Script, at: usize) -> Result<Option<Vec<String>>, String> {
    let block = &script.blocks[at];
    match block.kind {
        BlockKind::Insert | BlockKind::Delete => Ok(None),
        BlockKind::Statement => {
            prints_as_it_parses(&block.sql())?;
            let text = Stage::before(script, at)?.statement(&block.sql())?;
            Ok(block.expected.is_some().then_some(text))
        }
        BlockKind::Error => Stage::before(script, at)?.error(&block.sql()).map(Some),
        BlockKind::QueryOnce => {
            prints_as_it_parses(&block.sql())?;
            let mut stage = Stage::before(script, at)?;
            stage.explain(&block.sql())?;
            stage.once(&block.sql()).map(Some)
        }
        BlockKind::Query => {
            prints_as_it_parses(&block.sql())?;
            let mut stage = Stage::before(script, at)?;
            stage.explain(&block.sql())?;
            if goes_on(&block.sql()) {
                maintained(script, at).map(Some)
            } else {
                stage.once(&block.sql()).map(Some)
            }
        }
    }
}

/// Whether a query may be kept as a table: it is not sorted and not cut.
fn goes_on(sql: &str) -> bool {
    the_query(sql).is_some_and(|query| {
        query.order_by.is_empty() && query.limit.is_none() && query.offset.is_none()
    })
}

fn the_query(sql: &str) -> Option<Query> {
    let parsed = parser::parse(&Source::new("sql", sql));
    match parsed.statements.into_iter().next()?.kind {
        StatementKind::Query(query) => Some(*query),
        _ => None,
    }
}

/// A statement that is printed and read again is the same.
fn prints_as_it_parses(sql: &str) -> Result<(), String> {
    for statement in parser::parse(&Source::new("sql", sql)).statements {
        let printed = statement.to_string();
        let again = parser::parse(&Source::new("printed", &printed[..]));
        if !again.diagnostics.is_empty() || again.statements != [statement] {
            let said: Vec<String> = again
                .diagnostics
                .iter()
                .map(Diagnostic::to_string)
                .collect();
            return Err(format!(
                "is printed as another statement: {printed} {}",
                said.join("; ")
            ));
        }
    }
    Ok(())
}

/// A session in which everything before a block was run.
struct Stage {
    session: Session,
}

impl Stage {
    fn before(script: &Script, at: usize) -> Result<Stage, String> {
        let tables = ChangingTables::default();
        let connections = Connections::new().base(folder()).with(tables.clone());
        let mut stage = Stage {
            session: Session::new(Arc::new(connections)),
        };
        for block in &script.blocks[..at] {
            match block.kind {
                BlockKind::Statement => drop(stage.statement(&block.sql())?),
                _ => apply(block, &tables)?,
            }
        }
        Ok(stage)
    }

    /// Runs statements that must succeed; the answer is what they say.
    fn statement(&mut self, sql: &str) -> Result<Vec<String>, String> {
        let source = Source::new("sql", sql);
        let outcome = self.session.execute(&source);
        let told = render_all(&outcome.diagnostics, &source, Colour::Never);
        if outcome.has_errors() {
            return Err(told);
        }
        let mut lines: Vec<String> = told.lines().map(str::to_owned).collect();
        for answer in &outcome.answers {
            match answer {
                Answer::Done(text) => lines.push(text.clone()),
                Answer::Queries => {
                    let queries = self.session.queries(&|_| "not running".to_owned());
                    lines.extend(rows_as_text(&queries));
                }
                Answer::Text(text) => lines.extend(text.lines().map(str::to_owned)),
                Answer::Rows(rows) => lines.extend(rows_as_text(rows)),
                Answer::Changes(changes) => lines.push(format!("changes {}", changes.name)),
                Answer::Select(select) => {
                    let rows = self
                        .session
                        .select(select, None)
                        .map_err(|e| e.to_string())?;
                    let names: Vec<&str> =
                        rows.columns.iter().map(|column| &column.name[..]).collect();
                    lines.push(format!("-- {}", names.join(" | ")));
                    lines.extend(rows_as_text(&rows));
                }
            }
        }
        while lines.last().is_some_and(String::is_empty) {
            lines.pop();
        }
        Ok(lines)
    }

    /// Runs statements that must be wrong, at the latest when they run; the answer is what is said.
    fn error(&mut self, sql: &str) -> Result<Vec<String>, String> {
        let source = Source::new("sql", sql);
        let outcome = self.session.execute(&source);
        let mut diagnostics = outcome.diagnostics;
        for answer in &outcome.answers {
            if let Answer::Select(select) = answer
                && let Err(e) = self.session.select(select, None)
            {
                match e {
                    ferrisstreams::sql::SelectError::Statement(diagnostic) => {
                        diagnostics.push(diagnostic)
                    }
                    failed => return Ok(vec![failed.to_string()]),
                }
            }
        }
        if let Err(problems) = self.session.program() {
            diagnostics.extend(problems);
        }
        if diagnostics.is_empty() {
            return Err("is not wrong".to_owned());
        }
        let text = render_all(&diagnostics, &source, Colour::Never);
        Ok(text.trim_end().lines().map(str::to_owned).collect())
    }

    /// The rows of a query that is answered once, in order where it has one.
    fn once(&mut self, sql: &str) -> Result<Vec<String>, String> {
        let source = Source::new("sql", sql);
        let outcome = self.session.execute(&source);
        if outcome.has_errors() {
            return Err(render_all(&outcome.diagnostics, &source, Colour::Never));
        }
        let [Answer::Select(select)] = &outcome.answers[..] else {
            return Err("is no query that answers once".to_owned());
        };
        let rows = self
            .session
            .select(select, None)
            .map_err(|e| e.to_string())?;
        let mut rows = rows_as_text(&rows);
        if the_query(sql).is_some_and(|query| query.order_by.is_empty()) {
            rows.sort_unstable();
        }
        Ok(rows)
    }

    /// Goes through all stages that a statement has.
    fn explain(&mut self, sql: &str) -> Result<(), String> {
        let source = Source::new("sql", format!("EXPLAIN {sql}"));
        let outcome = self.session.execute(&source);
        match &outcome.answers[..] {
            [Answer::Text(text)] if text.contains("== topology ==") => Ok(()),
            _ => Err(format!(
                "cannot be explained: {}",
                render_all(&outcome.diagnostics, &source, Colour::Never)
            )),
        }
    }
}

/// Has rows come or go.
fn apply(block: &Block, tables: &ChangingTables) -> Result<(), String> {
    match block.kind {
        BlockKind::Insert => tables.insert(block.table(), &block.rows()),
        BlockKind::Delete => tables.delete(block.table(), &block.rows()),
        _ => Ok(()),
    }
}

/// Keeps a query as a table while the rows of the script come and go, and then all of them. The answer is what the
/// table held where the query stands.
fn maintained(script: &Script, at: usize) -> Result<Vec<String>, String> {
    let is_statement = |block: &&Block| block.kind == BlockKind::Statement;
    let setup: Vec<String> = script.blocks[..at]
        .iter()
        .filter(is_statement)
        .map(|block| block.sql() + ";\n")
        .collect();
    // Every other query runs on several threads, its rows spread over them.
    let workers = if at.is_multiple_of(2) { 1 } else { 3 };
    let mut query = Maintained::new(&setup.concat(), &script.blocks[at].sql(), workers)?;
    let mut answer = query
        .check()
        .map_err(|e| format!("before the first row: {e}"))?;
    let mut changed = false;
    for (place, block) in script.blocks.iter().enumerate() {
        let ends = !matches!(block.kind, BlockKind::Insert | BlockKind::Delete);
        if ends
            && changed
            && (place <= at || matches!(block.kind, BlockKind::Query | BlockKind::QueryOnce))
        {
            let rows = query
                .check()
                .map_err(|e| format!("before line {}: {e}", block.line))?;
            changed = false;
            if place <= at {
                answer = rows;
            }
        }
        let knows = !ends
            && query
                .tables()
                .names()
                .iter()
                .any(|name| name == block.table());
        if knows {
            apply(block, query.tables())?;
            changed = true;
        }
    }
    query.check().map_err(|e| format!("at the end: {e}"))?;
    back_and_forth(&mut query)?;
    Ok(answer)
}

/// Takes away every other row, then all, and gives all back in another order.
fn back_and_forth(query: &mut Maintained) -> Result<(), String> {
    let tables = query.tables().clone();
    let all: Vec<(String, Vec<Cells>)> = tables
        .names()
        .into_iter()
        .map(|name| (name.clone(), tables.rows(&name)))
        .collect();
    if all.is_empty() {
        return Ok(());
    }
    let part = |rows: &[Cells], odd: usize| -> Vec<Cells> {
        rows.iter().skip(odd).step_by(2).cloned().collect()
    };
    for odd in [1, 0] {
        for (name, rows) in &all {
            tables.delete(name, &part(rows, odd))?;
        }
        query
            .check()
            .map_err(|e| format!("rows {odd} of 2 removed: {e}"))?;
    }
    for (name, rows) in &all {
        let reversed: Vec<Cells> = rows.iter().rev().cloned().collect();
        tables.insert(name, &reversed)?;
    }
    query
        .check()
        .map_err(|e| format!("all rows given back: {e}"))?;
    Ok(())
}
