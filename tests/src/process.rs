//! A process under test: its input, its output, signals, and its end.

use std::io::{ErrorKind, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};

use crate::lines::Lines;

/// How long output may go on behind the end of its process, because a child of it holds it open.
const LINGER: Duration = Duration::from_secs(5);

/// A running process. It is killed when it is dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    input: Option<ChildStdin>,
    /// What it writes to standard output.
    pub stdout: Lines,
    /// What it writes to standard error.
    pub stderr: Lines,
}

impl Process {
    /// Starts `command` with all three streams in our hands.
    #[track_caller]
    #[must_use]
    pub fn start(command: &mut Command) -> Process {
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command
            .spawn()
            .unwrap_or_else(|error| panic!("starting {command:?}: {error}"));
        let stdout = child.stdout.take().expect("standard output is piped");
        let stderr = child.stderr.take().expect("standard error is piped");
        Process {
            input: child.stdin.take(),
            stdout: Lines::read("standard output", stdout),
            stderr: Lines::read("standard error", stderr),
            child,
        }
    }

    /// The process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Writes to its standard input. That it no longer reads is no error.
    #[track_caller]
    pub fn write(&mut self, text: &str) {
        let input = self
            .input
            .as_mut()
            .expect("standard input is not closed yet");
        if let Err(error) = input.write_all(text.as_bytes()) {
            assert_eq!(
                error.kind(),
                ErrorKind::BrokenPipe,
                "writing to the process: {error}"
            );
        }
    }

    /// Closes its standard input.
    pub fn close_input(&mut self) {
        self.input = None;
    }

    /// Writes all of `text` to its standard input and closes it, beside whatever the caller does next.
    pub(crate) fn feed(&mut self, text: String) {
        if let Some(mut input) = self.input.take() {
            // that it ends without reading everything is its own business
            thread::spawn(move || drop(input.write_all(text.as_bytes())));
        }
    }

    /// Sends SIGTERM: it should stop in an orderly way.
    pub fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Sends SIGINT, as Ctrl-C does.
    pub fn interrupt(&self) {
        self.signal(Signal::INT);
    }

    /// Stops it in the middle of whatever it does, until [`resume`](Process::resume).
    pub fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on after [`pause`](Process::pause).
    pub fn resume(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        // the child has not been waited for, so that its id is no one else's
        let _ = kill_process(Pid::from_child(&self.child), signal);
    }

    /// Kills it with SIGKILL and waits for its end: nothing of it runs any more when this returns.
    #[track_caller]
    pub fn kill(mut self) -> Finished {
        self.child.kill().expect("a child of ours can be killed");
        self.wait(LINGER)
    }

    /// Waits for its end. Standard input is closed first.
    ///
    /// # Panics
    ///
    /// When it still runs after `limit`. A process that is dropped in a panic prints its output.
    #[track_caller]
    pub fn wait(mut self, limit: Duration) -> Finished {
        self.close_input();
        let ended = ended_within(&self.child, limit);
        assert!(
            ended,
            "process {} still runs after {limit:?}",
            self.child.id()
        );
        let status = self
            .child
            .wait()
            .expect("a child of ours can be waited for");
        self.stdout.wait_for_end(LINGER);
        self.stderr.wait_for_end(LINGER);
        Finished {
            status,
            stdout: self.stdout.text(),
            stderr: self.stderr.text(),
        }
    }
}

impl Drop for Process {
    #[expect(
        clippy::print_stderr,
        reason = "the test harness shows it with the failure"
    )]
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!(
                "process {}: {}\n{}",
                self.child.id(),
                self.stdout.described(),
                self.stderr.described()
            );
        }
        // both fail only when it has ended
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits on the process itself, not by looking again and again.
pub(crate) fn ended_within(child: &Child, limit: Duration) -> bool {
    let process = match pidfd_open(Pid::from_child(child), PidfdFlags::empty()) {
        Ok(process) => process,
        Err(Errno::SRCH) => return true,
        Err(error) => panic!("watching process {}: {error}", child.id()),
    };
    let limit = Timespec::try_from(limit).expect("a limit of a test fits");
    loop {
        match poll(&mut [PollFd::new(&process, PollFlags::IN)], Some(&limit)) {
            Ok(ready) => return ready > 0,
            Err(Errno::INTR) => {}
            Err(error) => panic!("waiting for process {}: {error}", child.id()),
        }
    }
}

/// A process that has ended, and all that it wrote.
#[derive(Debug)]
pub struct Finished {
    /// How it ended.
    pub status: ExitStatus,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Finished {
    /// Asserts that it ended with this status of its own accord.
    #[track_caller]
    pub fn assert_code(self, code: i32) -> Finished {
        let (stdout, stderr) = (&self.stdout, &self.stderr);
        let ended = self.status;
        assert_eq!(
            ended.code(),
            Some(code),
            "{ended}; standard output:\n{stdout}\nstandard error:\n{stderr}"
        );
        self
    }

    /// Asserts status 0.
    #[track_caller]
    pub fn assert_success(self) -> Finished {
        self.assert_code(0)
    }

    /// The signal that ended it.
    #[must_use]
    pub fn signal(&self) -> Option<i32> {
        self.status.signal()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);

    fn shell(script: &str) -> Process {
        Process::start(Command::new("sh").args(["-c", script]))
    }

    #[test]
    fn input_output_and_status_go_through() {
        let mut process = shell("read a; echo \"got $a\"; echo oops >&2; read b; exit 3");
        process.write("hello\n");
        assert_eq!(process.stdout.wait_for_text("got", LIMIT), "got hello");
        assert_eq!(process.stderr.wait_for_text("oops", LIMIT), "oops");
        let finished = process.wait(LIMIT).assert_code(3);
        assert_eq!(
            (finished.stdout.as_str(), finished.stderr.as_str()),
            ("got hello\n", "oops\n")
        );
    }

    #[test]
    fn a_killed_process_says_so() {
        let mut process = shell("echo ready; exec sleep 600");
        process.stdout.wait_for_text("ready", LIMIT);
        assert_eq!(process.kill().signal(), Some(9));
    }

    #[test]
    fn signals_arrive() {
        let mut process = shell("trap 'exit 4' TERM; echo ready; read forever");
        process.stdout.wait_for_text("ready", LIMIT);
        process.pause();
        process.terminate();
        process.resume();
        process.wait(LIMIT).assert_code(4);
    }

    #[test]
    #[should_panic(expected = "still runs after 5ms")]
    fn a_process_that_goes_on_is_an_error() {
        shell("exec sleep 600").wait(Duration::from_millis(5));
    }

    #[test]
    fn more_input_than_a_pipe_holds_is_fed_beside() {
        let mut process = shell("head -c 3");
        process.feed("x".repeat(1 << 20));
        assert_eq!(process.wait(LIMIT).assert_success().stdout, "xxx\n");
    }
}
