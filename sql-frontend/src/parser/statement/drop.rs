//! DROP.

use nom::Parser;
use nom::branch::alt;
use nom::combinator::{cut, opt, value};

use super::super::fault::diagnosed;
use super::super::name::dotted_name;
use super::super::terminal::{keyword, keywords};
use super::super::tokens::{Parsed, Tokens};
use super::create::opposite;
use crate::ast::{DropObject, DropStatement, RelationWord, StatementKind};
use crate::error::Diagnostic;
use crate::lexer::{Keyword, TokenKind};

/// `DROP what [IF EXISTS] name [DELETE TOPIC]`; the next token is DROP.
pub(super) fn drop(i: Tokens<'_>) -> Parsed<'_, StatementKind> {
    let (i, object) = object(i.advance())?;
    let (i, if_exists) = if_exists(i)?;
    let (i, name) = cut(dotted_name("a name")).parse(i)?;
    let (i, delete_topic) = match object {
        DropObject::Relation(_) => opt(keywords(Keyword::Delete, Keyword::Topic))
            .map(|words| words.is_some())
            .parse(i)?,
        DropObject::Connection | DropObject::Type => (i, false),
    };
    let unsupported = match i.kind() {
        TokenKind::Comma => "dropping several things in one statement",
        TokenKind::Keyword(Keyword::Cascade) => "`CASCADE`",
        TokenKind::Keyword(Keyword::Restrict) => "`RESTRICT`",
        _ => {
            let drop = DropStatement {
                object,
                if_exists,
                name,
                delete_topic,
            };
            return Ok((i, StatementKind::Drop(drop)));
        }
    };
    diagnosed(Diagnostic::not_supported(unsupported, i.span()))
}

fn object(i: Tokens<'_>) -> Parsed<'_, DropObject> {
    let known = matches!(
        i.kind().keyword(),
        Some(
            Keyword::Connector
                | Keyword::Function
                | Keyword::Index
                | Keyword::Schema
                | Keyword::Database
        )
    );
    if known {
        let what = format!("`DROP {}`", i.text().to_uppercase());
        return diagnosed(Diagnostic::not_supported(what, i.span()));
    }
    let relation = |word: RelationWord| DropObject::Relation(word);
    alt((
        value(relation(RelationWord::Stream), keyword(Keyword::Stream)),
        value(relation(RelationWord::Table), keyword(Keyword::Table)),
        value(
            relation(RelationWord::MaterializedView),
            keywords(Keyword::Materialized, Keyword::View),
        ),
        value(relation(RelationWord::View), keyword(Keyword::View)),
        value(DropObject::Connection, keyword(Keyword::Connection)),
        value(DropObject::Type, keyword(Keyword::Type)),
    ))
    .parse(i)
}

fn if_exists(i: Tokens<'_>) -> Parsed<'_, bool> {
    if i.are_keywords(&[Keyword::If, Keyword::Not]) {
        return opposite(i, "DROP", "IF EXISTS");
    }
    match i.are_keywords(&[Keyword::If, Keyword::Exists]) {
        true => Ok((i.skip(2), true)),
        false => Ok((i, false)),
    }
}
