//! Files that grow, are rewritten, rotated, removed and brought back, and their readers.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it should be"
)]

mod file_support;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

use ferrisstreams_connectors::file::{FileOptions, HeaderLine, OTHER_HEADER, Rewrite};
use ferrisstreams_topology::connector::{Health, Poll};
use ferrisstreams_topology::record::Headers;
use file_support::{Folder, LONG, Positions, Reading, csv, quick};

fn appending() -> FileOptions {
    FileOptions {
        rewrite: Rewrite::Append,
        ..quick()
    }
}

fn expecting(header: &str) -> FileOptions {
    FileOptions {
        header: HeaderLine::Expect(header.as_bytes().to_vec()),
        ..csv()
    }
}

#[test]
fn appended_lines_are_read_at_once() {
    let folder = Folder::new();
    folder.write("a", "1\n2\r\n\n3\n");
    let slow = FileOptions {
        poll_interval: LONG,
        ..FileOptions::default()
    };
    let mut reading = folder.read("a", &slow);
    reading.expect(&["1", "2", "3"]);
    reading.idle();
    for n in 4..20 {
        let begun = Instant::now();
        folder.append("a", &format!("{n}\n"));
        reading.until("the line is read", |reading| reading.lines.len() == n);
        assert!(
            begun.elapsed() < Duration::from_secs(10),
            "nobody had to look"
        );
    }
    let offsets: Vec<i64> = reading.lines.iter().map(|line| line.offset).collect();
    assert_eq!(offsets[..5], [0, 2, 6, 8, 10]);
    assert_eq!(reading.replaced, 0);
    assert_eq!(reading.stats.records(), 19);
    assert_eq!(reading.stats.progress(), Some((50, 50)));
    assert_eq!(reading.stats.health(), Health::Healthy);
    assert!(reading.stats.last_updated().is_some());
}

#[test]
fn where_the_system_does_not_tell_changes_are_found_by_looking() {
    let (folder, other) = (Folder::new(), Folder::new());
    other.write("a", "1\n");
    std::os::unix::fs::symlink(other.path("a"), folder.path("link")).unwrap();
    let mut reading = folder.read("link", &quick());
    reading.expect(&["1"]);
    reading.idle();
    other.append("a", "2\n");
    reading.expect(&["1", "2"]);
    other.replace("a", "x\n");
    reading.expect(&["x"]);
}

#[test]
fn an_unfinished_line_waits_for_its_end() {
    let folder = Folder::new();
    folder.write("a", "1\n2");
    let mut reading = folder.read("a", &quick());
    reading.expect(&["1"]);
    reading.idle();
    assert!(
        !reading.reader.is_behind(0),
        "there is nothing that can be read"
    );
    folder.append("a", "3");
    folder.append("a", "4\n5");
    reading.expect(&["1", "234"]);
    folder.append("a", "\n");
    reading.expect(&["1", "234", "5"]);
}

#[test]
fn a_bounded_reader_takes_what_is_there_with_an_unfinished_last_line() {
    let folder = Folder::new();
    for (text, lines) in [
        ("", &[][..]),
        ("1", &["1"]),
        ("1\n", &["1"]),
        ("1\n2", &["1", "2"]),
        ("1\n\"2\n3", &["1", "\"2", "3"]),
        ("1\r\n\r\n\"2\n3\"", &["1", "\"2\n3\""]),
    ] {
        folder.write("a", text);
        assert_eq!(folder.read_all("a", &csv()).end(), lines, "{text:?}");
    }
    folder.write("a", "1\n2\n");
    let mut reading = folder.read_all("a", &csv());
    reading.limit = 1;
    reading.poll();
    folder.append("a", "3\n");
    assert_eq!(reading.end(), ["1", "2"], "what comes later does not count");
}

