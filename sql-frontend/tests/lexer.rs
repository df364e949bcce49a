//! The lexer from outside: a text in, its tokens and what is wrong with it out.

use ferrisstreams_sql_frontend::lexer::{TokenKind, lex};
use ferrisstreams_sql_frontend::span::Source;

/// The tokens as `Kind text`, one a line, and then the errors with their places.
fn shown(text: &str) -> String {
    let source = Source::new("t", text);
    let lexed = lex(&source);
    let mut lines = Vec::new();
    for token in &lexed.tokens {
        match token.kind {
            TokenKind::End => {}
            TokenKind::Keyword(keyword) => lines.push(keyword.text().to_owned()),
            kind => lines.push(format!("{kind:?} {}", source.slice(token.span()))),
        }
    }
    for diagnostic in &lexed.diagnostics {
        let span = diagnostic.span();
        lines.push(format!(
            "{} {}..{}",
            diagnostic.code(),
            span.start,
            span.end
        ));
    }
    lines.join("\n")
}

#[track_caller]
fn check(text: &str, expected: &[&str]) {
    assert_eq!(shown(text), expected.join("\n"), "{text:?}");
}

#[test]
fn strings_run_to_a_quote_that_is_not_doubled() {
    check("'a' ''", &["String 'a'", "String ''"]);
    check("'it''s'x", &["String 'it''s'", "Word x"]);
    check("''''", &["String ''''"]);
    check("'a;b--c/*\n\"d'", &["String 'a;b--c/*\n\"d'"]);
    check("a 'open;", &["Word a", "Bad 'open;", "E0203 2..3"]);
    check("'open''", &["Bad 'open''", "E0203 0..1"]);
}

#[test]
fn names_are_quoted_in_two_ways() {
    check("\"a b\" `c d`", &["QuotedName \"a b\"", "QuotedName `c d`"]);
    check(
        "\"a\"\"b\" `a``b`",
        &["QuotedName \"a\"\"b\"", "QuotedName `a``b`"],
    );
    check("\"select\"", &["QuotedName \"select\""]);
    check("\"\" x", &["Bad \"\"", "Word x", "E0208 0..2"]);
    check("x `open", &["Word x", "Bad `open", "E0204 2..3"]);
}

#[test]
fn comments_are_gone() {
    check("a -- b\nc", &["Word a", "Word c"]);
    check("a --", &["Word a"]);
    check("a/* b /* c */ d */e", &["Word a", "Word e"]);
    check("a /* ' */ b", &["Word a", "Word b"]);
    check("a -- it's /* \n b", &["Word a", "Word b"]);
    check(
        "a /* b /* c */ d",
        &["Word a", "Bad /* b /* c */ d", "E0205 2..4"],
    );
    check(
        "a - - b */",
        &[
            "Word a", "Minus -", "Minus -", "Word b", "Star *", "Slash /",
        ],
    );
}

#[test]
fn numbers_of_three_kinds() {
    check(
        "1 1_000 007",
        &["Integer 1", "Integer 1_000", "Integer 007"],
    );
    check(
        "1.5 .5 2. 1_0.0_1",
        &["Decimal 1.5", "Decimal .5", "Decimal 2.", "Decimal 1_0.0_1"],
    );
    check(
        "1e5 1E-3 .5e+1 2.e1",
        &["Float 1e5", "Float 1E-3", "Float .5e+1", "Float 2.e1"],
    );
    check("-1", &["Minus -", "Integer 1"]);
    check("a.b", &["Word a", "Dot .", "Word b"]);
    check("1.2.3", &["Decimal 1.2", "Decimal .3"]);
    check("1a", &["Bad 1a", "E0207 0..2"]);
    check(
        "1e+ 1__0 1_",
        &[
            "Bad 1e",
            "Plus +",
            "Bad 1__0",
            "Bad 1_",
            "E0207 0..2",
            "E0207 4..8",
            "E0207 9..11",
        ],
    );
    check(
        "0x1F 0b1",
        &["Bad 0x1F", "Bad 0b1", "E0401 0..4", "E0401 5..8"],
    );
    check("> 10AND", &["Greater >", "Bad 10AND", "E0207 2..7"]);
}

#[test]
fn behind_as_a_number_with_letters_is_a_name() {
    check("1 AS 1st", &["Integer 1", "AS", "Word 1st"]);
    check(
        "CAST(1 AS 2)",
        &[
            "CAST",
            "LeftParen (",
            "Integer 1",
            "AS",
            "Integer 2",
            "RightParen )",
        ],
    );
}

