//! Texts beyond what is read in one go, and texts of odd bytes.

use ferrisstreams_sql_frontend::error::Code;
use ferrisstreams_sql_frontend::parser::{MAX_STATEMENTS, MAX_TEXT, parse};
use ferrisstreams_sql_frontend::span::Source;

fn codes(text: String) -> Vec<Code> {
    let parsed = parse(&Source::new("q.sql", text));
    parsed
        .diagnostics
        .iter()
        .map(|diagnostic| diagnostic.code())
        .collect()
}

#[test]
fn a_text_that_is_too_long_is_refused_as_a_whole() {
    let text = format!("SELECT 1; {}", " ".repeat(MAX_TEXT));
    assert_eq!(codes(text), [Code::TextTooLong]);
}

#[test]
fn statements_beyond_the_limit_are_refused() {
    let text = "UNSET a;".repeat(MAX_STATEMENTS);
    assert_eq!(codes(text.clone()), []);
    let parsed = parse(&Source::new("q.sql", format!("{text} UNSET b; UNSET c")));
    assert_eq!(parsed.statements.len(), MAX_STATEMENTS);
    assert_eq!(parsed.diagnostics[0].code(), Code::TextTooLong);
    assert_eq!(parsed.diagnostics[0].span().start, text.len() + 1);
}

#[test]
fn nothing_is_nothing() {
    for text in [
        "",
        " \n\t",
        ";;;",
        "-- only a comment",
        "/* a */ ; -- b\n",
        "\u{feff}",
    ] {
        let parsed = parse(&Source::new("q.sql", text));
        assert!(
            parsed.statements.is_empty() && parsed.diagnostics.is_empty(),
            "{text:?}"
        );
    }
}
