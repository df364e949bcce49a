//! What stands in the parentheses of CREATE STREAM and CREATE TABLE: columns, the primary key, the
//! watermark.

use nom::Parser;
use nom::branch::alt;
use nom::combinator::{cut, value};
use nom::multi::many0;

use super::super::data_type::data_type;
use super::super::expression::expression;
use super::super::fault::{Wanted, diagnosed};
use super::super::terminal::{
    column_list, commas, keyword, keywords, name, parens, rare, string, symbol,
};
use super::super::tokens::{Parsed, Tokens};
use crate::ast::{ColumnConstraint, ColumnConstraintKind, ColumnDef, PrimaryKey, Watermark};
use crate::error::{Code, Diagnostic};
use crate::lexer::{Keyword, TokenKind};
use crate::span::Span;

/// What a source is declared with.
#[derive(Default)]
pub(super) struct Elements {
    pub(super) columns: Vec<ColumnDef>,
    pub(super) primary_key: Option<PrimaryKey>,
    pub(super) watermark: Option<Watermark>,
}

enum Element {
    Column(ColumnDef),
    PrimaryKey(PrimaryKey),
    Watermark(Watermark),
}

/// `(a INT NOT NULL, PRIMARY KEY (a), WATERMARK FOR t AS t)`, in any order.
pub(super) fn elements(i: Tokens<'_>) -> Parsed<'_, Elements> {
    let (i, read) = parens(commas(element)).parse(i)?;
    let mut elements = Elements::default();
    for element in read {
        match element {
            Element::Column(column) => elements.columns.push(column),
            Element::PrimaryKey(key) => match &elements.primary_key {
                Some(first) => return twice("`PRIMARY KEY`", *key.span, *first.span),
                None => elements.primary_key = Some(key),
            },
            Element::Watermark(watermark) => match &elements.watermark {
                Some(first) => return twice("`WATERMARK`", *watermark.span, *first.span),
                None => elements.watermark = Some(watermark),
            },
        }
    }
    Ok((i, elements))
}

fn twice<'a, T>(what: &str, again: Span, first: Span) -> Parsed<'a, T> {
    let message = format!("a second {what}");
    let diagnostic = Diagnostic::new(Code::DuplicateClause, message, again)
        .label("given again")
        .secondary(first, "given first");
    diagnosed(diagnostic)
}

fn element(i: Tokens<'_>) -> Parsed<'_, Element> {
    let next = i.peek_at(1).kind;
    match (i.kind().keyword(), next) {
        (Some(Keyword::Primary), TokenKind::Keyword(Keyword::Key)) => {
            primary_key.map(Element::PrimaryKey).parse(i)
        }
        (Some(Keyword::Watermark), TokenKind::Keyword(Keyword::For)) => {
            watermark.map(Element::Watermark).parse(i)
        }
        (Some(Keyword::Foreign), TokenKind::Keyword(Keyword::Key)) => {
            unsupported(i, "`FOREIGN KEY`")
        }
        (Some(Keyword::Constraint), kind) if kind.is_name() => unsupported(i, "a named constraint"),
        (Some(Keyword::Unique), TokenKind::LeftParen) => unsupported(i, "`UNIQUE`"),
        (Some(Keyword::Check), TokenKind::LeftParen) => unsupported(i, "`CHECK`"),
        _ => column.map(Element::Column).parse(i),
    }
}

fn unsupported<'a, T>(i: Tokens<'a>, what: &str) -> Parsed<'a, T> {
    diagnosed(Diagnostic::not_supported(what, i.span()))
}

