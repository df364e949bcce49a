//! Windows of window functions: OVER, partitions, orders, frames.

use nom::Parser;
use nom::branch::alt;
use nom::combinator::{cut, opt, value};
use nom::sequence::preceded;

use super::expression;
use crate::ast::{Frame, FrameBound, FrameExclude, FrameUnit, Over, WindowSpec};
use crate::lexer::{Keyword, TokenKind};
use crate::parser::query::order_by;
use crate::parser::terminal::{commas, keyword, keywords, name, or_default, parens};
use crate::parser::tokens::{Parsed, Tokens};

/// A window by name or written out.
pub(super) fn over(i: Tokens<'_>) -> Parsed<'_, Over> {
    // A window may be called `partition`, and `PARTITION BY` lacks its parenthesis.
    let begins_spec = i.kind().is_name() && i.advance().is_keyword(Keyword::By);
    match i.is(TokenKind::LeftParen) || begins_spec {
        true => window_spec.map(Over::Window).parse(i),
        false => name("a window").map(Over::Name).parse(i),
    }
}

/// `([base] [PARTITION BY ...] [ORDER BY ...] [frame])`.
pub(in crate::parser) fn window_spec(i: Tokens<'_>) -> Parsed<'_, WindowSpec> {
    let start = i.span();
    let partition_by = preceded(
        keywords(Keyword::Partition, Keyword::By),
        cut(commas(expression)),
    );
    let parts = (
        base,
        or_default(partition_by),
        or_default(order_by),
        opt(frame),
    );
    let (i, (base, partition_by, order_by, frame)) = i.nested(|i| parens(parts).parse(i))?;
    let span = i.span_since(start);
    Ok((
        i,
        WindowSpec {
            base,
            partition_by,
            order_by,
            frame,
            span,
        },
    ))
}

/// The window that this one refines, told from the words that its own parts begin with.
fn base(i: Tokens<'_>) -> Parsed<'_, Option<crate::ast::Ident>> {
    let begins_part = matches!(
        i.kind().keyword(),
        Some(Keyword::Partition | Keyword::Rows | Keyword::Range | Keyword::Groups)
    );
    match i.kind().is_name() && !begins_part {
        true => name("a window").map(Some).parse(i),
        false => Ok((i, None)),
    }
}

fn frame(i: Tokens<'_>) -> Parsed<'_, Frame> {
    let unit = alt((
        value(FrameUnit::Rows, keyword(Keyword::Rows)),
        value(FrameUnit::Range, keyword(Keyword::Range)),
        value(FrameUnit::Groups, keyword(Keyword::Groups)),
    ));
    let between = (
        preceded(keyword(Keyword::Between), cut(bound)),
        cut(preceded(keyword(Keyword::And), bound)),
    );
    let bounds = alt((
        between.map(|(start, end)| (start, Some(end))),
        bound.map(|start| (start, None)),
    ));
    (unit, cut(bounds), opt(exclude))
        .map(|(unit, (start, end), exclude)| Frame {
            unit,
            start,
            end,
            exclude,
        })
        .parse(i)
}

fn bound(i: Tokens<'_>) -> Parsed<'_, FrameBound> {
    let kind = |ahead: usize| i.peek_at(ahead).kind.keyword();
    match (kind(0), kind(1)) {
        (Some(Keyword::Unbounded), Some(Keyword::Preceding)) => {
            Ok((i.skip(2), FrameBound::UnboundedPreceding))
        }
        (Some(Keyword::Unbounded), Some(Keyword::Following)) => {
            Ok((i.skip(2), FrameBound::UnboundedFollowing))
        }
        (Some(Keyword::Current), Some(Keyword::Row)) => Ok((i.skip(2), FrameBound::CurrentRow)),
        _ => {
            let (i, distance) = cut(expression).parse(i)?;
            let distance = Box::new(distance);
            let side = alt((
                value(true, keyword(Keyword::Preceding)),
                value(false, keyword(Keyword::Following)),
            ));
            let (i, precedes) = cut(side).parse(i)?;
            match precedes {
                true => Ok((i, FrameBound::Preceding(distance))),
                false => Ok((i, FrameBound::Following(distance))),
            }
        }
    }
}

fn exclude(i: Tokens<'_>) -> Parsed<'_, FrameExclude> {
    let what = alt((
        value(
            FrameExclude::CurrentRow,
            keywords(Keyword::Current, Keyword::Row),
        ),
        value(FrameExclude::Group, keyword(Keyword::Group)),
        value(FrameExclude::Ties, keyword(Keyword::Ties)),
        value(
            FrameExclude::NoOthers,
            keywords(Keyword::No, Keyword::Others),
        ),
    ));
    preceded(keyword(Keyword::Exclude), cut(what)).parse(i)
}
