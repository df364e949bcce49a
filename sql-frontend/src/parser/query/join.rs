//! Joins.

use nom::Parser;
use nom::branch::alt;
use nom::combinator::{cut, opt};
use nom::sequence::preceded;

use super::super::expression::expression;
use super::super::fault::{Fault, Wanted, diagnosed};
use super::super::terminal::{column_list, keyword};
use super::super::tokens::{Parsed, Tokens};
use super::from::relation;
use super::window::within;
use crate::ast::{Join, JoinConstraint, JoinKind};
use crate::error::{Code, Diagnostic};
use crate::lexer::Keyword;
use crate::span::Span;

/// `[NATURAL] [INNER | LEFT | RIGHT | FULL | CROSS] JOIN relation [WITHIN ...] [ON ... | USING ...]`.
pub(super) fn join(i: Tokens<'_>) -> Parsed<'_, Join> {
    let start = i.span();
    let natural = i.is_keyword(Keyword::Natural);
    let (i, kind) = head(if natural { i.advance() } else { i }, natural)?;
    let words = i.span_since(start);
    let (i, relation) = cut(relation).parse(i)?;
    let (i, within) = opt(within).parse(i)?;
    let condition = i;
    let (i, constraint) = opt(alt((on, using))).parse(i)?;
    if i.is_keyword(Keyword::Within) && constraint.is_some() {
        return late_within(i, condition.span());
    }
    let constraint = match (constraint, natural, kind) {
        (
            Some(constraint),
            false,
            JoinKind::Inner | JoinKind::Left | JoinKind::Right | JoinKind::Full,
        ) => constraint,
        (None, true, _) => JoinConstraint::Natural,
        (None, false, JoinKind::Cross) => JoinConstraint::None,
        (None, ..) => return no_condition(condition, *words, *relation.span),
        (Some(_), ..) => return needless_condition(condition, *words),
    };
    let span = i.span_since(start);
    Ok((
        i,
        Join {
            kind,
            relation,
            within,
            constraint,
            span,
        },
    ))
}

/// The words up to JOIN.
fn head(i: Tokens<'_>, natural: bool) -> Parsed<'_, JoinKind> {
    let (kind, outer) = match i.kind().keyword() {
        Some(Keyword::Join) => return Ok((i.advance(), JoinKind::Inner)),
        Some(Keyword::Inner) => (JoinKind::Inner, false),
        Some(Keyword::Left) => (JoinKind::Left, true),
        Some(Keyword::Right) => (JoinKind::Right, true),
        Some(Keyword::Full) => (JoinKind::Full, true),
        Some(Keyword::Cross) if !natural => (JoinKind::Cross, false),
        _ => {
            for word in [
                Keyword::Join,
                Keyword::Left,
                Keyword::Right,
                Keyword::Full,
                Keyword::Inner,
                Keyword::Cross,
            ] {
                i.want(Wanted::Rare(word));
            }
            return match (natural, i.is_keyword(Keyword::Outer)) {
                (true, _) => cut(keyword(Keyword::Join))
                    .map(|_| JoinKind::Inner)
                    .parse(i),
                (false, true) => outer_alone(i),
                (false, false) => Err(nom::Err::Error(Fault::Unexpected)),
            };
        }
    };
    let i = i.advance();
    let (i, _) = match outer {
        true => opt(keyword(Keyword::Outer)).map(|_| ()).parse(i)?,
        false => (i, ()),
    };
    let (i, _) = cut(keyword(Keyword::Join)).parse(i)?;
    Ok((i, kind))
}

fn outer_alone(i: Tokens<'_>) -> Parsed<'_, JoinKind> {
    let diagnostic = Diagnostic::new(Code::UnexpectedToken, "unexpected `OUTER`", i.span())
        .label("does not say which rows without a match are kept")
        .help("write `LEFT`, `RIGHT` or `FULL` before it");
    diagnosed(diagnostic)
}

/// WITHIN behind the condition, where it is often looked for.
fn late_within(i: Tokens<'_>, condition: Span) -> Parsed<'_, Join> {
    let diagnostic = Diagnostic::new(
        Code::MisplacedClause,
        "`WITHIN` stands behind the condition",
        i.span(),
    )
    .label("belongs before the condition")
    .secondary(condition, "the condition begins here");
    diagnosed(diagnostic)
}

fn on(i: Tokens<'_>) -> Parsed<'_, JoinConstraint> {
    preceded(keyword(Keyword::On), cut(expression))
        .map(JoinConstraint::On)
        .parse(i)
}

fn using(i: Tokens<'_>) -> Parsed<'_, JoinConstraint> {
    preceded(keyword(Keyword::Using), cut(column_list))
        .map(JoinConstraint::Using)
        .parse(i)
}

fn no_condition(i: Tokens<'_>, words: Span, relation: Span) -> Parsed<'_, Join> {
    let diagnostic = Diagnostic::new(Code::JoinCondition, "this join has no condition", words)
        .label("expected `ON` or `USING` behind the relation")
        .secondary(relation, "joined to all that stands before it");
    diagnosed(match i.mistyped_name(&["ON", "USING", "WITHIN"]) {
        Some((_, word)) => diagnostic.suggest(Some(word)),
        None => diagnostic.help("write `CROSS JOIN` if every row is to match every other"),
    })
}

fn needless_condition(i: Tokens<'_>, words: Span) -> Parsed<'_, Join> {
    let diagnostic = Diagnostic::new(
        Code::JoinCondition,
        "this join takes no condition",
        i.span(),
    )
    .label("a condition")
    .secondary(words, "matches without one");
    diagnosed(diagnostic)
}