#[test]
fn a_line_that_counted_unfinished_is_not_read_again() {
    for (more, lines, replaced) in [
        ("\n3\n", &["1", "2", "3"][..], 0),
        ("\r\n3\n", &["1", "2", "3"], 0),
        ("x\n3\n", &["1", "2x", "3"], 1),
    ] {
        let folder = Folder::new();
        folder.write("a", "1\n2");
        let mut reading = folder.read_all("a", &quick());
        assert_eq!(reading.end(), ["1", "2"]);
        let positions = reading.positions();
        let before = reading.lines;
        folder.append("a", more);
        let mut reading = folder.read_from("a", &quick(), positions);
        reading.lines = before;
        reading.expect(lines);
        assert_eq!(reading.replaced, replaced);
    }
    let folder = Folder::new();
    folder.write("a", "1\n2");
    let mut reading = folder.read_all("a", &appending());
    reading.end();
    let positions = reading.positions();
    folder.append("a", "x\n3\n");
    let mut reading = folder.read_from("a", &appending(), positions);
    reading.expect(&["3"]);
    assert_eq!(reading.stats.lost_bytes(), 2);
}

#[test]
fn quoted_lines_marks_and_headers() {
    let folder = Folder::new();
    folder.write("a", b"\xef\xbb\xbfid,text\r\n1,\"two\nlines\"\r\n2,\"open");
    let mut reading = folder.read("a", &expecting("id,text"));
    reading.expect(&["1,\"two\nlines\""]);
    folder.append("a", "\nclosed\"\n");
    reading.expect(&["1,\"two\nlines\"", "2,\"open\nclosed\""]);
    assert_eq!(reading.stats.health(), Health::Healthy);
    folder.replace("a", "id,text\n7,x\n");
    reading.expect(&["7,x"]);
    assert_eq!(reading.stats.health(), Health::Healthy);
}

#[test]
fn records_below_another_header_are_marked() {
    let folder = Folder::new();
    folder.write("a", "id,text\n1,x\n");
    let mut reading = folder.read("a", &expecting("id,text"));
    reading.expect(&["1,x"]);
    folder.replace("a", "text,id\nx,1\n");
    reading.until("the content is replaced", |reading| reading.replaced == 1);
    let mark = |reading: &mut Reading| -> Headers {
        loop {
            match reading.poll() {
                Poll::Records(batch) if !batch.is_empty() => return batch.headers(0),
                Poll::Records(_) => {}
                _ => assert!(reading.waker.wait(LONG)),
            }
        }
    };
    let headers = mark(&mut reading);
    let message = headers.last(OTHER_HEADER).unwrap().value.clone().unwrap();
    assert_eq!(
        String::from_utf8(message).unwrap(),
        "its header is `text,id`, not `id,text`"
    );
    assert!(matches!(reading.stats.health(), Health::Degraded(why) if why.contains("text,id")));

    let positions = reading.positions();
    folder.append("a", "y,2\n");
    let mut reading = folder.read_from("a", &expecting("id,text"), positions);
    assert!(
        mark(&mut reading).last(OTHER_HEADER).is_some(),
        "it is remembered"
    );
    folder.replace("a", "id,text\n3,z\n");
    reading.expect(&["3,z"]);
    assert_eq!(reading.stats.health(), Health::Healthy);
}

#[test]
fn lines_that_are_too_long_are_lost_and_counted() {
    let folder = Folder::new();
    let long = "x".repeat(50_000);
    folder.write("a", format!("1\n{long}\n2\n{long}"));
    let options = FileOptions {
        max_record: 1000,
        ..quick()
    };
    let mut reading = folder.read("a", &options);
    reading.expect(&["1", "2"]);
    assert_eq!(reading.stats.lost_bytes(), 50_001);
    assert!(
        matches!(reading.stats.health(), Health::Degraded(why) if why.contains("longer than 1000"))
    );
    folder.append("a", "y\n3\n");
    reading.expect(&["1", "2", "3"]);
    assert_eq!(reading.stats.lost_bytes(), 100_003);
    let positions = reading.positions();
    folder.append("a", "4\n");
    let mut reading = folder.read_from("a", &options, positions);
    reading.expect(&["4"]);
    let mut reading = folder.read_all("a", &options);
    assert_eq!(reading.end(), ["1", "2", "3", "4"]);
}

