//! CREATE: what is created, and what if the name is taken.

use nom::Parser;
use nom::combinator::cut;

use super::super::data_type::data_type;
use super::super::fault::{Wanted, diagnosed};
use super::super::name::dotted_name;
use super::super::property::options;
use super::super::terminal::{keyword, keywords, name};
use super::super::tokens::{Parsed, Tokens};
use super::relation::{Head, relation};
use crate::ast::{CreateConnection, CreateMode, CreateType, RelationWord, StatementKind};
use crate::error::{Code, Diagnostic};
use crate::lexer::Keyword;
use crate::span::Span;

/// `CREATE [OR REPLACE] [SOURCE] what [IF NOT EXISTS] name ...`; the next token is CREATE.
pub(super) fn create(i: Tokens<'_>) -> Parsed<'_, StatementKind> {
    let (i, or_replace) = or_replace(i.advance())?;
    let source = i.is_keyword(Keyword::Source).then(|| i.span());
    let i = if source.is_some() { i.advance() } else { i };
    let (i, what) = what(i, source.is_some())?;
    let (i, mode) = mode(i, or_replace)?;
    match what {
        What::Relation(word) => relation(i, Head { mode, word, source }),
        What::Connection => connection(i, mode),
        What::Type => type_name(i, mode),
    }
}

enum What {
    Relation(RelationWord),
    Connection,
    Type,
}

/// What is created; behind SOURCE only a stream or a table can be.
fn what(i: Tokens<'_>, is_source: bool) -> Parsed<'_, What> {
    let rest = i.advance();
    match i.kind().keyword() {
        Some(Keyword::Stream) => Ok((rest, What::Relation(RelationWord::Stream))),
        Some(Keyword::Table) => Ok((rest, What::Relation(RelationWord::Table))),
        Some(Keyword::View) if !is_source => Ok((rest, What::Relation(RelationWord::View))),
        Some(Keyword::Materialized) if !is_source => cut(keyword(Keyword::View))
            .map(|_| What::Relation(RelationWord::MaterializedView))
            .parse(rest),
        Some(Keyword::Connection) if !is_source => Ok((rest, What::Connection)),
        Some(Keyword::Type) if !is_source => Ok((rest, What::Type)),
        _ => unknown(i, is_source),
    }
}

/// The span of OR REPLACE, if it is there.
fn or_replace(i: Tokens<'_>) -> Parsed<'_, Option<Span>> {
    if !i.is_keyword(Keyword::Or) {
        i.want(Wanted::Rare(Keyword::Or));
        return Ok((i, None));
    }
    keywords(Keyword::Or, Keyword::Replace).map(Some).parse(i)
}

/// IF NOT EXISTS, if it is there, and what it says together with OR REPLACE.
fn mode(i: Tokens<'_>, or_replace: Option<Span>) -> Parsed<'_, CreateMode> {
    if i.are_keywords(&[Keyword::If, Keyword::Exists]) {
        return opposite(i, "CREATE", "IF NOT EXISTS");
    }
    let is_said = i.are_keywords(&[Keyword::If, Keyword::Not]);
    let (rest, if_not_exists) = match is_said {
        true => cut(keyword(Keyword::Exists))
            .map(|end| Some(i.span().to(end)))
            .parse(i.skip(2))?,
        false => (i, None),
    };
    if let (Some(keeps), Some(replaces)) = (if_not_exists, or_replace) {
        let message = "OR REPLACE and IF NOT EXISTS exclude each other";
        let diagnostic = Diagnostic::new(Code::MisplacedClause, message, keeps)
            .label("keeps what is there")
            .secondary(replaces, "replaces what is there");
        return diagnosed(diagnostic);
    }
    let (or_replace, if_not_exists) = (or_replace.is_some(), if_not_exists.is_some());
    Ok((
        rest,
        CreateMode {
            or_replace,
            if_not_exists,
        },
    ))
}

/// The condition that another statement has.
pub(super) fn opposite<'a, T>(i: Tokens<'a>, statement: &str, condition: &str) -> Parsed<'a, T> {
    let length = if i.advance().is_keyword(Keyword::Not) {
        2
    } else {
        1
    };
    let span = i.span().to(i.skip(length).span());
    let message = format!("{statement} does not take this condition");
    let diagnostic =
        Diagnostic::new(Code::UnexpectedToken, message, span).help(format!("write `{condition}`"));
    diagnosed(diagnostic)
}

/// `name WITH (...)`.
fn connection(i: Tokens<'_>, mode: CreateMode) -> Parsed<'_, StatementKind> {
    let (i, name) = cut(name("the name of a connection")).parse(i)?;
    let (i, properties) = cut(options).parse(i)?;
    let create = CreateConnection {
        mode,
        name,
        properties,
    };
    Ok((i, StatementKind::CreateConnection(create)))
}

/// `name AS type`.
fn type_name(i: Tokens<'_>, mode: CreateMode) -> Parsed<'_, StatementKind> {
    let (i, name) = cut(dotted_name("the name of a type")).parse(i)?;
    let (i, _) = cut(keyword(Keyword::As)).parse(i)?;
    let (i, data_type) = cut(data_type).parse(i)?;
    let create = CreateType {
        mode,
        name,
        data_type,
    };
    Ok((i, StatementKind::CreateType(create)))
}

/// What cannot be created: known all the same, or not.
fn unknown(i: Tokens<'_>, is_source: bool) -> Parsed<'_, What> {
    let help = match i.kind().keyword() {
        Some(Keyword::Connector) => "write `CREATE STREAM name FROM uri`",
        Some(Keyword::Sink) => "write `INSERT INTO uri SELECT ...`",
        Some(Keyword::Temp | Keyword::Temporary) => "name the query in a WITH clause",
        Some(Keyword::Index) => "a join makes the index that it needs",
        Some(Keyword::Function | Keyword::Sequence | Keyword::Schema | Keyword::Database) => "",
        _ => return unexpected(i, is_source),
    };
    let what = format!("`CREATE {}`", i.text().to_uppercase());
    let diagnostic = Diagnostic::not_supported(what, i.span());
    diagnosed(match help {
        "" => diagnostic,
        help => diagnostic.help(help),
    })
}

fn unexpected(i: Tokens<'_>, is_source: bool) -> Parsed<'_, What> {
    let others = [
        Keyword::Materialized,
        Keyword::View,
        Keyword::Connection,
        Keyword::Type,
    ];
    let others = if is_source { &[][..] } else { &others };
    for word in [Keyword::Stream, Keyword::Table].iter().chain(others) {
        i.want(Wanted::Keyword(*word));
    }
    i.fail(Wanted::Rare(Keyword::Source))
}
