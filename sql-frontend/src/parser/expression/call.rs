//! Function calls: arguments, lambdas, and what may follow the parentheses.

use nom::Parser;
use nom::combinator::cut;
use nom::sequence::preceded;

use super::{begins_query, expression, window};
use crate::ast::{Argument, Call, ExprKind, Lambda, Name, NullTreatment};
use crate::error::{Code, Diagnostic};
use crate::lexer::{Keyword, TokenKind};
use crate::parser::fault::diagnosed;
use crate::parser::query::order_by;
use crate::parser::terminal::{commas, keyword, parens, symbol};
use crate::parser::tokens::{Parsed, Tokens, meant};

/// The call of a function whose name has been read; its parenthesis is next.
pub(super) fn call(i: Tokens<'_>, name: Name) -> Parsed<'_, ExprKind> {
    let mut call = Call::new(name, Vec::new());
    let i = arguments(i.advance(), &mut call)?.0;
    let (i, _) = cut(symbol(TokenKind::RightParen)).parse(i)?;
    let (i, ()) = suffixes(i, &mut call)?;
    Ok((i, ExprKind::Call(Box::new(call))))
}

fn arguments<'a>(i: Tokens<'a>, call: &mut Call) -> Parsed<'a, ()> {
    if i.is(TokenKind::RightParen) {
        return Ok((i, ()));
    }
    if i.is(TokenKind::Star) {
        call.arguments.push(Argument::Star);
        return Ok((i.advance(), ()));
    }
    if begins_query(i) {
        return query_alone(i, &call.name);
    }
    call.distinct = i.is_keyword(Keyword::Distinct);
    let has_quantifier = call.distinct || i.is_keyword(Keyword::All);
    let i = if has_quantifier { i.advance() } else { i };
    let (i, arguments) = cut(commas(argument)).parse(i)?;
    call.arguments = arguments;
    let (i, items) = match i.is_keyword(Keyword::Order) {
        true => order_by(i)?,
        false => (i, Vec::new()),
    };
    call.order_by = items;
    Ok((i, ()))
}

/// A query as an argument has parentheses of its own; EXISTS has not, and may be meant.
fn query_alone<'a>(i: Tokens<'a>, name: &Name) -> Parsed<'a, ()> {
    let diagnostic = Diagnostic::new(
        Code::UnexpectedToken,
        format!("unexpected `{}`", i.text()),
        i.span(),
    )
    .label("expected an expression");
    let words = [Keyword::Exists.text(), "ANY", "ALL"];
    diagnosed(match meant(&name.last().text, &words) {
        Some(word) => diagnostic.suggest(Some(word)),
        None => diagnostic.help("a query has parentheses of its own: `((SELECT ...))`"),
    })
}

fn argument(i: Tokens<'_>) -> Parsed<'_, Argument> {
    match lambda_parameters(i) {
        Some(count) => lambda(i, count).map(|(i, lambda)| (i, Argument::Lambda(lambda))),
        None => expression.map(Argument::Expr).parse(i),
    }
}

/// Tokens before the `=>` of a lambda, if one begins here: `x`, `(x, y)`.
fn lambda_parameters(i: Tokens<'_>) -> Option<usize> {
    let kind = |ahead| i.peek_at(ahead).kind;
    let mut ahead = 1;
    if i.is(TokenKind::LeftParen) {
        while kind(ahead).is_name() && kind(ahead + 1) == TokenKind::Comma {
            ahead += 2;
        }
        let closes = kind(ahead).is_name() && kind(ahead + 1) == TokenKind::RightParen;
        ahead = closes.then_some(ahead + 2)?;
    } else if !i.kind().is_name() {
        return None;
    }
    (kind(ahead) == TokenKind::FatArrow).then_some(ahead)
}

fn lambda(i: Tokens<'_>, tokens: usize) -> Parsed<'_, Lambda> {
    let start = i.span();
    let parameters = (0..tokens)
        .map(|ahead| i.skip(ahead))
        .filter(|i| i.kind().is_name())
        .map(Tokens::ident)
        .collect();
    let (i, body) = cut(expression).parse(i.skip(tokens + 1))?;
    let (body, span) = (Box::new(body), i.span_since(start));
    Ok((
        i,
        Lambda {
            parameters,
            body,
            span,
        },
    ))
}

/// `WITHIN GROUP`, `IGNORE NULLS`, `FILTER`, `OVER`, each if it is there.
fn suffixes<'a>(i: Tokens<'a>, call: &mut Call) -> Parsed<'a, ()> {
    let mut i = i;
    if i.are_keywords(&[Keyword::Within, Keyword::Group]) {
        (i, call.within_group) = cut(parens(order_by)).parse(i.skip(2))?;
    }
    if i.are_keywords(&[Keyword::Ignore, Keyword::Nulls]) {
        (i, call.nulls) = (i.skip(2), Some(NullTreatment::Ignore));
    } else if i.are_keywords(&[Keyword::Respect, Keyword::Nulls]) {
        (i, call.nulls) = (i.skip(2), Some(NullTreatment::Respect));
    }
    let follows_filter = i.peek_at(1).kind;
    let begins_filter = matches!(
        follows_filter,
        TokenKind::LeftParen | TokenKind::Keyword(Keyword::Where)
    );
    if i.is_keyword(Keyword::Filter) && begins_filter {
        let condition = preceded(keyword(Keyword::Where), cut(expression));
        let (rest, condition) = cut(parens(condition)).parse(i.advance())?;
        (i, call.filter) = (rest, Some(condition));
    }
    if i.is_keyword(Keyword::Over) {
        let (rest, over) = cut(window::over).parse(i.advance())?;
        (i, call.over) = (rest, Some(over));
    }
    Ok((i, ()))
}