#[test]
fn every_file_that_matches_is_a_partition_with_a_number_of_its_own() {
    let folder = Folder::new();
    folder.write("b.csv", "b1\n");
    folder.write("c.csv", "c1\n");
    folder.write("c.txt", "no\n");
    let mut reading = folder.read("*.csv", &quick());
    reading.expect_in(&[(0, &["b1"]), (1, &["c1"])]);
    reading.idle();
    folder.write("a.csv", "a1\n");
    folder.append("c.csv", "c2\n");
    reading.expect_in(&[(0, &["b1"]), (1, &["c1", "c2"]), (2, &["a1"])]);
    let positions = reading.positions();
    drop(reading);
    folder.append("a.csv", "a2\n");
    folder.remove("b.csv");
    folder.write("0.csv", "01\n");
    let mut reading = folder.read_from("*.csv", &quick(), positions);
    reading.expect_in(&[(2, &["a2"]), (3, &["01"])]);
    assert_eq!(
        reading.stats.health(),
        Health::Healthy,
        "files may go when they were read"
    );
    folder.write("b.csv", "b1\nb2\n");
    reading.expect_in(&[(0, &["b2"]), (2, &["a2"]), (3, &["01"])]);
    assert_eq!(reading.replaced, 0);
    folder.write("a.csv", "a3\n");
    reading.expect_in(&[
        (0, &["b1", "b2"]),
        (1, &["c1", "c2"]),
        (2, &["a3"]),
        (3, &["01"]),
    ]);
}

#[test]
fn many_files_are_read_with_few_open() {
    let folder = Folder::new();
    for n in 0..600 {
        folder.write(&format!("{n:03}.log"), format!("{n}\n"));
    }
    let mut reading = folder.read("*.log", &quick());
    reading.until("all are read", |reading| reading.lines.len() == 600);
    reading.idle();
    let open = fs::read_dir("/proc/self/fd").unwrap().count();
    assert!(open < 400, "{open} files are open");
    for n in (0..600).step_by(7) {
        folder.append(&format!("{n:03}.log"), "more\n");
    }
    reading.until("more is read", |reading| reading.lines.len() == 686);
    assert_eq!(reading.replaced, 0);
}

#[test]
fn rewritten_content_is_a_new_generation() {
    let folder = Folder::new();
    let table = |middle: &str| {
        let rows = (0..2000).map(|n| {
            if n == 1000 {
                middle.to_owned()
            } else {
                format!("row {n}")
            }
        });
        rows.map(|row| row + "\n").collect::<String>()
    };
    folder.write("a", table("first"));
    let mut reading = folder.read("a", &quick());
    reading.until("it is read", |reading| reading.lines.len() == 2000);
    let contents = [
        ("shorter, in place", "x", 0),
        ("longer, in place", "longer than before", 0),
        ("of the same size, in place", "longer than_before", 0),
        ("of the same size, by another file", "longer-than_before", 1),
        ("with more behind, by another file", "longer=than_before", 2),
        ("with more behind, in place", "longer+than_before", 3),
    ];
    for (at, (what, middle, how)) in contents.into_iter().enumerate() {
        let text = table(middle) + if how >= 2 { "more\n" } else { "" };
        if how == 1 || how == 2 {
            folder.replace("a", &text)
        } else {
            folder.write("a", &text)
        }
        let want: Vec<&str> = text.lines().collect();
        reading.until(what, |reading| reading.texts() == want);
        assert!(reading.replaced > at, "{what}");
    }
    let file = fs::OpenOptions::new()
        .write(true)
        .open(folder.path("a"))
        .unwrap();
    file.write_all_at(b"LONGER", table("").find("\n\n").unwrap() as u64 + 1)
        .unwrap();
    reading.until("bytes in the middle change", |reading| {
        reading.texts().get(1000) == Some(&"LONGER+than_before")
    });
    folder.write("a", "");
    reading.until("nothing is left", |reading| reading.lines.is_empty());
}

/// More than is compared at once when a file has grown.
const LARGE: usize = 20 << 20;

