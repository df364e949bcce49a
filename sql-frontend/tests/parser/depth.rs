//! What is nested deeply is refused, and what is let through is walked within a small stack.

use std::hash::{DefaultHasher, Hash};
use std::thread;

use ferrisstreams_sql_frontend::ast::dump;
use ferrisstreams_sql_frontend::error::Code;
use ferrisstreams_sql_frontend::parser::{MAX_DEPTH, parse};
use ferrisstreams_sql_frontend::span::Source;

use crate::round_trip;

/// As much stack as threads have by default.
const STACK: usize = 2 << 20;

/// What is repeated to nest, and what stands around it: prefix, opening, middle, closing, suffix.
const FORMS: &[[&str; 5]] = &[
    ["SELECT ", "(", "1", ")", ""],
    ["SELECT ", "- ", "1", "", ""],
    ["SELECT ", "NOT ", "a", "", ""],
    ["SELECT ", "f(", "1", ")", ""],
    ["SELECT ", "f(x => ", "1", ")", ""],
    ["SELECT ", "ARRAY[", "1", "]", ""],
    ["SELECT ", "MAP('k' := ", "1", ")", ""],
    ["SELECT ", "STRUCT(a := ", "1", ")", ""],
    ["SELECT ", "ROW(", "1", ")", ""],
    ["SELECT ", "CASE WHEN a THEN ", "1", " END", ""],
    ["SELECT ", "CASE ", "1", " WHEN 1 THEN 2 END", ""],
    ["SELECT ", "CAST(", "1", " AS INT)", ""],
    ["SELECT ", "TRIM(", "a", " FROM b)", ""],
    ["SELECT ", "EXTRACT(YEAR FROM ", "a", ")", ""],
    ["SELECT ", "SUM(a) OVER (ORDER BY ", "a", ")", ""],
    ["SELECT ", "a[", "1", "]", ""],
    ["SELECT ", "a IN (1, ", "2", ")", ""],
    ["SELECT ", "a BETWEEN 1 AND (", "2", ")", ""],
    ["SELECT ", "a = ANY (", "b", ")", ""],
    ["SELECT ", "(SELECT ", "1", ")", ""],
    ["SELECT ", "EXISTS (SELECT ", "1", ")", ""],
    ["SELECT ", "a IN (SELECT ", "1", ")", ""],
    ["SELECT a", "", "", " + 1", ""],
    ["SELECT a", "", "", " || a", ""],
    ["SELECT a", "", "", "[1]", ""],
    ["SELECT a", "", "", "->b", ""],
    ["SELECT (a)", "", "", ".b", ""],
    ["SELECT a", "", "", "::INT", ""],
    ["SELECT a", "", "", " IS NULL", ""],
    ["SELECT ", "a AND (b OR ", "c", ")", ""],
    ["SELECT a", "", "", " AT TIME ZONE 'UTC'", ""],
    ["SELECT a FROM ", "(SELECT a FROM ", "t", ")", ""],
    ["SELECT a FROM ", "LATERAL (SELECT a FROM ", "t", ")", ""],
    ["SELECT a FROM ", "(", "t", " JOIN u ON a = b)", ""],
    [
        "SELECT a FROM t WHERE a = ",
        "(SELECT a FROM t WHERE a = ",
        "1",
        ")",
        "",
    ],
    ["", "(", "SELECT 1", ")", ""],
    ["", "(", "SELECT 1", " UNION SELECT 2)", ""],
    ["", "((", "SELECT 1", ") ORDER BY 1)", ""],
    ["", "WITH a AS (", "SELECT 1", ") SELECT a FROM a", ""],
    ["SELECT 1", "", "", " UNION SELECT 1", ""],
    ["SELECT 1", "", "", " INTERSECT SELECT 1", ""],
    ["CREATE TABLE t (a ", "ARRAY<", "INT", ">", ")"],
    ["CREATE TABLE t (a ", "MAP<INT, ", "INT", ">", ")"],
    ["CREATE TABLE t (a ", "STRUCT<a ", "INT", ">", ")"],
    ["CREATE TABLE t (a INT", "", "", "[]", ")"],
    ["CREATE TABLE t AS ", "(", "SELECT 1", ")", ""],
    ["INSERT INTO t ", "(", "SELECT 1", ")", ""],
    ["EXPLAIN ", "(", "SELECT 1", ")", ""],
    [
        "CREATE TABLE t (a INT, WATERMARK FOR a AS ",
        "(",
        "a",
        ")",
        ")",
    ],
];

fn nested(form: &[&str; 5], times: usize) -> String {
    let [prefix, opening, middle, closing, suffix] = form;
    let (opening, closing) = (opening.repeat(times), closing.repeat(times));
    format!("{prefix}{opening}{middle}{closing}{suffix}")
}

/// Parses the text, and walks what it gives in every way there is; whether it was let through.
fn walk(text: String) -> bool {
    let parsed = parse(&Source::new("deep", text));
    match parsed.diagnostics.as_slice() {
        [] => {}
        [diagnostic] => {
            assert_eq!(diagnostic.code(), Code::NestedTooDeeply, "{diagnostic}");
            return false;
        }
        several => panic!("{several:?}"),
    }
    for statement in &parsed.statements {
        let copy = statement.clone();
        assert_eq!(&copy, statement);
        copy.hash(&mut DefaultHasher::new());
        assert!(!dump(statement).is_empty() && !format!("{statement:?}").is_empty());
        round_trip::check(statement).unwrap();
    }
    true
}

#[test]
fn what_is_nested_too_deeply_is_an_error_and_all_else_fits_the_stack() {
    let walked = thread::Builder::new().stack_size(STACK).spawn(|| {
        for form in FORMS {
            let let_through = |times: usize| walk(nested(form, times));
            assert!(let_through(20), "{form:?}");
            for times in [1_000, 100_000] {
                assert!(
                    !let_through(times) || form[1..4] == ["(", "SELECT 1", ")"],
                    "{form:?}"
                );
            }
            // The deepest that is let through: where the stack is needed most.
            let (mut deepest, mut refused) = (20, 1_000);
            while refused - deepest > 1 {
                let middle = usize::midpoint(deepest, refused);
                match let_through(middle) {
                    true => deepest = middle,
                    false => refused = middle,
                }
            }
            assert!(deepest <= MAX_DEPTH, "{form:?} nests {deepest} levels");
        }
    });
    walked.unwrap().join().expect("no stack overflow");
}

#[test]
fn long_lists_are_not_deep() {
    let repeated = |item: &str, between: &str| vec![item; 20_000].join(between);
    for text in [
        format!("SELECT {}", repeated("a", ", ")),
        format!("SELECT {}", repeated("a", " AND ")),
        format!("SELECT {}", repeated("a = 1", " OR ")),
        format!("SELECT a IN ({})", repeated("1", ", ")),
        format!("INSERT INTO t VALUES {}", repeated("(1, 2)", ", ")),
        format!("SELECT CASE {} END", repeated("WHEN a THEN b", " ")),
        format!("SELECT a FROM {}", repeated("t", ", ")),
        format!("SELECT a FROM t {}", repeated("JOIN u ON a = b", " ")),
    ] {
        assert!(walk(text));
    }
}
