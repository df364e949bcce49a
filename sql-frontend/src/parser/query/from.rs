//! FROM: relations by name, URI, query and function, with their aliases.

use nom::Parser;
use nom::combinator::{cut, opt};
use nom::multi::many0;

use super::super::expression::{begins_query, expression, hides_query};
use super::super::fault::{Wanted, diagnosed};
use super::super::name::{dotted_name, quoted_uri, table_alias};
use super::super::property::{begins_options, options};
use super::super::terminal::{Rule, column_list, commas, or_default, parens, symbol};
use super::super::tokens::{Parsed, Tokens};
use super::join::join;
use super::{continues_query, inner_query, query, query_after};
use crate::ast::{
    FromItem, Name, Relation, RelationKind, TableAlias, TableArgument, TableArgumentValue,
    TableFunction,
};
use crate::error::Diagnostic;
use crate::lexer::{Keyword, TokenKind};
use crate::span::NodeSpan;

/// A relation and those joined to it.
pub(super) fn from_item(i: Tokens<'_>) -> Parsed<'_, FromItem> {
    let (i, relation) = relation(i)?;
    let (i, joins) = many0(join).parse(i)?;
    Ok((i, FromItem { relation, joins }))
}

/// A relation with its alias.
pub(super) fn relation(i: Tokens<'_>) -> Parsed<'_, Relation> {
    match i.kind() {
        TokenKind::LeftParen => in_parentheses(i),
        TokenKind::Uri | TokenKind::String => from_uri(i),
        TokenKind::Keyword(Keyword::Lateral) if is_lateral(i) => lateral(i),
        TokenKind::Keyword(Keyword::Table) if i.peek_at(1).kind == TokenKind::LeftParen => {
            let start = i.span();
            let (i, kind) = parens(table_function(false)).parse(i.advance())?;
            aliased(i, kind, start.into())
        }
        kind if kind.is_name() => by_name(i),
        _ => i.fail(Wanted::Name("a table, a stream or a URI")),
    }
}

/// Puts the alias behind a relation, if there is one.
fn aliased(i: Tokens<'_>, kind: RelationKind, start: NodeSpan) -> Parsed<'_, Relation> {
    let (i, alias) = opt(alias).parse(i)?;
    if i.is_keyword(Keyword::TableSample) {
        return diagnosed(Diagnostic::not_supported("`TABLESAMPLE`", i.span()));
    }
    let span = i.span_since(*start);
    Ok((i, Relation { kind, alias, span }))
}

fn alias(i: Tokens<'_>) -> Parsed<'_, TableAlias> {
    (table_alias, or_default(columns_of_alias))
        .map(|(name, columns)| TableAlias { name, columns })
        .parse(i)
}

fn columns_of_alias(i: Tokens<'_>) -> Parsed<'_, Vec<crate::ast::Ident>> {
    match i.is(TokenKind::LeftParen) {
        true => column_list(i),
        false => Err(nom::Err::Error(super::super::fault::Fault::Unexpected)),
    }
}

/// A URI; its options may stand on either side of the alias.
fn from_uri(i: Tokens<'_>) -> Parsed<'_, Relation> {
    let start = i.span().into();
    let (i, uri) = quoted_uri(i)?;
    let (i, before) = options_here(i)?;
    let has_options = before.is_some();
    let options = before.unwrap_or_default();
    let (i, mut relation) = aliased(i, RelationKind::Uri { uri, options }, start)?;
    if has_options || relation.alias.is_none() {
        return Ok((i, relation));
    }
    let (i, behind) = options_here(i)?;
    if let (RelationKind::Uri { options, .. }, Some(behind)) = (&mut relation.kind, behind) {
        *options = behind;
        relation.span = i.span_since(*start);
    }
    Ok((i, relation))
}

fn options_here(i: Tokens<'_>) -> Parsed<'_, Option<Vec<crate::ast::Property>>> {
    match begins_options(i) {
        true => options.map(Some).parse(i),
        false => Ok((i, None)),
    }
}

fn by_name(i: Tokens<'_>) -> Parsed<'_, Relation> {
    let start = i.span().into();
    let (rest, name) = dotted_name("a table, a stream or a URI")(i)?;
    if rest.is(TokenKind::LeftParen) {
        let (i, kind) = function_of(rest, name, false)?;
        return aliased(i, kind, start);
    }
    let (rest, as_of) = match rest.are_keywords(&[Keyword::For, Keyword::SystemTime]) {
        true => as_of(rest.skip(2))?,
        false => (rest, None),
    };
    aliased(rest, RelationKind::Name { name, as_of }, start)
}

/// `AS OF time`, behind `FOR SYSTEM_TIME`.
fn as_of(i: Tokens<'_>) -> Parsed<'_, Option<crate::ast::Expr>> {
    use super::super::terminal::keywords;
    let (i, _) = cut(keywords(Keyword::As, Keyword::Of)).parse(i)?;
    cut(expression).map(Some).parse(i)
}

fn is_lateral(i: Tokens<'_>) -> bool {
    let next = i.peek_at(1).kind;
    // `lateral WITHIN (...)` is a relation called so.
    let is_function = i.peek_at(2).kind == TokenKind::LeftParen && next.is_bare_alias();
    next == TokenKind::LeftParen || is_function
}

/// `LATERAL (query)`, `LATERAL f(x)`.
fn lateral(i: Tokens<'_>) -> Parsed<'_, Relation> {
    let start = i.span().into();
    let i = i.advance();
    let (i, kind) = match i.is(TokenKind::LeftParen) {
        true => parens(inner_query)
            .map(|query| RelationKind::Query {
                query: Box::new(query),
                lateral: true,
            })
            .parse(i)?,
        false => cut(table_function(true)).parse(i)?,
    };
    aliased(i, kind, start)
}

fn table_function<'a>(lateral: bool) -> impl Rule<'a, RelationKind> {
    move |i: Tokens<'a>| {
        let (i, name) = dotted_name("a table function")(i)?;
        function_of(i, name, lateral)
    }
}

/// The rest of a table function whose name has been read.
fn function_of(i: Tokens<'_>, name: Name, lateral: bool) -> Parsed<'_, RelationKind> {
    let (i, arguments) = parens(arguments).parse(i)?;
    let with_ordinality = i.are_keywords(&[Keyword::With, Keyword::Ordinality]);
    let i = if with_ordinality { i.skip(2) } else { i };
    let function = TableFunction {
        name,
        arguments,
        lateral,
        with_ordinality,
    };
    Ok((i, RelationKind::Function(Box::new(function))))
}

fn arguments(i: Tokens<'_>) -> Parsed<'_, Vec<TableArgument>> {
    match i.is(TokenKind::RightParen) {
        true => Ok((i, Vec::new())),
        false => commas(argument).parse(i),
    }
}

fn argument(i: Tokens<'_>) -> Parsed<'_, TableArgument> {
    let is_named = i.kind().is_name() && i.peek_at(1).kind == TokenKind::FatArrow;
    let (i, name) = match is_named {
        true => (i.skip(2), Some(i.ident())),
        false => (i, None),
    };
    let (i, value) = argument_value(i)?;
    Ok((i, TableArgument { name, value }))
}

fn argument_value(i: Tokens<'_>) -> Parsed<'_, TableArgumentValue> {
    let next = i.peek_at(1).kind;
    match i.kind().keyword() {
        Some(Keyword::Table) if next.is_name() => dotted_name("a table")
            .map(TableArgumentValue::Table)
            .parse(i.advance()),
        Some(Keyword::Descriptor) if next == TokenKind::LeftParen => column_list
            .map(TableArgumentValue::Descriptor)
            .parse(i.advance()),
        _ => cut(expression).map(TableArgumentValue::Expr).parse(i),
    }
}

/// Parentheses and the alias behind them.
fn in_parentheses(i: Tokens<'_>) -> Parsed<'_, Relation> {
    let start = i.span();
    let (i, inner) = parenthesised(i)?;
    aliased_again(i, inner, start.into())
}

/// A relation in parentheses may have an alias inside, outside, or both.
fn aliased_again(i: Tokens<'_>, inner: Relation, start: NodeSpan) -> Parsed<'_, Relation> {
    let (i, outer) = aliased(
        i,
        RelationKind::Join(Box::new(FromItem {
            relation: inner,
            joins: Vec::new(),
        })),
        start,
    )?;
    let span = outer.span;
    let relation = match (outer.kind, outer.alias) {
        (RelationKind::Join(item), alias) if alias.is_none() || item.relation.alias.is_none() => {
            let inner = item.relation;
            Relation {
                alias: alias.or(inner.alias),
                kind: inner.kind,
                span,
            }
        }
        (kind, alias) => Relation { kind, alias, span },
    };
    Ok((i, relation))
}

/// What stands in parentheses where a relation may: a query, or a relation with its joins.
fn parenthesised(i: Tokens<'_>) -> Parsed<'_, Relation> {
    let start = i.span();
    let (i, _) = symbol(TokenKind::LeftParen)(i)?;
    let (i, relation) = i.nested(|i| match () {
        () if begins_query(i) => query.map(subquery).parse(i),
        () if hides_query(i) => after_hidden_query(i),
        () => cut(from_item).map(flattened).parse(i),
    })?;
    let (i, _) = cut(symbol(TokenKind::RightParen)).parse(i)?;
    let span = i.span_since(start);
    Ok((i, Relation { span, ..relation }))
}

/// Parentheses with a query in them, and what they are an operand of: `((SELECT 1) UNION SELECT 2)`
/// is a query, `((SELECT 1) AS a JOIN b ON ...)` a join.
fn after_hidden_query(i: Tokens<'_>) -> Parsed<'_, Relation> {
    let start = i.span();
    let (i, inner) = parenthesised(i)?;
    match inner {
        Relation {
            kind: RelationKind::Query { query, .. },
            alias: None,
            ..
        } if continues_query(i) => {
            query_after(i, *query, start).map(|(i, query)| (i, subquery(query)))
        }
        inner => {
            let (i, relation) = aliased_again(i, inner, start.into())?;
            let (i, joins) = many0(join).parse(i)?;
            Ok((i, flattened(FromItem { relation, joins })))
        }
    }
}

fn subquery(query: crate::ast::Query) -> Relation {
    let span = query.span;
    let kind = RelationKind::Query {
        query: Box::new(query),
        lateral: false,
    };
    Relation {
        kind,
        alias: None,
        span,
    }
}

/// A relation without joins is itself, with joins a relation of them.
fn flattened(item: FromItem) -> Relation {
    if item.joins.is_empty() {
        return item.relation;
    }
    let span = item.relation.span;
    Relation {
        kind: RelationKind::Join(Box::new(item)),
        alias: None,
        span,
    }
}