/// Lines of a large file, of the same size all of them.
fn large_lines() -> Vec<String> {
    let line = |n: usize| format!("{n:09} {}", "x".repeat(1013));
    (0..LARGE / 1024).map(line).collect()
}

/// Changes a byte of the middle of a file and appends a line, at one blow as far as anybody can see.
fn edit_and_append(folder: &Folder, line: &str) {
    let path = folder.path("a");
    let mut bytes = fs::read(&path).unwrap();
    let middle = LARGE / 2 + 500;
    bytes[middle] = if bytes[middle] == b'y' { b'z' } else { b'y' };
    bytes.extend_from_slice(line.as_bytes());
    let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    // The end first: who looks in between sees a file that has grown.
    file.write_all_at(&bytes[LARGE..], LARGE as u64).unwrap();
    file.write_all_at(&bytes[middle..=middle], middle as u64)
        .unwrap();
}

#[test]
fn an_edit_in_a_large_file_that_comes_with_an_append_is_noticed() {
    let folder = Folder::new();
    folder.write("a", large_lines().join("\n") + "\n");
    let mut reading = folder.read("a", &quick());
    reading.limit = 5_000;
    let count = LARGE / 1024;
    reading.until("it is read", |reading| reading.lines.len() == count);
    let is_edited = |reading: &Reading| {
        let lines = &reading.lines;
        lines.len() > count && lines[count / 2].text.as_bytes()[500] != b'x'
    };
    edit_and_append(&folder, "more\n");
    reading.until("the edit is read", is_edited);
    assert_eq!(reading.replaced, 1);

    // While nobody reads.
    let positions = reading.positions();
    drop(reading);
    edit_and_append(&folder, "even more\n");
    let is_twice = |reading: &Reading| {
        is_edited(reading) && reading.lines[count / 2].text.as_bytes()[500] == b'z'
    };
    let mut bounded = Reading::open(&folder.path("a"), &quick(), positions.clone(), true);
    bounded.end();
    assert_eq!(bounded.replaced, 1);
    assert!(is_twice(&bounded));
    let mut reading = folder.read_from("a", &quick(), positions);
    reading.limit = 5_000;
    reading.until("what was edited meanwhile is read", is_twice);
    assert_eq!(reading.replaced, 1);
}

#[test]
fn a_large_file_that_only_grows_is_read_once() {
    let folder = Folder::new();
    folder.write("a", large_lines().join("\n") + "\n");
    let mut reading = folder.read("a", &quick());
    reading.limit = 5_000;
    let mut count = LARGE / 1024;
    for round in 0..20 {
        folder.append("a", "one more\n");
        count += 1;
        reading.until("the line is read", |reading| reading.lines.len() == count);
        if round % 7 == 3 {
            let positions = reading.positions();
            let lines = std::mem::take(&mut reading.lines);
            reading = folder.read_from("a", &quick(), positions);
            reading.limit = 5_000;
            reading.lines = lines;
        }
    }
    reading.idle();
    assert_eq!(reading.replaced, 0);
    assert_eq!(reading.lines.len(), count);
}

#[test]
fn the_same_content_again_is_no_news() {
    let folder = Folder::new();
    folder.write("a", "1\n2\n3\n");
    let mut reading = folder.read("a", &quick());
    reading.expect(&["1", "2", "3"]);
    folder.replace("a", "1\n2\n3\n");
    folder.append("a", "4\n");
    reading.expect(&["1", "2", "3", "4"]);
    folder.write("a", "1\n2\n3\n4\n");
    folder.append("a", "5\n");
    reading.expect(&["1", "2", "3", "4", "5"]);
    folder.replace("a", "1\n2\n3\n4\n5\n6\n");
    reading.expect(&["1", "2", "3", "4", "5", "6"]);
    let file = fs::File::options()
        .append(true)
        .open(folder.path("a"))
        .unwrap();
    file.set_modified(std::time::SystemTime::now()).unwrap();
    folder.append("a", "7\n");
    reading.expect(&["1", "2", "3", "4", "5", "6", "7"]);
    assert_eq!(reading.replaced, 0);
    assert_eq!(reading.stats.lost_bytes(), 0);
}

