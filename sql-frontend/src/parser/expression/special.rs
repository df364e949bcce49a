//! Functions and constructors with a syntax of their own: CAST, EXTRACT, TRIM, ARRAY[...], and more.

use nom::Parser;
use nom::branch::alt;
use nom::combinator::{cut, opt, value};
use nom::sequence::{delimited, preceded};

use super::parentheses::{Items, items};
use super::{climb, expression, infix};
use crate::ast::Precedence;
use crate::ast::{
    Argument, Call, Cast, CastForm, Expr, ExprKind, Ident, MapEntry, Name, StructEntry, Substring,
    Trim, TrimSide,
};
use crate::error::{Code, Diagnostic};
use crate::lexer::{Keyword, TokenKind};
use crate::parser::data_type::data_type;
use crate::parser::fault::{Wanted, diagnosed};
use crate::parser::terminal::{Rule, commas, keyword, name, or_default, parens, symbol};
use crate::parser::tokens::{Parsed, Tokens};

/// What begins with this keyword and the token after it, if that is special.
pub(super) fn special(
    i: Tokens<'_>,
    word: Keyword,
    next: TokenKind,
) -> Option<Parsed<'_, ExprKind>> {
    let inner = i.advance();
    Some(match (word, next) {
        (Keyword::Cast, TokenKind::LeftParen) => cast(inner, CastForm::Cast),
        (Keyword::TryCast, TokenKind::LeftParen) => cast(inner, CastForm::TryCast),
        (Keyword::Exists, TokenKind::LeftParen) => exists(inner),
        (Keyword::Extract, TokenKind::LeftParen) => extract(inner),
        (Keyword::Position, TokenKind::LeftParen) => position(i),
        (Keyword::Substring, TokenKind::LeftParen) => substring(i),
        (Keyword::Trim, TokenKind::LeftParen) => trim(i),
        (Keyword::Row, TokenKind::LeftParen) => row(inner),
        (Keyword::Array, TokenKind::LeftBracket) => array(inner),
        (Keyword::Map, TokenKind::LeftParen) => map(inner),
        (Keyword::Struct, TokenKind::LeftParen) => structure(inner),
        (Keyword::Array, TokenKind::LeftParen) => {
            unsupported(i, "`ARRAY` of a query", "write `ARRAY[...]`")
        }
        (Keyword::Map, TokenKind::LeftBracket) => {
            unsupported(i, "`MAP[...]`", "write `MAP(k := v, ...)`")
        }
        (Keyword::Overlay, TokenKind::LeftParen) => {
            unsupported(i, "`OVERLAY`", "combine SUBSTRING and `||`")
        }
        _ => return None,
    })
}

fn unsupported<'a>(i: Tokens<'a>, what: &str, help: &str) -> Parsed<'a, ExprKind> {
    diagnosed(Diagnostic::not_supported(what, i.span()).help(help))
}

