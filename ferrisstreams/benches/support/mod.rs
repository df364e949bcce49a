//! Measuring, and running SQL until its inputs end.

use std::sync::Arc;

use ferrisstreams::connect::Connections;
use ferrisstreams::runtime::{Embedded, EmbeddedOptions};
use ferrisstreams::sql::{Session, Source};
use ferrisstreams::store::{State, StateOptions};
use ferrisstreams::time::seconds;
use rustix::time::{ClockId, clock_gettime};

/// How often everything is measured; the least counts.
const RUNS: usize = 3;

/// Measurements, and what they came to.
pub struct Bench {
    filter: Option<String>,
    rows: Vec<[String; 4]>,
}

impl Bench {
    /// Measurements whose names contain the first argument that is no flag.
    pub fn from_args() -> Self {
        Bench {
            filter: std::env::args()
                .skip(1)
                .find(|argument| !argument.starts_with('-')),
            rows: Vec::new(),
        }
    }

    fn is_wanted(&self, name: &str) -> bool {
        self.filter
            .as_ref()
            .is_none_or(|filter| name.contains(filter))
    }

    /// Measures the engine, and something else that does the same.
    pub fn compare<A, B>(
        &mut self,
        name: &str,
        records: usize,
        engine: impl Fn() -> A,
        other: impl Fn() -> B,
    ) {
        if !self.is_wanted(name) {
            return;
        }
        let (ours, theirs) = interleaved(engine, other);
        let (ours, theirs) = (ours / records as f64, theirs / records as f64);
        self.rows.push([
            name.to_owned(),
            format!("{ours:.0}"),
            format!("{theirs:.0}"),
            format!("{:.2}", ours / theirs),
        ]);
    }

    /// Measures the engine at work, less what its preparation costs alone.
    pub fn difference<A, B>(
        &mut self,
        name: &str,
        records: usize,
        whole: impl Fn() -> A,
        part: impl Fn() -> B,
    ) {
        if !self.is_wanted(name) {
            return;
        }
        let (whole, part) = interleaved(whole, part);
        let ours = (whole - part) / records as f64;
        self.rows.push([
            name.to_owned(),
            format!("{ours:.0}"),
            "-".to_owned(),
            "-".to_owned(),
        ]);
    }

    /// Prints all of it.
    pub fn print(&self) {
        println!("| measured | ns a record | the other | ratio |");
        println!("|---|--:|--:|--:|");
        for row in &self.rows {
            println!("| {} |", row.join(" | "));
        }
    }
}

/// The least nanoseconds of CPU that each of two takes, run by turns.
fn interleaved<A, B>(first: impl Fn() -> A, second: impl Fn() -> B) -> (f64, f64) {
    let mut least = (f64::MAX, f64::MAX);
    for _ in 0..RUNS {
        least.0 = least.0.min(cpu_time(&first));
        least.1 = least.1.min(cpu_time(&second));
    }
    least
}

/// Nanoseconds of CPU that the process spends, all threads together.
fn cpu_time<T>(work: &impl Fn() -> T) -> f64 {
    let now = || {
        let time = clock_gettime(ClockId::ProcessCPUTime);
        time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
    };
    let before = now();
    std::hint::black_box(work());
    now() - before
}

/// Runs statements until their inputs end, with state in memory.
pub fn run_sql(sql: &str) {
    run(sql, State::in_memory(StateOptions::default()));
}

/// Runs statements until their inputs end, with state on disk.
pub fn run_sql_on_disk(sql: &str) {
    let dir = tempfile::tempdir().expect("a directory for the state");
    run(
        sql,
        State::open(dir.path(), StateOptions::default()).expect("a new state"),
    );
}

fn run(sql: &str, state: State) {
    let mut session = Session::new(Arc::new(Connections::new()));
    let source = Source::new("bench", sql);
    let outcome = session.execute(&source);
    assert!(!outcome.has_errors(), "{:?}", outcome.diagnostics);
    let program = session
        .program()
        .expect("statements that can run")
        .expect("something that runs");
    let options = EmbeddedOptions::default().bounded();
    let mut engine = Embedded::with_plans(&program.topology, state, options, &program.plans)
        .expect("a good topology");
    engine.start().expect("threads");
    engine.wait(None).expect("no failure");
    engine.close(seconds(10)).expect("a last commit");
}
