//! Operands: literals, columns, calls, constructors, and what is written behind an operand.

use nom::Parser;
use nom::combinator::cut;

use super::{call, case, expression, parentheses, special};
use crate::ast::{Cast, CastForm, Current, Expr, ExprKind, Name};
use crate::error::{Code, Diagnostic};
use crate::lexer::{Keyword, TokenKind};
use crate::parser::data_type::data_type;
use crate::parser::fault::{Wanted, diagnosed};
use crate::parser::literal::{interval, is_interval, is_typed_literal, typed};
use crate::parser::terminal::{label, symbol};
use crate::parser::tokens::{Parsed, Tokens};

/// An operand without what is written behind it.
pub(super) fn primary(i: Tokens<'_>) -> Parsed<'_, Expr> {
    if i.is(TokenKind::LeftParen) {
        return parentheses::parenthesised(i);
    }
    let start = i.span();
    let (i, kind) = primary_kind(i)?;
    let span = i.span_since(start);
    Ok((i, Expr { kind, span }))
}

fn primary_kind(i: Tokens<'_>) -> Parsed<'_, ExprKind> {
    if let Some(literal) = i.literal() {
        return Ok((i.advance(), ExprKind::Literal(literal)));
    }
    match i.kind() {
        TokenKind::Keyword(word) => of_keyword(i, word),
        kind if kind.is_name() => column_or_call(i),
        TokenKind::LeftBracket => bare_list(i),
        _ => i.fail(Wanted::Thing("an expression")),
    }
}

/// An operand that begins with a keyword; most keywords are column names as well.
fn of_keyword(i: Tokens<'_>, word: Keyword) -> Parsed<'_, ExprKind> {
    if word == Keyword::Case {
        return case::case(i);
    }
    if is_interval(i) {
        return interval.map(ExprKind::Interval).parse(i);
    }
    if is_typed_literal(i) {
        return typed(i);
    }
    let next = i.peek_at(1).kind;
    if let Some(read) = special::special(i, word, next) {
        return read;
    }
    match current(word) {
        Some(current) if !matches!(next, TokenKind::LeftParen | TokenKind::Dot) => {
            Ok((i.advance(), ExprKind::Current(current)))
        }
        _ if i.kind().is_name() => column_or_call(i),
        // Reserved, and functions all the same.
        _ if matches!(word, Keyword::Left | Keyword::Right) && next == TokenKind::LeftParen => {
            let name = Name::from(i.ident());
            call::call(i.advance(), name)
        }
        _ => i.fail(Wanted::Thing("an expression")),
    }
}

fn current(word: Keyword) -> Option<Current> {
    Some(match word {
        Keyword::CurrentDate => Current::Date,
        Keyword::CurrentTime => Current::Time,
        Keyword::CurrentTimestamp => Current::Timestamp,
        Keyword::LocalTime => Current::LocalTime,
        Keyword::LocalTimestamp => Current::LocalTimestamp,
        _ => return None,
    })
}

/// `a`, `a.b`, `f(x)`, `s.f(x)`.
fn column_or_call(i: Tokens<'_>) -> Parsed<'_, ExprKind> {
    let start = i.span();
    let (mut i, mut parts) = (i.advance(), vec![i.ident()]);
    while i.is(TokenKind::Dot) && i.peek_at(1).kind != TokenKind::Star {
        let (rest, part) = cut(label("a column name")).parse(i.advance())?;
        parts.push(part);
        i = rest;
    }
    let span = i.span_since(start);
    let name = Name { parts, span };
    match i.is(TokenKind::LeftParen) {
        true => call::call(i, name),
        false => Ok((i, ExprKind::Column(name))),
    }
}

fn bare_list(i: Tokens<'_>) -> Parsed<'_, ExprKind> {
    let diagnostic = Diagnostic::new(Code::UnexpectedToken, "unexpected `[`", i.span())
        .label("expected an expression")
        .help("an array is written `ARRAY[...]`");
    diagnosed(diagnostic)
}

/// What is written behind an operand: `::type`, `[index]`, `->field`.
pub(super) fn postfix(i: Tokens<'_>, operand: Expr) -> Parsed<'_, Expr> {
    let (mut i, mut operand) = (i, operand);
    loop {
        let next = i.peek_at(1).kind;
        let is_field = next != TokenKind::Star;
        let step = match i.kind() {
            TokenKind::DoubleColon => cast,
            TokenKind::LeftBracket => subscript,
            TokenKind::Arrow if is_field => field,
            TokenKind::Dot if is_field => field,
            _ => return Ok((i, operand)),
        };
        i.wrap()?;
        let start = *operand.span;
        let (rest, kind) = step(i.advance(), operand)?;
        let span = rest.span_since(start);
        (i, operand) = (rest, Expr { kind, span });
    }
}

fn cast(i: Tokens<'_>, operand: Expr) -> Parsed<'_, ExprKind> {
    let (i, data_type) = cut(data_type).parse(i)?;
    let form = CastForm::DoubleColon;
    Ok((
        i,
        ExprKind::Cast(Box::new(Cast {
            form,
            operand,
            data_type,
        })),
    ))
}

fn subscript(i: Tokens<'_>, operand: Expr) -> Parsed<'_, ExprKind> {
    let (i, index) = cut(expression).parse(i)?;
    let (i, _) = cut(symbol(TokenKind::RightBracket)).parse(i)?;
    let (operand, index) = (Box::new(operand), Box::new(index));
    Ok((i, ExprKind::Subscript { operand, index }))
}

fn field(i: Tokens<'_>, operand: Expr) -> Parsed<'_, ExprKind> {
    let (i, field) = cut(label("a field name")).parse(i)?;
    let operand = Box::new(operand);
    Ok((i, ExprKind::Field { operand, field }))
}
