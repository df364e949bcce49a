//! Statements, told by their first word.

mod foreign;
mod column;
mod relation;
mod create;
mod insert;
mod drop;
mod show;
mod setting;
mod control;
mod explain;

use nom::Parser;

use super::expression::{begins_query, hides_query};
use super::fault::Wanted;
use super::query::query;
use super::tokens::{Parsed, Tokens};
use crate::ast::{ControlAction, Statement, StatementKind};
use crate::lexer::{Keyword, TokenKind};

/// The words that statements begin with.
const FIRST: &[Keyword] = &[
    Keyword::Select,
    Keyword::Create,
    Keyword::Insert,
    Keyword::Drop,
    Keyword::Show,
    Keyword::List,
    Keyword::Describe,
    Keyword::Explain,
    Keyword::Set,
    Keyword::Unset,
    Keyword::Pause,
    Keyword::Resume,
    Keyword::Terminate,
    Keyword::With,
    Keyword::Values,
];

/// Whether a statement begins with this word, as far as one word tells.
pub(super) fn begins_statement(word: Keyword) -> bool {
    FIRST.contains(&word)
}

/// A statement; what may follow it is not looked at.
pub(super) fn statement(i: Tokens<'_>) -> Parsed<'_, Statement> {
    let start = i.span();
    let (i, kind) = kind(i)?;
    let span = i.span_since(start);
    Ok((i, Statement { kind, span }))
}

fn kind(i: Tokens<'_>) -> Parsed<'_, StatementKind> {
    if let Some(read) = query_or_change(i) {
        return read;
    }
    let TokenKind::Keyword(word) = i.kind() else {
        return unknown(i);
    };
    match word {
        Keyword::Drop => drop::drop(i),
        Keyword::Show | Keyword::List => show::show(i),
        Keyword::Describe | Keyword::Desc => show::describe(i),
        Keyword::Explain => explain::explain(i),
        Keyword::Set => setting::set(i),
        Keyword::Unset => setting::unset(i),
        Keyword::Pause => control::control(i, ControlAction::Pause),
        Keyword::Resume => control::control(i, ControlAction::Resume),
        Keyword::Terminate => control::control(i, ControlAction::Terminate),
        word => foreign::statement(i, word).unwrap_or_else(|| unknown(i)),
    }
}

/// The statements that EXPLAIN takes: queries, CREATE, INSERT.
fn query_or_change(i: Tokens<'_>) -> Option<Parsed<'_, StatementKind>> {
    match i.kind().keyword() {
        Some(Keyword::Create) => Some(create::create(i)),
        Some(Keyword::Insert) => Some(insert::insert(i)),
        _ if begins_query(i)
            || hides_query(i)
            || matches!(i.kind().keyword(), Some(Keyword::Values | Keyword::Table)) =>
        {
            let statement = query
                .map(|query| StatementKind::Query(Box::new(query)))
                .parse(i);
            Some(statement)
        }
        _ => None,
    }
}

fn unknown(i: Tokens<'_>) -> Parsed<'_, StatementKind> {
    for word in FIRST {
        i.want(Wanted::Rare(*word));
    }
    i.fail(Wanted::Thing("a statement"))
}
