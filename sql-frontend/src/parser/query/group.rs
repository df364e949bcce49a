//! GROUP BY.

use nom::Parser;
use nom::combinator::cut;
use nom::sequence::preceded;

use super::super::expression::expression;
use super::super::fault::diagnosed;
use super::super::terminal::{commas, keywords, parens};
use super::super::tokens::{Parsed, Tokens};
use crate::ast::{Expr, ExprKind, GroupItem};
use crate::error::Diagnostic;
use crate::lexer::{Keyword, TokenKind};

/// `GROUP BY a, b`, `GROUP BY (a, b)`, `GROUP BY ROLLUP (a)`.
pub(super) fn group_by(i: Tokens<'_>) -> Parsed<'_, Vec<GroupItem>> {
    preceded(keywords(Keyword::Group, Keyword::By), cut(commas(item)))
        .map(|items| items.into_iter().flatten().collect())
        .parse(i)
}

fn item(i: Tokens<'_>) -> Parsed<'_, Vec<GroupItem>> {
    let next = i.peek_at(1).kind;
    match (i.kind(), next) {
        (TokenKind::LeftParen, TokenKind::RightParen) => {
            Ok((i.skip(2), vec![GroupItem::GroupingSets(vec![Vec::new()])]))
        }
        (TokenKind::Keyword(Keyword::Rollup), TokenKind::LeftParen) => parens(commas(set))
            .map(|sets| vec![GroupItem::Rollup(sets)])
            .parse(i.advance()),
        (TokenKind::Keyword(Keyword::Cube), TokenKind::LeftParen) => parens(commas(set))
            .map(|sets| vec![GroupItem::Cube(sets)])
            .parse(i.advance()),
        (TokenKind::Keyword(Keyword::Grouping), TokenKind::Keyword(Keyword::Sets)) => {
            cut(parens(commas(set)))
                .map(|sets| vec![GroupItem::GroupingSets(sets)])
                .parse(i.skip(2))
        }
        (TokenKind::Keyword(Keyword::All | Keyword::Distinct), _) => {
            let what = format!("`GROUP BY {}`", i.text());
            diagnosed(Diagnostic::not_supported(what, i.span()))
        }
        _ => expression
            .map(|expr| exprs(expr).into_iter().map(GroupItem::Expr).collect())
            .parse(i),
    }
}

/// Grouping by a row is grouping by its values.
fn exprs(expr: Expr) -> Vec<Expr> {
    match expr.kind {
        ExprKind::Row(items) if !items.is_empty() => items.into_iter().flat_map(exprs).collect(),
        _ => vec![expr],
    }
}

/// A grouping set: `a`, `(a, b)`, `()`.
fn set(i: Tokens<'_>) -> Parsed<'_, Vec<Expr>> {
    let next = i.peek_at(1).kind;
    let nests = match i.kind().keyword() {
        Some(Keyword::Rollup | Keyword::Cube) => next == TokenKind::LeftParen,
        Some(Keyword::Grouping) => next == TokenKind::Keyword(Keyword::Sets),
        _ => false,
    };
    if nests {
        return diagnosed(Diagnostic::not_supported(
            "a grouping inside a grouping",
            i.span(),
        ));
    }
    match (i.kind(), next) {
        (TokenKind::LeftParen, TokenKind::RightParen) => Ok((i.skip(2), Vec::new())),
        _ => expression.map(exprs).parse(i),
    }
}
