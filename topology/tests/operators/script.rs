//! Scripts of records, and what a topology makes of them.
//!
//! A script has cases. A case begins with `# NAME`, which names the topology that it is for; then come
//! commands, and indented below each what it shows:
//!
//! ```text
//! > SOURCE[/PARTITION] KEY=VALUE@TIME   feeds a record; shows what each sink gets because of it
//! restart                               goes on from committed state, as every run does
//! rows TABLE                            shows the rows of a table
//! described                             shows the topology as text
//! drawn                                 shows the topology as a Mermaid flowchart
//! ```
//!
//! `KEY@TIME` is a record without a value, and `-` the key of one that has none. ` +NAME=VALUE` adds a
//! header. A command that fails shows `error:` and why.
//!
//! Every case runs in several ways that must not show: by one task and by three, with a restart after
//! each command, and with its state on disk. `FERRIS_WRITE_SCRIPTS=1` writes what is shown into the
//! scripts, to be looked at and committed.

use std::fmt::Write;
use std::ops::ControlFlow;
use std::path::Path;

use ferrisstreams_topology::Topology;
use ferrisstreams_topology::codec::Key;
use ferrisstreams_topology::connector::{RawRecord, SinkRecord};
use ferrisstreams_topology::dsl::StreamsBuilder;
use ferrisstreams_topology::query::SnapshotTable;
use ferrisstreams_topology::record::{Data, Headers};
use ferrisstreams_topology::store::{State, StateOptions};
use ferrisstreams_topology::test_driver::{DriverOptions, TopologyTestDriver};

/// Adds the steps of a topology.
pub type Steps = fn(&StreamsBuilder);

/// A way in which a case is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    OneTask,
    ThreeTasks,
    RestartsAlways,
    OnDisk,
}

/// Runs the script `operators/NAME.txt`, each case with the topology that it names.
pub fn check(name: &str, topologies: &[(&str, Steps)]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/operators/{name}.txt"));
    let script = std::fs::read_to_string(&path).unwrap_or_default();
    let shown = show(&script, topologies, Way::OneTask);
    if std::env::var_os("FERRIS_WRITE_SCRIPTS").is_some() {
        std::fs::write(&path, &shown).unwrap();
    } else {
        assert_eq!(shown, script, "{name}.txt shows this:\n{shown}");
    }
    for way in [Way::ThreeTasks, Way::RestartsAlways, Way::OnDisk] {
        assert_eq!(
            show(&script, topologies, way),
            shown,
            "{name}.txt, run as {way:?}"
        );
    }
    for (topology, _) in topologies {
        assert!(
            script.contains(&format!("# {topology}\n")),
            "{name}.txt has no case for {topology}"
        );
    }
}

/// The script with what its commands show, whatever it says that they do.
fn show(script: &str, topologies: &[(&str, Steps)], way: Way) -> String {
    let mut shown = String::new();
    let mut run: Option<Run> = None;
    for line in script.lines() {
        if line.starts_with(' ') {
            continue;
        }
        writeln!(shown, "{line}").unwrap();
        if let Some(name) = line.strip_prefix("# ") {
            let steps = topologies.iter().find(|(topology, _)| *topology == name);
            let (_, steps) = steps.unwrap_or_else(|| panic!("there is no topology {name}"));
            run = Some(Run::new(*steps, way));
        } else if !line.is_empty() {
            let run = run.as_mut().expect("a case begins with its name");
            for line in run.command(line) {
                writeln!(shown, "  {line}").unwrap();
            }
        }
    }
    shown
}

/// A case at work.
struct Run {
    topology: Topology,
    driver: TopologyTestDriver,
    way: Way,
    /// Where the state is.
    _dir: tempfile::TempDir,
}

