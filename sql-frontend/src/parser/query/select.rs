//! SELECT, clause by clause.

use nom::Parser;
use nom::combinator::{cut, opt};
use nom::sequence::preceded;

use super::super::expression::{begins_query, expression, window_spec};
use super::super::fault::{Fault, Wanted, diagnosed};
use super::super::name::column_alias;
use super::super::terminal::{commas, keyword, keywords, name, or_default, parens, rare};
use super::super::tokens::{Parsed, Tokens};
use super::from::from_item;
use super::group::group_by;
use super::window::{begins_named_window, stream_window};
use crate::ast::{Distinct, Expr, Name, NamedWindow, Select, SelectItem};
use crate::error::Diagnostic;
use crate::lexer::{Keyword, TokenKind};

/// `SELECT ... FROM ... WHERE ... GROUP BY ...`.
pub(super) fn select(i: Tokens<'_>) -> Parsed<'_, Select> {
    let (i, start) = keyword(Keyword::Select)(i)?;
    let (i, distinct) = distinct(i)?;
    top(i)?;
    let (i, items) = cut(commas(item)).parse(i)?;
    let (i, from) = or_default(preceded(from_word, cut(commas(from_item)))).parse(i)?;
    let (i, window) = opt(stream_window).parse(i)?;
    let (i, filter) = opt(condition(Keyword::Where)).parse(i)?;
    let (i, group_by) = or_default(group_by).parse(i)?;
    let (i, (partition_by, having)) = partition_and_having(i)?;
    let (i, named_windows) = or_default(named_windows).parse(i)?;
    let span = i.span_since(start);
    let select = Select {
        distinct,
        items,
        from,
        window,
        filter,
        group_by,
        partition_by,
        having,
        named_windows,
        span,
    };
    Ok((i, select))
}

/// `WHERE condition`, `HAVING condition`.
fn condition<'a>(word: Keyword) -> impl FnMut(Tokens<'a>) -> Parsed<'a, Expr> {
    move |i| {
        // HAVING follows GROUP BY alone, and would make every list of what fits longer.
        let word = |i| match word {
            Keyword::Having => rare(word)(i),
            _ => keyword(word)(i),
        };
        preceded(word, cut(expression)).parse(i)
    }
}

/// `TOP n`, as other databases write LIMIT.
fn top(i: Tokens<'_>) -> Result<(), nom::Err<Fault>> {
    let is_top = i.text().eq_ignore_ascii_case("top") && i.is(TokenKind::Word);
    match is_top && i.peek_at(1).kind == TokenKind::Integer {
        true => {
            let diagnostic = Diagnostic::not_supported("`TOP`", i.span());
            let help = format!(
                "write `LIMIT {}` at the end of the query",
                i.advance().text()
            );
            diagnosed(diagnostic.help(help)).map(|(_, ())| ())
        }
        false => Ok(()),
    }
}

