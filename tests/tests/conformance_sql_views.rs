//! Views over tables with rows, as data of another system has them: each view must hold the rows that it says.
//!
//! The data lies beside the repository; where it is missing the test says so and passes.

use std::fmt::Write;
use std::panic::catch_unwind;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ferrisstreams::connect::Connections;
use ferrisstreams::data::Value as Cell;
use ferrisstreams::runtime::{Embedded, EmbeddedOptions, Outcome};
use ferrisstreams::sql::{Colour, ResultSet, Session, Source, read_rows, render_all};
use ferrisstreams::store::{State, StateOptions};
use ferrisstreams_tests::sql::rounded;
use serde_json::Value;

/// How many of the cases must hold.
const ENOUGH: usize = 250;

#[test]
fn views_hold_the_rows_of_the_conformance_data() {
    let path = PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../shared/conformance/sql-views.jsonl"
    ));
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("sql-views: skipped, {} is not there", path.display());
        return;
    };
    let cases: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("each line is an object"))
        .collect();
    let mut failures = String::new();
    let mut good = 0;
    for case in &cases {
        let outcome = catch_unwind(|| run(case)).unwrap_or_else(|_| Err("panicked".to_owned()));
        match outcome {
            Ok(()) => good += 1,
            Err(message) => writeln!(
                failures,
                "{}\n  {}",
                text_of(&case["id"]),
                message.replace('\n', "\n  ")
            )
            .expect("writing to a string cannot fail"),
        }
    }
    println!("{failures}sql-views: {good} of {}", cases.len());
    assert!(
        good >= ENOUGH.min(cases.len()),
        "too few views hold what they must:\n{failures}"
    );
}

/// Creates the tables and the view of a case, and compares the rows that the view holds.
fn run(case: &Value) -> Result<(), String> {
    let mut script = String::new();
    for table in list(&case["tables"]) {
        writeln!(script, "{};", text_of(&table["sql"])).expect("writing to a string cannot fail");
        script.push_str(&insertion(table));
    }
    writeln!(script, "{};", text_of(&case["sql"])).expect("writing to a string cannot fail");
    let view = view(&script, text_of(&case["view"]))?;
    let mut found: Vec<String> = view
        .values()
        .iter()
        .map(|row| {
            let cells = view.columns.iter().zip(row);
            line(cells.map(|(column, cell)| (column.name.to_lowercase(), found_text(cell))))
        })
        .collect();
    let mut expected: Vec<String> = list(&case["expected"])
        .iter()
        .map(|row| {
            let cells = row.as_object().expect("a row is an object");
            // Which texts are numbers only the type of the column tells.
            line(cells.iter().map(|(name, value)| {
                let same =
                    |column: &&ferrisstreams::sql::Column| column.name.eq_ignore_ascii_case(name);
                let numeric = view
                    .columns
                    .iter()
                    .find(same)
                    .is_some_and(|c| c.data_type.is_numeric());
                (name.to_lowercase(), expected_text(value, numeric))
            }))
        })
        .collect();
    found.sort_unstable();
    expected.sort_unstable();
    if found == expected {
        return Ok(());
    }
    Err(format!(
        "expected\n{}\nfound\n{}",
        expected.join("\n"),
        found.join("\n")
    ))
}

/// The rows that a view holds when everything was read.
fn view(script: &str, name: &str) -> Result<ResultSet, String> {
    let mut session = Session::new(Arc::new(Connections::new()));
    let source = Source::new("view", script);
    let outcome = session.execute(&source);
    if outcome.has_errors() {
        return Err(render_all(&outcome.diagnostics, &source, Colour::Never));
    }
    let program = session
        .program()
        .map_err(|problems| render_all(&problems, &source, Colour::Never))?
        .ok_or("nothing runs")?;
    let view = program
        .tables
        .iter()
        .find(|table| table.name.eq_ignore_ascii_case(name));
    let view = view.ok_or("the view is not there")?;
    let options = EmbeddedOptions::default().bounded();
    let state = State::in_memory(StateOptions::default());
    let mut engine = Embedded::with_plans(&program.topology, state, options, &program.plans)
        .map_err(|e| e.to_string())?;
    engine.start().map_err(|e| e.to_string())?;
    let ended = engine
        .wait(Some(Duration::from_secs(60)))
        .map_err(|e| e.to_string())?;
    if ended != Outcome::Finished {
        return Err(format!("the engine has not read what is there: {ended:?}"));
    }
    Ok(ResultSet {
        columns: view.columns.clone(),
        rows: read_rows(&engine.snapshot(), view).map_err(|e| e.to_string())?,
    })
}

/// The statement that gives a table its rows.
fn insertion(table: &Value) -> String {
    let rows = list(&table["data"]);
    let Some(first) = rows.first() else {
        return String::new();
    };
    let columns: Vec<&String> = first
        .as_object()
        .expect("a row is an object")
        .keys()
        .collect();
    let names: Vec<&str> = columns.iter().map(|name| &name[..]).collect();
    let rows: Vec<String> = rows
        .iter()
        .map(|row| {
            let cells: Vec<String> = columns
                .iter()
                .map(|name| literal(&row[&name[..]]))
                .collect();
            format!("({})", cells.join(", "))
        })
        .collect();
    format!(
        "INSERT INTO {} ({}) VALUES {};\n",
        text_of(&table["name"]),
        names.join(", "),
        rows.join(", ")
    )
}

fn literal(value: &Value) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::String(text) => format!("'{}'", text.replace('\'', "''")),
        other => other.to_string(),
    }
}

fn line(cells: impl Iterator<Item = (String, String)>) -> String {
    let mut cells: Vec<String> = cells.map(|(name, text)| format!("{name}={text}")).collect();
    cells.sort_unstable();
    cells.join(" ")
}

fn found_text(cell: &Cell) -> String {
    match cell {
        Cell::Integer(_) | Cell::Decimal { .. } | Cell::Real(_) | Cell::Double(_) => {
            rounded(&cell.to_string(), 6)
        }
        other => other.to_string(),
    }
}

fn expected_text(value: &Value, numeric: bool) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Number(number) => rounded(&number.to_string(), 6),
        Value::String(text) if numeric => rounded(text, 6),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], |values| values)
}

fn text_of(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
