//! The order of a query's clauses, for the error where one stands in the wrong place.

use super::tokens::Session;
use crate::error::{Code, Diagnostic};
use crate::lexer::{Keyword, Token, TokenKind};
use crate::span::Span;

/// Clauses in the order in which SQL has them; those behind ORDER BY may stand in any.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Clause {
    From,
    Join,
    Window,
    Where,
    GroupBy,
    PartitionBy,
    Having,
    OrderBy,
    Tail,
}

/// The error of a clause that is given twice, or stands behind one that it must precede; `at` is
/// the place of its first word.
pub(super) fn misplaced(session: &Session<'_>, at: usize) -> Option<Diagnostic> {
    let (own, name) = clause_at(session, at).filter(|(clause, _)| *clause != Clause::Tail)?;
    let span = session.token(at).span();
    let seen = clauses_before(session, at);
    let first = seen
        .iter()
        .find(|(clause, ..)| *clause == own && own != Clause::Join);
    if let Some((.., first)) = first {
        let diagnostic = Diagnostic::new(Code::DuplicateClause, format!("a second `{name}`"), span)
            .label("a query has at most one")
            .secondary(*first, "the first");
        return Some(diagnostic);
    }
    let (_, later, place) = seen.iter().find(|(clause, ..)| *clause > own)?;
    let message = format!("`{name}` stands behind `{later}`");
    let diagnostic = Diagnostic::new(Code::MisplacedClause, message, span)
        .label(format!("belongs before `{later}`"))
        .secondary(*place, format!("`{later}` is here"));
    Some(diagnostic)
}

/// Whether a clause begins at this place, which no list goes on with.
pub(super) fn begins(session: &Session<'_>, at: usize) -> bool {
    clause_at(session, at).is_some()
}

/// The clause that begins at a place, and what it is called.
fn clause_at(session: &Session<'_>, at: usize) -> Option<(Clause, &'static str)> {
    let keyword = |at| session.token(at).kind.keyword();
    let has_by = keyword(at + 1) == Some(Keyword::By);
    let is_form = |at| {
        matches!(
            keyword(at),
            Some(Keyword::Tumbling | Keyword::Hopping | Keyword::Session)
        )
    };
    let follows_distinct = at > 0 && keyword(at - 1) == Some(Keyword::Distinct);
    Some(match keyword(at)? {
        Keyword::From if !follows_distinct => (Clause::From, "FROM"),
        Keyword::Join
        | Keyword::Inner
        | Keyword::Left
        | Keyword::Right
        | Keyword::Full
        | Keyword::Cross => (Clause::Join, "JOIN"),
        Keyword::Window if is_form(at + 1) || is_form(at + 2) => (Clause::Window, "WINDOW"),
        Keyword::Where => (Clause::Where, "WHERE"),
        Keyword::Group if has_by => (Clause::GroupBy, "GROUP BY"),
        Keyword::Partition if has_by => (Clause::PartitionBy, "PARTITION BY"),
        Keyword::Having => (Clause::Having, "HAVING"),
        Keyword::Order if has_by => (Clause::OrderBy, "ORDER BY"),
        Keyword::Emit if matches!(keyword(at + 1), Some(Keyword::Changes | Keyword::Final)) => {
            (Clause::Tail, "EMIT")
        }
        Keyword::Limit => (Clause::Tail, "LIMIT"),
        Keyword::Offset => (Clause::Tail, "OFFSET"),
        _ => return None,
    })
}

/// The clauses of the same query before a place, in the order of the text.
fn clauses_before(session: &Session<'_>, at: usize) -> Vec<(Clause, &'static str, Span)> {
    let mut depth = 0_usize;
    let mut clauses = Vec::new();
    for (place, token) in session.before(at).iter().enumerate().rev() {
        match token.kind {
            TokenKind::RightParen => depth += 1,
            TokenKind::LeftParen if depth == 0 => break,
            TokenKind::LeftParen => depth -= 1,
            TokenKind::Keyword(Keyword::Select | Keyword::Values) if depth == 0 => break,
            _ if depth == 0 => {
                let clause = clause_at(session, place);
                clauses.extend(clause.map(|(clause, name)| (clause, name, token.span())));
            }
            _ => {}
        }
    }
    clauses.reverse();
    clauses
}

/// The parenthesis before a place that is not closed, the innermost.
pub(super) fn open_parenthesis(before: &[Token]) -> Option<Span> {
    let mut depth = 0_usize;
    for token in before.iter().rev() {
        match token.kind {
            TokenKind::RightParen => depth += 1,
            TokenKind::LeftParen if depth == 0 => return Some(token.span()),
            TokenKind::LeftParen => depth -= 1,
            _ => {}
        }
    }
    None
}
