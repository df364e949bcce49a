//! The error where no token fits: what stands there, what would have fitted, and what was likely
//! meant.

use super::clauses::{begins, misplaced, open_parenthesis};
use super::fault::{Expectations, Wanted};
use super::hint::hint;
use super::statement::begins_statement;
use super::tokens::{Session, meant};
use crate::error::{Code, Diagnostic};
use crate::lexer::{Keyword, Reservation, Token, TokenKind};

/// What is wrong at the furthest token that was reached.
pub(super) fn unexpected(session: &Session<'_>) -> Diagnostic {
    let place = Place::of(session);
    place
        .trailing_comma()
        .or_else(|| place.clause())
        .or_else(|| place.reserved_word())
        .or_else(|| place.misplaced_quotes())
        .or_else(|| place.mistyped_name())
        .unwrap_or_else(|| place.plain())
}

/// The token that fits nothing, and what would have fitted.
struct Place<'a> {
    session: &'a Session<'a>,
    expectations: Expectations,
    at: usize,
    token: Token,
}

impl<'a> Place<'a> {
    fn of(session: &'a Session<'a>) -> Self {
        let expectations = session.expectations();
        let at = expectations.at;
        Place {
            session,
            token: session.token(at),
            expectations,
            at,
        }
    }

    fn text(&self) -> &'a str {
        self.session.text(self.token)
    }

    fn before(&self) -> Option<Token> {
        self.session.before(self.at).last().copied()
    }

    fn wants(&self, wanted: Wanted) -> bool {
        self.expectations.wants(wanted)
    }

    /// A comma, and then what no list goes on with.
    fn trailing_comma(&self) -> Option<Diagnostic> {
        let comma = self
            .before()
            .filter(|before| before.kind == TokenKind::Comma)?;
        let ends = matches!(
            self.token.kind,
            TokenKind::End | TokenKind::RightParen | TokenKind::RightBracket
        );
        let ends = ends
            || begins(self.session, self.at)
            || self.token.kind == TokenKind::Keyword(Keyword::As);
        let label = format!("expected {} behind it", self.expected());
        ends.then(|| {
            Diagnostic::new(
                Code::TrailingComma,
                "a comma with nothing behind it",
                comma.span(),
            )
            .label(label)
        })
    }

    /// A clause where the query could have ended.
    fn clause(&self) -> Option<Diagnostic> {
        let could_end =
            self.wants(Wanted::End) || self.wants(Wanted::Symbol(TokenKind::RightParen));
        if could_end {
            misplaced(self.session, self.at)
        } else {
            None
        }
    }

    /// A reserved word where a name or an expression was wanted.
    fn reserved_word(&self) -> Option<Diagnostic> {
        let word = self.token.kind.keyword()?;
        let next = self.session.token(self.at + 1).kind;
        let is_operand = self.wants(Wanted::Thing("an expression")) && ends_operand(next);
        let is_name = self.expectations.wants_name() || is_operand;
        let is_taken = word.reservation() == Reservation::Reserved && !self.ends_nothing(word);
        (is_name && is_taken && !begins(self.session, self.at)).then(|| {
            let text = self.text();
            let message = format!("`{text}` is a reserved word");
            Diagnostic::new(Code::ReservedWord, message, self.token.span())
                .label(format!("expected {}", self.expected()))
                .help(format!("as a name it is quoted: \"{text}\""))
        })
    }

    /// Whether a word is reserved and no name all the same, as something is missing before it.
    fn ends_nothing(&self, word: Keyword) -> bool {
        let before = self.before().and_then(|before| before.kind.keyword());
        let in_case = matches!(before, Some(Keyword::When | Keyword::Then | Keyword::Else));
        let of_case = matches!(
            word,
            Keyword::When | Keyword::Then | Keyword::Else | Keyword::End
        );
        begins_query(word) || in_case && of_case
    }

    /// A string for a name, or a name for a string.
    fn misplaced_quotes(&self) -> Option<Diagnostic> {
        let (code, quote, what) = match self.token.kind {
            TokenKind::String if self.wants_name() => {
                (Code::MisplacedString, '"', "a string, not a name")
            }
            TokenKind::QuotedName if self.wants_text() => {
                (Code::MisplacedIdentifier, '\'', "a name, not a string")
            }
            _ => return None,
        };
        let text = self.text();
        let inner = &text[1..text.len() - 1];
        let diagnostic = Diagnostic::new(code, format!("{text} is {what}"), self.token.span())
            .label(format!("expected {}", self.expected()));
        Some(match self.wants(Wanted::Name("a type")) {
            true => diagnostic.help(format!("write {inner}")),
            false => diagnostic.help(format!("write {quote}{inner}{quote}")),
        })
    }

    /// Whether a name fits, an alias included.
    fn wants_name(&self) -> bool {
        self.expectations.wants_name() || self.wants(Wanted::Rare(Keyword::As))
    }

    fn wants_text(&self) -> bool {
        self.wants(Wanted::Thing("a string")) || self.wants(Wanted::Thing("the name of a header"))
    }

    /// A word that was taken for a name, and was likely meant to be a keyword.
    fn mistyped_name(&self) -> Option<Diagnostic> {
        let operators = OPERATORS.iter().map(|word| word.text());
        let keywords: Vec<&str> = self.expectations.keywords().chain(operators).collect();
        let i = self.session.tokens().skip(self.at);
        let (span, keyword) = i.mistyped_name(&keywords)?;
        let word = self.session.text(self.before()?);
        let diagnostic =
            Diagnostic::new(Code::UnexpectedToken, format!("unexpected `{word}`"), span)
                .label(format!(
                    "taken for a name, which {} cannot follow",
                    self.described()
                ))
                .suggest(Some(&with_by(keyword, word)));
        Some(diagnostic)
    }

    fn plain(&self) -> Diagnostic {
        let code = match self.token.kind {
            TokenKind::End => Code::UnexpectedEnd,
            _ => Code::UnexpectedToken,
        };
        let message = format!("unexpected {}", self.described());
        let diagnostic = Diagnostic::new(code, message, self.token.span())
            .label(format!("expected {}", self.expected()));
        let diagnostic = self.with_parenthesis(diagnostic);
        let keywords: Vec<&str> = self.expectations.keywords().collect();
        let begins_other = match self.token.kind {
            TokenKind::Keyword(word) => self.wants(Wanted::End) && begins_statement(word),
            _ => false,
        };
        let is_word = self.token.kind.is_word();
        match meant(self.text(), &keywords).filter(|_| is_word) {
            _ if begins_other => diagnostic.help("a statement ends with `;`"),
            Some(keyword) => diagnostic.suggest(Some(&with_by(keyword, self.text()))),
            None => match hint(self.session, &self.expectations) {
                Some(hint) => diagnostic.help(hint),
                None => diagnostic,
            },
        }
    }

    /// Where the parenthesis stands that is not closed; or that none is open.
    fn with_parenthesis(&self, diagnostic: Diagnostic) -> Diagnostic {
        let open = open_parenthesis(self.session.before(self.at));
        match (self.token.kind, open) {
            (TokenKind::End, Some(open)) => diagnostic.secondary(open, "is not closed"),
            (_, Some(open)) if self.misses_parenthesis() => {
                diagnostic.secondary(open, "is not closed")
            }
            (TokenKind::RightParen, None) => diagnostic.help("no parenthesis is open here"),
            _ => diagnostic,
        }
    }

    /// Whether a clause begins where a parenthesis could have been closed.
    fn misses_parenthesis(&self) -> bool {
        self.wants(Wanted::Symbol(TokenKind::RightParen)) && begins(self.session, self.at)
    }

    fn described(&self) -> String {
        match self.token.kind {
            TokenKind::End => "end of the statement".to_owned(),
            TokenKind::String => format!("string {}", shortened(self.text())),
            _ => format!("`{}`", shortened(self.text())),
        }
    }

    /// What would have fitted: "`a`, `b` or an expression".
    fn expected(&self) -> String {
        let mut items: Vec<String> = Vec::new();
        for wanted in &self.expectations.wanted {
            let item = match wanted {
                Wanted::Keyword(keyword) => format!("`{}`", keyword.text()),
                Wanted::Symbol(kind) => format!("`{}`", kind.symbol().unwrap_or_default()),
                Wanted::Thing(what) | Wanted::Name(what) => (*what).to_owned(),
                Wanted::Rare(_) | Wanted::End => continue,
            };
            if !items.contains(&item) {
                items.push(item);
            }
        }
        if self.wants(Wanted::End) {
            items.push("the end of the statement".to_owned());
        }
        if items.is_empty() {
            let keywords = self.expectations.keywords();
            items.extend(keywords.map(|keyword| format!("`{keyword}`")));
        }
        match items.split_last() {
            Some((last, [])) => last.clone(),
            Some((last, others)) => format!("{} or {last}", others.join(", ")),
            None => String::new(),
        }
    }
}

