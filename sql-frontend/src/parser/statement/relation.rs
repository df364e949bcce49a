//! CREATE of a stream, a table or a view: declared over a source, or derived from a query.

use nom::Parser;
use nom::combinator::cut;

use super::super::fault::{Wanted, diagnosed};
use super::super::name::{dotted_name, quoted_uri, uri};
use super::super::property::{begins_options, options};
use super::super::query::query;
use super::super::terminal::{column_list, keyword};
use super::super::tokens::{Parsed, Tokens};
use super::column::{Elements, elements};
use crate::ast::{
    CreateDerived, CreateMode, CreateSource, Ident, Name, Property, RelationWord, StatementKind,
    Uri,
};
use crate::error::{Code, Diagnostic};
use crate::lexer::{Keyword, TokenKind};
use crate::span::Span;

/// What stands before the name.
pub(super) struct Head {
    pub(super) mode: CreateMode,
    pub(super) word: RelationWord,
    /// Where SOURCE stands, if it does.
    pub(super) source: Option<Span>,
}

/// What stands in parentheses behind the name.
enum Columns {
    None,
    Names(Vec<Ident>),
    Elements(Elements, Span),
}

/// FROM and WITH, which may stand in either order.
#[derive(Default)]
struct Clauses {
    from: Option<(Uri, Span)>,
    with: Option<(Vec<Property>, Span)>,
}

/// `name [(...)] [FROM uri] [WITH (...)] [AS query [WITH (...)]]`.
pub(super) fn relation(i: Tokens<'_>, head: Head) -> Parsed<'_, StatementKind> {
    let (i, name) = cut(dotted_name("a name")).parse(i)?;
    let (i, columns) = columns(i)?;
    let is_view = matches!(
        head.word,
        RelationWord::View | RelationWord::MaterializedView
    );
    let (i, clauses) = clauses(i, is_view)?;
    match i.is_keyword(Keyword::As) || is_view {
        true => derived(i, head, name, columns, clauses),
        false => declared(i, head, name, columns, clauses),
    }
}

fn columns(i: Tokens<'_>) -> Parsed<'_, Columns> {
    if !i.is(TokenKind::LeftParen) {
        i.want(Wanted::Symbol(TokenKind::LeftParen));
        return Ok((i, Columns::None));
    }
    if are_names(i.advance()) {
        return column_list.map(Columns::Names).parse(i);
    }
    let start = i.span();
    let (i, elements) = elements(i)?;
    let span = i.span_since(start);
    Ok((i, Columns::Elements(elements, *span)))
}

/// Whether names follow, with commas between them, up to the closing parenthesis.
fn are_names(i: Tokens<'_>) -> bool {
    let mut i = i;
    while i.kind().is_name() && i.peek_at(1).kind == TokenKind::Comma {
        i = i.skip(2);
    }
    i.kind().is_name() && i.peek_at(1).kind == TokenKind::RightParen
}

fn clauses(i: Tokens<'_>, is_view: bool) -> Parsed<'_, Clauses> {
    let (mut i, mut clauses) = (i, Clauses::default());
    loop {
        let span = i.span();
        match i.kind().keyword() {
            Some(Keyword::From) => {
                let (rest, uri) = source(i.advance())?;
                let again = clauses.from.replace((uri, span));
                once("FROM", span, again.map(|(_, span)| span))?;
                i = rest;
            }
            Some(Keyword::With) => i = with(i, &mut clauses.with)?.0,
            _ => {
                if !is_view && clauses.from.is_none() {
                    i.want(Wanted::Keyword(Keyword::From));
                }
                if clauses.with.is_none() {
                    i.want(Wanted::Keyword(Keyword::With));
                }
                i.want(Wanted::Keyword(Keyword::As));
                return Ok((i, clauses));
            }
        }
    }
}

fn with<'a>(i: Tokens<'a>, place: &mut Option<(Vec<Property>, Span)>) -> Parsed<'a, ()> {
    let span = i.span();
    let (i, properties) = match begins_options(i) {
        true => options(i)?,
        false => return i.advance().fail(Wanted::Symbol(TokenKind::LeftParen)),
    };
    let again = place.replace((properties, span));
    once("WITH", span, again.map(|(_, span)| span))?;
    Ok((i, ()))
}

fn once(
    word: &str,
    again: Span,
    first: Option<Span>,
) -> Result<(), nom::Err<super::super::fault::Fault>> {
    let Some(first) = first else {
        return Ok(());
    };
    let message = format!("a second `{word}`");
    let diagnostic = Diagnostic::new(Code::DuplicateClause, message, again)
        .label("given again")
        .secondary(first, "given first");
    diagnosed(diagnostic).map(|(_, ())| ())
}

/// The URI of a source, where a name is a likely mistake.
fn source(i: Tokens<'_>) -> Parsed<'_, Uri> {
    if i.is(TokenKind::String) {
        return quoted_uri(i);
    }
    if !i.kind().is_name() {
        return cut(uri).parse(i);
    }
    let text = i.text();
    let diagnostic = Diagnostic::new(
        Code::UnexpectedToken,
        format!("`{text}` is not a URI"),
        i.span(),
    )
    .label("expected a URI")
    .help(format!("a source is written as in `FROM kafka://{text}`"))
    .help(format!(
        "what is derived from another relation is written `AS SELECT * FROM {text}`"
    ));
    diagnosed(diagnostic)
}

fn declared<'a>(
    i: Tokens<'a>,
    head: Head,
    name: Name,
    columns: Columns,
    clauses: Clauses,
) -> Parsed<'a, StatementKind> {
    let elements = match columns {
        Columns::Names(names) => return untyped(&names[0]),
        Columns::Elements(elements, _) => elements,
        Columns::None if clauses.from.is_none() && clauses.with.is_none() => {
            return i.fail(Wanted::Keyword(Keyword::As));
        }
        Columns::None => Elements::default(),
    };
    let Elements {
        columns,
        primary_key,
        watermark,
    } = elements;
    let create = CreateSource {
        mode: head.mode,
        word: head.word,
        read_only: head.source.is_some(),
        name,
        columns,
        primary_key,
        watermark,
        from: clauses.from.map(|(uri, _)| uri),
        properties: clauses
            .with
            .map(|(properties, _)| properties)
            .unwrap_or_default(),
    };
    Ok((i, StatementKind::CreateSource(Box::new(create))))
}

