//! Running the command `ferris`.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::process::{Finished, Process};

/// How long [`Ferris::run`] waits.
const RUN_LIMIT: Duration = Duration::from_secs(60);

/// A run of `ferris` to be started.
///
/// The binary is the one that `FERRIS_BIN` names, else the one beside the test executable, where
/// `cargo build -p ferrisstreams-cli` puts it; `make test` builds it first. Nothing of the environment that starts with
/// `FERRIS_` reaches it but what [`env`](Ferris::env) sets.
///
/// ```no_run
/// use ferrisstreams_tests::{Ferris, TestDir};
/// use std::time::Duration;
///
/// let dir = TestDir::new();
/// let app = dir.write("app.sql", "CREATE TABLE ...");
/// let mut ferris = Ferris::new(["run"]).arg(&app).state_dir(dir.join("state")).start();
/// ferris.stdout.wait_for_text("running", Duration::from_secs(10));
/// ferris.kill();
/// ```
#[derive(Debug)]
#[must_use = "it runs when start or run is called"]
pub struct Ferris {
    command: Command,
    input: Option<String>,
}

impl Ferris {
    /// `ferris` with these arguments, and an empty standard input.
    pub fn new<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Ferris {
        let mut command = Command::new(binary());
        command.args(arguments);
        for (name, _) in env::vars_os().filter(|(name, _)| is_private(name)) {
            command.env_remove(name);
        }
        Ferris {
            command,
            input: None,
        }
    }

    /// One more argument.
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Ferris {
        self.command.arg(argument);
        self
    }

    /// Adds `--state-dir PATH`: a run that finds the state of another goes on from it.
    pub fn state_dir(self, path: impl AsRef<Path>) -> Ferris {
        self.arg("--state-dir").arg(path.as_ref())
    }

    /// Sets an environment variable.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Ferris {
        self.command.env(name, value);
        self
    }

    /// Runs it in this directory.
    pub fn current_dir(mut self, path: impl AsRef<Path>) -> Ferris {
        self.command.current_dir(path);
        self
    }

    /// Gives it this text as all of its standard input.
    pub fn input(mut self, text: impl Into<String>) -> Ferris {
        self.input = Some(text.into());
        self
    }

    /// Starts it. Without [`input`](Ferris::input), standard input stays open until the caller closes it.
    #[track_caller]
    pub fn start(mut self) -> Process {
        let mut process = Process::start(&mut self.command);
        if let Some(text) = self.input {
            process.feed(text);
        }
        process
    }

    /// Starts it and waits for its end, at most a minute.
    #[track_caller]
    pub fn run(self) -> Finished {
        self.start().wait(RUN_LIMIT)
    }
}

/// Whether a variable is for the tests, or for ferris itself but not from this test. The mark by which
/// scripts/with-services.sh finds its processes stays.
fn is_private(name: &OsString) -> bool {
    name.to_str()
        .is_some_and(|name| name.starts_with("FERRIS_") && name != "FERRIS_SERVICES")
}

/// The binary of an example program, which `cargo build --workspace --bins` puts beside `ferris`.
///
/// # Panics
///
/// Where it was not built.
pub fn example(name: &str) -> PathBuf {
    let path = binary().with_file_name(name);
    assert!(
        path.is_file(),
        "{} is missing: cargo build -p ferrisstreams-examples",
        path.display()
    );
    path
}

fn binary() -> PathBuf {
    let path = match env::var_os("FERRIS_BIN") {
        Some(path) => PathBuf::from(path),
        None => beside_the_tests(),
    };
    assert!(
        path.is_file(),
        "{} is missing: cargo build -p ferrisstreams-cli",
        path.display()
    );
    path
}

/// Test executables lie in `deps` beside the binaries, or, examples and documentation apart, with them.
fn beside_the_tests() -> PathBuf {
    let executable = env::current_exe().expect("a running program has a path");
    let folder = executable.parent().expect("a program lies in a folder");
    let folder = if folder.ends_with("deps") {
        folder.parent().unwrap_or(folder)
    } else {
        folder
    };
    folder.join("ferris")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::TestDir;

    #[test]
    fn the_binary_runs() {
        Ferris::new(["--help"]).run().assert_success();
    }

    #[test]
    fn what_is_set_reaches_the_process() {
        let dir = TestDir::new();
        let ferris = Ferris::new(["run", "app.sql"])
            .state_dir(dir.join("state"))
            .env("FERRIS_X", "1")
            .current_dir(dir.path());
        let arguments: Vec<_> = ferris.command.get_args().collect();
        assert_eq!(
            arguments,
            [
                "run",
                "app.sql",
                "--state-dir",
                dir.join("state").to_str().unwrap()
            ]
        );
        assert_eq!(ferris.command.get_current_dir(), Some(dir.path()));
        assert!(
            ferris
                .command
                .get_envs()
                .any(|pair| pair == ("FERRIS_X".as_ref(), Some("1".as_ref())))
        );
    }

    #[test]
    fn the_variables_of_the_tests_are_private() {
        let private = |name: &str| is_private(&OsString::from(name));
        assert!(private("FERRIS_TEST_KAFKA") && private("FERRIS_BIN"));
        assert!(!private("FERRIS_SERVICES") && !private("PATH"));
    }
}
