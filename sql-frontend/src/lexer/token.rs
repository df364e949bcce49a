//! Tokens: what the lexer makes of a statement text and the parser reads.

use super::keyword::{Keyword, Reservation};
use crate::span::Span;

/// A piece of the text with a kind; its value is the text at its span.
///
/// Twelve bytes, since a text has many: offsets are kept as 32 bits, which the limit on the text's
/// size allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    start: u32,
    end: u32,
}

impl Token {
    pub(crate) fn new(kind: TokenKind, span: Span) -> Self {
        let offset = |at: usize| u32::try_from(at).expect("a text is shorter than 4 GiB");
        Token {
            kind,
            start: offset(span.start),
            end: offset(span.end),
        }
    }

    /// Where it stands.
    pub fn span(self) -> Span {
        Span::new(self.start as usize, self.end as usize)
    }
}

/// The kinds of tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenKind {
    /// A word of the grammar, which may be a name too.
    Keyword(Keyword),
    /// Any other word without quotes.
    Word,
    /// A name in double quotes or backticks, the quotes included.
    QuotedName,
    /// A string in single quotes, the quotes included.
    String,
    /// Digits alone.
    Integer,
    /// Digits with a decimal point.
    Decimal,
    /// A number with an exponent.
    Float,
    /// A URI without quotes.
    Uri,
    /// `(`
    LeftParen,
    /// `)`
    RightParen,
    /// `[`
    LeftBracket,
    /// `]`
    RightBracket,
    /// `,`
    Comma,
    /// `;`
    Semicolon,
    /// `.`
    Dot,
    /// `+`
    Plus,
    /// `-`
    Minus,
    /// `*`
    Star,
    /// `/`
    Slash,
    /// `%`
    Percent,
    /// `||`
    Concat,
    /// `=`
    Equal,
    /// `<>` or `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterEqual,
    /// `::`
    DoubleColon,
    /// `->`
    Arrow,
    /// `=>`
    FatArrow,
    /// `:=`
    Assign,
    /// A place where the lexer has reported an error.
    Bad,
    /// The end of a statement or of the text.
    End,
}

impl TokenKind {
    /// How an operator or a punctuation mark is written; `None` for tokens of varying text.
    pub const fn symbol(self) -> Option<&'static str> {
        Some(match self {
            TokenKind::LeftParen => "(",
            TokenKind::RightParen => ")",
            TokenKind::LeftBracket => "[",
            TokenKind::RightBracket => "]",
            TokenKind::Comma => ",",
            TokenKind::Semicolon => ";",
            TokenKind::Dot => ".",
            TokenKind::Plus => "+",
            TokenKind::Minus => "-",
            TokenKind::Star => "*",
            TokenKind::Slash => "/",
            TokenKind::Percent => "%",
            TokenKind::Concat => "||",
            TokenKind::Equal => "=",
            TokenKind::NotEqual => "<>",
            TokenKind::Less => "<",
            TokenKind::LessEqual => "<=",
            TokenKind::Greater => ">",
            TokenKind::GreaterEqual => ">=",
            TokenKind::DoubleColon => "::",
            TokenKind::Arrow => "->",
            TokenKind::FatArrow => "=>",
            TokenKind::Assign => ":=",
            _ => return None,
        })
    }

    /// The keyword, if it is one.
    pub const fn keyword(self) -> Option<Keyword> {
        match self {
            TokenKind::Keyword(keyword) => Some(keyword),
            _ => None,
        }
    }

    /// Whether it is a word without quotes, reserved or not.
    pub const fn is_word(self) -> bool {
        matches!(self, TokenKind::Word | TokenKind::Keyword(_))
    }

    /// Whether it can be a name: quoted, or a word that is not reserved.
    pub fn is_name(self) -> bool {
        match self {
            TokenKind::Word | TokenKind::QuotedName => true,
            TokenKind::Keyword(keyword) => keyword.reservation() != Reservation::Reserved,
            _ => false,
        }
    }

    /// Whether it can be an alias without AS.
    pub fn is_bare_alias(self) -> bool {
        match self {
            TokenKind::Word | TokenKind::QuotedName => true,
            TokenKind::Keyword(keyword) => keyword.reservation() == Reservation::Free,
            _ => false,
        }
    }
}