fn untyped<'a, T>(column: &Ident) -> Parsed<'a, T> {
    let message = format!("column `{}` has no type", column.text);
    let diagnostic = Diagnostic::new(Code::UnexpectedToken, message, column.span)
        .label("expected a type behind it")
        .help("only what is created AS SELECT has its types from the query");
    diagnosed(diagnostic)
}

fn derived<'a>(
    i: Tokens<'a>,
    head: Head,
    name: Name,
    columns: Columns,
    clauses: Clauses,
) -> Parsed<'a, StatementKind> {
    let (rest, behind) = cut(keyword(Keyword::As)).parse(i)?;
    let columns = match columns {
        Columns::None => Vec::new(),
        Columns::Names(names) => names,
        Columns::Elements(_, span) => {
            let help = "name the columns without types, and CAST in the query";
            return contradicts(span, behind, "declares columns", help);
        }
    };
    if let Some((_, span)) = clauses.from {
        return contradicts(
            span,
            behind,
            "declares a source",
            "name the source in the query's FROM",
        );
    }
    if let Some(span) = head.source {
        return contradicts(span, behind, "declares a source", "leave SOURCE out");
    }
    let (i, query) = cut(query).parse(rest)?;
    let mut with = clauses.with;
    let i = if begins_options(i) {
        self::with(i, &mut with)?.0
    } else {
        i
    };
    let create = CreateDerived {
        mode: head.mode,
        word: head.word,
        name,
        columns,
        properties: with.map(|(properties, _)| properties).unwrap_or_default(),
        query,
    };
    Ok((i, StatementKind::CreateDerived(Box::new(create))))
}

/// A relation is declared or derived, not both.
fn contradicts<'a, T>(span: Span, behind: Span, what: &str, help: &str) -> Parsed<'a, T> {
    let message = "a relation is declared or derived, not both";
    let diagnostic = Diagnostic::new(Code::MisplacedClause, message, span)
        .label(what)
        .secondary(behind, "derives it from a query")
        .help(help);
    diagnosed(diagnostic)
}