/// The keyword that was meant, with BY where the word ends so: `GROUPBY`.
fn with_by(keyword: &str, word: &str) -> String {
    let takes_by = matches!(keyword, "GROUP" | "ORDER" | "PARTITION");
    match takes_by && word.to_ascii_uppercase().ends_with("BY") {
        true => format!("{keyword} BY"),
        false => keyword.to_owned(),
    }
}

/// Operators that are words, which a name may have been meant to be.
const OPERATORS: &[Keyword] = &[
    Keyword::And,
    Keyword::Or,
    Keyword::Is,
    Keyword::In,
    Keyword::Like,
    Keyword::Between,
];

/// Whether a token stands behind an operand, and so what is before it was meant as one.
fn ends_operand(kind: TokenKind) -> bool {
    match kind {
        TokenKind::Keyword(word) => matches!(
            word,
            Keyword::As | Keyword::From | Keyword::Is | Keyword::In
        ),
        TokenKind::Comma | TokenKind::RightParen | TokenKind::Dot | TokenKind::End => true,
        TokenKind::Equal | TokenKind::NotEqual | TokenKind::Less | TokenKind::LessEqual => true,
        TokenKind::Greater | TokenKind::GreaterEqual | TokenKind::Plus | TokenKind::Minus => true,
        TokenKind::Star | TokenKind::Slash | TokenKind::Percent | TokenKind::Concat => true,
        _ => false,
    }
}

/// Words that nobody means as a name where one is missing.
fn begins_query(word: Keyword) -> bool {
    matches!(
        word,
        Keyword::Select
            | Keyword::With
            | Keyword::As
            | Keyword::And
            | Keyword::Or
            | Keyword::Not
            | Keyword::From
    )
}

/// A token's text, cut where it is long.
fn shortened(text: &str) -> String {
    const LONGEST: usize = 40;
    match text.char_indices().nth(LONGEST) {
        None => text.to_owned(),
        Some((at, _)) => format!("{}...", &text[..at]),
    }
}
