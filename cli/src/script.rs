//! A script: where its statements come from, and a session to run them in.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ferrisstreams::connect::Connections;
use ferrisstreams::sql::{Outcome, Session, Source};

use crate::config::{Config, options};
use crate::failure::{Failure, shown};

/// Reads the statements of a file, or of standard input for `-`.
pub(crate) fn read(path: &Path) -> Result<Source, Failure> {
    if path == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text)?;
        return Ok(Source::new("standard input", text));
    }
    let text = std::fs::read_to_string(path)
        .map_err(|e| Failure::Usage(format!("cannot read {}: {e}", path.display())))?;
    Ok(Source::new(path.display().to_string(), text))
}

/// A session whose relative paths start at `base`; `restarting` where a state is there from before.
pub(crate) fn session(
    config: &Config,
    base: PathBuf,
    restarting: bool,
) -> Result<Session, Failure> {
    let kafka = options(&config.kafka);
    session_of(config, kafka, base, |connections| {
        connections.restarting(restarting)
    })
}

/// The same of an application on a cluster, whose clients have these properties.
pub(crate) fn session_on_cluster(
    config: &Config,
    kafka: BTreeMap<String, String>,
    base: PathBuf,
    restarting: bool,
) -> Result<Session, Failure> {
    session_of(config, kafka, base, |connections| {
        connections.restarting(restarting).on_cluster(true)
    })
}

fn session_of(
    config: &Config,
    kafka: BTreeMap<String, String>,
    base: PathBuf,
    with: impl FnOnce(Connections) -> Connections,
) -> Result<Session, Failure> {
    let connections = with(Connections::new().base(base).kafka(kafka));
    for (name, table) in &config.connections {
        connections
            .connection(name, options(table))
            .map_err(|e| Failure::Usage(format!("connection {name}: {e}")))?;
    }
    Ok(Session::new(Arc::new(connections)))
}

/// The folder that a script's relative paths start at.
pub(crate) fn base_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if path != Path::new("-") && !parent.as_os_str().is_empty() => {
            parent.to_owned()
        }
        _ => PathBuf::from("."),
    }
}

/// Runs the statements of a script; mistakes end it, warnings are shown.
pub(crate) fn execute(session: &mut Session, source: &Source) -> Result<Outcome, Failure> {
    let outcome = session.execute(source);
    if outcome.has_errors() {
        return Err(Failure::Statements(source.clone(), outcome.diagnostics));
    }
    if !outcome.diagnostics.is_empty() {
        eprint(&shown(source, &outcome.diagnostics));
    }
    Ok(outcome)
}

/// Writes to standard error.
pub(crate) fn eprint(text: &str) {
    use std::io::Write;
    // Nobody is left to tell where standard error is closed.
    let _ = std::io::stderr().write_all(text.as_bytes());
}
