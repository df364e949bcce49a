//! Files that are written: each record once, over restarts, full disks and files that are moved.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it should be"
)]

mod file_support;

use std::fs;
use std::path::Path;
use std::sync::RwLock;

use ferrisstreams_connectors::file::{Existing, FileSink, LineForm};
use ferrisstreams_topology::connector::{Sink, SinkRecord, SinkStart, SinkWriter, Stats};
use ferrisstreams_topology::{ErrorKind, Result};
use file_support::Folder;

fn form(existing: Existing) -> LineForm {
    LineForm {
        header: Some(b"id".to_vec()),
        existing,
        log: false,
    }
}

/// Held for writing while a process is started, which has our open files, and so their locks, for a moment.
static STARTING: RwLock<()> = RwLock::new(());

fn open_as(path: &Path, form: LineForm, memo: Option<&[u8]>) -> Result<Box<dyn SinkWriter>> {
    let _none = STARTING.read().unwrap();
    FileSink::new(path, form).open(SinkStart {
        name: "out".to_owned(),
        memo: memo.map(<[u8]>::to_vec),
        stats: Stats::new(),
    })
}

fn open(folder: &Folder, memo: Option<&[u8]>) -> Result<Box<dyn SinkWriter>> {
    open_as(&folder.path("out.csv"), form(Existing::Refuse), memo)
}

fn records(range: std::ops::Range<u64>) -> Vec<SinkRecord> {
    let record = |n: u64| SinkRecord {
        key: None,
        value: Some(n.to_string().into_bytes()),
        timestamp: 0,
        headers: Default::default(),
    };
    range.map(record).collect()
}

fn text(folder: &Folder) -> String {
    fs::read_to_string(folder.path("out.csv")).unwrap()
}

#[test]
fn records_are_appended_below_a_header() {
    let folder = Folder::new();
    let mut sink = open(&folder, None).unwrap();
    assert_eq!(
        text(&folder),
        "id\n",
        "a file without rows tells its columns"
    );
    assert_eq!(sink.delivered(0).unwrap(), 0);
    let memo = sink.deliver(0, &records(0..2)).unwrap();
    assert_eq!(text(&folder), "id\n0\n1\n");
    drop(sink);
    let mut sink = open(&folder, Some(&memo)).unwrap();
    assert_eq!(sink.delivered(2).unwrap(), 2);
    sink.deliver(2, &records(2..3)).unwrap();
    assert_eq!(text(&folder), "id\n0\n1\n2\n");
    assert!(
        sink.deliver(7, &records(7..8)).is_err(),
        "records come in order"
    );
}

#[test]
fn what_was_not_noted_is_written_again() {
    let folder = Folder::new();
    let mut sink = open(&folder, None).unwrap();
    let memo = sink.deliver(0, &records(0..2)).unwrap();
    sink.deliver(2, &records(2..5)).unwrap();
    drop(sink);
    folder.append("out.csv", "hal");
    let mut sink = open(&folder, Some(&memo)).unwrap();
    assert_eq!(sink.delivered(2).unwrap(), 2);
    sink.deliver(2, &records(2..4)).unwrap();
    assert_eq!(text(&folder), "id\n0\n1\n2\n3\n");
    drop(sink);
    // Nothing was noted at all.
    let mut sink = open(&folder, None).unwrap();
    assert_eq!(sink.delivered(0).unwrap(), 0);
    assert_eq!(
        text(&folder),
        "id\n0\n1\n2\n3\n",
        "it is left alone until it is known"
    );
    sink.deliver(0, &records(0..3)).unwrap();
    assert_eq!(text(&folder), "id\n0\n1\n2\n");
}

