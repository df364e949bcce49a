//! Names with dots, URIs, and aliases.

use nom::Parser;
use nom::combinator::cut;

use super::fault::{Fault, Wanted, diagnosed};
use super::terminal::{label, name};
use super::tokens::{Parsed, Tokens};
use crate::ast::{Ident, Literal, Name, NameOrUri, Uri};
use crate::error::{Code, Diagnostic};
use crate::lexer::{Keyword, TokenKind};

/// A name of one or more words with dots between them; `what` says of what.
pub(super) fn dotted_name<'a>(what: &'static str) -> impl Fn(Tokens<'a>) -> Parsed<'a, Name> {
    move |i| {
        let start = i.span();
        let (mut i, first) = name(what)(i)?;
        let mut parts = vec![first];
        while i.is(TokenKind::Dot) {
            let (rest, part) = cut(label("a name")).parse(i.advance())?;
            (i, parts) = (rest, pushed(parts, part));
        }
        let span = i.span_since(start);
        Ok((i, Name { parts, span }))
    }
}

fn pushed<T>(mut items: Vec<T>, item: T) -> Vec<T> {
    items.push(item);
    items
}

/// A URI, with or without quotes.
pub(super) fn uri(i: Tokens<'_>) -> Parsed<'_, Uri> {
    let span = i.span().into();
    match (i.kind(), i.literal()) {
        (TokenKind::Uri, _) => {
            let text = i.text().to_owned();
            Ok((i.advance(), Uri { text, span }))
        }
        (TokenKind::String, Some(Literal::String(text))) if names_something(&text) => {
            Ok((i.advance(), Uri { text, span }))
        }
        _ => i.fail(Wanted::Thing("a URI")),
    }
}

/// Whether a quoted text is a URI with something after its `scheme://`.
fn names_something(text: &str) -> bool {
    let scheme_fits = |scheme: &str| {
        let mut letters = scheme.chars();
        letters.next().is_some_and(|c| c.is_ascii_alphabetic())
            && letters.all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
    };
    text.split_once("://")
        .is_some_and(|(scheme, rest)| scheme_fits(scheme) && !rest.trim().is_empty())
}

/// A relation by name or URI; `what` says which.
pub(super) fn name_or_uri<'a>(what: &'static str) -> impl Fn(Tokens<'a>) -> Parsed<'a, NameOrUri> {
    move |i| match i.kind() {
        TokenKind::Uri => uri(i).map(|(i, uri)| (i, NameOrUri::Uri(uri))),
        TokenKind::String => {
            let (i, uri) = quoted_uri(i)?;
            Ok((i, NameOrUri::Uri(uri)))
        }
        _ => dotted_name(what)(i).map(|(i, name)| (i, NameOrUri::Name(name))),
    }
}

/// A URI in quotes, where a string that is none gets an error of its own.
pub(super) fn quoted_uri(i: Tokens<'_>) -> Parsed<'_, Uri> {
    match uri(i) {
        Ok(read) => Ok(read),
        Err(_) => {
            let text = i.text();
            let message = format!("{text} is a string, not a relation");
            let diagnostic = Diagnostic::new(Code::MisplacedString, message, i.span())
                .label("expected a name or a URI")
                .help("write a name without quotes, or a URI such as `file:///data/orders.csv`");
            diagnosed(diagnostic)
        }
    }
}

/// `[AS] name` of a relation.
pub(super) fn table_alias(i: Tokens<'_>) -> Parsed<'_, Ident> {
    if i.is_keyword(Keyword::As) {
        return cut(name("an alias")).parse(i.advance());
    }
    bare_alias(i)
}

/// `[AS] name` of a select item; after AS any word will do.
pub(super) fn column_alias(i: Tokens<'_>) -> Parsed<'_, Ident> {
    if !i.is_keyword(Keyword::As) {
        return bare_alias(i);
    }
    let word = i.advance();
    let next = word.peek_at(1).kind;
    let begins_from = word.is_keyword(Keyword::From)
        && (next.is_bare_alias() || matches!(next, TokenKind::Uri | TokenKind::LeftParen));
    if begins_from {
        word.want(Wanted::Name("an alias"));
        return Err(nom::Err::Failure(Fault::Unexpected));
    }
    cut(label("an alias")).parse(word)
}

fn bare_alias(i: Tokens<'_>) -> Parsed<'_, Ident> {
    match i.kind().is_bare_alias() {
        true => {
            i.note_bare_name();
            Ok((i.advance(), i.ident()))
        }
        false => i.fail(Wanted::Rare(Keyword::As)),
    }
}
