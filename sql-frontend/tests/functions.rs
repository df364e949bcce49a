//! Scripts of calls: each line of `tests/functions/*.txt` is a call and what comes of it.
//!
//! `upper('abc' text) -> 'ABC'`: arguments have a type behind them, or are open where they have none.
//! Operators are called by their symbols, `cast(x, type)` casts. The result is NULL, a value, or
//! `error: ` and why there is none; ` :: TYPE` behind it tells its type. Every call is computed twice:
//! from constants, and from the columns of a row.

mod support;

use std::fmt::Write;
use std::path::Path;

use support::call::Call;

#[test]
fn every_script() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/functions");
    let mut failures = String::new();
    let mut scripts = 0;
    for entry in std::fs::read_dir(directory).expect("the directory of scripts") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "txt") {
            scripts += 1;
            run(&path, &mut failures);
        }
    }
    assert!(scripts > 0, "there are no scripts");
    assert!(failures.is_empty(), "{failures}");
}

fn run(path: &Path, failures: &mut String) {
    let name = path.file_name().expect("a file").to_string_lossy();
    let script = std::fs::read_to_string(path).expect("a script");
    for (at, line) in script.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let Some((call, wanted)) = line.rsplit_once(" -> ") else {
            let _ = writeln!(failures, "{name}:{}: no ` -> ` in: {line}", at + 1);
            continue;
        };
        let (wanted, wanted_type) = match wanted.split_once(" :: ") {
            Some((wanted, data_type)) => (wanted.trim(), Some(data_type.trim())),
            None => (wanted.trim(), None),
        };
        let call = match Call::parse(call) {
            Ok(call) => call,
            Err(message) => {
                let _ = writeln!(failures, "{name}:{}: {message}: {line}", at + 1);
                continue;
            }
        };
        let shown = call.of_constants();
        if shown != wanted {
            let _ = writeln!(failures, "{name}:{}: {line}\n    gives {shown}", at + 1);
        }
        if let Some(by_columns) = call.of_columns()
            && by_columns != shown
        {
            let _ = writeln!(
                failures,
                "{name}:{}: {line}\n    by columns {by_columns}",
                at + 1
            );
        }
        if let (Some(wanted), Some(found)) = (wanted_type, call.data_type())
            && found.to_string() != wanted
        {
            let _ = writeln!(failures, "{name}:{}: {line}\n    is {found}", at + 1);
        }
    }
}
