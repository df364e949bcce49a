//! Parsers of single tokens, and of the lists that everything is made of.

use nom::Parser;
use nom::combinator::cut;
use nom::multi::many0;
use nom::sequence::{delimited, preceded};

use super::fault::{Fault, Wanted};
use super::tokens::{Parsed, Tokens};
use crate::ast::Ident;
use crate::lexer::{Keyword, TokenKind};
use crate::span::Span;

/// A parser on tokens; short for the bounds of nom's trait.
pub(super) trait Rule<'a, T>: Parser<Tokens<'a>, Output = T, Error = Fault> {}

impl<'a, T, P: Parser<Tokens<'a>, Output = T, Error = Fault>> Rule<'a, T> for P {}

/// A keyword.
pub(super) fn keyword<'a>(keyword: Keyword) -> impl Fn(Tokens<'a>) -> Parsed<'a, Span> + Copy {
    move |i| match i.is_keyword(keyword) {
        true => Ok((i.advance(), i.span())),
        false => i.fail(Wanted::Keyword(keyword)),
    }
}

/// A keyword that is not named among what was expected.
pub(super) fn rare<'a>(keyword: Keyword) -> impl Fn(Tokens<'a>) -> Parsed<'a, Span> + Copy {
    move |i| match i.is_keyword(keyword) {
        true => Ok((i.advance(), i.span())),
        false => i.fail(Wanted::Rare(keyword)),
    }
}

/// Two keywords: once the first is there, the second must be.
pub(super) fn keywords<'a>(
    first: Keyword,
    second: Keyword,
) -> impl Fn(Tokens<'a>) -> Parsed<'a, Span> + Copy {
    move |i| {
        let (i, start) = keyword(first)(i)?;
        let (i, end) = cut(keyword(second)).parse(i)?;
        Ok((i, start.to(end)))
    }
}

/// An operator or a punctuation mark.
pub(super) fn symbol<'a>(kind: TokenKind) -> impl Fn(Tokens<'a>) -> Parsed<'a, Span> + Copy {
    move |i| match i.is(kind) {
        true => Ok((i.advance(), i.span())),
        false => i.fail(Wanted::Symbol(kind)),
    }
}

/// A name that is not reserved, or is quoted; `what` says for what: "a table name".
pub(super) fn name<'a>(what: &'static str) -> impl Fn(Tokens<'a>) -> Parsed<'a, Ident> + Copy {
    move |i| match i.kind().is_name() {
        true => Ok((i.advance(), i.ident())),
        false => i.fail(Wanted::Name(what)),
    }
}

/// Any word or quoted name, reserved or not: what follows a dot, `->` or AS.
pub(super) fn label<'a>(what: &'static str) -> impl Fn(Tokens<'a>) -> Parsed<'a, Ident> + Copy {
    move |i| match i.kind().is_word() || i.is(TokenKind::QuotedName) {
        true => Ok((i.advance(), i.ident())),
        false => i.fail(Wanted::Name(what)),
    }
}

/// A string, without its quotes.
pub(super) fn string<'a>(what: &'static str) -> impl Fn(Tokens<'a>) -> Parsed<'a, String> + Copy {
    move |i| match (i.kind(), i.literal()) {
        (TokenKind::String, Some(crate::ast::Literal::String(text))) => Ok((i.advance(), text)),
        _ => i.fail(Wanted::Thing(what)),
    }
}

/// The digits of a whole number.
pub(super) fn digits<'a>(what: &'static str) -> impl Fn(Tokens<'a>) -> Parsed<'a, String> + Copy {
    move |i| match (i.kind(), i.literal()) {
        (TokenKind::Integer, Some(crate::ast::Literal::Integer(text))) => Ok((i.advance(), text)),
        _ => i.fail(Wanted::Thing(what)),
    }
}

/// One or more items with commas between them; after a comma an item must follow.
pub(super) fn commas<'a, T>(item: impl Rule<'a, T> + Copy) -> impl Rule<'a, Vec<T>> {
    (item, many0(preceded(symbol(TokenKind::Comma), cut(item)))).map(|(first, mut rest)| {
        rest.insert(0, first);
        rest
    })
}

/// What stands in parentheses: once they are open, it must be right.
pub(super) fn parens<'a, T>(inner: impl Rule<'a, T>) -> impl Rule<'a, T> {
    delimited(
        symbol(TokenKind::LeftParen),
        cut(inner),
        cut(symbol(TokenKind::RightParen)),
    )
}

/// Names in parentheses: `(a, b)`.
pub(super) fn column_list<'a>(i: Tokens<'a>) -> Parsed<'a, Vec<Ident>> {
    parens(commas(name("a column name"))).parse(i)
}

/// A parser, or its default where its first token is not there.
pub(super) fn or_default<'a, T: Default>(rule: impl Rule<'a, T>) -> impl Rule<'a, T> {
    nom::combinator::opt(rule).map(Option::unwrap_or_default)
}
