//! What may stand in parentheses where an expression may: an expression, a row, or a query.
//!
//! `((SELECT 1) + 2)` and `((SELECT 1) UNION SELECT 2)` begin alike. Nothing is read twice: the inner
//! query is read, and what follows it tells whether it is an operand of an expression or of a query.

use nom::Parser;
use nom::combinator::cut;
use nom::multi::many0;
use nom::sequence::preceded;

use super::{expression, infix, primary};
use crate::ast::Precedence;
use crate::ast::{Expr, ExprKind, Query};
use crate::lexer::{Keyword, TokenKind};
use crate::parser::query::{continues_query, query, query_after};
use crate::parser::terminal::symbol;
use crate::parser::tokens::{Parsed, Tokens};

/// The content of parentheses.
pub(super) enum Items {
    /// A query.
    Query(Box<Query>),
    /// Expressions with commas between them, at least one.
    Exprs(Vec<Expr>),
}

/// Whether a query begins at the next token, parentheses apart.
pub(in crate::parser) fn begins_query(i: Tokens<'_>) -> bool {
    match i.kind().keyword() {
        Some(Keyword::Select | Keyword::With) => true,
        Some(Keyword::Values) => i.peek_at(1).kind == TokenKind::LeftParen,
        _ => false,
    }
}

/// Whether the next tokens are parentheses with the beginning of a query in them.
pub(in crate::parser) fn hides_query(i: Tokens<'_>) -> bool {
    let mut inner = i;
    while inner.is(TokenKind::LeftParen) {
        inner = inner.advance();
    }
    inner.at() > i.at() && begins_query(inner)
}

/// `(a)`, `(a, b)`, `(SELECT ...)` as an expression.
pub(super) fn parenthesised(i: Tokens<'_>) -> Parsed<'_, Expr> {
    let start = i.span();
    let (i, items) = items(i)?;
    let span = i.span_since(start);
    let kind = match items {
        Items::Query(query) => ExprKind::Query(query),
        Items::Exprs(mut exprs) if exprs.len() == 1 => exprs.remove(0).kind,
        Items::Exprs(exprs) => ExprKind::Row(exprs),
    };
    Ok((i, Expr { kind, span }))
}

/// What stands in parentheses, and the parentheses.
pub(super) fn items(i: Tokens<'_>) -> Parsed<'_, Items> {
    let (i, _) = symbol(TokenKind::LeftParen)(i)?;
    let (i, items) = i.nested(|i| match () {
        () if begins_query(i) => query.map(|query| Items::Query(Box::new(query))).parse(i),
        () if hides_query(i) => after_hidden_query(i),
        () => {
            let (i, first) = cut(expression).parse(i)?;
            exprs_after(i, first)
        }
    })?;
    let (i, _) = cut(symbol(TokenKind::RightParen)).parse(i)?;
    Ok((i, items))
}

/// Parentheses with a query in them, and what they are an operand of.
fn after_hidden_query(i: Tokens<'_>) -> Parsed<'_, Items> {
    let start = i.span();
    let (i, inner) = items(i)?;
    match inner {
        Items::Query(query) if continues_query(i) => {
            query_after(i, *query, start).map(|(i, query)| (i, Items::Query(Box::new(query))))
        }
        Items::Query(query) if i.is(TokenKind::RightParen) => Ok((i, Items::Query(query))),
        inner => {
            let span = i.span_since(start);
            let kind = match inner {
                Items::Query(query) => ExprKind::Query(query),
                Items::Exprs(mut exprs) if exprs.len() == 1 => exprs.remove(0).kind,
                Items::Exprs(exprs) => ExprKind::Row(exprs),
            };
            let (i, operand) = primary::postfix(i, Expr { kind, span })?;
            let (i, first) = infix::operators(i, operand, Precedence::Or)?;
            exprs_after(i, first)
        }
    }
}

fn exprs_after(i: Tokens<'_>, first: Expr) -> Parsed<'_, Items> {
    let (i, mut rest) = many0(preceded(symbol(TokenKind::Comma), cut(expression))).parse(i)?;
    rest.insert(0, first);
    Ok((i, Items::Exprs(rest)))
}
