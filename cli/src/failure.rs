//! Why a command did not end well.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use ferrisstreams::Error;
use ferrisstreams::sql::{Colour, Diagnostic, Source, render_all};

/// Why a command did not end well.
pub(crate) enum Failure {
    /// The command line or a setting is wrong.
    Usage(String),
    /// Statements are wrong.
    Statements(Source, Vec<Diagnostic>),
    /// Something failed while running.
    Failed(String),
}

impl Failure {
    /// Says so on standard error.
    pub(crate) fn tell(&self) {
        let text = match self {
            Failure::Usage(message) | Failure::Failed(message) => format!("error: {message}\n"),
            Failure::Statements(source, diagnostics) => shown(source, diagnostics),
        };
        // Nobody is left to tell where standard error is closed.
        let _ = std::io::stderr().write_all(text.as_bytes());
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Failure::Usage(_) | Failure::Statements(..) => ExitCode::from(2),
            Failure::Failed(_) => ExitCode::from(1),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Failed(chain(&error))
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Failure::Failed(error.to_string())
    }
}

/// An error with all that caused it, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.contains(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        cause = error.source();
    }
    text
}

/// Diagnostics as they are shown on standard error.
pub(crate) fn shown(source: &Source, diagnostics: &[Diagnostic]) -> String {
    let colour = if std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none() {
        Colour::Always
    } else {
        Colour::Never
    };
    render_all(diagnostics, source, colour)
}
