//! `ferris sql`: statements that are given or typed.

use std::io::{IsTerminal, Read, Write};
use std::path::PathBuf;

use ferrisstreams::sql::{Answer, SelectError, Session, Source};
use reedline::{
    DefaultPrompt, DefaultPromptSegment, Reedline, Signal, ValidationResult, Validator,
};

use crate::args::{Output, Sql};
use crate::config::Config;
use crate::failure::{Failure, chain, shown};
use crate::render;
use crate::script;

pub(super) fn run(arguments: &Sql) -> Result<(), Failure> {
    let config = Config::read(&arguments.engine)?;
    let mut session = script::session(&config, PathBuf::from("."), false)?;
    if arguments.statements.is_empty() && std::io::stdin().is_terminal() {
        return typed(&mut session, arguments.output);
    }
    let text = if arguments.statements.is_empty() {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text)?;
        Source::new("standard input", text)
    } else {
        Source::new("command line", arguments.statements.join("\n"))
    };
    let outcome = script::execute(&mut session, &text)?;
    for answer in &outcome.answers {
        tell(&session, &text, answer, arguments.output)?;
    }
    Ok(())
}

/// Shows what a statement came to.
fn tell(
    session: &Session,
    source: &Source,
    answer: &Answer,
    output: Output,
) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match answer {
        Answer::Done(line) => script::eprint(&format!("{line}\n")),
        Answer::Rows(rows) => render::result(&mut out, rows, output)?,
        Answer::Queries => {
            let queries = session.queries(&|_| super::answers::NOT_RUNNING.to_owned());
            render::result(&mut out, &queries, output)?;
        }
        Answer::Text(text) => writeln!(out, "{text}")?,
        Answer::Select(select) => match session.select(select, None) {
            Ok(rows) => render::result(&mut out, &rows, output)?,
            Err(SelectError::Statement(diagnostic)) => {
                return Err(Failure::Statements(source.clone(), vec![diagnostic]));
            }
            Err(SelectError::Failed(error)) => return Err(Failure::Failed(chain(&error))),
        },
        Answer::Changes(_) => {
            return Err(Failure::Usage(
                "EMIT CHANGES goes on for ever; put it in a file and use ferris run".to_owned(),
            ));
        }
    }
    Ok(())
}

/// Reads statements from the terminal until its end.
fn typed(session: &mut Session, output: Output) -> Result<(), Failure> {
    let mut editor = Reedline::create().with_validator(Box::new(Complete));
    let prompt = DefaultPrompt::new(
        DefaultPromptSegment::Basic("ferris".to_owned()),
        DefaultPromptSegment::Empty,
    );
    loop {
        match editor.read_line(&prompt)? {
            Signal::Success(text) => {
                let source = Source::new("input", text);
                let outcome = session.execute(&source);
                script::eprint(&shown(&source, &outcome.diagnostics));
                for answer in &outcome.answers {
                    if let Err(failure) = tell(session, &source, answer, output) {
                        failure.tell();
                    }
                }
            }
            Signal::CtrlC => {}
            _ => return Ok(()),
        }
    }
}

/// A statement is complete at its semicolon.
struct Complete;

impl Validator for Complete {
    fn validate(&self, line: &str) -> ValidationResult {
        let line = line.trim();
        if line.is_empty() || line.ends_with(';') {
            ValidationResult::Complete
        } else {
            ValidationResult::Incomplete
        }
    }
}
