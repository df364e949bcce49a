//! Random scripts of what happens to files, against a model of what must have been read.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it should be"
)]

mod file_support;

use std::collections::BTreeMap;
use std::fs::OpenOptions;

use ferrisstreams_connectors::file::{FileOptions, Rewrite};
use file_support::{Folder, Reading, quick};
use proptest::prelude::*;

/// What happens to a file.
#[derive(Clone, Debug)]
enum Step {
    /// Lines are appended.
    Append(u8),
    /// The last line is appended in two pieces.
    Pieces,
    /// It is written anew, in place.
    Rewrite(u8),
    /// A line in the middle becomes another of the same length.
    Edit,
    /// Another file is put in its place.
    Replace(u8),
    /// It is cut behind some line.
    Truncate(u8),
    /// It is renamed, and a new one begun.
    Rotate(u8),
    /// It is removed.
    Remove,
    /// The same content is written again.
    Restore,
    /// The reader is asked to go on.
    Read(u8),
    /// Everything is read.
    Settle,
    /// The reader stops, and another begins at a place that it had passed.
    Restart(u8),
    /// The reader goes back to a place that it had passed.
    Back(u8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        5 => (1u8..40).prop_map(Step::Append),
        1 => Just(Step::Pieces),
        1 => (0u8..40).prop_map(Step::Rewrite),
        1 => Just(Step::Edit),
        1 => (0u8..40).prop_map(Step::Replace),
        1 => any::<u8>().prop_map(Step::Truncate),
        1 => (0u8..10).prop_map(Step::Rotate),
        1 => Just(Step::Remove),
        1 => Just(Step::Restore),
        4 => (1u8..20).prop_map(Step::Read),
        4 => Just(Step::Settle),
        2 => any::<u8>().prop_map(Step::Restart),
        2 => any::<u8>().prop_map(Step::Back),
    ];
    prop::collection::vec(step, 1..30)
}

struct Script {
    folder: Folder,
    options: FileOptions,
    reading: Reading,
    /// The lines that the file has, or had before it was removed.
    lines: Vec<String>,
    present: bool,
    made: usize,
    limit: usize,
    /// How many lines were read before the reader began, when it had seen so many replacements.
    floor: (usize, usize),
}

impl Script {
    fn new(options: FileOptions, limit: usize) -> Self {
        let folder = Folder::new();
        folder.write("f", "");
        let mut reading = folder.read("f", &options);
        reading.limit = limit;
        Script {
            folder,
            options,
            reading,
            lines: Vec::new(),
            present: true,
            made: 0,
            limit,
            floor: (0, 0),
        }
    }

    fn make(&mut self, count: u8) -> Vec<String> {
        let first = self.made;
        self.made += usize::from(count);
        (first..self.made)
            .map(|n| format!("line {n:07} {}", "x".repeat(n * n % 90)))
            .collect()
    }

