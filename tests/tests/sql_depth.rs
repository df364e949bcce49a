//! Statements that nest deeply or are very long: an answer or an error, and never the end of the process.

use std::sync::Arc;

use ferrisstreams::connect::Connections;
use ferrisstreams::sql::{Answer, Code, Session, Source};

/// Runs statements; whether they have an answer, or are told to nest too deeply or to be too long.
fn runs(text: &str) -> bool {
    let mut session = Session::new(Arc::new(Connections::new()));
    let outcome = session.execute(&Source::new("sql", text));
    for diagnostic in &outcome.diagnostics {
        assert!(
            matches!(diagnostic.code(), Code::NestedTooDeeply | Code::TextTooLong),
            "{diagnostic}"
        );
    }
    for answer in &outcome.answers {
        if let Answer::Select(select) = answer {
            session.select(select, None).expect("it can be answered");
        }
    }
    outcome.diagnostics.is_empty()
}

/// `inner` wrapped so many times.
fn nested(times: usize, before: &str, inner: &str, behind: &str) -> String {
    format!("{}{inner}{}", before.repeat(times), behind.repeat(times))
}

/// Ways to nest, with what stands inside.
const NESTINGS: [(&str, &str, &str, &str); 14] = [
    ("parentheses", "(", "1", ")"),
    ("signs", "- ", "1", ""),
    ("not", "NOT ", "TRUE", ""),
    ("case", "CASE WHEN TRUE THEN ", "1", " END"),
    ("case condition", "CASE WHEN ", "TRUE", " THEN TRUE END"),
    ("function", "UPPER(", "'a'", ")"),
    ("cast", "CAST(", "1", " AS INT)"),
    ("short cast", "(", "1", ")::INT"),
    ("sum", "1 + (", "1", ")"),
    ("and", "TRUE AND (", "TRUE", ")"),
    ("in", "1 IN (", "1", ", 2)::INT"),
    ("between", "1 BETWEEN 0 AND (", "1", ")::INT"),
    ("like", "'a' LIKE (", "'a'", ")::TEXT"),
    ("is null", "(", "1", ") IS NULL"),
];

#[test]
fn what_nests_a_little_runs() {
    for (name, before, inner, behind) in NESTINGS {
        let text = format!("SELECT {}", nested(20, before, inner, behind));
        let may_fail = ["in", "between", "like"].contains(&name);
        assert!(may_fail || runs(&text), "{name}: {text}");
    }
}

#[test]
fn what_nests_a_thousand_deep_is_told() {
    for times in [1_000, 100_000] {
        for (name, before, inner, behind) in NESTINGS {
            let text = format!("SELECT {}", nested(times, before, inner, behind));
            assert!(!runs(&text), "{name}: {times} levels");
        }
        let queries = [
            nested(times, "SELECT * FROM (", "SELECT 1 AS a", ") AS q"),
            nested(times, "(", "SELECT 1 AS a", ")"),
            nested(times, "WITH q AS (", "SELECT 1 AS a", ") SELECT a FROM q"),
            nested(times, "SELECT 1 UNION ALL (", "SELECT 1", ")"),
            format!("SELECT CAST(1 AS {})", nested(times, "ARRAY<", "INT", ">")),
            format!("EXPLAIN SELECT {}", nested(times, "(", "1", ")")),
        ];
        for query in queries {
            assert!(!runs(&query), "{}...", &query[..60]);
        }
    }
}

#[test]
fn what_is_long_runs_or_is_told() {
    for times in [100, 1_000, 20_000] {
        let list = |item: &str, between: &str| vec![item; times].join(between);
        let texts = [
            format!("SELECT {}", list("1", " + ")),
            format!("SELECT {}", list("TRUE", " AND ")),
            format!("SELECT {}", list("FALSE", " OR ")),
            format!("SELECT {}", list("'a'", " || ")),
            format!("SELECT 1 IN ({})", list("2", ", ")),
            format!("SELECT COALESCE({})", list("1", ", ")),
            format!("SELECT CASE {} END", list("WHEN FALSE THEN 1", " ")),
            format!("VALUES {}", list("(1, 'a')", ", ")),
            format!("SELECT '{}'", list("long", " ")),
            list("SELECT 1 AS a", " UNION ALL "),
            list(";", "\n"),
        ];
        for text in texts {
            assert!(runs(&text) || times > 100, "{text}");
        }
    }
}

#[test]
fn many_joins_and_columns_run() {
    let joins: String = (1..40)
        .map(|at| format!(" JOIN (VALUES (1)) AS t{at} (a) ON t{at}.a = t0.a"))
        .collect();
    assert!(runs(&format!(
        "SELECT t0.a FROM (VALUES (1)) AS t0 (a){joins}"
    )));
    let columns: Vec<String> = (0..1_000).map(|at| format!("{at} AS c{at}")).collect();
    assert!(runs(&format!("SELECT {}", columns.join(", "))));
    let tables: String = (0..500)
        .map(|at| {
            format!(
                "CREATE TABLE t{} AS SELECT a + 1 AS a FROM t{at};\n",
                at + 1
            )
        })
        .collect();
    assert!(runs(&format!("CREATE TABLE t0 (a INT); {tables}")));
}
