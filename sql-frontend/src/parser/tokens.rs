//! The parsers' input: the tokens of one statement, and what is remembered while they are read.

use std::cell::{Cell, RefCell};

use nom::{IResult, Input, Needed};

use super::fault::{Expectations, Fault, Wanted};
use super::{MAX_DEPTH, fault};
use crate::ast::{Ident, Literal};
use crate::error::{Code, Diagnostic, nearest};
use crate::lexer::{Keyword, Token, TokenKind};
use crate::span::{NodeSpan, Source, Span};

/// The result of a parser: what is left, and what was read.
pub(super) type Parsed<'a, T> = IResult<Tokens<'a>, T, Fault>;

/// One statement being parsed.
///
/// Parsers get it by shared reference, as nom hands inputs around by value; what they remember is
/// in cells.
pub(super) struct Session<'a> {
    source: &'a Source,
    tokens: &'a [Token],
    end: Token,
    expectations: RefCell<Expectations>,
    depth: Cell<usize>,
    deepest: Cell<usize>,
}

impl<'a> Session<'a> {
    /// A statement of these tokens; `end` stands for the end behind them.
    pub(super) fn new(source: &'a Source, tokens: &'a [Token], end: Span) -> Self {
        Session {
            source,
            tokens,
            end: Token::new(TokenKind::End, end),
            expectations: RefCell::default(),
            depth: Cell::new(0),
            deepest: Cell::new(0),
        }
    }

    pub(super) fn tokens(&'a self) -> Tokens<'a> {
        Tokens {
            session: self,
            at: 0,
            len: self.tokens.len(),
        }
    }

    /// What was wanted at the furthest token that any parser reached.
    pub(super) fn expectations(&self) -> Expectations {
        self.expectations.borrow().clone()
    }

    /// The tokens before a place counted from the statement's first.
    pub(super) fn before(&self, at: usize) -> &'a [Token] {
        &self.tokens[..at.min(self.tokens.len())]
    }

    /// The token at a place counted from the statement's first.
    pub(super) fn token(&self, at: usize) -> Token {
        self.tokens.get(at).copied().unwrap_or(self.end)
    }

    pub(super) fn text(&self, token: Token) -> &'a str {
        self.source.slice(token.span())
    }
}

/// The tokens that are left, and the statement they belong to.
#[derive(Clone, Copy)]
pub(super) struct Tokens<'a> {
    session: &'a Session<'a>,
    at: usize,
    len: usize,
}

impl<'a> Tokens<'a> {
    /// Place of the next token, counted from the statement's first.
    pub(super) fn at(self) -> usize {
        self.at
    }

    /// The next token; the end if there is none.
    pub(super) fn peek(self) -> Token {
        self.session.token(self.at)
    }

    /// The token `ahead` places after the next.
    pub(super) fn peek_at(self, ahead: usize) -> Token {
        self.session.token(self.at + ahead)
    }

    pub(super) fn kind(self) -> TokenKind {
        self.peek().kind
    }

    /// Whether the next token is this one; nothing is noted as wanted.
    pub(super) fn is(self, kind: TokenKind) -> bool {
        self.kind() == kind
    }

    /// Whether the next token is this keyword; nothing is noted as wanted.
    pub(super) fn is_keyword(self, keyword: Keyword) -> bool {
        self.is(TokenKind::Keyword(keyword))
    }

    /// Whether the next tokens are these keywords; nothing is noted as wanted.
    pub(super) fn are_keywords(self, keywords: &[Keyword]) -> bool {
        let mut ahead = keywords.iter().enumerate();
        ahead.all(|(ahead, keyword)| self.peek_at(ahead).kind == TokenKind::Keyword(*keyword))
    }

    /// The tokens after the next one.
    pub(super) fn advance(self) -> Self {
        self.skip(1)
    }

    /// The tokens after the next `count`.
    pub(super) fn skip(self, count: usize) -> Self {
        let count = count.min(self.len);
        Tokens {
            at: self.at + count,
            len: self.len - count,
            ..self
        }
    }

    pub(super) fn is_at_end(self) -> bool {
        self.len == 0
    }

    /// Place of the next token in the text.
    pub(super) fn span(self) -> Span {
        self.peek().span()
    }

    /// The text from `start` up to the last token read before these.
    pub(super) fn span_since(self, start: Span) -> NodeSpan {
        match self.at {
            0 => start.into(),
            at => Span::new(
                start.start,
                self.session.token(at - 1).span().end.max(start.end),
            )
            .into(),
        }
    }

