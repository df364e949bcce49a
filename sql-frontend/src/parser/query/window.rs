//! Windows of streams, `WINDOW TUMBLING (...)`, and of joins, `WITHIN ...`.

use nom::Parser;
use nom::branch::alt;
use nom::combinator::{cut, opt, value};
use nom::sequence::preceded;

use super::super::fault::{Wanted, diagnosed};
use super::super::literal::duration;
use super::super::terminal::{keyword, keywords, name, parens, symbol};
use super::super::tokens::{Parsed, Tokens};
use crate::ast::{Duration, Ident, StreamWindow, StreamWindowKind, Within};
use crate::error::{Code, Diagnostic};
use crate::lexer::{Keyword, TokenKind};

/// Whether this is the WINDOW clause of window functions: `WINDOW w AS (...)`.
pub(super) fn begins_named_window(i: Tokens<'_>) -> bool {
    i.is_keyword(Keyword::Window)
        && i.peek_at(1).kind.is_name()
        && i.peek_at(2).kind == TokenKind::Keyword(Keyword::As)
}

#[derive(Clone, Copy)]
enum Form {
    Tumbling,
    Hopping,
    Session,
}

/// `WINDOW [name] TUMBLING | HOPPING | SESSION (...)`.
pub(super) fn stream_window(i: Tokens<'_>) -> Parsed<'_, StreamWindow> {
    if !i.is_keyword(Keyword::Window) || begins_named_window(i) {
        return i.fail(Wanted::Rare(Keyword::Window));
    }
    let start = i.span();
    let (i, name) = window_name(i.advance())?;
    let form = alt((
        value(Form::Tumbling, keyword(Keyword::Tumbling)),
        value(Form::Hopping, keyword(Keyword::Hopping)),
        value(Form::Session, keyword(Keyword::Session)),
    ));
    let (i, form) = cut(form).parse(i)?;
    let content = (move |i| kind(i, form), options);
    let (i, (kind, (retention, grace))) = cut(parens(content)).parse(i)?;
    let span = i.span_since(start);
    Ok((
        i,
        StreamWindow {
            name,
            kind,
            retention,
            grace,
            span,
        },
    ))
}

/// ksqlDB takes a name before the form of the window.
fn window_name(i: Tokens<'_>) -> Parsed<'_, Option<Ident>> {
    let is_form = matches!(
        i.peek_at(1).kind.keyword(),
        Some(Keyword::Tumbling | Keyword::Hopping | Keyword::Session)
    );
    match is_form {
        true => name("a window name").map(Some).parse(i),
        false => Ok((i, None)),
    }
}

fn kind(i: Tokens<'_>, form: Form) -> Parsed<'_, StreamWindowKind> {
    let size = |i| preceded(keyword(Keyword::Size), cut(duration)).parse(i);
    let advance = preceded(keywords(Keyword::Advance, Keyword::By), cut(duration));
    match form {
        Form::Session => duration
            .map(|gap| StreamWindowKind::Session { gap })
            .parse(i),
        Form::Tumbling => cut(size)
            .map(|size| StreamWindowKind::Tumbling { size })
            .parse(i),
        Form::Hopping => cut((size, symbol(TokenKind::Comma), advance))
            .map(|(size, _, advance)| StreamWindowKind::Hopping { size, advance })
            .parse(i),
    }
}

/// `, RETENTION d` and `, GRACE PERIOD d`, in either order.
fn options(i: Tokens<'_>) -> Parsed<'_, (Option<Duration>, Option<Duration>)> {
    let (mut i, mut retention, mut grace) = (i, None, None);
    while i.is(TokenKind::Comma) {
        let inner = i.advance();
        i = match inner.kind().keyword() {
            Some(Keyword::Retention) if retention.is_none() => {
                let (i, length) = cut(duration).parse(inner.advance())?;
                retention = Some(length);
                i
            }
            Some(Keyword::Grace) if grace.is_none() => {
                let (i, length) = grace_period(inner)?;
                grace = Some(length);
                i
            }
            Some(Keyword::Advance) => return advances(inner),
            _ => {
                inner.want(Wanted::Keyword(Keyword::Retention));
                return cut(grace_period)
                    .parse(inner)
                    .map(|(i, _)| (i, (None, None)));
            }
        };
    }
    i.want(Wanted::Symbol(TokenKind::Comma));
    Ok((i, (retention, grace)))
}

fn advances<'a, T>(i: Tokens<'a>) -> Parsed<'a, T> {
    let diagnostic = Diagnostic::new(
        Code::MisplacedClause,
        "`ADVANCE BY` is of hopping windows",
        i.span(),
    )
    .help("write `HOPPING (SIZE ..., ADVANCE BY ...)`");
    diagnosed(diagnostic)
}

fn grace_period(i: Tokens<'_>) -> Parsed<'_, Duration> {
    preceded(keywords(Keyword::Grace, Keyword::Period), cut(duration)).parse(i)
}

/// `WITHIN d`, `WITHIN (before, after)`, and `GRACE PERIOD d`.
pub(super) fn within(i: Tokens<'_>) -> Parsed<'_, Within> {
    let (i, start) = match i.is_keyword(Keyword::Within) {
        true => (i.advance(), i.span()),
        false => return i.fail(Wanted::Rare(Keyword::Within)),
    };
    let pair = (duration, symbol(TokenKind::Comma), cut(duration));
    let both = parens(pair).map(|(before, _, after)| (before, Some(after)));
    let (i, (before, after)) = match i.is(TokenKind::LeftParen) {
        true => { both }.parse(i)?,
        false => cut(duration).map(|length| (length, None)).parse(i)?,
    };
    let (i, grace) = opt(grace_period).parse(i)?;
    let span = i.span_since(start);
    Ok((
        i,
        Within {
            before,
            after,
            grace,
            span,
        },
    ))
}
