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

/// How often something failed in the queries.
fn failures(engine: &Embedded) -> u64 {
    let stats = engine.node_stats();
    stats.iter().map(|(_, node)| node.failed()).sum()
}

/// The rows of a table, and how often something failed on the way to them.
fn rows_and_failures(script: &str, name: &str) -> Result<(Vec<String>, u64), Box<dyn Error>> {
    let (program, engine) = ran(script)?;
    let all = usize::MAX;
    let rows = shown(&engine.snapshot(), table(&program, name)?, all, all)?;
    Ok((rows, failures(&engine)))
}

#[test]
fn a_sum_that_its_type_does_not_hold_is_counted_as_a_failure() -> Checked {
    let script = |number: &str| {
        format!(
            "CREATE STREAM s (k INT, v DECIMAL(38, 0));\n\
             INSERT INTO s VALUES (1, {number}), (1, {number}), (2, 5);\n\
             CREATE TABLE sums AS SELECT k, SUM(v) AS v, MAX(v) AS m FROM s GROUP BY k;\n"
        )
    };
    let (rows, failed) = rows_and_failures(&script(&"9".repeat(38)), "sums")?;
    assert!(rows[0].contains("Null"), "{rows:?}");
    assert!(!rows[1].contains("Null"), "{rows:?}");
    assert_eq!(failed, 1);
    let (rows, failed) = rows_and_failures(&script("7"), "sums")?;
    assert_eq!(rows.len(), 2);
    assert_eq!(failed, 0);
    Ok(())
}

#[test]
fn a_condition_of_a_join_of_tables_that_fails_is_counted() -> Checked {
    for (join, rows_where_it_fails) in [("INNER", 1), ("LEFT", 2), ("RIGHT", 2), ("FULL", 3)] {
        let script = |divisor: i32| {
            format!(
                "CREATE TABLE a (id INT PRIMARY KEY, v INT);\n\
                 CREATE TABLE b (id INT PRIMARY KEY, v INT);\n\
                 INSERT INTO a VALUES (1, 10), (2, 20);\n\
                 INSERT INTO b VALUES (1, {divisor}), (2, 5);\n\
                 CREATE TABLE j AS SELECT a.id, b.v FROM a {join} JOIN b ON a.id = b.id AND a.v / b.v > 1;\n"
            )
        };
        let (rows, failed) = rows_and_failures(&script(0), "j")?;
        assert_eq!(rows.len(), rows_where_it_fails, "{join}: {rows:?}");
        assert_eq!(failed, 1, "{join}");
        let (rows, failed) = rows_and_failures(&script(2), "j")?;
        assert_eq!(rows.len(), 2, "{join}: {rows:?}");
        assert_eq!(failed, 0, "{join}");
    }
    Ok(())
}