#[test]
fn what_others_wrote_is_refused_unless_told_otherwise() {
    let refused = |folder: &Folder, why: &str| {
        let result = open(folder, None).and_then(|mut sink| sink.deliver(0, &records(0..2)));
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.to_string().contains(why), "{error}");
        assert!(error.to_string().contains("existing = 'append'"), "{error}");
    };
    let folder = Folder::new();
    folder.write("out.csv", "name\nx\n");
    refused(&folder, "it does not begin with the header `id`");
    folder.write("out.csv", "id\n7\n");
    refused(&folder, "it holds what this query did not write");
    assert_eq!(text(&folder), "id\n7\n");

    let with = |existing: Existing| open_as(&folder.path("out.csv"), form(existing), None);
    let mut sink = with(Existing::Append).unwrap();
    sink.deliver(0, &records(0..2)).unwrap();
    assert_eq!(text(&folder), "id\n7\n0\n1\n");
    drop(sink);
    let mut sink = with(Existing::Replace).unwrap();
    sink.deliver(0, &records(0..2)).unwrap();
    assert_eq!(text(&folder), "id\n0\n1\n");
    drop(sink);
    folder.append("out.csv", "open");
    assert!(
        with(Existing::Append)
            .err()
            .unwrap()
            .to_string()
            .contains("no end")
    );
}

/// Delivers as the engine does; the answer is what the state remembers from then on.
fn deliver(sink: &mut Box<dyn SinkWriter>, range: std::ops::Range<u64>) -> Result<Vec<u8>> {
    sink.prepare()?;
    sink.deliver(range.start, &records(range))
}

#[test]
fn what_is_no_file_of_this_sink_is_refused() {
    let folder = Folder::new();
    let mut sink = open(&folder, None).unwrap();
    let memo = deliver(&mut sink, 0..4).unwrap();
    folder.replace("out.csv", "name\nx\n");
    let error = deliver(&mut sink, 4..5).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    drop(sink);
    let again = open(&folder, Some(&memo)).err().unwrap();
    for error in [error, again] {
        let text = error.to_string();
        assert!(
            text.contains("does not begin with the header `id`"),
            "{text}"
        );
        assert!(text.contains("existing = 'append'"), "{text}");
    }
    assert_eq!(text(&folder), "name\nx\n");
    assert_eq!(
        open(&folder, Some(b"?")).err().unwrap().kind(),
        ErrorKind::State
    );
}

/// What somebody does to the file, and what it is then taken as.
const CHANGES: [(&str, &str); 12] = [
    ("write id|0|1|2|", "id|0|1|2|"),
    ("write id|0|1|2|7|", "id|0|1|2|7|"),
    ("write id|0|1|2|3|4|5|6|", "id|0|1|2|3|"),
    ("write id|0|1|2", "id|0|1|"),
    ("write i", "id|"),
    ("write ", "id|"),
    ("replace ", "id|"),
    ("replace id|1|3|", "id|1|3|"),
    ("replace id|1|3", "id|1|3|"),
    ("replace id|0|1|2|3|", "id|0|1|2|3|"),
    ("rename ", "id|"),
    ("remove ", "id|"),
];

fn change(folder: &Folder, how: &str) {
    let (how, content) = how.split_once(' ').unwrap();
    let content = content.replace('|', "\n");
    match how {
        "write" => folder.write("out.csv", content),
        "replace" => folder.replace("out.csv", &content),
        "rename" => folder.rename("out.csv", "old.csv"),
        _ => folder.remove("out.csv"),
    }
}

#[test]
fn a_file_that_somebody_changed_is_gone_on_with() {
    for (how, taken) in CHANGES {
        let want = taken.replace('|', "\n");
        // While nothing runs.
        let folder = Folder::new();
        let mut sink = open(&folder, None).unwrap();
        let memo = deliver(&mut sink, 0..4).unwrap();
        drop(sink);
        change(&folder, how);
        // It is opened and ends, again and again, before there is anything to write.
        for _ in 0..3 {
            let mut sink = open(&folder, Some(&memo)).unwrap();
            assert_eq!(sink.delivered(4).unwrap(), 4, "{how}");
        }
        let mut sink = open(&folder, Some(&memo)).unwrap();
        deliver(&mut sink, 4..6).unwrap();
        assert_eq!(text(&folder), format!("{want}4\n5\n"), "{how}");

        // While it is written.
        let folder = Folder::new();
        let mut sink = open(&folder, None).unwrap();
        deliver(&mut sink, 0..4).unwrap();
        change(&folder, how);
        let memo = deliver(&mut sink, 4..6).unwrap();
        assert_eq!(text(&folder), format!("{want}4\n5\n"), "{how}");
        drop(sink);
        let mut sink = open(&folder, Some(&memo)).unwrap();
        assert_eq!(sink.delivered(6).unwrap(), 6, "{how}");
        deliver(&mut sink, 6..7).unwrap();
        assert_eq!(text(&folder), format!("{want}4\n5\n6\n"), "{how}");
    }
}

