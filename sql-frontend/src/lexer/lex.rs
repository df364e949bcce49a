//! The loop of the lexer: one token after the other, and what is wrong between them.

use super::keyword::Keyword;
use super::token::{Token, TokenKind};
use super::{foreign, scan};
use crate::error::{Code, Diagnostic};
use crate::span::{Source, Span};

/// The tokens of a text, and its lexical errors.
///
/// Each error has a token of kind [`TokenKind::Bad`] at its place, so that the statement it belongs
/// to is known. The last token is the end of the text.
#[derive(Debug)]
pub struct Lexed {
    /// Tokens in the order of the text.
    pub tokens: Vec<Token>,
    /// Errors in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
}

/// Splits a text into tokens; white space and comments separate them and are gone.
///
/// Never fails: what cannot be read is reported, skipped, and read on behind.
///
/// # Panics
///
/// If the text is 4 GiB or longer; the parser refuses texts far shorter.
pub fn lex(source: &Source) -> Lexed {
    let mut lexer = Lexer {
        text: source.text(),
        at: 0,
        lexed: Lexed {
            tokens: Vec::new(),
            diagnostics: Vec::new(),
        },
    };
    if lexer.text.starts_with('\u{feff}') {
        lexer.at = '\u{feff}'.len_utf8();
    }
    while let Some(c) = lexer.rest().chars().next() {
        lexer.step(c);
    }
    lexer.token(TokenKind::End, lexer.at);
    lexer.lexed
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    lexed: Lexed,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// Takes what begins with `c` at the present place.
    fn step(&mut self, c: char) {
        match c {
            c if c.is_whitespace() => self.at += c.len_utf8(),
            '-' if self.rest().starts_with("--") => self.line_comment(),
            '/' if self.rest().starts_with("/*") => self.block_comment(),
            '\'' => self.string(),
            '"' | '`' => self.quoted_name(c),
            c if c.is_ascii_digit() => self.number(),
            '.' if scan::number(self.rest()).is_ok() => self.number(),
            c if scan::begins_word(c) => self.word_or_uri(),
            c => self.symbol(c),
        }
    }

    fn token(&mut self, kind: TokenKind, end: usize) {
        let token = Token::new(kind, Span::new(self.at, end));
        self.lexed.tokens.push(token);
        self.at = end;
    }

    fn bad(&mut self, diagnostic: Diagnostic, end: usize) {
        self.lexed.diagnostics.push(diagnostic);
        self.token(TokenKind::Bad, end);
    }

    fn line_comment(&mut self) {
        self.at += self.rest().find('\n').unwrap_or(self.rest().len());
    }

    fn block_comment(&mut self) {
        match scan::block_comment(self.rest()) {
            Some(len) => self.at += len,
            None => self.unterminated(Code::UnterminatedComment, "comment", "`*/`", 2),
        }
    }

    fn string(&mut self) {
        match scan::quoted(self.rest(), '\'') {
            Some(len) => self.token(TokenKind::String, self.at + len),
            None => self.unterminated(Code::UnterminatedString, "string", "`'`", 1),
        }
    }

    fn quoted_name(&mut self, quote: char) {
        match scan::quoted(self.rest(), quote) {
            None => {
                let closing = if quote == '"' { "`\"`" } else { "backtick" };
                self.unterminated(Code::UnterminatedIdentifier, "quoted name", closing, 1);
            }
            Some(2) => {
                let span = Span::new(self.at, self.at + 2);
                let diagnostic = Diagnostic::new(Code::EmptyIdentifier, "empty quoted name", span);
                let hint = "strings are written in single quotes: ''";
                self.bad(
                    diagnostic
                        .label("a name has at least one character")
                        .help(hint),
                    span.end,
                );
            }
            Some(len) => self.token(TokenKind::QuotedName, self.at + len),
        }
    }

    /// The rest of the text is inside something that does not end: say where it began.
    fn unterminated(&mut self, code: Code, what: &str, closing: &str, opening: usize) {
        let span = Span::new(self.at, self.at + opening);
        let diagnostic = Diagnostic::new(code, format!("the {what} does not end"), span)
            .label(format!("begins here, and no {closing} follows"));
        let diagnostic = match code {
            Code::UnterminatedString => {
                diagnostic.help("a quote inside a string is doubled: 'it''s'")
            }
            _ => diagnostic,
        };
        self.bad(diagnostic, self.text.len());
    }

    fn number(&mut self) {
        let (rest, kind) = scan::number(self.rest()).expect("a number begins with a digit here");
        let end = self.text.len() - rest.len();
        let junk = rest.chars().take_while(|c| scan::continues_word(*c));
        match junk.map(char::len_utf8).sum() {
            0 => self.token(kind, end),
            junk => self.malformed_number(end + junk),
        }
    }

    /// Letters behind a number, without a space between.
    fn malformed_number(&mut self, end: usize) {
        let span = Span::new(self.at, end);
        let text = &self.text[self.at..end];
        let follows = self.lexed.tokens.last().map(|token| token.kind);
        if follows == Some(TokenKind::Keyword(Keyword::As)) {
            // No number stands behind AS: as in ksqlDB, this is a name.
            return self.token(TokenKind::Word, end);
        }
        let based = matches!(
            text.as_bytes(),
            [b'0', b'x' | b'X' | b'o' | b'O' | b'b' | b'B', ..]
        );
        let diagnostic = if based {
            Diagnostic::not_supported("a number in another base than ten", span)
        } else {
            Diagnostic::new(
                Code::MalformedNumber,
                format!("malformed number `{text}`"),
                span,
            )
            .help(format!(
                "a name that begins with a digit is quoted: \"{text}\""
            ))
        };
        self.bad(diagnostic, end);
    }

    fn word_or_uri(&mut self) {
        if let Ok((rest, uri)) = scan::uri(self.rest()) {
            return self.uri(uri, self.text.len() - rest.len());
        }
        if let Some((quote, diagnostic)) = foreign::prefixed_string(self.text, self.at) {
            let len = scan::quoted(&self.text[quote..], '\'');
            return self.bad(diagnostic, len.map_or(self.text.len(), |len| quote + len));
        }
        let (_, word) = scan::word(self.rest()).expect("a word begins here");
        let kind = Keyword::of(word).map_or(TokenKind::Word, TokenKind::Keyword);
        self.token(kind, self.at + word.len());
    }

    fn uri(&mut self, uri: &str, end: usize) {
        if !uri.ends_with("://") {
            return self.token(TokenKind::Uri, end);
        }
        let span = Span::new(self.at, end);
        let diagnostic = Diagnostic::new(
            Code::InvalidUri,
            format!("the URI `{uri}` names nothing"),
            span,
        )
        .label("nothing follows `://`");
        self.bad(diagnostic, end);
    }

    fn symbol(&mut self, c: char) {
        // The longer wins: `->>` is no `->`, and `<=` is no `<`.
        let ours = scan::symbol(self.rest()).ok();
        let end = ours.map_or(self.at, |(rest, _)| self.text.len() - rest.len());
        match (foreign::operator(self.text, self.at), ours) {
            (Some((foreign_end, diagnostic)), _) if foreign_end > end => {
                self.bad(diagnostic, foreign_end)
            }
            (_, Some((_, kind))) => self.token(kind, end),
            (_, None) => {
                let end = self.at + c.len_utf8();
                self.bad(foreign::character(c, Span::new(self.at, end)), end);
            }
        }
    }
}
