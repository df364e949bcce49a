//! Expressions, by precedence climbing.
//!
//! After Pratt, "Top down operator precedence", 1973: an operand is read, and then as many operators
//! as bind at least as tightly as the level that was asked for; what stands right of an operator is
//! read on the next tighter level. Levels are those of [`Precedence`].

mod primary;
mod parentheses;
mod case;
mod special;
mod call;
mod window;
mod infix;

pub(super) use parentheses::{begins_query, hides_query};
pub(super) use window::window_spec;

use nom::Parser;
use nom::combinator::cut;

use super::tokens::{Parsed, Tokens};
use crate::ast::{Expr, ExprKind, Precedence, UnaryOp};
use crate::lexer::{Keyword, TokenKind};

/// Any expression.
pub(super) fn expression(i: Tokens<'_>) -> Parsed<'_, Expr> {
    climb(i, Precedence::Or)
}

/// An expression of operators that bind at least as tightly as `level`.
fn climb(i: Tokens<'_>, level: Precedence) -> Parsed<'_, Expr> {
    i.nested(|i| {
        let (i, left) = prefix(i)?;
        infix::operators(i, left, level)
    })
}

/// An operand with the operators before it.
fn prefix(i: Tokens<'_>) -> Parsed<'_, Expr> {
    match i.kind() {
        TokenKind::Keyword(Keyword::Not) => unary(i, UnaryOp::Not),
        TokenKind::Minus => unary(i, UnaryOp::Minus),
        TokenKind::Plus => unary(i, UnaryOp::Plus),
        _ => {
            let (i, operand) = primary::primary(i)?;
            primary::postfix(i, operand)
        }
    }
}

fn unary(i: Tokens<'_>, op: UnaryOp) -> Parsed<'_, Expr> {
    let start = i.span();
    let (i, operand) = match op {
        // NOT takes all that binds tighter, a sign only what stands behind it.
        UnaryOp::Not => cut(|i| climb(i, Precedence::Not)).parse(i.advance())?,
        UnaryOp::Minus | UnaryOp::Plus => i.advance().nested(|i| cut(prefix).parse(i))?,
    };
    let operand = Box::new(operand);
    let span = i.span_since(start);
    Ok((
        i,
        Expr {
            kind: ExprKind::Unary { op, operand },
            span,
        },
    ))
}
