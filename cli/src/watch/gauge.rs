//! How a table stands: what was read for it, how fast, and how far there is to go.

use std::sync::Arc;
use std::time::Instant;

use ferrisstreams::NodeStats;
use ferrisstreams::connector::Health;
use ferrisstreams::runtime::{Embedded, SourceStatus};
use ferrisstreams::sql::{Program, Table, count_rows};

use super::number::{bar, grouped, left, rate};

/// Beyond so many rows a table is not counted while it is watched.
const COUNTED: u64 = 100_000;
/// The width of a bar.
const BAR: usize = 20;

/// What is measured of each table from one look to the next.
pub(super) struct Gauges {
    tables: Vec<Measured>,
    looked: Instant,
}

struct Measured {
    table: Arc<Table>,
    /// The sources that are read for it alone, or with others.
    sources: Vec<SourceStatus>,
    /// What its steps count, the last one first; those that nobody reads count nothing.
    changes: Vec<Arc<NodeStats>>,
    read: u64,
    changed: u64,
    told: Option<(u64, u64, String)>,
}

/// How a table stands.
pub(super) struct Gauge {
    name: String,
    state: State,
    rows_per_second: f64,
    changes_per_second: f64,
    rows: Option<u64>,
    bad: u64,
    width: usize,
    /// True where something is otherwise than at the last look.
    pub(super) is_news: bool,
}

enum State {
    CatchingUp {
        share: f64,
        seconds_left: Option<f64>,
    },
    Live,
    Unwell(String),
}

impl Gauges {
    pub(super) fn new(engine: &Embedded, program: &Program) -> Self {
        let sources = engine.sources();
        let nodes = engine.node_stats();
        let tables = program.tables.iter().map(|table| {
            let prefix = format!("{}.", table.name);
            let is_its_own = |name: &str| name == table.name || name.starts_with(&prefix);
            let mine =
                |source: &&SourceStatus| source.query == table.name || is_its_own(&source.name);
            let own = nodes.iter().rev().filter(|(name, _)| is_its_own(name));
            Measured {
                table: table.clone(),
                sources: sources.iter().filter(mine).cloned().collect(),
                changes: own.map(|(_, stats)| stats.clone()).collect(),
                read: 0,
                changed: 0,
                told: None,
            }
        });
        Gauges {
            tables: tables.collect(),
            looked: Instant::now(),
        }
    }

    /// How the tables stand now.
    pub(super) fn read(&mut self, engine: &Embedded) -> Vec<Gauge> {
        let seconds = self.looked.elapsed().as_secs_f64().max(1e-3);
        self.looked = Instant::now();
        let snapshot = engine.snapshot();
        let names = self.tables.iter().map(|measured| measured.table.name.len());
        let width = names.max().unwrap_or(0);
        let (failed, detached) = (engine.failed_queries(), engine.detached_queries());
        let ended = |name: &str| {
            let failed = failed.iter().find(|(failed, _)| failed == name);
            let detached = detached.iter().any(|detached| detached == name);
            match failed {
                Some((_, message)) => Some(State::Unwell(format!("failed: {message}"))),
                None => {
                    detached.then(|| State::Unwell("stopped with a query that failed".to_owned()))
                }
            }
        };
        let gauge = |measured: &mut Measured| {
            let ended = ended(&measured.table.name);
            let rows = count_rows(&snapshot, &measured.table, COUNTED)
                .ok()
                .flatten();
            measured.gauge(seconds, rows, width, ended)
        };
        self.tables.iter_mut().map(gauge).collect()
    }
}

impl Measured {
    fn gauge(
        &mut self,
        seconds: f64,
        rows: Option<u64>,
        width: usize,
        ended: Option<State>,
    ) -> Gauge {
        let read: u64 = self
            .sources
            .iter()
            .map(|source| source.stats.records())
            .sum();
        let counts = self.changes.iter().map(|stats| stats.records());
        let changed = counts.into_iter().find(|count| *count > 0).unwrap_or(0);
        let bad: u64 = self.sources.iter().map(|source| source.node.failed()).sum();
        let rows_per_second = (read - self.read.min(read)) as f64 / seconds;
        let changes_per_second = (changed - self.changed.min(changed)) as f64 / seconds;
        (self.read, self.changed) = (read, changed);
        let state = ended.unwrap_or_else(|| self.state(rows_per_second));
        let told = Some((read, changed, state.to_string()));
        let is_news = told != self.told;
        self.told = told;
        Gauge {
            name: self.table.name.clone(),
            state,
            rows_per_second,
            changes_per_second,
            rows,
            bad,
            width,
            is_news,
        }
    }

