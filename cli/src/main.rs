//! The command `ferris`: SQL over streams, from the command line.
//!
//! Results go to standard output, everything else to standard error. The exit status is 0 where all
//! went well, 1 where something failed while running, 2 where the SQL or the command line is wrong.

mod allocator;
mod args;
mod failure;
mod config;
mod script;
mod signals;
mod render;
mod watch;
mod commands;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    allocator::set_up();
    let arguments = args::Arguments::parse();
    let level = if watch::draws(&arguments) {
        "off"
    } else {
        "warn"
    };
    let filter = tracing_subscriber::EnvFilter::try_from_env("FERRIS_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(level));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false)
        .without_time()
        .init();
    match commands::run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.tell();
            failure.exit_code()
        }
    }
}
