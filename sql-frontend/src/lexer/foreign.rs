//! Operators and literals of other languages: recognised, so that the error says what to write.

use crate::error::{Code, Diagnostic};
use crate::span::Span;

/// What is known about a piece of text that is no token of ours.
enum Foreign {
    /// Another spelling of something that exists here.
    Spelled(&'static str),
    /// Something that exists in PostgreSQL or ksqlDB and not here.
    Missing(&'static str),
}

/// Longest first where one begins with another.
const TABLE: &[(&str, Foreign)] = &[
    ("===", Foreign::Spelled("equality is written `=`")),
    ("==", Foreign::Spelled("equality is written `=`")),
    ("<=>", Foreign::Spelled("write `IS NOT DISTINCT FROM`")),
    ("&&", Foreign::Spelled("write `AND`")),
    ("!~~*", Foreign::Spelled("write `NOT ILIKE`")),
    ("!~~", Foreign::Spelled("write `NOT LIKE`")),
    ("~~*", Foreign::Spelled("write `ILIKE`")),
    ("~~", Foreign::Spelled("write `LIKE`")),
    (
        "!~*",
        Foreign::Missing("the regular expression operator `!~*`"),
    ),
    (
        "!~",
        Foreign::Missing("the regular expression operator `!~`"),
    ),
    (
        "~*",
        Foreign::Missing("the regular expression operator `~*`"),
    ),
    ("~", Foreign::Missing("the operator `~`")),
    ("!", Foreign::Spelled("write `NOT`, or `<>` for inequality")),
    ("->>", Foreign::Missing("the JSON operator `->>`")),
    ("#>>", Foreign::Missing("the JSON operator `#>>`")),
    ("#>", Foreign::Missing("the JSON operator `#>`")),
    ("#", Foreign::Missing("the bitwise operator `#`")),
    ("@>", Foreign::Missing("the containment operator `@>`")),
    ("<@", Foreign::Missing("the containment operator `<@`")),
    ("@", Foreign::Missing("the operator `@`")),
    ("<<", Foreign::Missing("the bitwise operator `<<`")),
    ("&", Foreign::Missing("the bitwise operator `&`")),
    ("|", Foreign::Missing("the bitwise operator `|`")),
    ("^", Foreign::Missing("the power operator `^`")),
    (
        "${",
        Foreign::Missing("variable substitution with `${...}`"),
    ),
    ("$$", Foreign::Missing("a dollar-quoted string")),
    ("$", Foreign::Missing("a parameter with `$`")),
    ("?", Foreign::Missing("a parameter with `?`")),
    (":/", Foreign::Spelled("a URI is written `scheme://...`")),
    (
        ":",
        Foreign::Missing("`:`, as in slices, named parameters and JSON,"),
    ),
];

/// Letters before a quote that make another kind of string of it.
const PREFIXES: &[(&str, &str)] = &[
    ("E", "a string with backslash escapes, E'...',"),
    ("B", "a bit string, B'...',"),
    ("X", "a string of hexadecimal digits, X'...',"),
    ("N", "a national string, N'...',"),
    ("U&", "a string with Unicode escapes, U&'...',"),
];

/// If the text at `at` begins with an operator of another language: its end, and what to say.
pub(super) fn operator(text: &str, at: usize) -> Option<(usize, Diagnostic)> {
    let rest = &text[at..];
    let (symbol, foreign) = TABLE.iter().find(|(symbol, _)| rest.starts_with(symbol))?;
    let span = Span::new(at, at + symbol.len());
    let diagnostic = match foreign {
        Foreign::Spelled(help) => {
            let message = format!("`{symbol}` is not an operator of SQL");
            Diagnostic::new(Code::ForeignOperator, message, span).help(*help)
        }
        Foreign::Missing(what) => Diagnostic::not_supported(what, span),
    };
    Some((span.end, diagnostic))
}

/// If the text at `at` is a string with a prefix: where its quote stands, and what to say.
pub(super) fn prefixed_string(text: &str, at: usize) -> Option<(usize, Diagnostic)> {
    let rest = &text.as_bytes()[at..];
    let (prefix, what) = PREFIXES.iter().find(|(prefix, _)| {
        let (letters, after) = rest.split_at(prefix.len().min(rest.len()));
        letters.eq_ignore_ascii_case(prefix.as_bytes()) && after.first() == Some(&b'\'')
    })?;
    let quote = at + prefix.len();
    let diagnostic = Diagnostic::not_supported(what, Span::new(at, quote));
    Some((quote, diagnostic))
}

/// What to say about a character that nothing begins with.
pub(super) fn character(c: char, span: Span) -> Diagnostic {
    let shown: String = match c {
        c if c.is_control() => c.escape_default().collect(),
        c => c.into(),
    };
    let message = format!("unexpected character `{shown}`");
    let diagnostic = Diagnostic::new(Code::UnexpectedCharacter, message, span);
    match c {
        '‘' | '’' | '´' => diagnostic.help("strings are written with the straight quote `'`"),
        '“' | '”' | '„' => diagnostic.help("names are quoted with the straight quote `\"`"),
        '–' | '—' | '−' => diagnostic.help("minus is written `-`"),
        '{' | '}' => diagnostic.help("write `ARRAY[...]`, `MAP(k := v)` or `STRUCT(f := v)`"),
        _ => diagnostic,
    }
}
