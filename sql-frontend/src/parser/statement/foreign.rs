//! Statements of PostgreSQL and ksqlDB that are understood and not supported: each says what to
//! write instead, where there is something.

use super::super::fault::diagnosed;
use super::super::tokens::{Parsed, Tokens};
use crate::ast::StatementKind;
use crate::error::Diagnostic;
use crate::lexer::Keyword;

/// The error of a statement that begins with this word, if it is one that is known.
pub(super) fn statement(i: Tokens<'_>, word: Keyword) -> Option<Parsed<'_, StatementKind>> {
    let help = match word {
        Keyword::Update | Keyword::Merge => {
            Some("insert a row with the same key: it takes the place of the old one")
        }
        Keyword::Delete | Keyword::Truncate => Some("a row leaves a table when its source says so"),
        Keyword::Alter | Keyword::Rename => Some("drop it, and create it again"),
        Keyword::Print => Some("write `SELECT * FROM kafka://topic EMIT CHANGES`"),
        Keyword::Define | Keyword::Undefine => Some("write the value where it is used"),
        Keyword::Copy => Some("write `INSERT INTO name SELECT * FROM file:///path`"),
        Keyword::Begin | Keyword::Commit | Keyword::Rollback => {
            Some("each statement stands on its own")
        }
        Keyword::Assert
        | Keyword::Run
        | Keyword::Grant
        | Keyword::Revoke
        | Keyword::Use
        | Keyword::Execute
        | Keyword::Analyze => None,
        _ => return None,
    };
    let diagnostic = Diagnostic::not_supported(format_args!("`{}`", word.text()), i.span());
    Some(diagnosed(match help {
        Some(help) => diagnostic.help(help),
        None => diagnostic,
    }))
}
