//! Tables as a program keeps them: read as a whole, and row by row.

use std::error::Error;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use ferrisstreams::connect::Connections;

use ferrisstreams::query::Snapshot;
use ferrisstreams::runtime::{Embedded, EmbeddedOptions, Outcome};
use ferrisstreams::sql::{
    Colour, Program, RowReader, Session, Source, Table, read_rows, render_all, visit_rows,
};
use ferrisstreams::store::{State, StateOptions};

type Checked = Result<(), Box<dyn Error>>;

/// Runs what a script says until its input ends.
fn ran(script: &str) -> Result<(Program, Embedded), Box<dyn Error>> {
    let mut session = Session::new(Arc::new(Connections::new()));
    let source = Source::new("script", script);
    let outcome = session.execute(&source);
    if outcome.has_errors() {
        return Err(render_all(&outcome.diagnostics, &source, Colour::Never).into());
    }
    let program = session
        .program()
        .map_err(|problems| render_all(&problems, &source, Colour::Never))?
        .ok_or("nothing runs")?;
    let mut engine = Embedded::with_plans(
        &program.topology,
        State::in_memory(StateOptions::default()),
        EmbeddedOptions::default().bounded(),
        &program.plans,
    )?;
    engine.start()?;
    match engine.wait(Some(Duration::from_secs(60)))? {
        Outcome::Finished => Ok((program, engine)),
        other => Err(format!("the engine has not read what is there: {other:?}").into()),
    }
}

fn table<'p>(program: &'p Program, name: &str) -> Result<&'p Table, String> {
    let named = program.tables.iter().find(|table| table.name == name);
    Ok(named.ok_or_else(|| format!("no table {name}"))?)
}

/// The first `limit` rows that are shown.
fn shown(
    snapshot: &Snapshot,
    table: &Table,
    sorted_bytes: usize,
    limit: usize,
) -> Result<Vec<String>, Box<dyn Error>> {
    let reader = RowReader::new(&table.columns);
    let mut rows = Vec::new();
    visit_rows(snapshot, table, sorted_bytes, &mut |row| {
        rows.push(format!("{:?}", reader.values(row)));
        if rows.len() < limit {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    })?;
    Ok(rows)
}

#[test]
fn rows_are_shown_one_by_one_as_they_are_read_together() -> Checked {
    let values: Vec<String> = (0..300)
        .map(|i| format!("({}, 'r{}')", i * 7 % 101, i % 5))
        .collect();
    let script = format!(
        "CREATE STREAM s (k BIGINT, v VARCHAR);\nINSERT INTO s VALUES {};\n\
         CREATE TABLE counted AS SELECT v FROM s;\n\
         CREATE TABLE keyed AS SELECT k, COUNT(*) AS n FROM s GROUP BY k;\n\
         CREATE TABLE hidden AS SELECT COUNT(*) AS n, MAX(v) AS v FROM s GROUP BY k;\n",
        values.join(", ")
    );
    let (program, engine) = ran(&script)?;
    let snapshot = engine.snapshot();
    for name in ["counted", "keyed", "hidden"] {
        let table = table(&program, name)?;
        let reader = RowReader::new(&table.columns);
        let rows = read_rows(&snapshot, table)?;
        let together: Vec<String> = rows
            .iter()
            .map(|row| format!("{:?}", reader.values(row)))
            .collect();
        assert!(together.len() > 100, "{name} has {} rows", together.len());
        let all = usize::MAX;
        assert_eq!(shown(&snapshot, table, all, all)?, together, "{name}");
        for sorted_bytes in [0, 1, 500] {
            let mut one_by_one = shown(&snapshot, table, sorted_bytes, all)?;
            let mut expected = together.clone();
            one_by_one.sort();
            expected.sort();
            assert_eq!(one_by_one, expected, "{name}, {sorted_bytes} bytes sorted");
        }
        for sorted_bytes in [0, 500, all] {
            for limit in [1, 2, 70] {
                let first = shown(&snapshot, table, sorted_bytes, limit)?;
                assert_eq!(first.len(), limit, "{name}, {sorted_bytes} bytes sorted");
            }
        }
    }
    Ok(())
}
