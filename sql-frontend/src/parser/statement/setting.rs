//! SET and UNSET.

use nom::Parser;
use nom::branch::alt;
use nom::combinator::cut;

use super::super::property::{property_name, property_value};
use super::super::terminal::{rare, symbol};
use super::super::tokens::{Parsed, Tokens};
use crate::ast::StatementKind;
use crate::lexer::{Keyword, TokenKind};

/// `SET name = value`; PostgreSQL writes TO as well. The next token is SET.
pub(super) fn set(i: Tokens<'_>) -> Parsed<'_, StatementKind> {
    let (i, name) = cut(property_name).parse(i.advance())?;
    let (i, _) = cut(alt((symbol(TokenKind::Equal), rare(Keyword::To)))).parse(i)?;
    let (i, value) = cut(property_value).parse(i)?;
    Ok((i, StatementKind::Set { name, value }))
}

/// `UNSET name`; the next token is UNSET.
pub(super) fn unset(i: Tokens<'_>) -> Parsed<'_, StatementKind> {
    cut(property_name)
        .map(StatementKind::Unset)
        .parse(i.advance())
}
