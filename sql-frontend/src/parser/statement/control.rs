//! PAUSE, RESUME and TERMINATE.

use nom::Parser;
use nom::branch::alt;
use nom::combinator::cut;

use super::super::name::dotted_name;
use super::super::terminal::keyword;
use super::super::tokens::{Parsed, Tokens};
use crate::ast::{Control, ControlAction, StatementKind};
use crate::lexer::Keyword;

/// `PAUSE query`, `PAUSE ALL`, and so on; the next token is the word of the action.
pub(super) fn control(i: Tokens<'_>, action: ControlAction) -> Parsed<'_, StatementKind> {
    let all = keyword(Keyword::All).map(|_| None);
    let query = dotted_name("the name of a query").map(Some);
    cut(alt((query, all)))
        .map(|query| StatementKind::Control(Control { action, query }))
        .parse(i.advance())
}
