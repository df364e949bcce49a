//! `ferris run`: the statements of a file, for ever or once.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ferrisstreams::runtime::{Embedded, EmbeddedOptions, Outcome, known_sinks};
use ferrisstreams::sql::Program;
use ferrisstreams::store::{State, StateOptions};

use super::answers::{NOT_RUNNING, RUNNING, Script};
use crate::args::{Output, Run};
use crate::config::Config;
use crate::failure::Failure;
use crate::render;
use crate::script;
use crate::signals::Stop;
use crate::watch::{Printer, Watch};

/// How long sinks are given to take what is left when ferris stops.
const GRACE: Duration = Duration::from_secs(10);

pub(super) fn run(arguments: &Run) -> Result<(), Failure> {
    let config = Config::read(&arguments.engine)?;
    let source = script::read(&arguments.file)?;
    let state_dir = state_dir(arguments, &config);
    let restarting = state_dir.as_deref().is_some_and(State::is_in);
    let base = script::base_of(&arguments.file);
    let mut session = script::session(&config, base, restarting)?;
    let outcome = script::execute(&mut session, &source)?;
    let program = session
        .program()
        .map_err(|problems| Failure::Statements(source.clone(), problems))?;
    let script = Script {
        source: &source,
        session: &session,
        answers: &outcome.answers,
        output: arguments.output,
    };
    let Some(program) = program else {
        script.answer(None)?;
        return script.show_queries(&|_| NOT_RUNNING.to_owned());
    };
    let mut options = EmbeddedOptions::default().workers(config.workers.unwrap_or(1));
    if let Some(interval) = config.commit_interval {
        options = options.commit_interval(Duration::from_millis(interval));
    }
    if arguments.once {
        options = options.bounded();
    }
    for name in &arguments.rebuild {
        options = options.rebuild(name);
    }
    for changes in &program.changes {
        let printer = Printer::new(changes.clone(), arguments.output);
        options = options.sink(&changes.name, std::sync::Arc::new(printer));
    }
    let state = open_state(state_dir.as_deref(), &config)?;
    // Known sinks keep their names.
    let program = session
        .program_on(&known_sinks(&state)?)
        .map_err(|problems| Failure::Statements(source.clone(), problems))?
        .unwrap_or(program);
    let stop = Stop::listen()?;
    let mut engine = Embedded::with_plans(&program.topology, state, options, &program.plans)?;
    engine.start()?;
    if arguments.once {
        once(engine, &program, &script, &stop)
    } else {
        let deadline = arguments
            .seconds
            .map(|seconds| Instant::now() + Duration::from_secs(seconds));
        for_ever(engine, &program, &script, &stop, deadline)
    }
}

/// Reads what is there, and prints the tables.
fn once(
    engine: Embedded,
    program: &Program,
    script: &Script<'_>,
    stop: &Stop,
) -> Result<(), Failure> {
    let mut watch = Watch::once(&engine, program);
    while engine.wait_for_others(Some(Duration::from_millis(100)))? == Outcome::TimedOut {
        watch.progress()?;
        if stop.is_asked() {
            watch.clear()?;
            engine.close(GRACE)?;
            return Err(Failure::Failed(
                "interrupted before all input was read".to_owned(),
            ));
        }
    }
    watch.clear()?;
    watch.tell_losses();
    if script.has_selects() {
        script.answer(Some(&engine.snapshot()))?;
    } else {
        print_tables(&engine, program, script.output)?;
    }
    script.show_queries(&|query| state_of(&engine, query))?;
    let all_went_well = verdict(&engine);
    engine.close(GRACE)?;
    all_went_well
}

/// Runs until stopped.
fn for_ever(
    engine: Embedded,
    program: &Program,
    script: &Script<'_>,
    stop: &Stop,
    deadline: Option<Instant>,
) -> Result<(), Failure> {
    if script.has_selects() {
        script.answer(None)?;
    }
    let mut watch = Watch::live(&engine, program, script.output);
    loop {
        let outcome = engine.wait_for_others(Some(Duration::from_millis(100)))?;
        if outcome != Outcome::TimedOut || stop.is_asked() || engine.is_nothing_left() {
            break;
        }
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            break;
        }
        watch.show()?;
    }
    watch.last(script.output)?;
    script.show_queries(&|query| state_of(&engine, query))?;
    let all_went_well = verdict(&engine);
    engine.close(GRACE)?;
    all_went_well
}

/// A failure that names the queries that failed, if any did.
fn verdict(engine: &Embedded) -> Result<(), Failure> {
    let failed = engine.failed_queries();
    if failed.is_empty() {
        return Ok(());
    }
    let failed = failed
        .iter()
        .map(|(query, message)| format!("query {query} failed: {message}"));
    let mut text = failed.collect::<Vec<_>>().join("; ");
    let detached = engine.detached_queries();
    if !detached.is_empty() {
        text.push_str(&format!("; with it stopped {}", detached.join(", ")));
    }
    Err(Failure::Failed(text))
}

/// What becomes of a query, in words.
fn state_of(engine: &Embedded, query: &str) -> String {
    let failed = engine.failed_queries();
    if let Some((_, message)) = failed.iter().find(|(failed, _)| failed == query) {
        return format!("failed: {message}");
    }
    if engine.detached_queries().iter().any(|name| name == query) {
        return "stopped with a query that failed".to_owned();
    }
    RUNNING.to_owned()
}

/// Prints the tables that queries keep, in the order in which they were created.
fn print_tables(engine: &Embedded, program: &Program, output: Output) -> Result<(), Failure> {
    let snapshot = engine.snapshot();
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let is_whole = |name: &str| state_of(engine, name) == RUNNING;
    let tables = program.tables.iter().filter(|table| !table.declared);
    for table in tables.filter(|table| is_whole(&table.name)) {
        render::stored(&mut out, &snapshot, table, output)?;
    }
    out.flush()?;
    Ok(())
}

/// Where state is kept; none where it is in memory.
fn state_dir(arguments: &Run, config: &Config) -> Option<PathBuf> {
    match &config.state_dir {
        Some(dir) => Some(dir.clone()),
        None if arguments.once => None,
        None => Some(default_dir(&arguments.file)),
    }
}

fn open_state(dir: Option<&Path>, config: &Config) -> Result<State, Failure> {
    let options = state_options(config);
    match dir {
        Some(dir) => Ok(State::open(dir, options)?),
        None => Ok(State::in_memory(options)),
    }
}

/// Limits of the state.
pub(super) fn state_options(config: &Config) -> StateOptions {
    config
        .memory
        .map_or_else(StateOptions::default, |mib| StateOptions {
            memory: mib << 20,
        })
}

fn default_dir(file: &Path) -> PathBuf {
    let name = file.file_stem().filter(|_| file != Path::new("-"));
    Path::new(".ferris").join(name.unwrap_or("input".as_ref()))
}
