//! Operators between and after operands.

use nom::Parser;
use nom::branch::alt;
use nom::combinator::{cut, opt, value};

use super::climb;
use super::parentheses::{Items, items};
use crate::ast::Precedence;
use crate::ast::{
    Between, BinaryOp, Expr, ExprKind, IsTest, Like, LikeForm, LogicalOp, Quantified, Quantifier,
};
use crate::error::{Code, Diagnostic};
use crate::lexer::{Keyword, TokenKind};
use crate::parser::fault::{Wanted, diagnosed};
use crate::parser::terminal::{keyword, keywords};
use crate::parser::tokens::{Parsed, Tokens};

/// What an operator token begins.
#[derive(Clone, Copy)]
enum Infix {
    Logical(LogicalOp),
    Is,
    NullTest { negated: bool },
    Binary(BinaryOp),
    Between { negated: bool },
    In { negated: bool },
    Like { form: LikeForm, negated: bool },
    AtTimeZone,
    Unsupported(&'static str),
}

impl Infix {
    /// The operator at the next token, if there is one.
    fn at(i: Tokens<'_>) -> Option<Infix> {
        match i.kind() {
            TokenKind::Keyword(Keyword::Not) => Infix::of_range(i.peek_at(1).kind, true),
            TokenKind::Keyword(word) => Infix::of_keyword(i, word),
            symbol => Infix::of_symbol(symbol).map(Infix::Binary),
        }
    }

    fn of_keyword(i: Tokens<'_>, word: Keyword) -> Option<Infix> {
        Some(match word {
            Keyword::And => Infix::Logical(LogicalOp::And),
            Keyword::Or => Infix::Logical(LogicalOp::Or),
            Keyword::Is => Infix::Is,
            Keyword::IsNull => Infix::NullTest { negated: false },
            Keyword::NotNull => Infix::NullTest { negated: true },
            Keyword::At if i.peek_at(1).kind == TokenKind::Keyword(Keyword::Time) => {
                Infix::AtTimeZone
            }
            Keyword::Collate => Infix::Unsupported("`COLLATE`"),
            Keyword::Overlaps => Infix::Unsupported("`OVERLAPS`"),
            word => return Infix::of_range(TokenKind::Keyword(word), false),
        })
    }

    fn of_range(kind: TokenKind, negated: bool) -> Option<Infix> {
        Some(match kind.keyword()? {
            Keyword::Between => Infix::Between { negated },
            Keyword::In => Infix::In { negated },
            Keyword::Like => Infix::Like {
                form: LikeForm::Like,
                negated,
            },
            Keyword::ILike => Infix::Like {
                form: LikeForm::ILike,
                negated,
            },
            Keyword::Similar => Infix::Like {
                form: LikeForm::SimilarTo,
                negated,
            },
            _ => return None,
        })
    }

    fn of_symbol(symbol: TokenKind) -> Option<BinaryOp> {
        Some(match symbol {
            TokenKind::Plus => BinaryOp::Add,
            TokenKind::Minus => BinaryOp::Subtract,
            TokenKind::Star => BinaryOp::Multiply,
            TokenKind::Slash => BinaryOp::Divide,
            TokenKind::Percent => BinaryOp::Modulo,
            TokenKind::Concat => BinaryOp::Concat,
            TokenKind::Equal => BinaryOp::Equal,
            TokenKind::NotEqual => BinaryOp::NotEqual,
            TokenKind::Less => BinaryOp::Less,
            TokenKind::LessEqual => BinaryOp::LessOrEqual,
            TokenKind::Greater => BinaryOp::Greater,
            TokenKind::GreaterEqual => BinaryOp::GreaterOrEqual,
            _ => return None,
        })
    }

