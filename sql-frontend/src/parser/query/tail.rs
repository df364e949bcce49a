//! The clauses at the end of a query: ORDER BY, EMIT, LIMIT, OFFSET, FETCH.

use nom::Parser;
use nom::branch::alt;
use nom::combinator::{cut, opt, value};
use nom::sequence::preceded;

use super::super::expression::expression;
use super::super::fault::{Wanted, diagnosed};
use super::super::terminal::{commas, keyword, keywords, or_default};
use super::super::tokens::{Parsed, Tokens};
use crate::ast::{
    CommonTable, Direction, Emit, EmitKind, Expr, ExprKind, Literal, NullsOrder, OrderItem, Query,
    QueryBody,
};
use crate::error::{Code, Diagnostic};
use crate::lexer::{Keyword, TokenKind};
use crate::span::Span;

/// `ORDER BY a DESC NULLS LAST, b`.
pub(in crate::parser) fn order_by(i: Tokens<'_>) -> Parsed<'_, Vec<OrderItem>> {
    preceded(
        keywords(Keyword::Order, Keyword::By),
        cut(commas(order_item)),
    )
    .parse(i)
}

fn order_item(i: Tokens<'_>) -> Parsed<'_, OrderItem> {
    let direction = alt((
        value(Direction::Ascending, keyword(Keyword::Asc)),
        value(Direction::Descending, keyword(Keyword::Desc)),
    ));
    let first_or_last = alt((
        value(NullsOrder::First, keyword(Keyword::First)),
        value(NullsOrder::Last, keyword(Keyword::Last)),
    ));
    let nulls = preceded(keyword(Keyword::Nulls), cut(first_or_last));
    (expression, opt(direction), opt(nulls))
        .map(|(expr, direction, nulls)| OrderItem {
            expr,
            direction,
            nulls,
        })
        .parse(i)
}

/// Completes a query with the clauses behind its body.
pub(super) fn complete(
    i: Tokens<'_>,
    with: Vec<CommonTable>,
    body: QueryBody,
    start: Span,
) -> Parsed<'_, Query> {
    let (i, order_by) = or_default(order_by).parse(i)?;
    let (i, tail) = tail(i)?;
    let Tail {
        emit,
        limit,
        offset,
        ..
    } = tail;
    let span = i.span_since(start);
    let query = Query {
        with,
        body,
        order_by,
        emit,
        limit,
        offset,
        span,
    };
    Ok((i, unwrapped(query)))
}

/// A query that is nothing but another one in parentheses is that other one.
fn unwrapped(query: Query) -> Query {
    let is_plain = query.is_plain();
    match query {
        Query {
            body: QueryBody::Nested(inner),
            span,
            ..
        } if is_plain => Query { span, ..*inner },
        query => query,
    }
}

/// EMIT, LIMIT and OFFSET, which may stand in any order.
#[derive(Default)]
struct Tail {
    emit: Option<Emit>,
    limit: Option<Expr>,
    offset: Option<Expr>,
    seen: Vec<(Clause, Span)>,
}

#[derive(Clone, Copy, PartialEq)]
enum Clause {
    Emit,
    Limit,
    Offset,
}

fn tail(i: Tokens<'_>) -> Parsed<'_, Tail> {
    let (mut i, mut tail) = (i, Tail::default());
    loop {
        let clause = match i.kind().keyword() {
            Some(Keyword::Emit) => Clause::Emit,
            Some(Keyword::Limit | Keyword::Fetch) => Clause::Limit,
            Some(Keyword::Offset) => Clause::Offset,
            Some(Keyword::For) => return locking(i),
            _ => {
                i.want(Wanted::Keyword(Keyword::Limit));
                i.want(Wanted::Rare(Keyword::Emit));
                i.want(Wanted::Rare(Keyword::Offset));
                i.want(Wanted::Rare(Keyword::Fetch));
                return Ok((i, tail));
            }
        };
        if let Some((_, first)) = tail.seen.iter().find(|(seen, _)| *seen == clause) {
            return twice(i, *first);
        }
        tail.seen.push((clause, i.span()));
        i = match clause {
            Clause::Emit => set(emit(i)?, &mut tail.emit),
            Clause::Limit => set(limit(i)?, &mut tail.limit),
            Clause::Offset => set(offset(i)?, &mut tail.offset),
        };
    }
}

fn set<'a, T>((i, value): (Tokens<'a>, Option<T>), place: &mut Option<T>) -> Tokens<'a> {
    *place = value;
    i
}

fn twice<'a, T>(i: Tokens<'a>, first: Span) -> Parsed<'a, T> {
    let message = format!("a second `{}`", i.text());
    let diagnostic = Diagnostic::new(Code::DuplicateClause, message, i.span())
        .label("a query has at most one")
        .secondary(first, "the first");
    diagnosed(diagnostic)
}

fn locking<'a, T>(i: Tokens<'a>) -> Parsed<'a, T> {
    diagnosed(Diagnostic::not_supported(
        "locking rows with `FOR`",
        i.span(),
    ))
}

fn emit(i: Tokens<'_>) -> Parsed<'_, Option<Emit>> {
    let start = i.span();
    let kind = alt((
        value(EmitKind::Changes, keyword(Keyword::Changes)),
        value(EmitKind::Final, keyword(Keyword::Final)),
    ));
    let (i, kind) = cut(kind).parse(i.advance())?;
    let span = i.span_since(start);
    Ok((i, Some(Emit { kind, span })))
}

/// `LIMIT n`, `LIMIT ALL` which is none, `FETCH FIRST n ROWS ONLY`.
fn limit(i: Tokens<'_>) -> Parsed<'_, Option<Expr>> {
    let inner = i.advance();
    if i.is_keyword(Keyword::Fetch) {
        return fetch(inner);
    }
    if inner.is_keyword(Keyword::All) {
        return Ok((inner.advance(), None));
    }
    let (i, count) = cut(expression).parse(inner)?;
    if i.is(TokenKind::Comma) {
        let diagnostic = Diagnostic::not_supported("`LIMIT` with two numbers", i.span())
            .help("write `LIMIT count OFFSET start`");
        return diagnosed(diagnostic);
    }
    Ok((i, Some(count)))
}

fn fetch(i: Tokens<'_>) -> Parsed<'_, Option<Expr>> {
    let rows = |i| alt((keyword(Keyword::Rows), keyword(Keyword::Row))).parse(i);
    let (i, _) = cut(alt((keyword(Keyword::First), keyword(Keyword::Next)))).parse(i)?;
    let counts = !matches!(i.kind().keyword(), Some(Keyword::Row | Keyword::Rows));
    let (i, count) = match counts {
        true => cut(expression).parse(i)?,
        false => (
            i,
            Expr::new(ExprKind::Literal(Literal::Integer("1".to_owned()))),
        ),
    };
    let (i, _) = cut(rows).parse(i)?;
    if i.is_keyword(Keyword::With) {
        return diagnosed(Diagnostic::not_supported("`FETCH ... WITH TIES`", i.span()));
    }
    let (i, _) = cut(keyword(Keyword::Only)).parse(i)?;
    Ok((i, Some(count)))
}

fn offset(i: Tokens<'_>) -> Parsed<'_, Option<Expr>> {
    let (i, count) = cut(expression).parse(i.advance())?;
    let has_word = matches!(i.kind().keyword(), Some(Keyword::Row | Keyword::Rows));
    Ok((if has_word { i.advance() } else { i }, Some(count)))
}
