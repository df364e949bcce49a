//! EXPLAIN.

use nom::Parser;
use nom::combinator::cut;

use super::super::expression::{begins_query, hides_query};
use super::super::fault::{Fault, Wanted, diagnosed};
use super::super::name::dotted_name;
use super::super::terminal::{commas, parens};
use super::super::tokens::{Parsed, Tokens};
use super::{begins_statement, query_or_change};
use crate::ast::{Explain, ExplainStage, ExplainTarget, Statement, StatementKind};
use crate::error::{Code, Diagnostic};
use crate::lexer::{Keyword, TokenKind};
use crate::span::Span;

/// `EXPLAIN [ANALYZE] [stage | (stages)] target`; the next token is EXPLAIN.
pub(super) fn explain(i: Tokens<'_>) -> Parsed<'_, StatementKind> {
    let i = i.advance();
    let analyze = i.is_keyword(Keyword::Analyze) && !is_name(i);
    let i = if analyze { i.advance() } else { i };
    let (i, stages) = stages(i)?;
    let (i, target) = target(i)?;
    Ok((
        i,
        StatementKind::Explain(Explain {
            analyze,
            stages,
            target,
        }),
    ))
}

/// Whether the next word is a name, whatever else it is: no more than a dot follows it.
fn is_name(i: Tokens<'_>) -> bool {
    let ends = matches!(i.peek_at(1).kind, TokenKind::End | TokenKind::Dot);
    ends && i.kind().is_name()
}

/// The stages that are asked for; a word that nothing follows is a name.
fn stages(i: Tokens<'_>) -> Parsed<'_, Vec<ExplainStage>> {
    let is_list = i.is(TokenKind::LeftParen) && !begins_query(i.advance()) && !hides_query(i);
    if is_list {
        let (i, stages) = parens(commas(listed_stage)).parse(i)?;
        return Ok((i, once(stages)?));
    }
    let is_stage = stage_at(i).is_some() && !is_name(i);
    match is_stage {
        true => stage.map(|stage| vec![stage]).parse(i),
        false => Ok((i, Vec::new())),
    }
}

const STAGES: &[(Keyword, ExplainStage)] = &[
    (Keyword::Ast, ExplainStage::Ast),
    (Keyword::Plan, ExplainStage::Plan),
    (Keyword::Optimized, ExplainStage::Optimized),
    (Keyword::Topology, ExplainStage::Topology),
];

fn stage_at(i: Tokens<'_>) -> Option<ExplainStage> {
    let word = i.kind().keyword()?;
    STAGES
        .iter()
        .find(|(keyword, _)| *keyword == word)
        .map(|(_, stage)| *stage)
}

fn listed_stage(i: Tokens<'_>) -> Parsed<'_, (ExplainStage, Span)> {
    let span = i.span();
    stage.map(|stage| (stage, span)).parse(i)
}

fn stage(i: Tokens<'_>) -> Parsed<'_, ExplainStage> {
    if let Some(stage) = stage_at(i) {
        return Ok((i.advance(), stage));
    }
    for (keyword, _) in STAGES {
        i.want(Wanted::Keyword(*keyword));
    }
    Err(nom::Err::Error(Fault::Unexpected))
}

fn once(stages: Vec<(ExplainStage, Span)>) -> Result<Vec<ExplainStage>, nom::Err<Fault>> {
    for (index, (again, span)) in stages.iter().enumerate() {
        if let Some((_, first)) = stages[..index].iter().find(|(stage, _)| stage == again) {
            let message = format!("the stage `{again}` is given twice");
            let diagnostic = Diagnostic::new(Code::DuplicateClause, message, *span)
                .label("given again")
                .secondary(*first, "given first");
            return diagnosed(diagnostic).map(|(_, stages)| stages);
        }
    }
    Ok(stages.into_iter().map(|(stage, _)| stage).collect())
}

fn target(i: Tokens<'_>) -> Parsed<'_, ExplainTarget> {
    let start = i.span();
    let is_name = is_name(i);
    let read = if is_name { None } else { query_or_change(i) };
    if let Some(read) = read {
        let (i, kind) = read?;
        let span = i.span_since(start);
        let statement = Box::new(Statement { kind, span });
        return Ok((i, ExplainTarget::Statement(statement)));
    }
    for word in [Keyword::Select, Keyword::Create, Keyword::Insert] {
        i.want(Wanted::Keyword(word));
    }
    let begins_other = i.kind().keyword().is_some_and(begins_statement) && !is_name;
    if begins_other {
        return i.fail(Wanted::Name("the name of a query"));
    }
    // A word before a query may be a mistyped stage.
    i.note_bare_name();
    let (i, name) = cut(dotted_name("the name of a query")).parse(i)?;
    if name.parts.len() == 1 {
        i.want(Wanted::Rare(Keyword::Analyze));
        for (stage, _) in STAGES {
            i.want(Wanted::Rare(*stage));
        }
    }
    Ok((i, ExplainTarget::Name(name)))
}
