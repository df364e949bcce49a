//! An application of SQL that is to fail.

use std::time::Duration;

use ferrisstreams_tests::{Ferris, Finished, Process, TestDir};

pub(crate) const LIMIT: Duration = Duration::from_secs(100);

/// An application that passes records on.
pub(crate) fn passing(from: &str, to: &str) -> String {
    format!(
        "CREATE STREAM s (k TEXT) FROM kafka://{from};\nINSERT INTO kafka://{to} SELECT k FROM s;\n"
    )
}

/// One that counts them.
pub(crate) fn counting(from: &str, to: &str) -> String {
    format!(
        "CREATE STREAM s (k TEXT) FROM kafka://{from};\n\
         CREATE TABLE t WITH (sink = 'kafka://{to}') AS SELECT k, COUNT(*) AS n FROM s GROUP BY k;\n"
    )
}

/// An application of which it is known how it ends.
pub(crate) struct Trial {
    pub(crate) id: &'static str,
    pub(crate) sql: String,
    pub(crate) status: i32,
    /// What it says.
    pub(crate) told: &'static [&'static str],
}

impl Trial {
    /// Starts it with these lines in the section `kafka` of its configuration.
    pub(crate) fn start(&self, properties: &str) -> Running<'_> {
        let dir = TestDir::new();
        let file = dir.write("app.sql", &self.sql);
        let config = dir.write("ferris.toml", format!("[kafka]\n{properties}"));
        let ferris = Ferris::new(["run"]).arg(file).arg("--config").arg(config);
        Running {
            trial: self,
            process: ferris.arg("--application-id").arg(self.id).start(),
            _dir: dir,
        }
    }
}

pub(crate) struct Running<'a> {
    trial: &'a Trial,
    process: Process,
    _dir: TestDir,
}

impl Running<'_> {
    /// Waits for the end, and checks it.
    pub(crate) fn check(self) -> Finished {
        let done = self.process.wait(LIMIT).assert_code(self.trial.status);
        let last: Vec<&str> = done
            .stderr
            .lines()
            .skip_while(|line| !line.starts_with("error"))
            .collect();
        let last = last.join("\n");
        for words in self.trial.told {
            let id = self.trial.id;
            assert!(
                last.contains(words),
                "{id}: no {words:?} in {:?}",
                done.stderr
            );
        }
        done
    }
}
