//! SHOW, LIST and DESCRIBE.

use nom::Parser;
use nom::branch::alt;
use nom::combinator::{cut, opt, value};

use super::super::fault::diagnosed;
use super::super::name::{dotted_name, name_or_uri};
use super::super::terminal::{keyword, rare};
use super::super::tokens::{Parsed, Tokens};
use crate::ast::{Describe, DescribeTarget, NameOrUri, Show, ShowWhat, StatementKind};
use crate::error::{Code, Diagnostic};
use crate::lexer::{Keyword, TokenKind};

/// `SHOW what [EXTENDED]`; the next token is SHOW or LIST.
pub(super) fn show(i: Tokens<'_>) -> Parsed<'_, StatementKind> {
    let (i, what) = what(i.advance())?;
    let (i, extended) = extended(i)?;
    Ok((i, StatementKind::Show(Show { what, extended })))
}

fn what(i: Tokens<'_>) -> Parsed<'_, ShowWhat> {
    let help = match i.kind().keyword() {
        Some(Keyword::All) if i.peek_at(1).kind == TokenKind::Keyword(Keyword::Topics) => {
            Some("write `SHOW TOPICS`")
        }
        Some(Keyword::Views) => Some("`SHOW TABLES` lists materialized views too"),
        Some(Keyword::Columns) => Some("write `DESCRIBE name`"),
        Some(Keyword::Create) => Some("write `DESCRIBE name EXTENDED`"),
        Some(Keyword::Variables | Keyword::Connectors | Keyword::Connector | Keyword::Source) => {
            None
        }
        Some(Keyword::Sink | Keyword::Plugins) => None,
        _ => return known(i),
    };
    let what = format!("`SHOW {}`", i.text().to_uppercase());
    let diagnostic = Diagnostic::not_supported(what, i.span());
    diagnosed(match help {
        Some(help) => diagnostic.help(help),
        None => diagnostic,
    })
}

fn known(i: Tokens<'_>) -> Parsed<'_, ShowWhat> {
    let what = alt((
        value(ShowWhat::Streams, keyword(Keyword::Streams)),
        value(ShowWhat::Tables, keyword(Keyword::Tables)),
        value(ShowWhat::Queries, keyword(Keyword::Queries)),
        value(ShowWhat::Functions, keyword(Keyword::Functions)),
        value(ShowWhat::Connections, keyword(Keyword::Connections)),
        value(ShowWhat::Types, keyword(Keyword::Types)),
        value(ShowWhat::Topics, keyword(Keyword::Topics)),
        value(ShowWhat::Properties, keyword(Keyword::Properties)),
        value(ShowWhat::All, keyword(Keyword::All)),
    ));
    { what }.parse(i)
}

fn extended(i: Tokens<'_>) -> Parsed<'_, bool> {
    opt(rare(Keyword::Extended))
        .map(|word| word.is_some())
        .parse(i)
}

/// `DESCRIBE target [EXTENDED]`; the next token is DESCRIBE or DESC.
pub(super) fn describe(i: Tokens<'_>) -> Parsed<'_, StatementKind> {
    let (i, target) = target(i.advance())?;
    let (i, extended) = extended(i)?;
    Ok((i, StatementKind::Describe(Describe { target, extended })))
}

/// What is described; a word such as FUNCTION is a name itself where none follows.
fn target(i: Tokens<'_>) -> Parsed<'_, DescribeTarget> {
    let rest = i.advance();
    let name = |what| cut(dotted_name(what));
    let is_name = rest.is_keyword(Keyword::Extended) && rest.advance().is_at_end();
    let names_another = rest.kind().is_name() && !is_name;
    match i.kind().keyword().filter(|_| names_another) {
        Some(Keyword::Function) => name("a function").map(DescribeTarget::Function).parse(rest),
        Some(Keyword::Connection) => name("a connection")
            .map(DescribeTarget::Connection)
            .parse(rest),
        Some(Keyword::Type) => name("a type").map(DescribeTarget::Type).parse(rest),
        Some(Keyword::Stream | Keyword::Table | Keyword::Materialized | Keyword::View) => {
            needless(i)
        }
        Some(Keyword::Connector) => {
            diagnosed(Diagnostic::not_supported("`DESCRIBE CONNECTOR`", i.span()))
        }
        _ => cut(name_or_uri("a stream, a table or a URI"))
            .map(|relation: NameOrUri| DescribeTarget::Relation(relation))
            .parse(i),
    }
}

fn needless(i: Tokens<'_>) -> Parsed<'_, DescribeTarget> {
    let message = format!("unexpected `{}`", i.text());
    let diagnostic = Diagnostic::new(Code::UnexpectedToken, message, i.span())
        .label("expected the name of a stream or a table")
        .help("its name is enough: `DESCRIBE orders`");
    diagnosed(diagnostic)
}
