//! `ferris explain`: what becomes of statements.

use std::io::Write;

use ferrisstreams::sql::Answer;

use crate::args::Explain;
use crate::config::Config;
use crate::failure::Failure;
use crate::script;

pub(super) fn run(arguments: &Explain) -> Result<(), Failure> {
    let config = Config::read(&arguments.engine)?;
    let source = script::read(&arguments.file)?;
    let mut session = script::session(&config, script::base_of(&arguments.file), false)?;
    let mut out = std::io::stdout().lock();
    if arguments.mermaid {
        script::execute(&mut session, &source)?;
        let program = session
            .program()
            .map_err(|problems| Failure::Statements(source.clone(), problems))?;
        return match program {
            Some(program) => Ok(out.write_all(program.topology.to_mermaid().as_bytes())?),
            None => Err(Failure::Usage("no statement runs for ever".to_owned())),
        };
    }
    let outcome = session.explain_script(&source);
    for answer in &outcome.answers {
        if let Answer::Text(text) = answer {
            writeln!(out, "{text}")?;
        }
    }
    if outcome.has_errors() {
        return Err(Failure::Statements(source, outcome.diagnostics));
    }
    Ok(())
}
