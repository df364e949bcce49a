//! Random trees, which print as SQL that parses to them, and random texts, which never harm.
//!
//! A tree grows from a tape of random bytes: each choice takes one, and where the tape ends the
//! simplest choice is made, so that proptest shrinks trees by shrinking tapes.

mod tape;
mod names;
mod types;
mod expressions;
mod queries;
mod relations;
mod statements;

use ferrisstreams_sql_frontend::error::{Colour, render_all};
use ferrisstreams_sql_frontend::parser::parse;
use ferrisstreams_sql_frontend::span::Source;
use proptest::prelude::*;

use self::tape::Tape;
use crate::round_trip;
use crate::scripts::script_texts;

fn tapes() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..400)
}

/// Pieces of SQL that mutations put in.
const PIECES: &[&str] = &[
    "SELECT",
    "FROM",
    "WHERE",
    "GROUP",
    "BY",
    "ORDER",
    "LIMIT",
    "JOIN",
    "LEFT",
    "ON",
    "AS",
    "WITH",
    "CREATE",
    "TABLE",
    "STREAM",
    "INSERT",
    "INTO",
    "VALUES",
    "NOT",
    "NULL",
    "AND",
    "IN",
    "BETWEEN",
    "IS",
    "CASE",
    "WHEN",
    "END",
    "CAST",
    "UNION",
    "EXPLAIN",
    "WINDOW",
    "TUMBLING",
    "INTERVAL",
    "OVER",
    "EMIT",
    "ARRAY",
    "(",
    ")",
    "[",
    "]",
    ",",
    ";",
    ".",
    "+",
    "-",
    "*",
    "=",
    "<",
    ">",
    "->",
    "=>",
    "::",
    ":=",
    "'",
    "\"",
    "'text'",
    "\"name\"",
    "a",
    "1",
    "1.5",
    "1e5",
    "kafka://t",
    "--",
    "/*",
    "*/",
    "ä",
    "§",
    "\n",
    "1x",
    "?",
];

/// The text with pieces taken out, doubled, swapped and put in, as the tape says.
fn mutated(text: &str, tape: &mut Tape) -> String {
    let mut pieces: Vec<&str> = text.split_inclusive([' ', '(', ')', ',']).collect();
    for _ in 0..=tape.below(4) {
        let at = tape.below(pieces.len().max(1));
        match tape.below(4) {
            0 => pieces.insert(at, PIECES[tape.below(PIECES.len())]),
            1 if at < pieces.len() => drop(pieces.remove(at)),
            2 if at < pieces.len() => pieces.insert(at, pieces[at]),
            _ if at + 1 < pieces.len() => pieces.swap(at, at + 1),
            _ => {}
        }
    }
    pieces.concat()
}

/// Parses a text that may be anything: statements must print to themselves, errors must be shown.
fn survive(text: &str) -> Result<(), TestCaseError> {
    let source = Source::new("random", text);
    let parsed = parse(&source);
    for diagnostic in &parsed.diagnostics {
        prop_assert!(
            diagnostic.span().end <= text.len(),
            "{diagnostic} at {:?}",
            diagnostic.span()
        );
        prop_assert!(!diagnostic.message().is_empty());
    }
    let shown = render_all(&parsed.diagnostics, &source, Colour::Never);
    prop_assert_eq!(shown.is_empty(), parsed.diagnostics.is_empty());
    for statement in &parsed.statements {
        round_trip::check(statement).map_err(TestCaseError::fail)?;
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn trees_print_as_sql_that_parses_to_them(bytes in tapes()) {
        let statement = statements::statement(&mut Tape::new(bytes));
        round_trip::check(&statement).map_err(TestCaseError::fail)?;
    }

    #[test]
    fn mutated_statements_are_read_or_refused(bytes in tapes(), changes in tapes()) {
        let statement = statements::statement(&mut Tape::new(bytes)).to_string();
        survive(&mutated(&statement, &mut Tape::new(changes)))?;
    }

    #[test]
    fn mutated_scripts_are_read_or_refused(which in any::<prop::sample::Index>(), changes in tapes()) {
        let text: &String = which.get(script_texts());
        survive(&mutated(text, &mut Tape::new(changes)))?;
    }

    #[test]
    fn any_tokens_are_read_or_refused(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..30)) {
        survive(&pieces.join(" "))?;
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,60}") {
        survive(&text)?;
        survive(&format!("SELECT {text}"))?;
    }
}