    fn precedence(self) -> Precedence {
        match self {
            Infix::Logical(op) => op.precedence(),
            Infix::Is | Infix::NullTest { .. } => Precedence::Is,
            Infix::Binary(op) => op.precedence(),
            Infix::Between { .. } | Infix::In { .. } | Infix::Like { .. } => Precedence::Range,
            Infix::AtTimeZone | Infix::Unsupported(_) => Precedence::Zone,
        }
    }
}

/// The operators behind `left` that bind at least as tightly as `level`, with their operands.
pub(super) fn operators(i: Tokens<'_>, left: Expr, level: Precedence) -> Parsed<'_, Expr> {
    let (mut i, mut left) = (i, left);
    let mut unchainable = None;
    while let Some(infix) = Infix::at(i) {
        let precedence = infix.precedence();
        if precedence < level {
            break;
        }
        if unchainable == Some(precedence) {
            return chained(i, &left);
        }
        i.wrap()?;
        let start = *left.span;
        let (rest, kind) = operation(i, infix, left)?;
        let span = rest.span_since(start);
        (i, left) = (rest, Expr { kind, span });
        let chains = !matches!(precedence, Precedence::Comparison | Precedence::Range);
        unchainable = (!chains).then_some(precedence);
    }
    if i.is_keyword(Keyword::Not) && Infix::at(i).is_none() {
        return negation(i);
    }
    for word in WORDS {
        i.want(Wanted::Rare(*word));
    }
    Ok((i, left))
}

/// Operators that are words, for "did you mean".
const WORDS: &[Keyword] = &[
    Keyword::And,
    Keyword::Or,
    Keyword::Is,
    Keyword::In,
    Keyword::Like,
    Keyword::ILike,
    Keyword::Between,
    Keyword::Not,
];

/// NOT behind an operand, and nothing behind it that it negates.
fn negation(i: Tokens<'_>) -> Parsed<'_, Expr> {
    if i.advance().is_keyword(Keyword::Null) {
        let span = i.span().to(i.advance().span());
        let diagnostic = Diagnostic::new(Code::UnexpectedToken, "unexpected `NOT NULL`", span)
            .help("write `IS NOT NULL`");
        return diagnosed(diagnostic);
    }
    for word in [Keyword::Between, Keyword::In, Keyword::Like] {
        i.advance().want(Wanted::Keyword(word));
    }
    i.advance().fail(Wanted::Rare(Keyword::ILike))
}

fn chained<'a>(i: Tokens<'a>, left: &Expr) -> Parsed<'a, Expr> {
    let diagnostic = Diagnostic::new(
        Code::ChainedComparison,
        "comparisons do not chain",
        i.span(),
    )
    .label("a second comparison")
    .secondary(left.span, "compares already")
    .help("combine two comparisons with AND, or put one in parentheses");
    diagnosed(diagnostic)
}

/// One operator, which is the next token, and what stands right of it.
fn operation(i: Tokens<'_>, infix: Infix, left: Expr) -> Parsed<'_, ExprKind> {
    match infix {
        Infix::Logical(op) => logical(i, op, left),
        Infix::Is => is(i.advance(), left),
        Infix::NullTest { negated } => {
            let (operand, test) = (Box::new(left), IsTest::Null);
            Ok((
                i.advance(),
                ExprKind::Is {
                    operand,
                    test,
                    negated,
                },
            ))
        }
        Infix::Binary(op) => binary(i.advance(), op, left),
        Infix::Between { negated } => between(after_range(i, negated), left, negated),
        Infix::In { negated } => in_items(after_range(i, negated), left, negated),
        Infix::Like { form, negated } => like(after_range(i, negated), form, left, negated),
        Infix::AtTimeZone => at_time_zone(i.advance(), left),
        Infix::Unsupported(what) => diagnosed(Diagnostic::not_supported(what, i.span())),
    }
}

/// The tokens after `[NOT] BETWEEN` and the like.
fn after_range(i: Tokens<'_>, negated: bool) -> Tokens<'_> {
    i.skip(if negated { 2 } else { 1 })
}

/// An operand on a level, which must be there.
fn operand<'a>(level: Precedence) -> impl Fn(Tokens<'a>) -> Parsed<'a, Expr> {
    move |i| cut(|i| climb(i, level)).parse(i)
}

/// A chain of one operator becomes one node, however long it is.
fn logical(i: Tokens<'_>, op: LogicalOp, left: Expr) -> Parsed<'_, ExprKind> {
    let word = TokenKind::Keyword(match op {
        LogicalOp::And => Keyword::And,
        LogicalOp::Or => Keyword::Or,
    });
    let (mut i, mut operands) = (i, vec![left]);
    while i.is(word) {
        let (rest, right) = operand(op.precedence().tighter())(i.advance())?;
        operands.push(right);
        i = rest;
    }
    Ok((i, ExprKind::Logical { op, operands }))
}

fn is(i: Tokens<'_>, left: Expr) -> Parsed<'_, ExprKind> {
    let (i, negated) = opt(keyword(Keyword::Not))
        .map(|not| not.is_some())
        .parse(i)?;
    let test = alt((
        value(IsTest::Null, keyword(Keyword::Null)),
        value(IsTest::True, keyword(Keyword::True)),
        value(IsTest::False, keyword(Keyword::False)),
        value(IsTest::Unknown, keyword(Keyword::Unknown)),
    ));
    let distinct = keywords(Keyword::Distinct, Keyword::From);
    let (i, test) = cut(alt((test.map(Some), value(None, distinct)))).parse(i)?;
    let left = Box::new(left);
    match test {
        Some(test) => Ok((
            i,
            ExprKind::Is {
                operand: left,
                test,
                negated,
            },
        )),
        None => {
            let (i, right) = operand(Precedence::Comparison)(i)?;
            let right = Box::new(right);
            Ok((
                i,
                ExprKind::DistinctFrom {
                    left,
                    right,
                    negated,
                },
            ))
        }
    }
}

fn binary(i: Tokens<'_>, op: BinaryOp, left: Expr) -> Parsed<'_, ExprKind> {
    if let Some(quantifier) = quantifier_at(i).filter(|_| op.is_comparison()) {
        return quantified(i.advance(), op, quantifier, left);
    }
    let (i, right) = operand(op.precedence().tighter())(i)?;
    let (left, right) = (Box::new(left), Box::new(right));
    Ok((i, ExprKind::Binary { op, left, right }))
}

fn quantifier_at(i: Tokens<'_>) -> Option<Quantifier> {
    let quantifier = match i.kind().keyword()? {
        Keyword::Any | Keyword::Some => Quantifier::Any,
        Keyword::All => Quantifier::All,
        _ => return None,
    };
    (i.peek_at(1).kind == TokenKind::LeftParen).then_some(quantifier)
}

fn quantified(
    i: Tokens<'_>,
    op: BinaryOp,
    quantifier: Quantifier,
    left: Expr,
) -> Parsed<'_, ExprKind> {
    let (i, right) = cut(super::parentheses::parenthesised).parse(i)?;
    let quantified = Quantified {
        left,
        op,
        quantifier,
        right,
    };
    Ok((i, ExprKind::Quantified(Box::new(quantified))))
}

fn between(i: Tokens<'_>, left: Expr, negated: bool) -> Parsed<'_, ExprKind> {
    let level = Precedence::Range.tighter();
    let (i, symmetric) = match i.kind().keyword() {
        Some(Keyword::Symmetric) => (i.advance(), true),
        Some(Keyword::Asymmetric) => (i.advance(), false),
        _ => (i, false),
    };
    let (i, low) = operand(level)(i)?;
    let (i, _) = cut(keyword(Keyword::And)).parse(i)?;
    let (i, high) = operand(level)(i)?;
    let between = Between {
        operand: left,
        low,
        high,
        negated,
        symmetric,
    };
    Ok((i, ExprKind::Between(Box::new(between))))
}

fn in_items(i: Tokens<'_>, left: Expr, negated: bool) -> Parsed<'_, ExprKind> {
    let operand = Box::new(left);
    let (i, items) = cut(items).parse(i)?;
    let kind = match items {
        Items::Query(query) => ExprKind::InQuery {
            operand,
            query,
            negated,
        },
        Items::Exprs(list) => ExprKind::InList {
            operand,
            list,
            negated,
        },
    };
    Ok((i, kind))
}

fn like(i: Tokens<'_>, form: LikeForm, left: Expr, negated: bool) -> Parsed<'_, ExprKind> {
    let level = Precedence::Range.tighter();
    let i = match form {
        LikeForm::SimilarTo => cut(keyword(Keyword::To)).parse(i)?.0,
        LikeForm::Like | LikeForm::ILike => i,
    };
    let (i, pattern) = operand(level)(i)?;
    let (i, escape) = match i.is_keyword(Keyword::Escape) {
        true => operand(level).map(Some).parse(i.advance())?,
        false => (i, None),
    };
    let like = Like {
        form,
        operand: left,
        pattern,
        escape,
        negated,
    };
    Ok((i, ExprKind::Like(Box::new(like))))
}

fn at_time_zone(i: Tokens<'_>, left: Expr) -> Parsed<'_, ExprKind> {
    let (i, _) = keywords(Keyword::Time, Keyword::Zone)(i)?;
    let (i, zone) = operand(Precedence::Sign)(i)?;
    let (operand, zone) = (Box::new(left), Box::new(zone));
    Ok((i, ExprKind::AtTimeZone { operand, zone }))
}
