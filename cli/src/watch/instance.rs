//! What is seen of an instance of an application: its state, its tasks, and the tables of these.

use std::collections::BTreeSet;
use std::time::Instant;

use ferrisstreams::application::{Application, RestoreProgress, StreamsState};
use ferrisstreams::connector::Health;
use ferrisstreams::sql::Program;

use super::number::grouped;
use super::screen::Screen;
use super::{LINE, PICTURE, draws_live, tables};
use crate::args::Output;
use crate::failure::Failure;
use crate::script;

/// Shows how an instance of an application is, from time to time.
pub(crate) struct InstanceWatch<'a> {
    id: &'a str,
    app: &'a Application,
    program: &'a Program,
    screen: Screen,
    draws: bool,
    next: Instant,
    told: String,
}

impl<'a> InstanceWatch<'a> {
    /// Begins to watch.
    pub(crate) fn new(
        id: &'a str,
        app: &'a Application,
        program: &'a Program,
        output: Output,
    ) -> Self {
        InstanceWatch {
            id,
            app,
            program,
            screen: Screen::new(),
            draws: draws_live(false, output),
            next: Instant::now(),
            told: String::new(),
        }
    }

    /// Shows the state and the tables: a picture on a terminal; elsewhere a line where the state is news.
    pub(crate) fn show(&mut self) -> Result<(), Failure> {
        if Instant::now() < self.next {
            return Ok(());
        }
        let line = self.line();
        let health = self.app.health();
        let health = (health != Health::Healthy).then(|| format!("{}  {health}", self.id));
        if self.draws {
            self.next = Instant::now() + PICTURE;
            let (width, height) = self.screen.size();
            let room = (width, height.saturating_sub(3));
            let mut lines = vec![line];
            lines.extend(health);
            lines.extend(tables::picture(self.program, || self.app.snapshot(), room)?);
            return Ok(self.screen.draw(&lines)?);
        }
        let told: Vec<String> = [line].into_iter().chain(health).collect();
        let told = told.join("\n");
        if told != self.told {
            self.next = Instant::now() + LINE;
            script::eprint(&format!("{told}\n"));
            self.told = told;
        }
        Ok(())
    }

    /// Leaves the last state behind: what this instance has of each table.
    pub(crate) fn last(&mut self, output: Output) -> Result<(), Failure> {
        self.screen.clear()?;
        script::eprint(&format!("{}\n", self.line()));
        for line in self.losses() {
            script::eprint(&format!("{line}\n"));
        }
        tables::print(self.program, &self.app.snapshot(), output)
    }

    fn line(&self) -> String {
        // Asked first: whatever becomes known meanwhile is in the progress.
        let all_known = self.app.unmeasured_tasks().is_empty();
        line(
            self.id,
            self.app.state(),
            &self.app.running_tasks(),
            &progress(&self.app.restore_progress(), all_known),
        )
    }

    fn losses(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (name, stats) in self.app.node_stats() {
            let mut tell = |count: u64, what: &str| {
                if count > 0 {
                    lines.push(format!("{name}: {} {what}", grouped(count)));
                }
            };
            tell(stats.failed(), "records could not be read or computed");
            tell(
                stats.rounded(),
                "numbers were rounded to the digits that their columns keep",
            );
            tell(stats.missing(), "records found no row to join");
        }
        lines
    }
}

/// How an instance is, in a line.
fn line(id: &str, state: StreamsState, tasks: &BTreeSet<u16>, progress: &str) -> String {
    let state = match state {
        StreamsState::Created => "CREATED",
        StreamsState::Rebalancing => "REBALANCING",
        StreamsState::Running => "RUNNING",
        StreamsState::PendingShutdown => "PENDING_SHUTDOWN",
        StreamsState::NotRunning => "NOT_RUNNING",
        StreamsState::Error => "ERROR",
        _ => "UNKNOWN",
    };
    format!("{id}  {state}  {}{progress}", in_words(tasks))
}

/// How far the rows are that are brought up to date, how fast that goes, and how long it still takes; the last only
/// where all that is missing is known.
fn progress(restores: &[RestoreProgress], all_known: bool) -> String {
    let missing = |restore: &RestoreProgress| restore.total - restore.restored;
    let missing: u64 = restores.iter().map(missing).sum();
    if missing == 0 {
        return String::new();
    }
    if !all_known {
        return format!("  at least {} changes to restore", grouped(missing));
    }
    let mut words = format!("  {} changes to restore", grouped(missing));
    let rate: f64 = restores.iter().map(RestoreProgress::rate).sum();
    if rate >= 1.0 {
        let left = (missing as f64 / rate).ceil() as u64;
        let left = match left {
            ..120 => format!("{left} s"),
            120..7_200 => format!("{} min", left.div_ceil(60)),
            _ => format!("{} h", left.div_ceil(3_600)),
        };
        words.push_str(&format!(", {} a second, {left} left", grouped(rate as u64)));
    }
    words
}

/// Tasks by their numbers, those that follow one another together.
fn in_words(tasks: &BTreeSet<u16>) -> String {
    let mut runs: Vec<(u16, u16)> = Vec::new();
    for task in tasks {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == *task => *last = *task,
            _ => runs.push((*task, *task)),
        }
    }
    let words = runs.iter().map(|(first, last)| match last - first {
        0 => first.to_string(),
        1 => format!("{first}, {last}"),
        _ => format!("{first} to {last}"),
    });
    let words: Vec<String> = words.collect();
    match tasks.len() {
        0 => "no tasks".to_owned(),
        1 => format!("task {}", words.join(", ")),
        _ => format!("tasks {}", words.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn an_instance_is_told_in_a_line() {
        let running = BTreeSet::from([0, 1, 2, 5, 7, 8]);
        assert_eq!(
            line("app", StreamsState::Running, &running, ""),
            "app  RUNNING  tasks 0 to 2, 5, 7, 8"
        );
        assert_eq!(
            line(
                "app",
                StreamsState::Rebalancing,
                &BTreeSet::from([3]),
                &progress(&[restore(1_000, 0, 1), restore(234, 0, 1)], true)
            ),
            "app  REBALANCING  task 3  1,234 changes to restore"
        );
        let none = BTreeSet::new();
        assert_eq!(
            line(
                "app",
                StreamsState::Error,
                &none,
                &progress(&[restore(7, 7, 1)], true)
            ),
            "app  ERROR  no tasks"
        );
    }

    #[test]
    fn what_is_restored_is_told_with_its_rate_and_the_time_that_is_left() {
        for (restores, told) in [
            (
                vec![restore(50_000, 10_000, 2), restore(30_000, 30_000, 2)],
                "  40,000 changes to restore, 20,000 a second, 2 s left",
            ),
            (
                vec![restore(1_000_000, 1_000, 1)],
                "  999,000 changes to restore, 1,000 a second, 17 min left",
            ),
            (
                vec![restore(100_000_000, 1_000, 1)],
                "  99,999,000 changes to restore, 1,000 a second, 28 h left",
            ),
        ] {
            assert_eq!(progress(&restores, true), told);
        }
    }

    #[test]
    fn no_time_is_told_while_it_is_not_known_what_some_tasks_miss() {
        let restores = [restore(50_000, 10_000, 2)];
        assert_eq!(
            progress(&restores, false),
            "  at least 40,000 changes to restore"
        );
    }

    fn restore(total: u64, restored: u64, seconds: u64) -> RestoreProgress {
        RestoreProgress {
            task: 0,
            total,
            restored,
            elapsed: Duration::from_secs(seconds),
        }
    }
}
