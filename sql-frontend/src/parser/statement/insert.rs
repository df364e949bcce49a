//! INSERT.

use nom::Parser;
use nom::combinator::cut;

use super::super::expression::{begins_query, hides_query};
use super::super::fault::{Wanted, diagnosed};
use super::super::name::name_or_uri;
use super::super::property::{begins_options, options};
use super::super::query::query;
use super::super::terminal::{column_list, keyword};
use super::super::tokens::{Parsed, Tokens};
use crate::ast::{Ident, Insert, Property, StatementKind};
use crate::error::{Code, Diagnostic};
use crate::lexer::{Keyword, TokenKind};

/// `INSERT INTO target [(columns)] [WITH (...)] query`; the options may stand behind the query as
/// well. The next token is INSERT.
pub(super) fn insert(i: Tokens<'_>) -> Parsed<'_, StatementKind> {
    let (i, _) = cut(keyword(Keyword::Into)).parse(i.advance())?;
    if i.is_keyword(Keyword::Values) && begins_rows(i.advance()) {
        return i.fail(Wanted::Name("a stream, a table or a URI"));
    }
    let (i, target) = cut(name_or_uri("a stream, a table or a URI")).parse(i)?;
    let (i, columns) = columns(i)?;
    let (i, before) = properties(i)?;
    if i.are_keywords(&[Keyword::Default, Keyword::Values]) {
        return diagnosed(Diagnostic::not_supported("`DEFAULT VALUES`", i.span()));
    }
    let (i, query) = cut(query).parse(i)?;
    let at = i.span();
    let (i, behind) = properties(i)?;
    if let (Some((_, first)), Some(_)) = (&before, &behind) {
        let diagnostic = Diagnostic::new(Code::DuplicateClause, "a second `WITH`", at)
            .label("given again")
            .secondary(*first, "given first");
        return diagnosed(diagnostic);
    }
    if i.is_keyword(Keyword::On) {
        let diagnostic = Diagnostic::not_supported("`ON CONFLICT`", i.span());
        return diagnosed(diagnostic.help("a row takes the place of one with the same key anyway"));
    }
    let properties = before
        .or(behind)
        .map(|(properties, _)| properties)
        .unwrap_or_default();
    let insert = Insert {
        target,
        columns,
        properties,
        query,
    };
    Ok((i, StatementKind::Insert(Box::new(insert))))
}

/// Whether rows follow, where the target of the INSERT is missing.
fn begins_rows(i: Tokens<'_>) -> bool {
    let inner = i.advance();
    let is_other = inner.kind().is_name() || begins_query(inner) || hides_query(inner);
    i.is(TokenKind::LeftParen) && !is_other
}

/// Names in parentheses, unless a query in parentheses stands there.
fn columns(i: Tokens<'_>) -> Parsed<'_, Vec<Ident>> {
    let inner = i.advance();
    let is_list = i.is(TokenKind::LeftParen) && !begins_query(inner) && !hides_query(inner);
    match is_list {
        true => column_list(i),
        false => Ok((i, Vec::new())),
    }
}

/// Options and where they stand, if they do.
fn properties(i: Tokens<'_>) -> Parsed<'_, Option<(Vec<Property>, crate::span::Span)>> {
    let span = i.span();
    match begins_options(i) {
        true => options.map(|properties| Some((properties, span))).parse(i),
        false => Ok((i, None)),
    }
}
