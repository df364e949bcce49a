//! `ferris run --application-id`: an instance of an application on Kafka.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ferrisstreams::application::{Application, StreamsConfig, StreamsState};
use ferrisstreams::cluster::Cluster;
use ferrisstreams::connect::kafka::KafkaCluster;
use ferrisstreams::sql::Program;
use ferrisstreams::store::State;
use ferrisstreams::{Error, ErrorKind};

use super::answers::{NOT_RUNNING, RUNNING, Script};
use super::run::state_options;
use crate::args::Run;
use crate::config::{Config, options};
use crate::failure::{Failure, chain};
use crate::script;
use crate::signals::Stop;
use crate::watch::InstanceWatch;

/// How often it is looked whether the application is to stop.
const LOOK: Duration = Duration::from_millis(50);

/// Runs an instance of the application of this id until it is stopped.
pub(super) fn run(id: &str, arguments: &Run) -> Result<(), Failure> {
    check(arguments)?;
    let config = Config::read(&arguments.engine)?;
    let streams = settings(id, arguments, &config)?;
    let cluster = cluster(&streams)?;
    let source = script::read(&arguments.file)?;
    let base = script::base_of(&arguments.file);
    let restarting = config.state_dir.as_deref().is_some_and(State::is_in);
    // The topics are looked for as who the application is, whatever it was that said so.
    let kafka = streams.properties();
    let kafka = kafka.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let kafka = kafka.collect();
    let mut session = script::session_on_cluster(&config, kafka, base, restarting)?;
    let outcome = script::execute(&mut session, &source)?;
    let program = session
        .program_on_cluster()
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
    check_program(&program)?;
    let stop = Stop::listen()?;
    let made = Application::with_plans(&program.topology, cluster, streams, &program.plans);
    let mut app = made.map_err(told)?;
    app.start()?;
    let deadline = arguments
        .seconds
        .map(|seconds| Instant::now() + Duration::from_secs(seconds));
    watch(id, app, &program, &script, &stop, deadline)
}

/// The settings of the application: flags count over the file, and what is said of this application over
/// what is said of all that ferris does.
fn settings(id: &str, arguments: &Run, config: &Config) -> Result<StreamsConfig, Failure> {
    let mut streams = StreamsConfig::new(id)
        .num_stream_threads(config.workers.unwrap_or(1))
        .state_options(state_options(config));
    for (name, value) in options(&config.kafka) {
        streams = streams.property(&name, &value);
    }
    if let Some(interval) = config.commit_interval {
        streams = streams.commit_interval(Duration::from_millis(interval));
    }
    if let Some(dir) = &config.state_dir {
        streams = streams.state_dir(dir);
    }
    let mut given: Vec<(String, String)> = options(&config.application).into_iter().collect();
    for property in &arguments.property {
        let Some((name, value)) = property.split_once('=') else {
            let message = format!("--property {property} has no value: write NAME=VALUE");
            return Err(Failure::Usage(message));
        };
        given.push((name.trim().to_owned(), value.to_owned()));
    }
    if let Some(threads) = arguments.threads {
        given.push(("num.stream.threads".to_owned(), threads.to_string()));
    }
    for (name, value) in &given {
        let plain = name.to_ascii_lowercase().replace(['-', '_'], ".");
        if matches!(&plain[..], "application.id" | "state.dir") {
            let message = format!(
                "{name} is no setting here: give --{}",
                plain.replace('.', "-")
            );
            return Err(Failure::Usage(message));
        }
        streams = streams.property(name, value);
    }
    Ok(streams)
}

/// Checks what can be said of an application beside its id.
fn check(arguments: &Run) -> Result<(), Failure> {
    let wrong = if arguments.once {
        "--once stops when all input has been read, and an application on a cluster goes on with what others \
         leave it: leave out --once or --application-id"
    } else if !arguments.rebuild.is_empty() {
        "--rebuild makes the state of one process anew, and that of an application is on the cluster: leave \
         it out, and run what has changed under another --application-id"
    } else if arguments.threads == Some(0) {
        "--threads must be at least 1"
    } else {
        return Ok(());
    };
    Err(Failure::Usage(wrong.to_owned()))
}

