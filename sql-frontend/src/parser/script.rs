//! Whole texts: one statement after the other, and what is wrong with each.

use super::fault::{Fault, Wanted};
use super::report::unexpected;
use super::statement::statement;
use super::tokens::Session;
use super::{MAX_STATEMENTS, MAX_TEXT};
use crate::ast::Statement;
use crate::error::{Code, Diagnostic};
use crate::lexer::{Token, TokenKind, lex};
use crate::span::{Source, Span};

/// What a text holds: the statements that are right, and what is wrong with the others.
#[derive(Clone, Debug, Default)]
pub struct Parsed {
    /// The statements that could be read, in order.
    pub statements: Vec<Statement>,
    /// What is wrong, in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads all statements of a text.
///
/// A statement that is wrong ends at its semicolon, and the next one is read all the same.
///
/// ```
/// use ferrisstreams_sql_frontend::{parser, span::Source};
///
/// let source = Source::new("input", "SELECT a FORM t; SELECT b FROM t; SELECT ;");
/// let parsed = parser::parse(&source);
/// assert_eq!(parsed.statements.len(), 1);
/// assert_eq!(parsed.diagnostics.len(), 2);
/// ```
pub fn parse(source: &Source) -> Parsed {
    let mut parsed = Parsed::default();
    if source.text().len() > MAX_TEXT {
        let bytes = source.text().len();
        let message = format!("a text of {bytes} bytes is too long");
        parsed
            .diagnostics
            .push(too_long(message, MAX_TEXT, Span::new(0, 0)));
        return parsed;
    }
    let lexed = lex(source);
    parsed.diagnostics = lexed.diagnostics;
    let mut count = 0;
    for piece in pieces(&lexed.tokens) {
        count += 1;
        if count > MAX_STATEMENTS {
            let message = "a text of too many statements";
            let span = piece.tokens[0].span();
            parsed
                .diagnostics
                .push(too_long(message.to_owned(), MAX_STATEMENTS, span));
            break;
        }
        match piece.parse(source) {
            Ok(statement) => parsed.statements.push(statement),
            Err(diagnostic) => parsed.diagnostics.extend(diagnostic),
        }
    }
    parsed
        .diagnostics
        .sort_by_key(|diagnostic| diagnostic.span().start);
    parsed
}

/// Reads all statements of a text, or tells what is wrong with it.
///
/// # Errors
///
/// All mistakes of the text, if it has any.
pub fn parse_statements(source: &Source) -> Result<Vec<Statement>, Vec<Diagnostic>> {
    let parsed = parse(source);
    match parsed.diagnostics.is_empty() {
        true => Ok(parsed.statements),
        false => Err(parsed.diagnostics),
    }
}

fn too_long(message: String, limit: usize, span: Span) -> Diagnostic {
    Diagnostic::new(Code::TextTooLong, message, span)
        .label(format!("at most {limit}"))
        .help("hand it over in parts")
}

/// The tokens of one statement, and the place of its end.
struct Piece<'a> {
    tokens: &'a [Token],
    end: Span,
}

/// The statements between semicolons, those without a token left out.
fn pieces(tokens: &[Token]) -> impl Iterator<Item = Piece<'_>> {
    let ends = |token: &Token| matches!(token.kind, TokenKind::Semicolon | TokenKind::End);
    tokens.split_inclusive(ends).filter_map(|piece| {
        let (end, tokens) = piece.split_last()?;
        let last = tokens.last()?.span();
        let end = match end.kind {
            TokenKind::Semicolon => end.span(),
            // White space and comments at the end of the text are not where something is missing.
            _ => Span::new(last.end, last.end),
        };
        Some(Piece { tokens, end })
    })
}

impl Piece<'_> {
    /// The statement, or what is wrong with it; nothing where the lexer has told it already.
    fn parse(&self, source: &Source) -> Result<Statement, Option<Diagnostic>> {
        let session = Session::new(source, self.tokens, self.end);
        let fault = match statement(session.tokens()) {
            Ok((rest, statement)) if rest.is_at_end() => return Ok(statement),
            Ok((rest, _)) => {
                rest.want(Wanted::End);
                Fault::Unexpected
            }
            Err(nom::Err::Error(fault) | nom::Err::Failure(fault)) => fault,
            Err(nom::Err::Incomplete(_)) => unreachable!("parsers of tokens know their end"),
        };
        let diagnostic = match fault {
            Fault::Unexpected => unexpected(&session),
            Fault::Diagnosed(diagnostic) => diagnostic,
        };
        let bad = self
            .tokens
            .iter()
            .find(|token| token.kind == TokenKind::Bad);
        let is_told = bad.is_some_and(|bad| bad.span().start <= diagnostic.span().start);
        Err((!is_told).then_some(diagnostic))
    }
}