    fn state(&self, rows_per_second: f64) -> State {
        let health = self.sources.iter().map(|source| source.stats.health());
        if let Some(unwell) = health.into_iter().find(|health| *health != Health::Healthy) {
            return State::Unwell(unwell.to_string());
        }
        let progress = self
            .sources
            .iter()
            .filter_map(|source| source.stats.progress());
        let (done, total) = progress.fold((0, 0), |(done, total), (d, t)| (done + d, total + t));
        if done >= total {
            return State::Live;
        }
        let share = done as f64 / total as f64;
        let read: u64 = self
            .sources
            .iter()
            .map(|source| source.stats.records())
            .sum();
        // What is left, if what is to come is like what was.
        let left = read as f64 * (1.0 - share) / share;
        State::CatchingUp {
            share,
            seconds_left: (rows_per_second > 0.0 && share > 0.0).then(|| left / rows_per_second),
        }
    }
}

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            State::CatchingUp { .. } => f.write_str("catching up"),
            State::Live => f.write_str("live"),
            State::Unwell(how) => f.write_str(how),
        }
    }
}

impl Gauge {
    /// All of it in a line.
    pub(super) fn line(&self) -> String {
        let mut parts = vec![format!("{:width$}", self.name, width = self.width)];
        parts.push(format!("{:11}", self.state.to_string()));
        if let State::CatchingUp {
            share,
            seconds_left,
        } = &self.state
        {
            parts.push(format!("{} {:3.0} %", bar(*share, BAR), share * 100.0));
            parts.push(rate(self.rows_per_second, "rows"));
            if let Some(seconds) = seconds_left {
                parts.push(format!("{} left", left(*seconds)));
            }
        } else {
            let rows = match self.rows {
                Some(1) => "1 row".to_owned(),
                Some(rows) => format!("{} rows", grouped(rows)),
                None => format!("over {} rows", grouped(COUNTED)),
            };
            parts.push(format!("{rows:>12}"));
            parts.push(rate(self.changes_per_second, "changes"));
        }
        if self.bad > 0 {
            parts.push(format!("{} bad", grouped(self.bad)));
        }
        parts.join("  ").trim_end().to_owned()
    }
}

/// What was lost or could not be read, a line each.
pub(super) fn losses(engine: &Embedded) -> Vec<String> {
    let mut lines = Vec::new();
    for source in engine.sources() {
        let bad = source.node.failed();
        if bad > 0 {
            lines.push(format!(
                "{}: {} records could not be read",
                source.location,
                grouped(bad)
            ));
        }
        let rounded = source.node.rounded();
        if rounded > 0 {
            lines.push(format!(
                "{}: {} numbers were rounded to the digits that their columns keep",
                source.location,
                grouped(rounded)
            ));
        }
        let lost = source.stats.lost_bytes();
        if lost > 0 {
            lines.push(format!(
                "{}: {} bytes went away unread",
                source.location,
                grouped(lost)
            ));
        }
    }
    for (name, stats) in engine.node_stats() {
        if stats.missing() > 0 {
            lines.push(format!(
                "{name}: {} records found no row to join",
                grouped(stats.missing())
            ));
        }
    }
    lines.dedup();
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gauge(state: State) -> Gauge {
        Gauge {
            name: "orders".to_owned(),
            state,
            rows_per_second: 1_900_000.0,
            changes_per_second: 7.0,
            rows: Some(100_000),
            bad: 0,
            width: 8,
            is_news: true,
        }
    }

    #[test]
    fn a_line_says_how_far_or_how_many() {
        let live = gauge(State::Live);
        assert_eq!(
            live.line(),
            "orders    live         100,000 rows  7 changes/s"
        );
        let behind = gauge(State::CatchingUp {
            share: 0.5,
            seconds_left: Some(4.0),
        });
        let line = behind.line();
        assert!(
            line.starts_with("orders    catching up  ██████████"),
            "{line}"
        );
        assert!(line.ends_with("50 %  1.9 M rows/s  0:04 left"), "{line}");
    }

    #[test]
    fn bad_records_are_told() {
        let mut gauge = gauge(State::Unwell("file not found".to_owned()));
        gauge.bad = 3;
        gauge.rows = None;
        let line = gauge.line();
        assert!(
            line.contains("file not found") && line.ends_with("3 bad"),
            "{line}"
        );
    }
}