    /// The text of the next token.
    pub(super) fn text(self) -> &'a str {
        self.session.text(self.peek())
    }

    /// Notes that something was wanted at the next token.
    pub(super) fn want(self, wanted: Wanted) {
        let mut expectations = self.session.expectations.borrow_mut();
        expectations.note(self.at, wanted);
    }

    /// Notes that the next token was taken for a name, since it fitted nothing else.
    pub(super) fn note_bare_name(self) {
        self.session.expectations.borrow_mut().bare_name = Some(self.at);
    }

    /// The keyword that was likely meant where the token before the next was taken for a name:
    /// where it stands, and the keyword.
    pub(super) fn mistyped_name<'k>(self, keywords: &[&'k str]) -> Option<(Span, &'k str)> {
        let name = self.session.expectations.borrow().bare_name?;
        if name + 1 != self.at {
            return None;
        }
        let token = self.session.token(name);
        let keyword = meant(self.session.text(token), keywords)?;
        Some((token.span(), keyword))
    }

    /// Fails at the next token, where something was wanted.
    pub(super) fn fail<T>(self, wanted: Wanted) -> Parsed<'a, T> {
        self.want(wanted);
        Err(nom::Err::Error(Fault::Unexpected))
    }

    /// The name that the next token is, quotes undone; the token must be a word or a quoted name.
    pub(super) fn ident(self) -> Ident {
        let text = self.text();
        let in_quotes = self.is(TokenKind::QuotedName);
        // A name that begins with a digit is as good as quoted: without quotes nothing reads it.
        let begins_with_digit = text.starts_with(|c: char| c.is_ascii_digit());
        Ident {
            text: match in_quotes {
                true => unquote(text),
                false => text.to_owned(),
            },
            quoted: in_quotes || begins_with_digit,
            span: self.span().into(),
        }
    }

    /// The literal that the next token is, if it is a number, a string, or one of the words.
    pub(super) fn literal(self) -> Option<Literal> {
        let digits = || self.text().replace('_', "");
        Some(match self.kind() {
            TokenKind::Integer => Literal::Integer(digits()),
            TokenKind::Decimal => Literal::Decimal(digits()),
            TokenKind::Float => Literal::Float(digits()),
            TokenKind::String => Literal::String(unquote(self.text())),
            TokenKind::Keyword(Keyword::Null) => Literal::Null,
            TokenKind::Keyword(Keyword::True) => Literal::Boolean(true),
            TokenKind::Keyword(Keyword::False) => Literal::Boolean(false),
            _ => return None,
        })
    }

    /// Parses one level deeper, unless that is too deep.
    ///
    /// Expressions, queries, types and parentheses all count: the limit bounds the stack that the
    /// parser takes, and the height of the tree that it makes.
    pub(super) fn nested<T>(self, parser: impl FnOnce(Self) -> Parsed<'a, T>) -> Parsed<'a, T> {
        let session = self.session;
        let depth = session.depth.get() + 1;
        if depth > MAX_DEPTH {
            return self.too_deep();
        }
        session.depth.set(depth);
        let outer = session.deepest.replace(depth);
        let result = parser(self);
        session.depth.set(depth - 1);
        session.deepest.set(session.deepest.get().max(outer));
        result
    }

    /// Notes that what was read on this level becomes a child of a new node, as the left operand
    /// of an operator does: the tree grows although the parser's stack does not.
    pub(super) fn wrap(self) -> Result<(), nom::Err<Fault>> {
        let deepest = self.session.deepest.get() + 1;
        self.session.deepest.set(deepest);
        match deepest > MAX_DEPTH {
            true => self.too_deep().map(|(_, ())| ()),
            false => Ok(()),
        }
    }

    fn too_deep<T>(self) -> Parsed<'a, T> {
        let diagnostic = Diagnostic::new(Code::NestedTooDeeply, "nested too deeply", self.span())
            .label(format!("here the depth exceeds {MAX_DEPTH} levels"))
            .help("split it: name parts of it in a WITH clause, or as streams and tables");
        fault::diagnosed(diagnostic)
    }
}

/// The keyword that a word was likely meant to be: one that begins alike, if it can be. Words of
/// one letter are aliases, not slips.
pub(super) fn meant<'k>(word: &str, keywords: &[&'k str]) -> Option<&'k str> {
    let first = word.chars().next()?;
    let alike = keywords.iter().filter(|keyword| {
        keyword
            .chars()
            .next()
            .is_some_and(|c| c.eq_ignore_ascii_case(&first))
    });
    match word.chars().count() {
        0 | 1 => None,
        2 => nearest(word, alike.copied()),
        _ => nearest(word, alike.copied()).or_else(|| nearest(word, keywords.iter().copied())),
    }
}

/// The text inside quotes, with doubled quotes undone.
fn unquote(text: &str) -> String {
    let quote = &text[..1];
    let inner = text.get(1..text.len() - 1).unwrap_or_default();
    inner.replace(&quote.repeat(2), quote)
}

/// nom's combinators need only the length; the rest completes the trait.
impl<'a> Input for Tokens<'a> {
    type Item = Token;
    type Iter = std::iter::Copied<std::slice::Iter<'a, Token>>;
    type IterIndices = std::iter::Enumerate<Self::Iter>;

    fn input_len(&self) -> usize {
        self.len
    }

    fn take(&self, index: usize) -> Self {
        Tokens {
            len: index,
            ..*self
        }
    }

    fn take_from(&self, index: usize) -> Self {
        self.skip(index)
    }

    fn take_split(&self, index: usize) -> (Self, Self) {
        (self.take_from(index), self.take(index))
    }

    fn position<P: Fn(Token) -> bool>(&self, predicate: P) -> Option<usize> {
        self.iter_elements().position(predicate)
    }

    fn iter_elements(&self) -> Self::Iter {
        self.session.tokens[self.at..self.at + self.len]
            .iter()
            .copied()
    }

    fn iter_indices(&self) -> Self::IterIndices {
        self.iter_elements().enumerate()
    }

    fn slice_index(&self, count: usize) -> Result<usize, Needed> {
        match count <= self.len {
            true => Ok(count),
            false => Err(Needed::new(count - self.len)),
        }
    }
}
