//! Why a parser did not go on: either the token fits nothing, or something better can be said.

use nom::error::{ErrorKind, ParseError};

use super::tokens::{Parsed, Tokens};
use crate::error::Diagnostic;
use crate::lexer::{Keyword, TokenKind};

/// The error of the parsers.
#[derive(Clone, Debug)]
pub(super) enum Fault {
    /// No token fits; what was wanted is noted in the session.
    Unexpected,
    /// What is wrong is known, and this is what to say.
    Diagnosed(Diagnostic),
}

impl<'a> ParseError<Tokens<'a>> for Fault {
    fn from_error_kind(_: Tokens<'a>, _: ErrorKind) -> Self {
        Fault::Unexpected
    }

    fn append(_: Tokens<'a>, _: ErrorKind, other: Self) -> Self {
        other
    }
}

/// Ends the parsing of the statement with a diagnostic.
pub(super) fn diagnosed<'a, T>(diagnostic: Diagnostic) -> Parsed<'a, T> {
    Err(nom::Err::Failure(Fault::Diagnosed(diagnostic)))
}

/// Something that would have fitted at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// A keyword.
    Keyword(Keyword),
    /// A keyword that is not listed, as it would make the list long, but is a candidate for "did
    /// you mean".
    Rare(Keyword),
    /// An operator or a punctuation mark.
    Symbol(TokenKind),
    /// A kind of thing: "an expression".
    Thing(&'static str),
    /// A kind of thing for which a name in quotes would do: "a table name".
    Name(&'static str),
    /// The end of the statement.
    End,
}

/// What would have fitted at the furthest place that was reached.
#[derive(Clone, Debug, Default)]
pub(super) struct Expectations {
    /// The place, counted in tokens from the statement's first.
    pub(super) at: usize,
    /// What would have fitted there, in the order in which it was tried.
    pub(super) wanted: Vec<Wanted>,
    /// The place of the last name that nothing announced, as an alias without AS is: it may be a
    /// mistyped keyword.
    pub(super) bare_name: Option<usize>,
}

impl Expectations {
    /// Notes that something was wanted; what is less far than another is forgotten.
    pub(super) fn note(&mut self, at: usize, wanted: Wanted) {
        if at > self.at {
            self.at = at;
            self.wanted.clear();
        }
        if at == self.at && !self.wanted.contains(&wanted) {
            self.wanted.push(wanted);
        }
    }

    pub(super) fn wants(&self, wanted: Wanted) -> bool {
        self.wanted.contains(&wanted)
    }

    pub(super) fn wants_name(&self) -> bool {
        self.wanted
            .iter()
            .any(|wanted| matches!(wanted, Wanted::Name(_)))
    }

    /// The keywords that would have fitted.
    pub(super) fn keywords(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.wanted.iter().filter_map(|wanted| match wanted {
            Wanted::Keyword(keyword) | Wanted::Rare(keyword) => Some(keyword.text()),
            _ => None,
        })
    }
}