#[test]
fn a_file_that_goes_away_leaves_what_was_read() {
    let folder = Folder::new();
    folder.write("a", "1\n2\n");
    let mut reading = folder.read("a", &quick());
    reading.expect(&["1", "2"]);
    folder.remove("a");
    reading.health(|health| *health == Health::FileNotFound);
    reading.idle();
    assert_eq!((reading.texts(), reading.replaced), (vec!["1", "2"], 0));
    folder.write("a", "1\n2\n3\n");
    reading.expect(&["1", "2", "3"]);
    assert_eq!(
        (reading.stats.health(), reading.replaced),
        (Health::Healthy, 0)
    );
    folder.remove("a");
    reading.health(|health| *health == Health::FileNotFound);
    folder.write("a", "x\n");
    reading.expect(&["x"]);
    assert_eq!(
        (reading.stats.health(), reading.replaced),
        (Health::Healthy, 1)
    );
}

#[test]
fn a_file_that_is_not_there_yet_is_waited_for() {
    let folder = Folder::new();
    let mut reading = folder.read("a", &quick());
    reading.idle();
    assert_eq!(reading.stats.health(), Health::FileNotFound);
    folder.write("a", "1\n");
    reading.expect(&["1"]);
    assert_eq!(reading.stats.health(), Health::Healthy);
}

#[test]
fn what_cannot_be_read_is_tried_again() {
    let folder = Folder::new();
    fs::create_dir(folder.path("a")).unwrap();
    let mut reading = folder.read("a", &quick());
    let health = reading.health(|health| matches!(health, Health::Disconnected(_)));
    assert!(health.to_string().contains("it is a directory"), "{health}");
    assert!(matches!(reading.poll(), Poll::Waiting));
    fs::remove_dir(folder.path("a")).unwrap();
    folder.write("a", "1\n");
    reading.expect(&["1"]);
    assert_eq!(reading.stats.health(), Health::Healthy);

    fs::create_dir(folder.path("b")).unwrap();
    let mut bounded = folder.read_all("b", &quick());
    assert!(
        bounded
            .reader
            .poll(10)
            .unwrap_err()
            .to_string()
            .contains("it is a directory")
    );
}

#[test]
fn rewrites_are_read_when_they_are_over() {
    let folder = Folder::new();
    folder.write("a", "1\n");
    let options = FileOptions {
        debounce: Duration::from_millis(150),
        ..quick()
    };
    let mut reading = folder.read("a", &options);
    reading.expect(&["1"]);
    folder.write("a", "");
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(100) {
        assert!(!matches!(reading.poll(), Poll::Replaced | Poll::Records(_)));
        reading.waker.wait(Duration::from_millis(10));
    }
    folder.append("a", "x\ny\n");
    let written = Instant::now();
    reading.expect(&["x", "y"]);
    assert!(
        written.elapsed() >= Duration::from_millis(100),
        "{:?}",
        written.elapsed()
    );
    assert_eq!(
        reading.replaced, 1,
        "what was written in between is not read on its own"
    );
}

#[test]
fn bytes_that_went_away_unread_are_counted() {
    let folder = Folder::new();
    folder.write("a", "1\n2\n3\n4\n");
    let mut reading = folder.read("a", &quick());
    reading.limit = 2;
    reading.poll();
    folder.write("a", "x\n");
    loop {
        match reading.reader.poll(0).unwrap() {
            Poll::Replaced => break,
            Poll::Records(_) => panic!("what is there is not what was read"),
            _ => assert!(reading.waker.wait(LONG)),
        }
    }
    assert_eq!(reading.stats.lost_bytes(), 4);
    assert!(
        matches!(reading.stats.health(), Health::Degraded(why) if why.starts_with("4 bytes of"))
    );
    reading.expect(&["x"]);
    assert_eq!(reading.stats.health(), Health::Healthy);
}

