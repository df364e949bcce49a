//! The cases in `scripts/*.txt`.
//!
//! A case is SQL, a line `---`, and what comes of it: of each statement its SQL as printed, behind
//! `=`, and its tree; and then what is wrong. Cases are separated by empty lines, lines that begin
//! with `#` before the SQL are comments.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::{env, fs};

use ferrisstreams_sql_frontend::ast::dump;
use ferrisstreams_sql_frontend::error::{Colour, render};
use ferrisstreams_sql_frontend::parser::parse;
use ferrisstreams_sql_frontend::span::Source;

use crate::diff::diff;
use crate::round_trip;

struct Case {
    comment: String,
    sql: String,
    expected: String,
}

impl Case {
    fn of(text: &str) -> Self {
        let (input, expected) = text.split_once("\n---").unwrap_or((text, ""));
        let is_comment = |line: &&str| line.starts_with('#');
        let comment: Vec<&str> = input.lines().take_while(is_comment).collect();
        let sql: Vec<&str> = input.lines().skip_while(is_comment).collect();
        Case {
            comment: comment.iter().map(|line| format!("{line}\n")).collect(),
            sql: sql.join("\n"),
            expected: expected.trim_start().to_owned(),
        }
    }
}

/// The folder of the scripts.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parser/scripts")
}

/// The cases of a script.
fn blocks(text: &str) -> impl Iterator<Item = Case> {
    let blocks = text.split("\n\n").map(str::trim);
    blocks.filter(|block| !block.is_empty()).map(Case::of)
}

/// The SQL of all cases.
pub fn script_texts() -> &'static [String] {
    static TEXTS: LazyLock<Vec<String>> = LazyLock::new(|| {
        let scripts = fs::read_dir(folder()).unwrap();
        let scripts = scripts.map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap());
        scripts
            .flat_map(|text| blocks(&text).map(|case| case.sql).collect::<Vec<_>>())
            .collect()
    });
    &TEXTS
}

#[test]
fn scripts() {
    let update = env::var_os("UPDATE_EXPECTED").is_some();
    let mut wrong = Vec::new();
    let mut count = 0;
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).unwrap();
        let mut updated = Vec::new();
        for block in text
            .split("\n\n")
            .map(str::trim)
            .filter(|block| !block.is_empty())
        {
            let case = Case::of(block);
            let actual = outcome(&case.sql, &mut wrong);
            if !update && actual != case.expected {
                wrong.push(format!(
                    "{name}: {}\n{}",
                    case.sql,
                    diff(&case.expected, &actual)
                ));
            }
            updated.push(format!("{}{}\n---\n{actual}\n", case.comment, case.sql));
            count += 1;
        }
        if update {
            fs::write(&path, updated.join("\n")).unwrap();
        }
    }
    assert!(count > 0, "no scripts in {}", folder().display());
    assert!(
        wrong.is_empty(),
        "{} of {count} cases:\n\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// What comes of a text; also checks that what is printed parses to itself.
fn outcome(sql: &str, wrong: &mut Vec<String>) -> String {
    let source = Source::new("q.sql", sql);
    let parsed = parse(&source);
    let mut text = String::new();
    for statement in &parsed.statements {
        write!(text, "= {statement}\n{}", dump(statement)).unwrap();
        let again = round_trip::check(statement);
        wrong.extend(again.err().map(|problem| format!("{sql}\n{problem}")));
    }
    for diagnostic in &parsed.diagnostics {
        text.push_str(&render(diagnostic, &source, Colour::Never));
    }
    text.trim_end().to_owned()
}