impl Run {
    fn new(steps: Steps, way: Way) -> Self {
        let builder = StreamsBuilder::new();
        steps(&builder);
        let topology = builder.build().unwrap();
        let dir = tempfile::tempdir().unwrap();
        let state = if way == Way::OnDisk {
            State::open(dir.path(), StateOptions::default()).unwrap()
        } else {
            State::in_memory(StateOptions::default())
        };
        let options = DriverOptions {
            lanes: if way == Way::ThreeTasks { 3 } else { 1 },
            ..DriverOptions::default()
        };
        Run {
            driver: TopologyTestDriver::with(&topology, state, options).unwrap(),
            topology,
            way,
            _dir: dir,
        }
    }

    fn command(&mut self, line: &str) -> Vec<String> {
        let result = match line.split_once(' ').unwrap_or((line, "")) {
            (">", record) => self.feed(record),
            ("restart", "") => self.driver.restart(),
            ("rows", table) => return self.rows(table),
            ("described", "") => return lines(&self.topology.describe()),
            ("drawn", "") => return lines(&self.topology.to_mermaid()),
            _ => panic!("`{line}` is no command"),
        };
        let mut lines: Vec<String> = result
            .err()
            .map(|e| format!("error: {e}"))
            .into_iter()
            .collect();
        for sink in self.topology.sinks() {
            let records = self.driver.read_raw(&sink).into_iter();
            lines.extend(records.map(|record| format!("{sink} {}", written(record))));
        }
        if self.way == Way::RestartsAlways {
            self.driver.restart().unwrap();
        }
        lines
    }

    fn feed(&mut self, line: &str) -> ferrisstreams_topology::Result<()> {
        let (source, record) = line.split_once(' ').unwrap();
        let (source, partition) = source.split_once('/').unwrap_or((source, "0"));
        let mut words = record.split(" +");
        let (content, time) = words.next().unwrap().rsplit_once('@').unwrap();
        let (key, value) = match content.split_once('=') {
            Some((key, value)) => (key, Some(value)),
            None => (content, None),
        };
        let headers = words.map(|header| header.split_once('=').unwrap());
        let headers = headers.fold(Headers::default(), |headers, (name, value)| {
            headers.with(name, value)
        });
        let record = RawRecord {
            key: (key != "-").then_some(key.as_bytes()),
            value: value.map(str::as_bytes),
            timestamp: time.parse().unwrap(),
            headers,
            ..RawRecord::default()
        };
        self.driver
            .pipe_raw_record(source, partition.parse().unwrap(), record)
    }

    fn rows(&self, name: &str) -> Vec<String> {
        let snapshot = self.driver.snapshot();
        let texts = snapshot
            .table::<String, String>(name)
            .map(|table| rows(&table));
        let numbers = || {
            snapshot
                .table::<String, i64>(name)
                .map(|table| rows(&table))
        };
        let optional = || {
            snapshot
                .table::<Option<String>, String>(name)
                .map(|table| rows(&table))
        };
        let pairs = || {
            snapshot
                .table::<(String, String), String>(name)
                .map(|table| rows(&table))
        };
        texts
            .or_else(|_| numbers())
            .or_else(|_| optional())
            .or_else(|_| pairs())
            .unwrap()
    }
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

fn rows<K: Key + std::fmt::Debug, V: Data + std::fmt::Display>(
    table: &SnapshotTable<K, V>,
) -> Vec<String> {
    let mut rows = Vec::new();
    table
        .for_each(|key, row| {
            let key = format!("{key:?}").replace('"', "");
            rows.push(format!("{key}={}@{}", row.value, row.timestamp));
            Ok(ControlFlow::Continue(()))
        })
        .unwrap();
    rows.sort();
    rows
}

fn written(record: SinkRecord) -> String {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let mut line = record.key.map_or("-".to_owned(), text);
    if let Some(value) = record.value {
        write!(line, "={}", text(value)).unwrap();
    }
    write!(line, "@{}", record.timestamp).unwrap();
    for header in record.headers.iter() {
        write!(
            line,
            " +{}={}",
            header.name,
            text(header.value.clone().unwrap_or_default())
        )
        .unwrap();
    }
    line
}
