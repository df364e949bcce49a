//! The commands.

mod answers;
mod explain;
mod run;
mod application;
mod sql;

use crate::args::{Arguments, Command};
use crate::failure::Failure;

/// Does what the command line says.
pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    match arguments.command {
        Command::Run(arguments) => match &arguments.application_id {
            Some(id) => application::run(id, &arguments),
            None => run::run(&arguments),
        },
        Command::Sql(arguments) => sql::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
    }
}