    fn write(&mut self, append: bool, lines: &[String]) {
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        if append {
            self.folder.append("f", &text);
        } else {
            self.folder.write("f", &text);
        }
        self.present = true;
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Append(count) => {
                self.back();
                let new = self.make(*count);
                self.write(true, &new);
                self.lines.extend(new);
            }
            Step::Pieces => {
                self.back();
                let line = self.make(1).remove(0);
                let (head, tail) = line.split_at(7);
                self.folder.append("f", head);
                self.reading.poll();
                self.folder.append("f", &format!("{tail}\n"));
                self.lines.push(line);
            }
            Step::Rewrite(count) => {
                self.lines = self.make(*count);
                let lines = self.lines.clone();
                self.write(false, &lines);
            }
            Step::Edit if self.present && self.lines.len() > 2 => self.edit(),
            Step::Replace(count) => {
                self.lines = self.make(*count);
                let text: String = self.lines.iter().map(|line| format!("{line}\n")).collect();
                self.folder.replace("f", &text);
                self.present = true;
            }
            Step::Truncate(at) if self.present => {
                let keep = usize::from(*at) % (self.lines.len() + 1);
                self.lines.truncate(keep);
                let len: usize = self.lines.iter().map(|line| line.len() + 1).sum();
                let file = OpenOptions::new()
                    .write(true)
                    .open(self.folder.path("f"))
                    .unwrap();
                file.set_len(len as u64).unwrap();
            }
            Step::Rotate(count) if self.present => {
                self.folder.rename("f", "f.1");
                self.lines = self.make(*count);
                let lines = self.lines.clone();
                self.write(false, &lines);
            }
            Step::Remove if self.present => {
                // What is not read when a file goes cannot be told from what never was.
                self.settle();
                self.folder.remove("f");
                self.present = false;
            }
            Step::Restore => {
                let lines = self.lines.clone();
                self.write(false, &lines);
            }
            Step::Read(count) => {
                for _ in 0..*count {
                    self.reading.poll();
                }
            }
            Step::Settle => self.settle(),
            // Who begins while the file is away cannot read it.
            Step::Restart(at) if self.present => self.go_to(*at, true),
            Step::Back(at) => self.go_to(*at, false),
            _ => {}
        }
    }

    /// Brings the file back where it was removed.
    fn back(&mut self) {
        if !self.present {
            let lines = self.lines.clone();
            self.write(false, &lines);
        }
    }

    fn edit(&mut self) {
        let at = self.lines.len() / 2;
        let before: usize = self.lines[..at].iter().map(|line| line.len() + 1).sum();
        self.lines[at].replace_range(..4, "LINE");
        let text = self.lines[at][..4].to_owned();
        let file = OpenOptions::new()
            .write(true)
            .open(self.folder.path("f"))
            .unwrap();
        std::os::unix::fs::FileExt::write_all_at(&file, text.as_bytes(), before as u64).unwrap();
    }

    fn go_to(&mut self, at: u8, new: bool) {
        let lines = &self.reading.lines;
        // A reader knows no place before the one at which it began.
        let first = if self.floor.1 == self.reading.replaced {
            self.floor.0
        } else {
            0
        };
        if lines.len() <= first {
            return;
        }
        let at = first + usize::from(at) % (lines.len() - first);
        let kept = lines[..at].to_vec();
        let positions = self
            .reading
            .positions_at(&BTreeMap::from([(0, lines[at].offset)]));
        if new {
            self.reading = self.folder.read_from("f", &self.options, positions);
            self.reading.limit = self.limit;
        } else {
            self.reading.reader.seek(&positions).unwrap();
        }
        self.reading.lines = kept;
        self.floor = (at, self.reading.replaced);
    }

    fn settle(&mut self) {
        let want = self.lines.clone();
        let what = format!(
            "all {} lines are read, the last of them {:?}",
            want.len(),
            want.last()
        );
        self.reading.until(&what, |reading| {
            reading.lines.len() == want.len() && reading.texts() == want
        });
    }
}

fn some_cases() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        max_shrink_time: 60_000,
        ..ProptestConfig::with_cases(64)
    }
}

proptest! {
    #![proptest_config(some_cases())]

    #[test]
    fn what_was_read_is_what_the_file_holds(steps in steps(), limit in prop_oneof![1usize..8, Just(1000)]) {
        let mut script = Script::new(quick(), limit);
        for step in &steps {
            script.step(step);
        }
        if script.present {
            script.settle();
            script.reading.idle();
            script.settle();
        }
    }

    #[test]
    fn every_line_of_a_rotated_log_is_read_once(steps in steps(), limit in prop_oneof![1usize..8, Just(1000)]) {
        let options = FileOptions { rewrite: Rewrite::Append, ..quick() };
        let mut script = Script::new(options, limit);
        let mut files = 0;
        for step in &steps {
            match step {
                Step::Append(_) | Step::Pieces | Step::Read(_) | Step::Settle => script.step(step),
                // What is rotated while it is not read to its end is found by its other name, once.
                Step::Rotate(count) => {
                    if files > 0 {
                        script.settle();
                    }
                    files += 1;
                    script.folder.rename("f", &format!("f.{files}"));
                    let new = script.make(*count);
                    script.write(false, &new);
                    script.lines.extend(new);
                }
                Step::Rewrite(count) => {
                    script.settle();
                    script.folder.write("f", "");
                    script.reading.poll();
                    let new = script.make(*count);
                    script.write(true, &new);
                    script.lines.extend(new);
                    files += 1;
                }
                Step::Back(at) | Step::Restart(at) if files == 0 => {
                    script.go_to(*at, matches!(step, Step::Restart(_)));
                }
                _ => {}
            }
        }
        script.settle();
        prop_assert_eq!(script.reading.replaced, 0);
        prop_assert_eq!(script.reading.stats.lost_bytes(), 0);
    }
}