#[test]
fn uris_run_to_a_delimiter() {
    check("kafka://a,b", &["Uri kafka://a", "Comma ,", "Word b"]);
    check(
        "(kafka://a)",
        &["LeftParen (", "Uri kafka://a", "RightParen )"],
    );
    check("kafka://a;", &["Uri kafka://a", "Semicolon ;"]);
    check("file:///a/b-*.csv x", &["Uri file:///a/b-*.csv", "Word x"]);
    check(
        "postgres://me:p'w@h:1/s.t?a=1&b=2#c\n",
        &["Uri postgres://me:p'w@h:1/s.t?a=1&b=2#c"],
    );
    check("s3+x.y-z://b", &["Uri s3+x.y-z://b"]);
    check("kafka://a--b", &["Uri kafka://a--b"]);
    check(
        "FROM kafka:// x",
        &["FROM", "Bad kafka://", "Word x", "E0501 5..13"],
    );
    check("a::INT", &["Word a", "DoubleColon ::", "INT"]);
    check(
        "kafka:/a",
        &["Word kafka", "Bad :/", "Word a", "E0214 5..7"],
    );
}

#[test]
fn words_are_of_any_script_and_keywords_of_any_case() {
    check(
        "größe 名前 _x a1$ b@c",
        &["Word größe", "Word 名前", "Word _x", "Word a1$", "Word b@c"],
    );
    check("select SELECT SeLeCt", &["SELECT", "SELECT", "SELECT"]);
    check("selects ſelect", &["Word selects", "Word ſelect"]);
    check("\u{feff}SELECT\u{a0}1", &["SELECT", "Integer 1"]);
}

#[test]
fn the_longest_operator_wins() {
    check(
        "a->b a=>b a:=b",
        &[
            "Word a",
            "Arrow ->",
            "Word b",
            "Word a",
            "FatArrow =>",
            "Word b",
            "Word a",
            "Assign :=",
            "Word b",
        ],
    );
    check(
        "<= >= <> != || < > = %",
        &[
            "LessEqual <=",
            "GreaterEqual >=",
            "NotEqual <>",
            "NotEqual !=",
            "Concat ||",
            "Less <",
            "Greater >",
            "Equal =",
            "Percent %",
        ],
    );
    check(
        "ARRAY<ARRAY<INT>>",
        &[
            "ARRAY",
            "Less <",
            "ARRAY",
            "Less <",
            "INT",
            "Greater >",
            "Greater >",
        ],
    );
    check(
        "[1](2);",
        &[
            "LeftBracket [",
            "Integer 1",
            "RightBracket ]",
            "LeftParen (",
            "Integer 2",
            "RightParen )",
            "Semicolon ;",
        ],
    );
}

#[test]
fn operators_of_other_languages_are_known() {
    check("a == b", &["Word a", "Bad ==", "Word b", "E0214 2..4"]);
    check(
        "a && b ! c",
        &[
            "Word a",
            "Bad &&",
            "Word b",
            "Bad !",
            "Word c",
            "E0214 2..4",
            "E0214 7..8",
        ],
    );
    check("a ->> b", &["Word a", "Bad ->>", "Word b", "E0401 2..5"]);
    check("a | b", &["Word a", "Bad |", "Word b", "E0401 2..3"]);
    check(
        "E'a' x'00'",
        &["Bad E'a'", "Bad x'00'", "E0401 0..1", "E0401 5..6"],
    );
}

#[test]
fn what_begins_no_token_is_skipped() {
    check("a § b", &["Word a", "Bad §", "Word b", "E0206 2..4"]);
    check(
        "a \u{0} b",
        &["Word a", "Bad \u{0}", "Word b", "E0206 2..3"],
    );
    check(
        "‘a’",
        &["Bad ‘", "Word a", "Bad ’", "E0206 0..3", "E0206 4..7"],
    );
}

#[test]
fn tokens_cover_the_text_but_for_space_and_comments() {
    let text = "SELECT a, 'b' -- c\nFROM kafka://t /* d */ WHERE x >= 1.5e3;";
    let source = Source::new("t", text);
    let mut rest = String::from(text);
    for token in lex(&source).tokens.iter().rev() {
        rest.replace_range(token.span().start..token.span().end, "");
    }
    assert_eq!(
        rest.split_whitespace().collect::<Vec<_>>(),
        ["--", "c", "/*", "d", "*/"]
    );
}
