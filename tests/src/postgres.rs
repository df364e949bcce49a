//! A PostgreSQL server as tests use it: SQL in, rows of text out, through the program psql.

use std::process::{Command, Stdio};

use crate::process::{Finished, Process};
use crate::service;

/// One row: each value as PostgreSQL prints it, `None` for NULL.
pub type Row = Vec<Option<String>>;

// Separators that text of tests does not contain.
const FIELD: &str = "\u{1f}";
const RECORD: &str = "\u{1e}";
const NULL: &str = "\u{15}";

/// How long a script of SQL may take.
const LIMIT: std::time::Duration = std::time::Duration::from_secs(60);

/// A database on a PostgreSQL 15 server, with `wal_level` `logical`, collation C and time zone UTC.
#[derive(Clone, Debug)]
pub struct Postgres {
    url: String,
}

impl Postgres {
    /// The database that all tests of this run share; `None`, and a line that says so, when there is none. A test
    /// that makes tables uses a [`fresh_database`](Postgres::fresh_database).
    #[must_use]
    pub fn shared() -> Option<Postgres> {
        service::address("FERRIS_TEST_POSTGRES").map(|url| Postgres { url })
    }

    /// How to connect: `postgres://user:password@host:port/database`. The user may do everything.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Makes an empty database on the same server, whose name begins with `prefix` and is no other test's. It stays
    /// until the end of the run.
    #[track_caller]
    #[must_use]
    pub fn fresh_database(&self, prefix: &str) -> Postgres {
        let name = service::unique_name(prefix, '_');
        self.query(&format!("CREATE DATABASE \"{name}\""));
        let server = self
            .url
            .rsplit_once('/')
            .expect("the URL ends with a database")
            .0;
        Postgres {
            url: format!("{server}/{name}"),
        }
    }

    /// Runs statements, each in a transaction of its own, and returns the rows of all of them.
    ///
    /// # Panics
    ///
    /// At the first statement that fails, with PostgreSQL's message.
    ///
    /// ```no_run
    /// use ferrisstreams_tests::Postgres;
    ///
    /// let Some(postgres) = Postgres::shared() else { return };
    /// let rows = postgres.query("SELECT 1.50::numeric, NULL, 'a'");
    /// assert_eq!(rows, [[Some("1.50".to_owned()), None, Some("a".to_owned())]]);
    /// ```
    #[track_caller]
    pub fn query(&self, sql: &str) -> Vec<Row> {
        match self.try_query(sql) {
            Ok(rows) => rows,
            Err(message) => panic!("{message}\nin: {sql}"),
        }
    }

    /// As [`query`](Postgres::query), but with what PostgreSQL says of the first statement that fails.
    ///
    /// # Errors
    ///
    /// PostgreSQL's message, such as `ERROR:  division by zero`.
    #[track_caller]
    pub fn try_query(&self, sql: &str) -> Result<Vec<Row>, String> {
        let finished = self.psql(sql.to_owned());
        if finished.status.success() {
            Ok(rows(&finished.stdout))
        } else {
            let message = finished.stderr.trim();
            Err(message
                .split_once("ERROR:")
                .map_or(message.to_owned(), |(_, rest)| format!("ERROR:{rest}")))
        }
    }

    /// Loads CSV text, without a header line, into a table.
    #[track_caller]
    pub fn load_csv(&self, table: &str, csv: &str) {
        let line_end = if csv.is_empty() || csv.ends_with('\n') {
            ""
        } else {
            "\n"
        };
        let script = format!("COPY {table} FROM STDIN WITH (FORMAT csv);\n{csv}{line_end}\\.\n");
        let finished = self.psql(script);
        assert!(
            finished.status.success(),
            "loading into {table}: {}",
            finished.stderr
        );
    }

    #[track_caller]
    fn psql(&self, script: String) -> Finished {
        let mut command = Command::new("psql");
        command
            .args([
                "--no-psqlrc",
                "--quiet",
                "--no-align",
                "--tuples-only",
                "--set=ON_ERROR_STOP=1",
            ])
            .args([
                format!("--field-separator={FIELD}"),
                format!("--record-separator={RECORD}"),
            ])
            .arg(format!("--pset=null={NULL}"))
            .arg(format!("--dbname={}", self.url))
            .stdin(Stdio::piped());
        let mut psql = Process::start(&mut command);
        psql.feed(script);
        psql.wait(LIMIT)
    }
}

/// Rows from psql's output. It is read by lines, which adds a line end behind the last.
fn rows(output: &str) -> Vec<Row> {
    let output = output.strip_suffix('\n').unwrap_or(output);
    let output = output.strip_suffix(RECORD).unwrap_or(output);
    if output.is_empty() {
        return Vec::new();
    }
    let value = |text: &str| (text != NULL).then(|| text.to_owned());
    output
        .split(RECORD)
        .map(|row| row.split(FIELD).map(value).collect())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(rows: &[Row]) -> Vec<Vec<&str>> {
        rows.iter()
            .map(|row| {
                row.iter()
                    .map(|value| value.as_deref().unwrap_or("NULL"))
                    .collect()
            })
            .collect()
    }

    #[test]
    fn rows_come_as_text() {
        let Some(postgres) = Postgres::shared() else {
            return;
        };
        let rows = postgres.query(
            "SELECT * FROM (VALUES (1, 1.50, E'a\\nb'), (2, NULL, '')) AS t (a, b, c) ORDER BY a",
        );
        assert_eq!(text(&rows), [["1", "1.50", "a\nb"], ["2", "NULL", ""]]);
        assert_eq!(rows[1][1], None);
        assert_eq!(postgres.query("SELECT 1 WHERE false"), Vec::<Row>::new());
        assert_eq!(text(&postgres.query("SHOW wal_level")), [["logical"]]);
    }

    #[test]
    fn what_fails_says_why() {
        let Some(postgres) = Postgres::shared() else {
            return;
        };
        let error = postgres
            .try_query("SELECT 1; SELECT 1 / 0; SELECT 2")
            .unwrap_err();
        assert!(error.starts_with("ERROR:  division by zero"), "{error}");
    }

    #[test]
    fn databases_are_apart() {
        let Some(postgres) = Postgres::shared() else {
            return;
        };
        let (one, two) = (postgres.fresh_database("db"), postgres.fresh_database("db"));
        one.query("CREATE TABLE t (a int, b text)");
        one.load_csv("t", "1,x\n2,\"y,z\"");
        assert_eq!(
            text(&one.query("SELECT * FROM t ORDER BY a")),
            [["1", "x"], ["2", "y,z"]]
        );
        assert!(two.try_query("SELECT * FROM t").is_err());
    }
}