/// The cluster of the default properties.
fn cluster(streams: &StreamsConfig) -> Result<Arc<dyn Cluster>, Failure> {
    let known = |(name, _): (&str, &str)| {
        matches!(
            &name.to_ascii_lowercase().replace(['-', '_'], ".")[..],
            "bootstrap.servers"
        )
    };
    if !streams.properties().any(known) {
        let message = "--application-id needs a cluster: say where its brokers are with --bootstrap-servers \
                       HOST:PORT, or with bootstrap.servers in [kafka] of the configuration";
        return Err(Failure::Usage(message.to_owned()));
    }
    match KafkaCluster::new(streams.properties()) {
        Ok(cluster) => Ok(Arc::new(cluster)),
        Err(e) => Err(Failure::Usage(chain(&e))),
    }
}

/// Checks that no process would have to show what others know.
fn check_program(program: &Program) -> Result<(), Failure> {
    match program.changes.first() {
        None => Ok(()),
        Some(_) => Err(Failure::Usage(
            "SELECT ... EMIT CHANGES shows all changes in one process, and in an application on a cluster none \
             has all of them: write them to a topic with INSERT INTO, or with sink = 'kafka://topic'"
                .to_owned(),
        )),
    }
}

/// A failure to prepare the application: of the statements and settings, or of the world.
fn told(e: Error) -> Failure {
    match e.kind() {
        ErrorKind::Invalid | ErrorKind::NotFound => Failure::Usage(chain(&e)),
        _ => e.into(),
    }
}

/// Shows how the instance is until it is to stop; then it commits and ends.
fn watch(
    id: &str,
    app: Application,
    program: &Program,
    script: &Script<'_>,
    stop: &Stop,
    deadline: Option<Instant>,
) -> Result<(), Failure> {
    if script.has_selects() {
        script.answer(None)?;
    }
    let mut watch = InstanceWatch::new(id, &app, program, script.output);
    let is_over = |state| matches!(state, StreamsState::Error | StreamsState::NotRunning);
    while !is_over(app.state()) && !stop.is_asked() {
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            break;
        }
        watch.show()?;
        std::thread::sleep(LOOK);
    }
    watch.last(script.output)?;
    let state = match app.error() {
        Some(error) => format!("failed: {error}"),
        None => RUNNING.to_owned(),
    };
    script.show_queries(&|_| state.clone())?;
    Ok(app.close()?)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::{Arguments, Command};

    fn wrong(arguments: &[&str]) -> String {
        let all = ["ferris", "run", "app.sql", "--application-id", "app"];
        let parsed = Arguments::try_parse_from(all.iter().chain(arguments)).expect("they fit");
        let Command::Run(arguments) = parsed.command else {
            unreachable!("it is run");
        };
        match check(&arguments) {
            Err(Failure::Usage(message)) => message,
            _ => String::new(),
        }
    }

    #[test]
    fn what_makes_no_sense_together_is_refused() {
        assert!(wrong(&["--once"]).contains("leave out --once or --application-id"));
        assert!(wrong(&["--rebuild", "t"]).contains("another --application-id"));
        assert!(wrong(&["--threads", "0"]).contains("at least 1"));
        assert_eq!(wrong(&["--threads", "2"]), "");
        let alone = ["ferris", "run", "app.sql", "--threads", "2"];
        assert!(Arguments::try_parse_from(alone).is_err());
    }

    #[test]
    fn a_cluster_must_be_named() {
        let Err(Failure::Usage(told)) = cluster(&StreamsConfig::new("app")) else {
            panic!("no cluster was named");
        };
        assert!(told.contains("--bootstrap-servers"), "{told}");
        let named = StreamsConfig::new("app").property("bootstrap_servers", "127.0.0.1:9");
        assert!(cluster(&named).is_ok());
    }
}