#[test]
fn a_crash_after_a_change_loses_and_doubles_nothing() {
    for (how, taken) in CHANGES {
        for is_running in [true, false] {
            let folder = Folder::new();
            let mut sink = open(&folder, None).unwrap();
            let mut memo = deliver(&mut sink, 0..4).unwrap();
            if !is_running {
                drop(sink);
                change(&folder, how);
                sink = open(&folder, Some(&memo)).unwrap();
            } else {
                change(&folder, how);
            }
            // The state knows what is to be remembered, but nothing of what was delivered then.
            memo = sink.prepare().unwrap().unwrap_or(memo);
            sink.deliver(4, &records(4..7)).unwrap();
            deliver(&mut sink, 7..8).unwrap();
            drop(sink);
            let mut sink = open(&folder, Some(&memo)).unwrap();
            assert_eq!(sink.delivered(4).unwrap(), 4, "{how}");
            deliver(&mut sink, 4..6).unwrap();
            let want = taken.replace('|', "\n");
            assert_eq!(text(&folder), format!("{want}4\n5\n"), "{how} {is_running}");
        }
    }
}

#[test]
fn lines_behind_those_of_others_are_not_doubled_by_a_crash() {
    let folder = Folder::new();
    folder.write("out.csv", "id\n7\n");
    let append = || open_as(&folder.path("out.csv"), form(Existing::Append), None);
    let mut sink = append().unwrap();
    let memo = sink.prepare().unwrap().unwrap();
    sink.deliver(0, &records(0..2)).unwrap();
    drop(sink);
    let path = folder.path("out.csv");
    let mut sink = open_as(&path, form(Existing::Append), Some(&memo)).unwrap();
    assert_eq!(sink.delivered(0).unwrap(), 0);
    deliver(&mut sink, 0..2).unwrap();
    assert_eq!(text(&folder), "id\n7\n0\n1\n");
}

#[test]
fn a_file_without_a_header_is_gone_on_with() {
    let folder = Folder::new();
    let path = folder.path("out.csv");
    let form = LineForm {
        header: None,
        ..form(Existing::Refuse)
    };
    let open = |memo: Option<&[u8]>| open_as(&path, form.clone(), memo).unwrap();
    let mut sink = open(None);
    deliver(&mut sink, 0..2).unwrap();
    folder.remove("out.csv");
    let memo = sink.prepare().unwrap().unwrap();
    sink.deliver(2, &records(2..4)).unwrap();
    drop(sink);
    let mut sink = open(Some(&memo));
    deliver(&mut sink, 2..3).unwrap();
    assert_eq!(text(&folder), "2\n");
    folder.replace("out.csv", "somebody else's\n");
    let memo = deliver(&mut sink, 3..4).unwrap();
    assert_eq!(text(&folder), "somebody else's\n3\n");
    drop(sink);
    deliver(&mut open(Some(&memo)), 4..5).unwrap();
    assert_eq!(text(&folder), "somebody else's\n3\n4\n");
}

#[test]
fn a_file_whose_directory_is_gone_is_tried_again() {
    let folder = Folder::new();
    fs::create_dir(folder.path("sub")).unwrap();
    let path = folder.path("sub/out.csv");
    let mut sink = open_as(&path, form(Existing::Refuse), None).unwrap();
    deliver(&mut sink, 0..2).unwrap();
    fs::remove_dir_all(folder.path("sub")).unwrap();
    let error = deliver(&mut sink, 2..3).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    fs::create_dir(folder.path("sub")).unwrap();
    deliver(&mut sink, 2..3).unwrap();
    assert_eq!(fs::read_to_string(path).unwrap(), "id\n2\n");
}