/// `PRIMARY KEY (a, b)` of the whole table.
fn primary_key(i: Tokens<'_>) -> Parsed<'_, PrimaryKey> {
    let start = i.span();
    let (i, _) = keywords(Keyword::Primary, Keyword::Key)(i)?;
    let (i, columns) = cut(column_list).parse(i)?;
    let span = i.span_since(start);
    Ok((not_enforced(i)?, PrimaryKey { columns, span }))
}

/// `NOT ENFORCED` says what is so anyway: keys are taken from the source as they are.
fn not_enforced(i: Tokens<'_>) -> Result<Tokens<'_>, nom::Err<super::super::fault::Fault>> {
    if i.is_keyword(Keyword::Enforced) {
        return unsupported(i, "`ENFORCED`").map(|(i, ())| i);
    }
    let is_said = i.are_keywords(&[Keyword::Not, Keyword::Enforced]);
    Ok(if is_said { i.skip(2) } else { i })
}

/// `WATERMARK FOR column AS expr`.
fn watermark(i: Tokens<'_>) -> Parsed<'_, Watermark> {
    let start = i.span();
    let (i, _) = keywords(Keyword::Watermark, Keyword::For)(i)?;
    let (i, column) = cut(name("a column name")).parse(i)?;
    let (i, _) = cut(keyword(Keyword::As)).parse(i)?;
    let (i, expr) = cut(expression).parse(i)?;
    let span = i.span_since(start);
    Ok((i, Watermark { column, expr, span }))
}

/// `a INT NOT NULL PRIMARY KEY`.
fn column(i: Tokens<'_>) -> Parsed<'_, ColumnDef> {
    let start = i.span();
    let (i, name) = name("a column name")(i)?;
    let (i, data_type) = cut(data_type).parse(i)?;
    let (i, constraints) = many0(constraint).parse(i)?;
    if let Some((again, first)) = contradiction(&constraints) {
        return twice(&format!("`{again}`"), *again.span, *first.span);
    }
    let span = i.span_since(start);
    Ok((
        i,
        ColumnDef {
            name,
            data_type,
            constraints,
            span,
        },
    ))
}

/// A constraint that says what another one before it says, or its opposite.
fn contradiction(
    constraints: &[ColumnConstraint],
) -> Option<(&ColumnConstraint, &ColumnConstraint)> {
    use ColumnConstraintKind::{Header, Headers, Key, NotNull, Null, PrimaryKey};
    let subject = |kind: &ColumnConstraintKind| match kind {
        Key | PrimaryKey => 0,
        NotNull | Null => 1,
        Headers | Header(_) => 2,
    };
    constraints.iter().enumerate().find_map(|(index, again)| {
        let mut before = constraints[..index].iter();
        let first = before.find(|first| subject(&first.kind) == subject(&again.kind))?;
        Some((again, first))
    })
}

fn constraint(i: Tokens<'_>) -> Parsed<'_, ColumnConstraint> {
    let start = i.span();
    let (i, kind) = constraint_kind(i)?;
    let span = i.span_since(start);
    let i = match kind {
        ColumnConstraintKind::PrimaryKey => not_enforced(i)?,
        _ => i,
    };
    Ok((i, ColumnConstraint { kind, span }))
}

fn constraint_kind(i: Tokens<'_>) -> Parsed<'_, ColumnConstraintKind> {
    match i.kind().keyword() {
        Some(Keyword::Default) => return unsupported(i, "a default value"),
        Some(Keyword::References) => return unsupported(i, "`REFERENCES`"),
        Some(Keyword::Unique) => return unsupported(i, "`UNIQUE`"),
        Some(Keyword::Check) => return unsupported(i, "`CHECK`"),
        Some(Keyword::Collate) => return unsupported(i, "`COLLATE`"),
        Some(Keyword::Generated) => return unsupported(i, "a generated column"),
        Some(Keyword::Constraint) => return unsupported(i, "a named constraint"),
        _ => {}
    }
    alt((
        value(ColumnConstraintKind::Key, keyword(Keyword::Key)),
        value(
            ColumnConstraintKind::PrimaryKey,
            keywords(Keyword::Primary, Keyword::Key),
        ),
        value(
            ColumnConstraintKind::NotNull,
            keywords(Keyword::Not, Keyword::Null),
        ),
        value(ColumnConstraintKind::Null, keyword(Keyword::Null)),
        value(ColumnConstraintKind::Headers, rare(Keyword::Headers)),
        header,
    ))
    .parse(i)
}

/// `HEADER('name')`.
fn header(i: Tokens<'_>) -> Parsed<'_, ColumnConstraintKind> {
    if !i.is_keyword(Keyword::Header) {
        return i.fail(Wanted::Rare(Keyword::Header));
    }
    let quoted = (
        symbol(TokenKind::LeftParen),
        string("the name of a header"),
        symbol(TokenKind::RightParen),
    );
    cut(quoted)
        .map(|(_, name, _)| ColumnConstraintKind::Header(name))
        .parse(i.advance())
}
