//! What is likely missing or was meant, where no keyword is near to what stands there.

use super::clauses::open_parenthesis;
use super::fault::{Expectations, Wanted};
use super::tokens::Session;
use crate::lexer::{Keyword, Token, TokenKind};

/// The hint for the token that fits nothing, if there is one.
pub(super) fn hint(session: &Session<'_>, expectations: &Expectations) -> Option<String> {
    let before = session.before(expectations.at);
    let place = Place {
        session,
        expectations,
        last: before.last().copied(),
        is_inside: open_parenthesis(before).is_some(),
        token: session.token(expectations.at),
        next: session.token(expectations.at + 1),
    };
    place
        .query()
        .or_else(|| place.pattern())
        .or_else(|| place.comparison())
        .or_else(|| place.digits())
        .or_else(|| place.comma())
}

/// A token, and those beside it.
struct Place<'a> {
    session: &'a Session<'a>,
    expectations: &'a Expectations,
    last: Option<Token>,
    /// Whether a parenthesis is open.
    is_inside: bool,
    token: Token,
    next: Token,
}

impl Place<'_> {
    fn is_plain_name(&self) -> bool {
        matches!(self.token.kind, TokenKind::Word | TokenKind::QuotedName)
    }

    fn follows(&self, kind: TokenKind) -> bool {
        self.last.is_some_and(|last| last.kind == kind)
    }

    /// Whether nothing stands between the token and the one before it.
    fn touches_last(&self) -> bool {
        self.last
            .is_some_and(|last| last.span().end == self.token.span().start)
    }

    /// A relation where a query is wanted.
    fn query(&self) -> Option<String> {
        let is_relation = self.is_plain_name() || self.token.kind == TokenKind::Uri;
        let is_alone = self.next.kind != TokenKind::Comma;
        let fits = self.expectations.wants(Wanted::Thing("a query")) && is_relation && is_alone;
        fits.then(|| {
            let text = self.session.text(self.token);
            format!("a query of it is written `SELECT * FROM {text}`")
        })
    }

    /// A pattern without quotes.
    fn pattern(&self) -> Option<String> {
        let follows_like = self.follows(TokenKind::Keyword(Keyword::Like))
            || self.follows(TokenKind::Keyword(Keyword::ILike));
        let fits = follows_like && self.token.kind == TokenKind::Percent;
        fits.then(|| "a pattern is a string: '%text%'".to_owned())
    }

    /// A comparison with its signs the other way round.
    fn comparison(&self) -> Option<String> {
        match self.token.kind {
            TokenKind::FatArrow if !self.is_inside => {
                Some("greater or equal is written `>=`".to_owned())
            }
            TokenKind::Less if self.follows(TokenKind::Equal) && self.touches_last() => {
                Some("less or equal is written `<=`".to_owned())
            }
            _ => None,
        }
    }

    /// A number with a comma in it.
    fn digits(&self) -> Option<String> {
        let touches_next = self.token.span().end == self.next.span().start;
        let are_digits = self.follows(TokenKind::Integer) && self.next.kind == TokenKind::Integer;
        let fits = self.token.kind == TokenKind::Comma && are_digits;
        (fits && self.touches_last() && touches_next).then(|| {
            let last = self.last.map_or("", |last| self.session.text(last));
            format!(
                "digits are grouped as in `{last}_{}`",
                self.session.text(self.next)
            )
        })
    }

    /// A name or an option where a list could go on.
    fn comma(&self) -> Option<String> {
        let is_option = matches!(
            self.token.kind,
            TokenKind::Keyword(Keyword::Grace | Keyword::Retention | Keyword::Advance)
        );
        let in_columns = self.expectations.wants(Wanted::Keyword(Keyword::Key));
        let is_item = match in_columns {
            true => self.is_plain_name() && self.next.kind.is_word(),
            false => is_option || self.is_plain_name() && self.next.kind != TokenKind::String,
        };
        let fits = is_item && self.expectations.wants(Wanted::Symbol(TokenKind::Comma));
        fits.then(|| "a comma may be missing before it".to_owned())
    }
}
