//! Types.

use nom::Parser;
use nom::combinator::{cut, opt};

use super::fault::{Wanted, diagnosed};
use super::name::dotted_name;
use super::terminal::{commas, digits, name, parens, symbol};
use super::tokens::{Parsed, Tokens, meant};
use crate::ast::{DataType, DecimalSize, FieldType, TypeKind};
use crate::error::{Code, Diagnostic};
use crate::lexer::{Keyword, TokenKind};

/// A type: `INT`, `DECIMAL(10, 2)`, `ARRAY<STRING>`, `INT[]`.
pub(super) fn data_type(i: Tokens<'_>) -> Parsed<'_, DataType> {
    i.nested(|i| {
        let start = i.span();
        let (mut i, kind) = base(i)?;
        let mut data_type = DataType {
            kind,
            span: i.span_since(start),
        };
        while let Some(rest) = array_suffix(i)? {
            i = rest;
            i.wrap()?;
            data_type = DataType {
                kind: TypeKind::Array(Box::new(data_type)),
                span: i.span_since(start),
            };
        }
        Ok((i, data_type))
    })
}

/// What follows `[]`, `[3]` or `ARRAY` after a type, if it is there.
fn array_suffix(i: Tokens<'_>) -> Result<Option<Tokens<'_>>, nom::Err<super::fault::Fault>> {
    if i.is_keyword(Keyword::Array) {
        return Ok(Some(i.advance()));
    }
    if !i.is(TokenKind::LeftBracket) {
        return Ok(None);
    }
    let (i, _) = opt(digits("a length")).parse(i.advance())?;
    let (i, _) = cut(symbol(TokenKind::RightBracket)).parse(i)?;
    Ok(Some(i))
}

fn base(i: Tokens<'_>) -> Parsed<'_, TypeKind> {
    let Some(keyword) = i.kind().keyword() else {
        return named(i);
    };
    let rest = i.advance();
    if let Some(kind) = simple(keyword) {
        return match rest.is(TokenKind::LeftParen) {
            true => no_parameters(i, rest),
            false => Ok((rest, kind)),
        };
    }
    match keyword {
        Keyword::Double => Ok((skip_keyword(rest, Keyword::Precision), TypeKind::Double)),
        Keyword::Float => float(rest),
        Keyword::Decimal | Keyword::Numeric | Keyword::Dec => decimal(rest),
        Keyword::Varchar | Keyword::Text | Keyword::String => sized(rest, TypeKind::Varchar),
        Keyword::Char | Keyword::Character if rest.is_keyword(Keyword::Varying) => {
            sized(rest.advance(), TypeKind::Varchar)
        }
        Keyword::Char | Keyword::Character => sized(rest, TypeKind::Char),
        Keyword::Bytes | Keyword::Bytea | Keyword::VarBinary => sized(rest, TypeKind::Bytes),
        Keyword::Time => time(i),
        Keyword::Timestamp => timestamp(rest),
        Keyword::TimestampTz => sized(rest, TypeKind::TimestampTz),
        Keyword::Interval => interval(rest),
        Keyword::Array => array(rest),
        Keyword::Map => map(rest),
        Keyword::Struct => structure(rest),
        _ => named(i),
    }
}

/// The types of one word without parameters.
fn simple(keyword: Keyword) -> Option<TypeKind> {
    Some(match keyword {
        Keyword::Boolean | Keyword::Bool => TypeKind::Boolean,
        Keyword::TinyInt => TypeKind::TinyInt,
        Keyword::SmallInt | Keyword::Int2 => TypeKind::SmallInt,
        Keyword::Int | Keyword::Integer | Keyword::Int4 => TypeKind::Int,
        Keyword::BigInt | Keyword::Int8 => TypeKind::BigInt,
        Keyword::Real | Keyword::Float4 => TypeKind::Real,
        Keyword::Float8 => TypeKind::Double,
        Keyword::Date => TypeKind::Date,
        Keyword::Uuid => TypeKind::Uuid,
        _ => return None,
    })
}

/// Whether a string after this keyword is a value of the type that it names: `DATE '...'`.
pub(super) fn begins_typed_literal(keyword: Keyword) -> bool {
    let with_parameters = matches!(
        keyword,
        Keyword::Double
            | Keyword::Float
            | Keyword::Decimal
            | Keyword::Numeric
            | Keyword::Varchar
            | Keyword::Text
            | Keyword::String
            | Keyword::Char
            | Keyword::Bytes
            | Keyword::Bytea
            | Keyword::VarBinary
            | Keyword::Time
            | Keyword::Timestamp
            | Keyword::TimestampTz
    );
    with_parameters || simple(keyword).is_some()
}

fn named(i: Tokens<'_>) -> Parsed<'_, TypeKind> {
    let (rest, name) = dotted_name("a type")(i)?;
    match rest.is(TokenKind::LeftParen) {
        true => no_parameters(i, rest),
        false => Ok((rest, TypeKind::Named(name))),
    }
}

/// Parentheses behind a type that takes none, or that does not exist.
fn no_parameters<'a, T>(i: Tokens<'a>, rest: Tokens<'a>) -> Parsed<'a, T> {
    const WITH: &[&str] = &[
        "DECIMAL",
        "VARCHAR",
        "CHAR",
        "VARBINARY",
        "TIMESTAMP",
        "TIME",
        "FLOAT",
    ];
    let message = format!("the type `{}` takes no parameters", i.text());
    let diagnostic = Diagnostic::new(Code::TypeParameter, message, rest.span())
        .label("none is expected")
        .suggest(meant(i.text(), WITH));
    diagnosed(diagnostic)
}

fn skip_keyword(i: Tokens<'_>, keyword: Keyword) -> Tokens<'_> {
    if i.is_keyword(keyword) {
        i.advance()
    } else {
        i
    }
}

/// A number in a type: a length, a precision.
fn size(i: Tokens<'_>) -> Parsed<'_, u32> {
    let (rest, text) = digits("a number")(i)?;
    match text.parse() {
        Ok(number) => Ok((rest, number)),
        Err(_) => out_of_range(i, format!("{text} is out of range"), "at most 4294967295"),
    }
}

fn out_of_range<'a, T>(i: Tokens<'a>, message: String, allowed: &'static str) -> Parsed<'a, T> {
    diagnosed(Diagnostic::new(Code::TypeParameter, message, i.span()).label(allowed))
}

/// `(n)`, if it is there.
fn length(i: Tokens<'_>) -> Parsed<'_, Option<u32>> {
    match i.is(TokenKind::LeftParen) {
        true => parens(size).map(Some).parse(i),
        false => Ok((i, None)),
    }
}

fn sized(i: Tokens<'_>, kind: impl Fn(Option<u32>) -> TypeKind) -> Parsed<'_, TypeKind> {
    length.map(kind).parse(i)
}

/// `FLOAT(p)` is REAL up to 24 bits and DOUBLE up to 53, as in PostgreSQL.
fn float(i: Tokens<'_>) -> Parsed<'_, TypeKind> {
    let (rest, bits) = length(i)?;
    match bits {
        Some(1..=24) => Ok((rest, TypeKind::Real)),
        None | Some(25..=53) => Ok((rest, TypeKind::Double)),
        Some(bits) => {
            let message = format!("a FLOAT of {bits} bits is out of range");
            out_of_range(i.advance(), message, "1 to 53")
        }
    }
}

fn decimal(i: Tokens<'_>) -> Parsed<'_, TypeKind> {
    if !i.is(TokenKind::LeftParen) {
        return Ok((i, TypeKind::Decimal(None)));
    }
    let scale = opt((symbol(TokenKind::Comma), cut(size)).map(|(_, scale)| scale));
    parens((size, scale))
        .map(|(precision, scale)| TypeKind::Decimal(Some(DecimalSize { precision, scale })))
        .parse(i)
}

const WITH_ZONE: &[Keyword] = &[Keyword::With, Keyword::Time, Keyword::Zone];
const WITHOUT_ZONE: &[Keyword] = &[Keyword::Without, Keyword::Time, Keyword::Zone];

fn time(i: Tokens<'_>) -> Parsed<'_, TypeKind> {
    let (rest, digits) = length(i.advance())?;
    if rest.are_keywords(WITH_ZONE) {
        let span = i.span().to(rest.peek_at(2).span());
        return diagnosed(Diagnostic::not_supported("`TIME WITH TIME ZONE`", span));
    }
    let without_zone = rest.are_keywords(WITHOUT_ZONE);
    let rest = if without_zone { rest.skip(3) } else { rest };
    Ok((rest, TypeKind::Time(digits)))
}

fn timestamp(i: Tokens<'_>) -> Parsed<'_, TypeKind> {
    let (i, digits) = length(i)?;
    if i.are_keywords(WITH_ZONE) {
        return Ok((i.skip(3), TypeKind::TimestampTz(digits)));
    }
    let without_zone = i.are_keywords(WITHOUT_ZONE);
    let i = if without_zone { i.skip(3) } else { i };
    Ok((i, TypeKind::Timestamp(digits)))
}

fn interval(i: Tokens<'_>) -> Parsed<'_, TypeKind> {
    if super::literal::time_unit_at(i).is_some() {
        let what = "an INTERVAL type of certain fields";
        return diagnosed(Diagnostic::not_supported(what, i.span()).help("write `INTERVAL`"));
    }
    Ok((i, TypeKind::Interval))
}

fn array(i: Tokens<'_>) -> Parsed<'_, TypeKind> {
    angles(data_type)
        .map(|element| TypeKind::Array(Box::new(element)))
        .parse(i)
}

fn map(i: Tokens<'_>) -> Parsed<'_, TypeKind> {
    angles((data_type, symbol(TokenKind::Comma), data_type))
        .map(|(key, _, value)| TypeKind::Map(Box::new(key), Box::new(value)))
        .parse(i)
}

fn structure(i: Tokens<'_>) -> Parsed<'_, TypeKind> {
    angles(commas(field)).map(TypeKind::Struct).parse(i)
}

fn field(i: Tokens<'_>) -> Parsed<'_, FieldType> {
    (name("a field name"), cut(data_type))
        .map(|(name, data_type)| FieldType { name, data_type })
        .parse(i)
}

/// What stands between `<` and `>`.
fn angles<'a, T>(inner: impl super::terminal::Rule<'a, T>) -> impl super::terminal::Rule<'a, T> {
    (cut(symbol(TokenKind::Less)), cut(inner), cut(closing)).map(|(_, inner, _)| inner)
}

/// `>`; the lexer reads `>=` as one token, which is told.
fn closing(i: Tokens<'_>) -> Parsed<'_, ()> {
    if i.is(TokenKind::GreaterEqual) {
        i.want(Wanted::Symbol(TokenKind::Greater));
        let diagnostic = Diagnostic::new(Code::UnexpectedToken, "unexpected `>=`", i.span())
            .label("expected `>`")
            .help("put a space between `>` and `=`");
        return diagnosed(diagnostic);
    }
    symbol(TokenKind::Greater).map(|_| ()).parse(i)
}
