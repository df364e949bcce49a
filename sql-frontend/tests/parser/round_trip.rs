//! Printed, a statement is SQL that parses to itself.

use ferrisstreams_sql_frontend::ast::{Statement, dump};
use ferrisstreams_sql_frontend::error::{Colour, render_all};
use ferrisstreams_sql_frontend::parser::parse_statements;
use ferrisstreams_sql_frontend::span::Source;

use crate::diff::diff;

/// What goes wrong when the statement is printed and parsed again, if anything does.
pub fn check(statement: &Statement) -> Result<(), String> {
    let printed = statement.to_string();
    let source = Source::new("printed", printed.as_str());
    let again = match parse_statements(&source) {
        Ok(statements) => statements,
        Err(diagnostics) => {
            let errors = render_all(&diagnostics, &source, Colour::Never);
            return Err(format!("what is printed does not parse:\n{errors}"));
        }
    };
    match again.as_slice() {
        [same] if same == statement && same.to_string() == printed => Ok(()),
        [other] => {
            let differs = diff(&dump(statement), &dump(other));
            Err(format!(
                "printed:   {printed}\nand again: {other}\n{differs}"
            ))
        }
        others => Err(format!("{printed}\nparses to {} statements", others.len())),
    }
}
