//! Queries: WITH, combinations, and the clauses at the end.

mod select;
mod group;
mod window;
mod from;
mod join;
mod tail;

pub(super) use tail::order_by;

use nom::Parser;
use nom::combinator::cut;

use super::expression::{begins_query, expression};
use super::fault::{Wanted, diagnosed};
use super::terminal::{column_list, commas, keyword, name, or_default, parens, rare};
use super::tokens::{Parsed, Tokens};
use crate::ast::{CommonTable, Expr, Query, QueryBody, SetOp, SetOperation, Values};
use crate::error::Diagnostic;
use crate::lexer::{Keyword, TokenKind};
use crate::span::Span;

/// A query with all its clauses.
pub(super) fn query(i: Tokens<'_>) -> Parsed<'_, Query> {
    i.nested(|i| {
        let start = i.span();
        let (i, with) = or_default(with).parse(i)?;
        let operand_start = i.span();
        let (i, left) = operand(i)?;
        let (i, body) = combinations(i, left, operand_start)?;
        tail::complete(i, with, body, start)
    })
}

/// A query in parentheses of its own: they count as a level too, as those of expressions do.
fn inner_query(i: Tokens<'_>) -> Parsed<'_, Query> {
    i.nested(query)
}

/// The rest of a query whose first operand, a query in parentheses, has been read.
pub(super) fn query_after(i: Tokens<'_>, first: Query, start: Span) -> Parsed<'_, Query> {
    let (i, body) = combinations(i, nested(first), start)?;
    tail::complete(i, Vec::new(), body, start)
}

/// Whether the next token goes on with a query after parentheses.
pub(super) fn continues_query(i: Tokens<'_>) -> bool {
    matches!(
        i.kind().keyword(),
        Some(
            Keyword::Union
                | Keyword::Intersect
                | Keyword::Except
                | Keyword::Order
                | Keyword::Limit
                | Keyword::Offset
                | Keyword::Fetch
                | Keyword::Emit
        )
    )
}

fn with(i: Tokens<'_>) -> Parsed<'_, Vec<CommonTable>> {
    let (i, _) = rare(Keyword::With)(i)?;
    let is_name = i.peek_at(1).kind == TokenKind::Keyword(Keyword::As);
    if i.is_keyword(Keyword::Recursive) && !is_name {
        return diagnosed(Diagnostic::not_supported("`WITH RECURSIVE`", i.span()));
    }
    cut(commas(common_table)).parse(i)
}

fn common_table(i: Tokens<'_>) -> Parsed<'_, CommonTable> {
    let start = i.span();
    let (i, name) = name("a name")(i)?;
    let is_list = i.is(TokenKind::LeftParen) && !begins_query(i.advance());
    let (i, columns) = if is_list {
        column_list(i)?
    } else {
        (i, Vec::new())
    };
    let (i, _) = cut(keyword(Keyword::As)).parse(i)?;
    if matches!(
        i.kind().keyword(),
        Some(Keyword::Not | Keyword::Materialized)
    ) {
        return diagnosed(Diagnostic::not_supported(
            "`MATERIALIZED` in a WITH clause",
            i.span(),
        ));
    }
    let (i, query) = parens(inner_query).parse(i)?;
    let span = i.span_since(start);
    Ok((
        i,
        CommonTable {
            name,
            columns,
            query,
            span,
        },
    ))
}

/// An operand of a combination: SELECT, VALUES, or a query in parentheses.
fn operand(i: Tokens<'_>) -> Parsed<'_, QueryBody> {
    match i.kind() {
        TokenKind::Keyword(Keyword::Select) => select::select
            .map(|select| QueryBody::Select(Box::new(select)))
            .parse(i),
        TokenKind::Keyword(Keyword::Values) => values.map(QueryBody::Values).parse(i),
        TokenKind::LeftParen => parens(query).map(nested).parse(i),
        TokenKind::Keyword(Keyword::Table) => {
            let diagnostic = Diagnostic::not_supported("`TABLE` as a query", i.span());
            diagnosed(diagnostic.help("write `SELECT * FROM ...`"))
        }
        _ => {
            i.want(Wanted::Rare(Keyword::Values));
            i.want(Wanted::Rare(Keyword::Select));
            i.fail(Wanted::Thing("a query"))
        }
    }
}

/// A query in parentheses as an operand; the parentheses are kept where they say something.
fn nested(query: Query) -> QueryBody {
    match query.is_plain() && !matches!(query.body, QueryBody::SetOperation(_)) {
        true => query.body,
        false => QueryBody::Nested(Box::new(query)),
    }
}

/// The combinations behind an operand; INTERSECT binds tighter than UNION and EXCEPT.
fn combinations(i: Tokens<'_>, left: QueryBody, start: Span) -> Parsed<'_, QueryBody> {
    let (mut i, mut left) = intersections(i, left, start)?;
    while let Some((rest, op, all)) = set_operator(i).filter(|(_, op, _)| !op.binds_tighter()) {
        let right_start = rest.span();
        let (rest, right) = cut(operand).parse(rest)?;
        let (rest, right) = intersections(rest, right, right_start)?;
        (i, left) = combined(rest, (op, all), (left, right), start)?;
    }
    Ok((i, left))
}

fn intersections(i: Tokens<'_>, left: QueryBody, start: Span) -> Parsed<'_, QueryBody> {
    let (mut i, mut left) = (i, left);
    while let Some((rest, op, all)) = set_operator(i).filter(|(_, op, _)| op.binds_tighter()) {
        let (rest, right) = cut(operand).parse(rest)?;
        (i, left) = combined(rest, (op, all), (left, right), start)?;
    }
    Ok((i, left))
}

/// The operator at the next token, whether it keeps duplicates, and what follows it.
fn set_operator(i: Tokens<'_>) -> Option<(Tokens<'_>, SetOp, bool)> {
    let op = match i.kind().keyword() {
        Some(Keyword::Union) => SetOp::Union,
        Some(Keyword::Intersect) => SetOp::Intersect,
        Some(Keyword::Except) => SetOp::Except,
        _ => {
            i.want(Wanted::Rare(Keyword::Union));
            i.want(Wanted::Rare(Keyword::Intersect));
            i.want(Wanted::Rare(Keyword::Except));
            return None;
        }
    };
    let i = i.advance();
    match i.kind().keyword() {
        Some(Keyword::All) => Some((i.advance(), op, true)),
        Some(Keyword::Distinct) => Some((i.advance(), op, false)),
        _ => Some((i, op, false)),
    }
}

fn combined<'a>(
    i: Tokens<'a>,
    (op, all): (SetOp, bool),
    (left, right): (QueryBody, QueryBody),
    start: Span,
) -> Parsed<'a, QueryBody> {
    i.wrap()?;
    let span = i.span_since(start);
    let operation = SetOperation {
        op,
        all,
        left,
        right,
        span,
    };
    Ok((i, QueryBody::SetOperation(Box::new(operation))))
}

fn values(i: Tokens<'_>) -> Parsed<'_, Values> {
    let (rest, start) = keyword(Keyword::Values)(i)?;
    let (rest, rows) = cut(commas(row)).parse(rest)?;
    let span = rest.span_since(start);
    Ok((rest, Values { rows, span }))
}

fn row(i: Tokens<'_>) -> Parsed<'_, Vec<Expr>> {
    parens(commas(value)).parse(i)
}

fn value(i: Tokens<'_>) -> Parsed<'_, Expr> {
    let ends = matches!(i.peek_at(1).kind, TokenKind::Comma | TokenKind::RightParen);
    if i.is_keyword(Keyword::Default) && ends {
        return diagnosed(Diagnostic::not_supported("`DEFAULT` as a value", i.span()));
    }
    expression(i)
}