#[test]
fn a_rotated_file_is_read_to_its_end_first() {
    for options in [quick(), appending()] {
        let folder = Folder::new();
        folder.write("log", "1\n2\n3\n4");
        let mut reading = folder.read("log", &options);
        reading.limit = 1;
        reading.poll();
        folder.rename("log", "log.1");
        folder.write("log", "a\n");
        folder.append("log.1", "5\n6");
        let mut seen = Vec::new();
        while seen.last() != Some(&"a".to_owned()) {
            let before = reading.replaced;
            if !matches!(reading.poll(), Poll::Records(_)) {
                assert!(
                    reading.replaced > before || reading.waker.wait(LONG),
                    "{seen:?}"
                );
            }
            let texts = reading.lines.drain(..).map(|line| line.text);
            seen.extend(texts);
        }
        assert_eq!(seen, ["1", "2", "3", "45", "6", "a"]);
        assert_eq!(
            reading.replaced,
            usize::from(options.rewrite == Rewrite::Replace)
        );
        assert_eq!(reading.stats.lost_bytes(), 0);
    }
}

#[test]
fn more_lines_come_from_whatever_file_is_there() {
    let folder = Folder::new();
    folder.write("log", "1\n2\n");
    let mut reading = folder.read("log", &appending());
    reading.expect(&["1", "2"]);
    folder.rename("log", "log.1");
    folder.write("log", "3\n");
    reading.expect(&["1", "2", "3"]);
    folder.write("log", "4\n5\n6\n");
    reading.expect(&["1", "2", "3", "4", "5", "6"]);
    folder.remove("log");
    reading.health(|health| *health == Health::FileNotFound);
    folder.write("log", "7\n");
    reading.expect(&["1", "2", "3", "4", "5", "6", "7"]);
    assert_eq!(reading.replaced, 0);
    let offsets: Vec<i64> = reading.lines.iter().map(|line| line.offset).collect();
    assert_eq!(offsets, [0, 2, 4, 6, 8, 10, 12], "offsets go on rising");

    // Each place can be gone back to while its file is there.
    let lines = reading.lines.clone();
    for line in &lines[6..] {
        let positions = reading.positions_at(&BTreeMap::from([(0, line.offset)]));
        let mut again = folder.read_from("log", &appending(), positions);
        again.expect(&["7"]);
        assert_eq!(again.lines[0], *line);
    }
}

#[test]
fn reading_goes_on_where_it_stopped() {
    let folder = Folder::new();
    let text: String = (0..5000).map(|n| format!("\"line\n{n}\"\n")).collect();
    folder.write("a", &text);
    let mut reading = folder.read("a", &csv());
    reading.until("all is read", |reading| reading.lines.len() == 5000);
    let lines = reading.lines.clone();
    for at in [0, 1, 2, 999, 1000, 1001, 2500, 4999] {
        let positions = reading.positions_at(&BTreeMap::from([(0, lines[at].offset)]));
        let mut again = folder.read_from("a", &csv(), positions.clone());
        again.until("the rest is read", |again| again.lines.len() == 5000 - at);
        assert_eq!(again.lines, lines[at..], "from {at}");
        reading.reader.seek(&positions).unwrap();
        reading.lines.clear();
        reading.until("the rest is read", |again| again.lines.len() == 5000 - at);
        assert_eq!(reading.lines, lines[at..], "back to {at}");
        reading.reader.seek(&Positions::new()).unwrap();
        reading.lines.clear();
        reading.until("all is read", |reading| reading.lines.len() == 5000);
    }
    let end = reading.positions();
    reading
        .reader
        .committed(&BTreeMap::from([(0, lines[2500].offset)]));
    assert!(reading.reader.position(0, lines[2500].offset).is_ok());
    let mut again = folder.read_from("a", &csv(), end);
    again.idle();
    assert!(again.lines.is_empty());
    folder.append("a", "last\n");
    again.expect(&["last"]);
}

