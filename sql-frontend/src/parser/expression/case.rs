//! CASE.

use nom::Parser;
use nom::combinator::{cut, opt};
use nom::multi::many0;
use nom::sequence::preceded;

use super::expression;
use crate::ast::{Case, Expr, ExprKind, WhenBranch};
use crate::lexer::Keyword;
use crate::parser::terminal::keyword;
use crate::parser::tokens::{Parsed, Tokens};

/// `CASE [operand] WHEN ... THEN ... [ELSE ...] END`; the next token is CASE.
pub(super) fn case(i: Tokens<'_>) -> Parsed<'_, ExprKind> {
    let i = i.advance();
    let (i, operand) = match i.is_keyword(Keyword::When) {
        true => (i, None),
        false => cut(expression).map(Some).parse(i)?,
    };
    let (i, first) = cut(branch).parse(i)?;
    let (i, rest) = many0(branch).parse(i)?;
    let (i, otherwise) = opt(preceded(keyword(Keyword::Else), cut(expression))).parse(i)?;
    let (i, _) = cut(keyword(Keyword::End)).parse(i)?;
    let branches = std::iter::once(first).chain(rest).collect();
    let case = Case {
        operand,
        branches,
        otherwise,
    };
    Ok((i, ExprKind::Case(Box::new(case))))
}

fn branch(i: Tokens<'_>) -> Parsed<'_, WhenBranch> {
    let part = |word| preceded(keyword(word), cut(expression));
    let (i, condition): (_, Expr) = part(Keyword::When).parse(i)?;
    let (i, result) = cut(part(Keyword::Then)).parse(i)?;
    Ok((i, WhenBranch { condition, result }))
}
