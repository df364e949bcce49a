//! Parsers for the texts of single tokens: how far a word, a number, a URI or a comment runs.
//!
//! Written with nom over `&str`. Each takes the rest of the text and returns what follows the token;
//! none knows offsets or reports errors.

use nom::branch::alt;
use nom::bytes::complete::{tag, take_till, take_while, take_while_m_n};
use nom::character::complete::{char, digit1, one_of, satisfy};
use nom::combinator::{opt, recognize, value};
use nom::multi::many0_count;
use nom::sequence::{pair, preceded};
use nom::{IResult, Parser};

use super::token::TokenKind;

/// Letters of a URI's scheme; bounded, so that looking for one costs the same everywhere.
const MAX_SCHEME: usize = 32;

type Scan<'a, T = &'a str> = IResult<&'a str, T>;

/// A letter of any script or an underscore.
pub(crate) fn begins_word(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

/// What may follow in a word: also digits, `$` and `@`.
pub(crate) fn continues_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '$' | '@')
}

pub(crate) fn word(text: &str) -> Scan<'_> {
    recognize(pair(satisfy(begins_word), take_while(continues_word))).parse(text)
}

/// `scheme://` and all up to white space, `,`, `;` or `)`.
pub(crate) fn uri(text: &str) -> Scan<'_> {
    recognize((
        satisfy(|c| c.is_ascii_alphabetic()),
        take_while_m_n(0, MAX_SCHEME - 1, |c: char| {
            c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.')
        }),
        tag("://"),
        take_till(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | ')')),
    ))
    .parse(text)
}

/// Whether the whole text is one URI that needs no quotes.
pub(crate) fn is_bare_uri(text: &str) -> bool {
    matches!(uri(text), Ok(("", _)))
}

/// Whether the whole text is one word.
pub(crate) fn is_bare_word(text: &str) -> bool {
    matches!(word(text), Ok(("", _)))
}

/// A number and its kind; letters that run into it are left over.
pub(crate) fn number(text: &str) -> Scan<'_, TokenKind> {
    let (rest, fraction) = alt((
        preceded(digits, opt(preceded(char('.'), opt(digits)))).map(|fraction| fraction.is_some()),
        value(true, preceded(char('.'), digits)),
    ))
    .parse(text)?;
    let (rest, exponent) = opt((one_of("eE"), opt(one_of("+-")), digits)).parse(rest)?;
    let kind = match (fraction, exponent) {
        (_, Some(_)) => TokenKind::Float,
        (true, None) => TokenKind::Decimal,
        (false, None) => TokenKind::Integer,
    };
    Ok((rest, kind))
}

/// Digits, with single underscores between them.
fn digits(text: &str) -> Scan<'_> {
    recognize(pair(digit1, many0_count(pair(char('_'), digit1)))).parse(text)
}

/// An operator or a punctuation mark, the longest that fits.
pub(crate) fn symbol(text: &str) -> Scan<'_, TokenKind> {
    use TokenKind::*;
    alt((
        alt((
            value(DoubleColon, tag("::")),
            value(Assign, tag(":=")),
            value(Arrow, tag("->")),
            value(FatArrow, tag("=>")),
            value(Concat, tag("||")),
            value(NotEqual, alt((tag("<>"), tag("!=")))),
            value(LessEqual, tag("<=")),
            value(GreaterEqual, tag(">=")),
        )),
        alt((
            value(LeftParen, char('(')),
            value(RightParen, char(')')),
            value(LeftBracket, char('[')),
            value(RightBracket, char(']')),
            value(Comma, char(',')),
            value(Semicolon, char(';')),
            value(Dot, char('.')),
        )),
        alt((
            value(Plus, char('+')),
            value(Minus, char('-')),
            value(Star, char('*')),
            value(Slash, char('/')),
            value(Percent, char('%')),
            value(Equal, char('=')),
            value(Less, char('<')),
            value(Greater, char('>')),
        )),
    ))
    .parse(text)
}

/// Bytes up to and with the closing `quote`, which is doubled where it is meant; `None` if it is
/// missing. `text` begins with the opening quote.
pub(crate) fn quoted(text: &str, quote: char) -> Option<usize> {
    let mut at = 1;
    loop {
        at += text[at..].find(quote)? + 1;
        match text[at..].starts_with(quote) {
            true => at += 1,
            false => return Some(at),
        }
    }
}

/// Bytes of a block comment with those nested in it; `None` if it is not closed. `text` begins
/// with its opening.
pub(crate) fn block_comment(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut depth, mut at) = (0, 0);
    while at + 1 < bytes.len() {
        match &bytes[at..at + 2] {
            b"/*" => (depth, at) = (depth + 1, at + 2),
            b"*/" => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        let kind = |text| number(text).ok();
        assert_eq!(kind("12 "), Some((" ", TokenKind::Integer)));
        assert_eq!(kind("1_000"), Some(("", TokenKind::Integer)));
        assert_eq!(kind("1_"), Some(("_", TokenKind::Integer)));
        assert_eq!(kind("1.50"), Some(("", TokenKind::Decimal)));
        assert_eq!(kind("1."), Some(("", TokenKind::Decimal)));
        assert_eq!(kind(".5"), Some(("", TokenKind::Decimal)));
        assert_eq!(kind("1e10"), Some(("", TokenKind::Float)));
        assert_eq!(kind("1.5E-3)"), Some((")", TokenKind::Float)));
        assert_eq!(kind("1e"), Some(("e", TokenKind::Integer)));
        assert_eq!(kind("."), None);
    }

    #[test]
    fn uris_run_to_a_delimiter() {
        assert_eq!(uri("file:///a/*.csv, b"), Ok((", b", "file:///a/*.csv")));
        assert_eq!(uri("kafka://t)"), Ok((")", "kafka://t")));
        assert!(uri("a:b").is_err() && uri("1://a").is_err());
        assert!(uri(&format!("{}://a", "x".repeat(40))).is_err());
    }

    #[test]
    fn comments_nest() {
        assert_eq!(block_comment("/* a /* b */ c */ d"), Some(17));
        assert_eq!(block_comment("/**/"), Some(4));
        assert_eq!(block_comment("/*/"), None);
        assert_eq!(block_comment("/* /* */"), None);
    }

    #[test]
    fn quotes_are_doubled() {
        assert_eq!(quoted("'it''s' x", '\''), Some(7));
        assert_eq!(quoted("'it''s x", '\''), None);
        assert_eq!(quoted("''", '\''), Some(2));
    }
}