#[test]
fn what_happened_while_nobody_read_is_seen() {
    let text: String = (0..3000).map(|n| format!("row {n}\n")).collect();
    let stopped = |folder: &Folder, options: &FileOptions| -> Positions {
        folder.write("a", &text);
        let mut reading = folder.read("a", options);
        reading.until("all is read", |reading| reading.lines.len() == 3000);
        let at = reading.lines[2000].offset;
        reading.positions_at(&BTreeMap::from([(0, at)]))
    };
    let edited = text.replace("row 1500\n", "row15.00\n");
    let changes: [(&str, &dyn Fn(&Folder)); 4] = [
        ("row15.00", &|folder| folder.write("a", &edited)),
        ("row15.00", &|folder| folder.replace("a", &edited)),
        ("cut", &|folder| folder.write("a", "cut\n")),
        ("new", &|folder| {
            folder.remove("a");
            folder.write("a", "new\n");
        }),
    ];
    for (what, change) in changes {
        let folder = Folder::new();
        let positions = stopped(&folder, &quick());
        change(&folder);
        let mut reading = folder.read_from("a", &quick(), positions);
        reading.until(what, |reading| reading.texts().contains(&what));
        assert_eq!(reading.replaced, 1, "{what}");
    }

    let folder = Folder::new();
    let positions = stopped(&folder, &quick());
    folder.replace("a", &text);
    folder.append("a", "more\n");
    let mut reading = folder.read_from("a", &quick(), positions);
    reading.until("the rest is read", |reading| reading.lines.len() == 1001);
    assert_eq!(reading.replaced, 0, "a copy is as good");

    let folder = Folder::new();
    let positions = stopped(&folder, &quick());
    folder.remove("a");
    let mut reading = folder.read_from("a", &quick(), positions);
    reading.health(|health| *health == Health::FileNotFound);
    folder.write("a", text.clone() + "more\n");
    reading.until("the rest is read", |reading| reading.lines.len() == 1001);
    assert_eq!(reading.replaced, 0, "what is absent was not deleted");
}

#[test]
fn a_file_that_was_rotated_while_nobody_read_is_finished_first() {
    let folder = Folder::new();
    folder.write("log", "1\n2\n3\n");
    let mut reading = folder.read("log", &appending());
    reading.expect(&["1", "2", "3"]);
    let at = reading.lines[1].offset;
    let positions = reading.positions_at(&BTreeMap::from([(0, at)]));
    drop(reading);
    folder.rename("log", "log.1");
    let mut reading = folder.read_from("log", &appending(), positions.clone());
    reading.expect(&["2", "3"]);
    assert_eq!(reading.stats.health(), Health::FileNotFound);
    folder.append("log.1", "4\n");
    folder.write("log", "5\n");
    reading.expect(&["2", "3", "4", "5"]);
    let mut reading = folder.read_from("log", &appending(), positions.clone());
    reading.expect(&["2", "3", "4", "5"]);
    folder.remove("log.1");
    let mut reading = folder.read_from("log", &appending(), positions);
    reading.expect(&["5"]);
    assert_eq!(reading.stats.lost_bytes(), 4);
    assert!(matches!(reading.stats.health(), Health::Degraded(_)));
}

#[test]
fn positions_of_another_version_are_refused() {
    let folder = Folder::new();
    folder.write("a", "1\n");
    let mut reading = folder.read("a", &quick());
    reading.expect(&["1"]);
    let error = reading
        .reader
        .seek(&Positions::from([(0, vec![99, 1, 2])]))
        .unwrap_err();
    assert!(
        error.to_string().contains("in a form that is not known"),
        "{error}"
    );
    assert!(reading.reader.position(7, 0).is_err());
}

#[test]
fn the_first_content_may_have_a_time_of_its_own() {
    let folder = Folder::new();
    folder.write("a", "1\n");
    let options = FileOptions {
        first_time: Some(0),
        ..quick()
    };
    let mut reading = folder.read("a", &options);
    let time = |poll: Poll| match poll {
        Poll::Records(batch) => Some(batch.times.at(0)),
        _ => None,
    };
    assert_eq!(time(reading.poll()), Some(0));
    reading.idle();
    folder.append("a", "2\n");
    let later = loop {
        match time(reading.poll()) {
            Some(time) => break time,
            None => assert!(reading.waker.wait(LONG)),
        }
    };
    assert!(later > 1_600_000_000_000);
}