/// `ALL`, `DISTINCT`, `DISTINCT ON (...)`.
fn distinct(i: Tokens<'_>) -> Parsed<'_, Option<Distinct>> {
    let span = i.span();
    if i.is_keyword(Keyword::All) {
        return Ok((i.advance(), None));
    }
    if !i.is_keyword(Keyword::Distinct) {
        return Ok((i, None));
    }
    let i = i.advance();
    let (i, on) = match i.is_keyword(Keyword::On) {
        true => cut(parens(commas(expression))).parse(i.advance())?,
        false => (i, Vec::new()),
    };
    let span = span.into();
    Ok((i, Some(Distinct { on, span })))
}

fn from_word(i: Tokens<'_>) -> Parsed<'_, crate::span::Span> {
    if i.is_keyword(Keyword::Into) {
        let diagnostic = Diagnostic::not_supported("`SELECT ... INTO`", i.span());
        return diagnosed(
            diagnostic.help("write `INSERT INTO ... SELECT` or `CREATE TABLE ... AS SELECT`"),
        );
    }
    keyword(Keyword::From)(i)
}

fn item(i: Tokens<'_>) -> Parsed<'_, SelectItem> {
    if i.is(TokenKind::Star) {
        let span = i.span().into();
        let (i, ()) = star_changes(i.advance())?;
        return Ok((i, SelectItem::Star(span)));
    }
    if let Some(parts) = qualified_star(i) {
        let (rest, name) = qualifier(i, parts);
        let (rest, ()) = star_changes(rest)?;
        return Ok((rest, SelectItem::QualifiedStar(name)));
    }
    let (i, expr) = expression(i)?;
    let is_fields = matches!(i.kind(), TokenKind::Arrow | TokenKind::Dot)
        && i.peek_at(1).kind == TokenKind::Star;
    if is_fields {
        return Ok((i.skip(2), SelectItem::FieldStar(expr)));
    }
    let (i, alias) = opt(column_alias).parse(i)?;
    Ok((i, SelectItem::Expr { expr, alias }))
}

/// Parts of the name before `.*`, if the next tokens are such a star.
fn qualified_star(i: Tokens<'_>) -> Option<usize> {
    let kind = |ahead| i.peek_at(ahead).kind;
    let mut ahead = 1;
    if !kind(0).is_name() {
        return None;
    }
    while kind(ahead) == TokenKind::Dot {
        match kind(ahead + 1) {
            TokenKind::Star => return Some(ahead.div_ceil(2)),
            TokenKind::QuotedName => ahead += 2,
            next if next.is_word() => ahead += 2,
            _ => return None,
        }
    }
    None
}

fn qualifier(i: Tokens<'_>, count: usize) -> (Tokens<'_>, Name) {
    let start = i.span();
    let parts = (0..count).map(|part| i.skip(2 * part).ident()).collect();
    let span = i.skip(2 * count - 1).span_since(start);
    (i.skip(2 * count + 1), Name { parts, span })
}

/// `* EXCLUDE (a)` and the like are understood and not supported.
fn star_changes(i: Tokens<'_>) -> Parsed<'_, ()> {
    let is_list = i.peek_at(1).kind == TokenKind::LeftParen && !begins_query(i.skip(2));
    let is_change = match i.kind().keyword() {
        Some(Keyword::Exclude) => true,
        Some(Keyword::Except) => is_list && i.peek_at(2).kind.is_name(),
        Some(Keyword::Replace) => is_list,
        _ => false,
    };
    match is_change {
        true => {
            let what = format!("`{}` behind a star", i.text());
            diagnosed(Diagnostic::not_supported(what, i.span()).help("list the columns"))
        }
        false => Ok((i, ())),
    }
}

/// PARTITION BY and HAVING, in either order.
fn partition_and_having(i: Tokens<'_>) -> Parsed<'_, (Vec<Expr>, Option<Expr>)> {
    let (i, before) = opt(condition(Keyword::Having)).parse(i)?;
    let (i, partition_by) = or_default(partition_by).parse(i)?;
    let (i, having) = match before {
        None => opt(condition(Keyword::Having)).parse(i)?,
        before => (i, before),
    };
    Ok((i, (partition_by, having)))
}

fn partition_by(i: Tokens<'_>) -> Parsed<'_, Vec<Expr>> {
    if !i.is_keyword(Keyword::Partition) {
        return i.fail(Wanted::Rare(Keyword::Partition));
    }
    let by = keywords(Keyword::Partition, Keyword::By);
    preceded(by, cut(commas(expression))).parse(i)
}

/// `WINDOW name AS (...), ...`, for window functions.
fn named_windows(i: Tokens<'_>) -> Parsed<'_, Vec<NamedWindow>> {
    if !begins_named_window(i) {
        return i.fail(Wanted::Rare(Keyword::Window));
    }
    commas(named_window).parse(i.advance())
}

fn named_window(i: Tokens<'_>) -> Parsed<'_, NamedWindow> {
    (
        name("a window name"),
        cut(preceded(keyword(Keyword::As), window_spec)),
    )
        .map(|(name, window)| NamedWindow { name, window })
        .parse(i)
}
