//! The lines that a process writes, waited for as they come.

use std::io::{BufRead, BufReader, Read};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

/// The lines of one output of a process, in the order in which it wrote them.
///
/// A thread reads them as they are written, so that the process never waits for its reader. Waiting goes forward: each
/// line is looked at once, and a wait begins behind the line that the last one found. Bytes that are not UTF-8 appear
/// as replacement characters.
#[derive(Debug)]
pub struct Lines {
    name: &'static str,
    shared: Arc<Shared>,
    /// How many lines have been looked at.
    seen: usize,
}

#[derive(Debug, Default)]
struct Shared {
    output: Mutex<Output>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Output {
    lines: Vec<String>,
    /// Nothing more will come.
    ended: bool,
}

impl Lines {
    /// Starts to read; `name` appears in messages.
    pub(crate) fn read(name: &'static str, source: impl Read + Send + 'static) -> Lines {
        let shared = Arc::new(Shared::default());
        let writer = Arc::clone(&shared);
        thread::spawn(move || {
            let mut source = BufReader::new(source);
            let mut line = Vec::new();
            // an error ends the output as its end does
            while matches!(source.read_until(b'\n', &mut line), Ok(length) if length > 0) {
                let text =
                    String::from_utf8_lossy(line.strip_suffix(b"\n").unwrap_or(&line)).into_owned();
                line.clear();
                writer.lock().lines.push(text);
                writer.changed.notify_all();
            }
            writer.lock().ended = true;
            writer.changed.notify_all();
        });
        Lines {
            name,
            shared,
            seen: 0,
        }
    }

    /// The next line for which `matches` holds; lines before it are passed over.
    ///
    /// # Panics
    ///
    /// When there is none within `limit`, or when the output ends without one; the message shows all lines.
    #[track_caller]
    pub fn wait_for(
        &mut self,
        what: &str,
        limit: Duration,
        mut matches: impl FnMut(&str) -> bool,
    ) -> String {
        match self.next_matching(limit, &mut matches) {
            Ok(line) => line,
            Err(why) => panic!("{why} without {what}; {}", self.described()),
        }
    }

    /// The next line that contains `text`, as [`wait_for`](Lines::wait_for) finds it.
    #[track_caller]
    pub fn wait_for_text(&mut self, text: &str, limit: Duration) -> String {
        self.wait_for(&format!("a line that contains {text:?}"), limit, |line| {
            line.contains(text)
        })
    }

    /// All that was written so far, whether waited for or not.
    #[must_use]
    pub fn text(&self) -> String {
        let output = self.shared.lock();
        output
            .lines
            .iter()
            .flat_map(|line| [line.as_str(), "\n"])
            .collect()
    }

    /// Waits until nothing more can come; false when more can come after `limit`.
    pub(crate) fn wait_for_end(&self, limit: Duration) -> bool {
        let output = self.shared.lock();
        let waited = self
            .shared
            .changed
            .wait_timeout_while(output, limit, |output| !output.ended);
        waited.expect("no reader panics").0.ended
    }

    fn next_matching(
        &mut self,
        limit: Duration,
        matches: &mut dyn FnMut(&str) -> bool,
    ) -> Result<String, String> {
        let deadline = Instant::now() + limit;
        let mut output = self.shared.lock();
        loop {
            while let Some(line) = output.lines.get(self.seen) {
                self.seen += 1;
                if matches(line) {
                    return Ok(line.clone());
                }
            }
            if output.ended {
                return Err(format!("{} ended", self.name));
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(format!("{} went on for {limit:?}", self.name));
            }
            output = self
                .shared
                .changed
                .wait_timeout(output, left)
                .expect("no reader panics")
                .0;
        }
    }

    pub(crate) fn described(&self) -> String {
        match self.text() {
            text if text.is_empty() => format!("{} is empty", self.name),
            text => format!("{} is:\n{text}", self.name),
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Output> {
        self.output.lock().expect("no reader panics")
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};

    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);

    #[test]
    fn lines_are_waited_for_in_order() {
        let (reader, mut writer) = io::pipe().unwrap();
        let mut lines = Lines::read("the output", reader);
        writer.write_all(b"one\ntwo 1\nthree\ntwo 2\nhal").unwrap();
        assert_eq!(lines.wait_for_text("two", LIMIT), "two 1");
        assert_eq!(lines.wait_for_text("two", LIMIT), "two 2");
        let later = thread::spawn(move || {
            writer.write_all(b"f\n\xff\nlast").unwrap();
        });
        assert_eq!(lines.wait_for_text("a", LIMIT), "half");
        assert_eq!(
            lines.wait_for("the last line", LIMIT, |line| line.starts_with("la")),
            "last"
        );
        later.join().unwrap();
        assert!(lines.wait_for_end(LIMIT));
        assert_eq!(
            lines.text(),
            "one\ntwo 1\nthree\ntwo 2\nhalf\n\u{fffd}\nlast\n"
        );
    }

    #[test]
    #[should_panic(
        expected = "the output ended without a line that contains \"two\"; the output is:\none\n"
    )]
    fn an_end_is_noticed_at_once() {
        let mut lines = Lines::read("the output", &b"one\n"[..]);
        lines.wait_for_text("two", Duration::from_secs(1000));
    }

    #[test]
    #[should_panic(
        expected = "the output went on for 5ms without a line that contains \"two\"; the output is empty"
    )]
    fn silence_has_a_limit() {
        let (reader, _writer) = io::pipe().unwrap();
        Lines::read("the output", reader).wait_for_text("two", Duration::from_millis(5));
    }
}
