//! Statements of other systems, where their test data is at hand.

use std::fs;
use std::path::Path;

use ferrisstreams_sql_frontend::error::{Colour, render_all};
use ferrisstreams_sql_frontend::parser::parse;
use ferrisstreams_sql_frontend::span::Source;
use serde_json::Value;

use crate::round_trip;

/// The lines of a file of cases; none, and a line that says so, where it is missing.
fn cases(name: &str) -> Vec<Value> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let path = root.join("../shared/conformance").join(name);
    match fs::read_to_string(&path) {
        Ok(text) => text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect(),
        Err(_) => {
            eprintln!("skipped: {} is missing", path.display());
            Vec::new()
        }
    }
}

/// Whether a text parses, and what is printed parses to itself.
fn check(sql: &str) -> Result<(), String> {
    let source = Source::new("case", sql);
    let parsed = parse(&source);
    if !parsed.diagnostics.is_empty() {
        return Err(render_all(&parsed.diagnostics, &source, Colour::Never));
    }
    parsed.statements.iter().try_for_each(round_trip::check)
}

/// Prints how many of the statements are right, and what is wrong with the others.
fn report(name: &str, checked: &[(String, Result<(), String>)]) -> Vec<String> {
    let wrong: Vec<String> = checked
        .iter()
        .filter_map(|(id, result)| Some(format!("{id}\n{}", result.as_ref().err()?)))
        .collect();
    let right = checked.len() - wrong.len();
    eprintln!("{name}: {right} of {} statements parse", checked.len());
    wrong
}

#[test]
fn views() {
    let mut checked = Vec::new();
    for case in cases("sql-views.jsonl") {
        let id = case["id"].as_str().unwrap();
        let tables = case["tables"].as_array().unwrap().iter();
        for sql in tables.map(|table| &table["sql"]).chain([&case["sql"]]) {
            checked.push((id.to_owned(), check(sql.as_str().unwrap())));
        }
    }
    let wrong = report("views", &checked);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn ksql() {
    let mut checked = Vec::new();
    for case in cases("ksql-sample.jsonl") {
        if case["kind"] != "data" {
            continue;
        }
        for sql in case["statements"].as_array().unwrap() {
            let id = format!("{}: {}", case["id"], case["name"]);
            checked.push((id, check(sql.as_str().unwrap())));
        }
    }
    let wrong = report("ksql", &checked);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