#[test]
fn a_file_that_is_moved_is_followed_by_a_new_one() {
    let folder = Folder::new();
    let mut sink = open(&folder, None).unwrap();
    deliver(&mut sink, 0..2).unwrap();
    folder.rename("out.csv", "old.csv");
    let error = sink.deliver(2, &records(2..3)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "it was not prepared");
    deliver(&mut sink, 2..3).unwrap();
    folder.remove("out.csv");
    let memo = deliver(&mut sink, 3..4).unwrap();
    assert_eq!(
        fs::read_to_string(folder.path("old.csv")).unwrap(),
        "id\n0\n1\n"
    );
    assert_eq!(text(&folder), "id\n3\n");
    drop(sink);
    folder.rename("out.csv", "older.csv");
    let mut sink = open(&folder, Some(&memo)).unwrap();
    assert_eq!(sink.delivered(4).unwrap(), 4);
    deliver(&mut sink, 4..5).unwrap();
    assert_eq!(text(&folder), "id\n4\n");
}

#[test]
fn a_file_has_one_sink_and_its_directory_must_be_there() {
    let folder = Folder::new();
    let sink = open(&folder, None).unwrap();
    let error = open(&folder, None).err().unwrap();
    assert!(
        error.to_string().contains("another sink writes to it"),
        "{error}"
    );
    drop(sink);
    open(&folder, None).unwrap();
    let error = open_as(&folder.path("none/out.csv"), form(Existing::Refuse), None)
        .err()
        .unwrap();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(
        error.to_string().contains("there is no directory"),
        "{error}"
    );
}

#[test]
fn rows_cannot_be_deleted_but_changes_can_be_logged() {
    let folder = Folder::new();
    let change = |value: Option<&str>| SinkRecord {
        key: Some(br#"{"id":1}"#.to_vec()),
        value: value.map(|value| value.as_bytes().to_vec()),
        timestamp: 0,
        headers: Default::default(),
    };
    let mut sink = open(&folder, None).unwrap();
    let error = sink.deliver(0, &[change(None)]).unwrap_err();
    assert!(error.to_string().contains("cannot be deleted"), "{error}");
    let log = LineForm {
        header: None,
        existing: Existing::Refuse,
        log: true,
    };
    let path = folder.path("log.jsonl");
    let mut sink = open_as(&path, log, None).unwrap();
    sink.deliver(0, &[change(Some(r#"{"id":1,"n":2}"#)), change(None)])
        .unwrap();
    let lines = "{\"op\":\"upsert\",\"id\":1,\"n\":2}\n{\"op\":\"delete\",\"id\":1}\n";
    assert_eq!(fs::read_to_string(path).unwrap(), lines);
}

/// On a file system of a few pages, where this process may make one.
#[test]
fn a_disk_that_is_full_loses_and_doubles_nothing() {
    let folder = Folder::new();
    let mount = folder.path("disk");
    fs::create_dir(&mount).unwrap();
    let run = |program: &str, arguments: &[&str]| {
        let _starting = STARTING.write().unwrap();
        let status = std::process::Command::new(program)
            .args(arguments)
            .arg(&mount)
            .output();
        status.is_ok_and(|output| output.status.success())
    };
    if !run("mount", &["-t", "tmpfs", "-o", "size=64k", "tmpfs"]) {
        return;
    }
    fs::write(mount.join("ballast"), vec![0; 40 << 10]).unwrap();
    let mut sink = open_as(&mount.join("out.csv"), form(Existing::Refuse), None).unwrap();
    sink.deliver(0, &records(0..10)).unwrap();
    let more = records(10..8000);
    for _ in 0..2 {
        let error = sink.deliver(10, &more).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert_eq!(sink.delivered(10).unwrap(), 10);
    }
    fs::remove_file(mount.join("ballast")).unwrap();
    sink.deliver(10, &more).unwrap();
    let text = fs::read_to_string(mount.join("out.csv")).unwrap();
    let want: String = std::iter::once("id\n".to_owned())
        .chain((0..8000).map(|n| format!("{n}\n")))
        .collect();
    drop(sink);
    assert!(run("umount", &[]));
    assert!(text == want, "the file is not what was written");
}
