//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// SQL over Kafka topics, files and other sources, as tables that stay current.
#[derive(Debug, Parser)]
#[command(name = "ferris", version, disable_help_subcommand = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the statements of a file until stopped
    Run(Run),
    /// Run statements that are given or typed
    Sql(Sql),
    /// Show what becomes of the statements of a file, in stages
    Explain(Explain),
}

/// `ferris run`
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// The file with the statements; - is standard input
    pub(crate) file: PathBuf,
    /// Stop when all input that is there has been read, and print the tables
    #[arg(long)]
    pub(crate) once: bool,
    /// How results are printed
    #[arg(long, value_enum, default_value_t = Output::Table)]
    pub(crate) output: Output,
    /// Stop after this many seconds
    #[arg(long = "for", value_name = "SECONDS")]
    pub(crate) seconds: Option<u64>,
    /// Make the state of a table anew from its sources, such as after a change of its query
    #[arg(long, value_name = "TABLE")]
    pub(crate) rebuild: Vec<String>,
    /// Run as an instance of an application on Kafka: all that run under this id share the work
    #[arg(long, value_name = "NAME", env = "FERRIS_APPLICATION_ID")]
    pub(crate) application_id: Option<String>,
    /// The number of threads of an instance of an application [default: 1]
    #[arg(long, value_name = "N", requires = "application_id")]
    pub(crate) threads: Option<u16>,
    /// A setting of the application by Kafka Streams' name, such as num.standby.replicas=1, or a property
    /// of its clients by librdkafka's; may be given several times
    #[arg(long, value_name = "NAME=VALUE", requires = "application_id")]
    pub(crate) property: Vec<String>,
    #[command(flatten)]
    pub(crate) engine: Engine,
}

/// `ferris sql`
#[derive(Debug, Args)]
pub(crate) struct Sql {
    /// The statements; without them they are read from standard input
    pub(crate) statements: Vec<String>,
    /// How results are printed
    #[arg(long, value_enum, default_value_t = Output::Table)]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) engine: Engine,
}

/// `ferris explain`
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The file with the statements; - is standard input
    pub(crate) file: PathBuf,
    /// Show the whole topology as a Mermaid diagram instead
    #[arg(long)]
    pub(crate) mermaid: bool,
    #[command(flatten)]
    pub(crate) engine: Engine,
}

/// What all commands take.
#[derive(Debug, Args)]
pub(crate) struct Engine {
    /// Where state is kept [default: .ferris/NAME beside where ferris runs; in memory with --once and
    /// with --application-id]
    #[arg(long, value_name = "DIR", env = "FERRIS_STATE_DIR")]
    pub(crate) state_dir: Option<PathBuf>,
    /// A file with settings and connections, in TOML
    #[arg(long, value_name = "FILE", env = "FERRIS_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// The Kafka brokers that kafka://topic means
    #[arg(long, value_name = "HOST:PORT", env = "FERRIS_BOOTSTRAP_SERVERS")]
    pub(crate) bootstrap_servers: Option<String>,
    /// The number of threads that process records
    #[arg(long, value_name = "N", env = "FERRIS_WORKERS")]
    pub(crate) workers: Option<u16>,
    /// Memory for all state together, in MiB [default: 288]
    #[arg(long, value_name = "MIB", env = "FERRIS_MEMORY")]
    pub(crate) memory: Option<usize>,
    /// The time between commits while records come in slowly, in milliseconds
    #[arg(long, value_name = "MS", env = "FERRIS_COMMIT_INTERVAL")]
    pub(crate) commit_interval: Option<u64>,
}

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// A table with lines, for people
    Table,
    /// Comma-separated values, each table behind a line with its name
    Csv,
    /// A JSON object a line, each table behind an object with its name
    Json,
}
