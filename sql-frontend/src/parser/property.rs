//! Properties: `WITH (format = 'json', kind = table)`, and those of SET.

use nom::Parser;
use nom::combinator::cut;

use super::fault::{Wanted, diagnosed};
use super::terminal::{commas, label, parens, symbol};
use super::tokens::{Parsed, Tokens};
use crate::ast::{Literal, Property, PropertyName, PropertyValue, PropertyValueKind};
use crate::error::{Code, Diagnostic};
use crate::lexer::{Keyword, TokenKind};
use crate::span::Span;

/// Whether options begin here, `WITH (`, and not the WITH clause of a query.
pub(super) fn begins_options(i: Tokens<'_>) -> bool {
    i.is_keyword(Keyword::With) && i.peek_at(1).kind == TokenKind::LeftParen
}

/// `WITH (name = value, ...)`, each name once.
pub(super) fn options(i: Tokens<'_>) -> Parsed<'_, Vec<Property>> {
    if !begins_options(i) {
        return i.fail(Wanted::Keyword(Keyword::With));
    }
    let (i, properties) = parens(commas(property)).parse(i.advance())?;
    for (index, property) in properties.iter().enumerate() {
        let mut before = properties[..index].iter();
        if let Some(first) = before.find(|other| other.name.is(&property.name.text)) {
            return twice(property, first);
        }
    }
    Ok((i, properties))
}

fn twice<'a, T>(property: &Property, first: &Property) -> Parsed<'a, T> {
    let message = format!("the option `{}` is given twice", property.name.text);
    let diagnostic = Diagnostic::new(Code::DuplicateClause, message, property.name.span)
        .label("given again")
        .secondary(first.name.span, "given first");
    diagnosed(diagnostic)
}

fn property(i: Tokens<'_>) -> Parsed<'_, Property> {
    let start = i.span();
    let (i, name) = property_name(i)?;
    let (i, _) = cut(symbol(TokenKind::Equal)).parse(i)?;
    let at = i.span();
    let (i, value) = cut(property_value).parse(i)?;
    if i.kind().is_word() && matches!(value.kind, PropertyValueKind::Literal(_)) {
        return several_words(i, at);
    }
    let span = i.span_since(start);
    Ok((i, Property { name, value, span }))
}

/// `retention = 7 DAYS`: only a string has several words.
fn several_words<'a, T>(i: Tokens<'a>, start: Span) -> Parsed<'a, T> {
    let message = format!("unexpected `{}`", i.text());
    let diagnostic = Diagnostic::new(Code::UnexpectedToken, message, i.span())
        .label("expected `,` or `)`")
        .secondary(start, "is the whole value")
        .help("a value of several words is a string: '7 days'");
    diagnosed(diagnostic)
}

/// The name of a property: words with dots between them, or a string.
pub(super) fn property_name(i: Tokens<'_>) -> Parsed<'_, PropertyName> {
    let start = i.span();
    if let (TokenKind::String, Some(Literal::String(text))) = (i.kind(), i.literal()) {
        let span = start.into();
        return Ok((i.advance(), PropertyName { text, span }));
    }
    let (mut i, first) = label("the name of an option")(i)?;
    let mut text = first.text;
    while i.is(TokenKind::Dot) {
        let (rest, part) = cut(label("a name")).parse(i.advance())?;
        text.push('.');
        text.push_str(&part.text);
        i = rest;
    }
    let span = i.span_since(start);
    Ok((i, PropertyName { text, span }))
}

/// The value of a property.
pub(super) fn property_value(i: Tokens<'_>) -> Parsed<'_, PropertyValue> {
    let start = i.span();
    let (i, kind) = value_kind(i)?;
    let span = i.span_since(start);
    Ok((i, PropertyValue { kind, span }))
}

fn value_kind(i: Tokens<'_>) -> Parsed<'_, PropertyValueKind> {
    if let Some(literal) = i.literal() {
        return Ok((i.advance(), PropertyValueKind::Literal(literal)));
    }
    match i.kind() {
        TokenKind::Minus => negative(i.advance()),
        TokenKind::Uri => {
            let literal = Literal::String(i.text().to_owned());
            Ok((i.advance(), PropertyValueKind::Literal(literal)))
        }
        TokenKind::QuotedName => {
            let text = i.ident().text;
            let message = format!("{} is a name, not a value", i.text());
            let diagnostic = Diagnostic::new(Code::MisplacedIdentifier, message, i.span())
                .label("expected a string")
                .help(format!("write '{}'", text.replace('\'', "''")));
            diagnosed(diagnostic)
        }
        kind if kind.is_name() => Ok((i.advance(), PropertyValueKind::Word(i.ident()))),
        _ => i.fail(Wanted::Thing("a value")),
    }
}

/// The number behind a minus.
fn negative(i: Tokens<'_>) -> Parsed<'_, PropertyValueKind> {
    let literal = match i.literal() {
        Some(Literal::Integer(digits)) => Literal::Integer(format!("-{digits}")),
        Some(Literal::Decimal(digits)) => Literal::Decimal(format!("-{digits}")),
        Some(Literal::Float(digits)) => Literal::Float(format!("-{digits}")),
        _ => return i.fail(Wanted::Thing("a number")),
    };
    Ok((i.advance(), PropertyValueKind::Literal(literal)))
}