fn cast(i: Tokens<'_>, form: CastForm) -> Parsed<'_, ExprKind> {
    parens((expression, keyword(Keyword::As), cut(data_type)))
        .map(|(operand, _, data_type)| {
            ExprKind::Cast(Box::new(Cast {
                form,
                operand,
                data_type,
            }))
        })
        .parse(i)
}

fn exists(i: Tokens<'_>) -> Parsed<'_, ExprKind> {
    match items(i)? {
        (rest, Items::Query(query)) => Ok((rest, ExprKind::Exists(query))),
        (_, Items::Exprs(_)) => {
            let inner = i.advance();
            let diagnostic =
                Diagnostic::new(Code::UnexpectedToken, "EXISTS needs a query", inner.span())
                    .label("expected `SELECT`");
            diagnosed(diagnostic)
        }
    }
}

/// The field is a word, or a string as PostgreSQL allows.
fn extract(i: Tokens<'_>) -> Parsed<'_, ExprKind> {
    parens((extract_field, keyword(Keyword::From), cut(expression)))
        .map(|(field, _, operand)| ExprKind::Extract {
            field,
            operand: Box::new(operand),
        })
        .parse(i)
}

fn extract_field(i: Tokens<'_>) -> Parsed<'_, Ident> {
    if i.is(TokenKind::String) {
        let help = "write it without quotes: `EXTRACT(YEAR FROM ...)`";
        return diagnosed(
            Diagnostic::not_supported("a field of EXTRACT in quotes", i.span()).help(help),
        );
    }
    name("a field of a date or time")(i)
}

/// `POSITION(a IN b)`, or the function of two arguments.
fn position(i: Tokens<'_>) -> Parsed<'_, ExprKind> {
    let open = i.advance().advance();
    if open.is(TokenKind::RightParen) {
        return as_call(i, Vec::new());
    }
    // IN is an operator as well: the first operand must not take it.
    let (rest, needle) = cut(|i| climb(i, Precedence::Range.tighter())).parse(open)?;
    if rest.is_keyword(Keyword::In) {
        let (rest, haystack) = cut(expression).parse(rest.advance())?;
        let (rest, _) = cut(symbol(TokenKind::RightParen)).parse(rest)?;
        let (needle, haystack) = (Box::new(needle), Box::new(haystack));
        return Ok((rest, ExprKind::Position { needle, haystack }));
    }
    let (rest, first) = infix::operators(rest, needle, Precedence::Or)?;
    call_after(i, rest, first)
}

/// `SUBSTRING(x FROM a FOR b)`, or the function with commas.
fn substring(i: Tokens<'_>) -> Parsed<'_, ExprKind> {
    let open = i.advance().advance();
    if open.is(TokenKind::RightParen) {
        return as_call(i, Vec::new());
    }
    let (rest, operand) = cut(expression).parse(open)?;
    if !rest.is_keyword(Keyword::From) && !rest.is_keyword(Keyword::For) {
        rest.want(Wanted::Keyword(Keyword::From));
        return call_after(i, rest, operand);
    }
    let part = |word| opt(preceded(keyword(word), cut(expression)));
    let (rest, (start, length)) = (part(Keyword::From), part(Keyword::For)).parse(rest)?;
    let (rest, _) = cut(symbol(TokenKind::RightParen)).parse(rest)?;
    let substring = Substring {
        operand,
        start,
        length,
    };
    Ok((rest, ExprKind::Substring(Box::new(substring))))
}

/// `TRIM(BOTH c FROM x)` and its shorter forms, or the function with commas.
fn trim(i: Tokens<'_>) -> Parsed<'_, ExprKind> {
    let side = alt((
        value(TrimSide::Both, keyword(Keyword::Both)),
        value(TrimSide::Leading, keyword(Keyword::Leading)),
        value(TrimSide::Trailing, keyword(Keyword::Trailing)),
    ));
    let open = i.advance().advance();
    if open.is(TokenKind::RightParen) {
        return as_call(i, Vec::new());
    }
    let (rest, side) = opt(side).parse(open)?;
    let (rest, characters) = match rest.is_keyword(Keyword::From) {
        true => (rest, None),
        false => cut(expression).map(Some).parse(rest)?,
    };
    let (rest, characters, operand) = match (rest.is_keyword(Keyword::From), characters) {
        (true, characters) => {
            let (rest, operand) = cut(expression).parse(rest.advance())?;
            (rest, characters, operand)
        }
        (false, Some(operand)) if side.is_some() => (rest, None, operand),
        (false, Some(first)) => return call_after(i, rest, first),
        (false, None) => return rest.fail(Wanted::Keyword(Keyword::From)),
    };
    let (rest, _) = cut(symbol(TokenKind::RightParen)).parse(rest)?;
    let trim = Trim {
        side,
        characters,
        operand,
    };
    Ok((rest, ExprKind::Trim(Box::new(trim))))
}

/// The rest of an ordinary call, whose name `i` begins with and whose first argument is read.
fn call_after<'a>(i: Tokens<'a>, rest: Tokens<'a>, first: Expr) -> Parsed<'a, ExprKind> {
    let more = preceded(symbol(TokenKind::Comma), cut(commas(expression)));
    let (rest, more) = or_default(more).parse(rest)?;
    let (rest, _) = cut(symbol(TokenKind::RightParen)).parse(rest)?;
    let arguments = std::iter::once(first)
        .chain(more)
        .map(Argument::Expr)
        .collect();
    let call = Call::new(Name::from(i.ident()), arguments);
    Ok((rest, ExprKind::Call(Box::new(call))))
}

/// A call without arguments, whose name, parenthesis and closing parenthesis are next.
fn as_call(i: Tokens<'_>, arguments: Vec<Argument>) -> Parsed<'_, ExprKind> {
    let call = Call::new(Name::from(i.ident()), arguments);
    Ok((i.skip(3), ExprKind::Call(Box::new(call))))
}

fn row(i: Tokens<'_>) -> Parsed<'_, ExprKind> {
    parens(or_default(commas(expression)))
        .map(ExprKind::Row)
        .parse(i)
}

fn array(i: Tokens<'_>) -> Parsed<'_, ExprKind> {
    let items = until(TokenKind::RightBracket, commas(expression));
    delimited(
        symbol(TokenKind::LeftBracket),
        cut(items),
        cut(symbol(TokenKind::RightBracket)),
    )
    .map(ExprKind::Array)
    .parse(i)
}

fn map(i: Tokens<'_>) -> Parsed<'_, ExprKind> {
    parens(until(TokenKind::RightParen, commas(map_entry)))
        .map(ExprKind::Map)
        .parse(i)
}

fn map_entry(i: Tokens<'_>) -> Parsed<'_, MapEntry> {
    (expression, cut(symbol(TokenKind::Assign)), cut(expression))
        .map(|(key, _, value)| MapEntry { key, value })
        .parse(i)
}

fn structure(i: Tokens<'_>) -> Parsed<'_, ExprKind> {
    parens(until(TokenKind::RightParen, commas(struct_entry)))
        .map(ExprKind::Struct)
        .parse(i)
}

fn struct_entry(i: Tokens<'_>) -> Parsed<'_, StructEntry> {
    (
        name("a field name"),
        cut(symbol(TokenKind::Assign)),
        cut(expression),
    )
        .map(|(name, _, value)| StructEntry { name, value })
        .parse(i)
}

/// A list that is empty where the closing token comes at once.
fn until<'a, T>(closing: TokenKind, mut list: impl Rule<'a, Vec<T>>) -> impl Rule<'a, Vec<T>> {
    move |i: Tokens<'a>| match i.is(closing) {
        true => Ok((i, Vec::new())),
        false => list.parse(i),
    }
}
