//! An application on Kafka: start it once more and the work is shared, end or kill one and another takes
//! over. The clicks of each user are counted, and those of each section of the site, which another task
//! may have to do; each click is passed on with the user's name in front. What each user has clicked is
//! joined with the plan that the user has.
//!
//! ```text
//! cargo run -p ferrisstreams-examples --bin kafka_application -- \
//!     --bootstrap-servers localhost:9092 --state state/1 \
//!     --clicks clicks --plans plans --totals totals --sections sections --seen seen --usage usage
//! ```
//!
//! Clicks have the user as their key and a page as their value, as `shop/cart`. Counts and clicks that are read with `isolation.level` at
//! `read_committed` come once each, whatever happens to the processes.

use std::error::Error;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use clap::Parser;
use ferrisstreams::prelude::*;

/// Counts clicks by user, from one topic to another.
#[derive(Parser)]
struct Arguments {
    /// The Kafka brokers
    #[arg(long)]
    bootstrap_servers: String,
    /// The name under which processes share the work
    #[arg(long, default_value = "clicks-by-user")]
    application_id: String,
    /// Where this process keeps its state; in memory if it is not said
    #[arg(long)]
    state: Option<PathBuf>,
    /// The number of threads
    #[arg(long, default_value_t = 2)]
    threads: u16,
    /// The topic with clicks
    #[arg(long)]
    clicks: String,
    /// The topic with the plan of each user
    #[arg(long)]
    plans: String,
    /// The topic that counts by user go to
    #[arg(long)]
    totals: String,
    /// The topic that counts by section go to
    #[arg(long)]
    sections: String,
    /// The topic that clicks go to
    #[arg(long)]
    seen: String,
    /// The topic that counts with the user's plan go to
    #[arg(long)]
    usage: String,
    /// How many other processes keep rows up to date, to take over at once
    #[arg(long, default_value_t = 0)]
    standbys: usize,
}

fn topology(arguments: &Arguments) -> ferrisstreams::Result<Topology> {
    let builder = StreamsBuilder::new();
    let clicks = builder.stream::<String, String>(&arguments.clicks, Consumed::plain());
    clicks
        .map(|user, page| (user.clone(), format!("{user} {page}")))
        .to(&arguments.seen, Produced::plain());
    let totals = clicks
        .group_by_key()
        .count(Materialized::named("clicks-by-user"));
    totals.to_stream().to(&arguments.totals, Produced::json());
    let plans = builder.table::<String, String>(
        &arguments.plans,
        Consumed::plain(),
        Materialized::named("plan-by-user"),
    );
    let usage = |count: &i64, plan: &String| format!("{count} on {plan}");
    totals
        .join(&plans, usage, Joined::named("usage"))
        .to_stream()
        .to(&arguments.usage, Produced::plain());
    clicks
        .group_by(|_, page| section(page), Grouped::named("by-section"))
        .count(Materialized::named("clicks-by-section"))
        .to_stream()
        .to(&arguments.sections, Produced::json());
    builder.build()
}

/// What stands before the first `/`.
fn section(page: &str) -> String {
    page.split('/').next().unwrap_or(page).to_owned()
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::WARN)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .init();
    let stop = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(signal_hook::consts::SIGTERM, stop.clone())?;
    signal_hook::flag::register(signal_hook::consts::SIGINT, stop.clone())?;

    let mut config = StreamsConfig::new(&arguments.application_id)
        .bootstrap_servers(&arguments.bootstrap_servers)
        .num_stream_threads(arguments.threads)
        .num_standby_replicas(arguments.standbys);
    if let Some(state) = &arguments.state {
        config = config.state_dir(state);
    }
    let mut app = Streams::new(&topology(&arguments)?, config)?;
    let (changed, changes) = channel();
    app.on_state_change(move |_, state| {
        let _ = changed.send(state);
    });
    app.start()?;
    while !stop.load(Ordering::Acquire) {
        match changes.recv_timeout(Duration::from_millis(100)) {
            Ok(StreamsState::Error) => break,
            Ok(state) => {
                let mut out = std::io::stdout().lock();
                writeln!(out, "{state:?} with tasks {:?}", app.running_tasks())?;
                out.flush()?;
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    app.close()?;
    Ok(())
}
