//! Writing records to a file, each once.
//!
//! The state remembers how long the file was when it held so many records. What stands behind that
//! after a crash is dropped, and delivered again. Where somebody else has cut, removed or replaced the
//! file, writing goes on behind what is there; the state knows that before anything is written.

use std::io;
use std::sync::Arc;

use ferrisstreams_topology::connector::{SinkRecord, SinkStart, SinkWriter, Stats};
use ferrisstreams_topology::time::Clock;
use ferrisstreams_topology::{Error, ErrorKind, Result};

use super::memo::Memo;
use super::output::{Output, Place};
use super::remains::{Remains, last_line_end, tail};

/// What is done about a file that holds something before the first record is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// It is refused, unless it begins as what is written does: then this sink wrote it.
    Refuse,
    /// Records are written behind what is there.
    Append,
    /// What is there is dropped.
    Replace,
}

/// How records become lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineForm {
    /// The first line of the file, without its end.
    pub header: Option<Vec<u8>>,
    /// What is done about a file that holds something already.
    pub existing: Existing,
    /// True where records are JSON objects that say of a key that its row is another or gone; each is
    /// written with a member `op`.
    pub log: bool,
}

pub(super) struct FileWriter<P: Place> {
    place: P,
    form: LineForm,
    stats: Arc<Stats>,
    output: P::Output,
    /// How far the file is written for certain.
    done: Memo,
    /// True where the file holds something that must turn out to be what is written first.
    is_foreign: bool,
    /// True where the file was taken as it is, and the state does not know how that was.
    is_unnoted: bool,
    /// The lines of a delivery.
    lines: Vec<u8>,
}

impl<P: Place> FileWriter<P> {
    pub(super) fn open(place: P, form: LineForm, start: SinkStart) -> Result<Self> {
        let memo = match &start.memo {
            None => None,
            Some(bytes) => Some(Memo::from_bytes(bytes).ok_or_else(|| {
                let message = format!(
                    "what was written to {} was noted in a form that is not known",
                    shown(&place)
                );
                Error::new(ErrorKind::State, message)
            })?),
        };
        let (output, id) = place.open()?;
        let mut writer = FileWriter {
            done: Memo {
                id,
                ..memo.unwrap_or_default()
            },
            place,
            form,
            stats: start.stats,
            output,
            is_foreign: false,
            is_unnoted: false,
            lines: Vec::new(),
        };
        match memo {
            Some(memo) => writer.go_on(&memo, true)?,
            None => writer.begin()?,
        }
        Ok(writer)
    }

    /// Begins to write to a file that this sink has not written before, as far as is known.
    fn begin(&mut self) -> Result<()> {
        let length = self.output.len().map_err(|e| self.unavailable(e))?;
        self.done.length = 0;
        match self.form.existing {
            _ if length == 0 => {}
            Existing::Replace => self.cut(0)?,
            Existing::Append => {
                self.check_header(true)?;
                let last = self
                    .output
                    .read_at(length - 1, 1)
                    .map_err(|e| self.unavailable(e))?;
                if last != b"\n" {
                    return Err(self.foreign("its last line has no end"));
                }
                self.done.length = length;
                self.is_unnoted = true;
            }
            Existing::Refuse => {
                self.check_header(false)?;
                self.is_foreign = true;
            }
        }
        let is_empty = self.done.length == 0 && !self.is_foreign;
        self.note_tail()?;
        if is_empty {
            // A file without rows tells its columns as well.
            let header = self.header_line();
            self.write(&header)?;
        }
        Ok(())
    }

    /// Goes on behind what was written before. What stands behind that was not noted any more where this
    /// sink may have written it; where it cannot have, it is somebody else's.
    fn go_on(&mut self, left: &Memo, may_be_ours: bool) -> Result<()> {
        let gone_on = self.try_go_on(left, may_be_ours);
        if gone_on.is_err() {
            // It is tried again from where writing stood.
            (self.done.length, self.done.tail) = (left.length, left.tail);
        }
        gone_on
    }

    fn try_go_on(&mut self, left: &Memo, may_be_ours: bool) -> Result<()> {
        let found = Remains::find(&self.output, left).map_err(|e| self.unavailable(e))?;
        // Another file in place of one without rows is as likely somebody's as a copy of that.
        let is_known = self.done.id == left.id || left.length > self.header_line().len() as u64;
        match found {
            Remains::All(more) if more == 0 || is_known && may_be_ours => {
                (self.done.length, self.done.tail) = (left.length, left.tail);
                self.is_unnoted |= !is_known;
                self.drop_unnoted(more)
            }
            Remains::All(more) => self.take_over(left, left.length + more),
            Remains::Other(length) => self.take_over(left, length),
            Remains::Nothing => {
                tracing::warn!(
                    "{} is empty: the {} bytes that were written before are gone, or elsewhere; a new \
                     file is begun",
                    shown(&self.place),
                    left.length
                );
                self.begin_anew()
            }
        }
    }

    fn drop_unnoted(&self, bytes: u64) -> Result<()> {
        if bytes == 0 {
            return Ok(());
        }
        tracing::warn!(
            "{bytes} bytes at the end of {} were not noted: they are dropped, and written again where \
             they are output of this query",
            shown(&self.place)
        );
        self.cut(self.done.length)
    }

    /// Begins a file from its start that was written before.
    fn begin_anew(&mut self) -> Result<()> {
        self.is_unnoted = true;
        self.cut(0)?;
        self.done.length = 0;
        self.note_tail()?;
        let header = self.header_line();
        self.write(&header)
    }

    /// Goes on in a file that is not as it was left, behind what is there.
    fn take_over(&mut self, left: &Memo, length: u64) -> Result<()> {
        let (before, path) = (left.length, shown(&self.place));
        if self.form.existing == Existing::Replace {
            tracing::warn!(
                "{path} is not as it was left: {before} bytes were written to it; the {length} that are \
                 there are dropped"
            );
            return self.begin_anew();
        }
        let header = self.header_line();
        let start = self.output.read_at(0, header.len());
        let start = start.map_err(|e| self.unavailable(e))?;
        if start.len() < header.len() && header.starts_with(&start) {
            tracing::warn!(
                "{path} was cut off: the {before} bytes that were written to it are gone"
            );
            return self.begin_anew();
        }
        self.check_header(true)?;
        let end = last_line_end(&self.output, length).map_err(|e| self.unavailable(e))?;
        self.is_unnoted = true;
        self.done.length = length;
        if end < length && self.done.id == left.id && length < before {
            tracing::warn!(
                "{path} was cut off in the middle of a line, whose {} bytes are dropped",
                length - end
            );
            self.done.length = end;
            self.cut(end)?;
        }
        self.note_tail()?;
        if self.done.length > end {
            self.write(b"\n")?;
        }
        tracing::warn!(
            "{path} is not as it was left: {before} bytes were written to it, and {length} were found; \
             what is missing is not written again, and writing goes on behind what is there",
        );
        Ok(())
    }

    fn header_line(&self) -> Vec<u8> {
        let header = self.form.header.as_ref();
        header.map_or_else(Vec::new, |header| [&header[..], b"\n"].concat())
    }

    /// The file must begin with the header, as far as it goes.
    fn check_header(&self, whole: bool) -> Result<()> {
        let line = self.header_line();
        let found = self
            .output
            .read_at(0, line.len())
            .map_err(|e| self.unavailable(e))?;
        if found == line || (!whole && line.starts_with(&found)) {
            return Ok(());
        }
        let header = String::from_utf8_lossy(&line);
        let header = header.trim_end();
        Err(self.foreign(&format!("it does not begin with the header `{header}`")))
    }

    /// What is there must begin as these lines do, or these lines as what is there.
    fn recognize(&mut self) -> Result<()> {
        let found = self
            .output
            .read_at(0, self.lines.len())
            .map_err(|e| self.unavailable(e))?;
        if !self.lines.starts_with(&found) {
            return Err(self.foreign("it holds what this query did not write"));
        }
        self.is_foreign = false;
        self.cut(0)
    }

    fn foreign(&self, why: &str) -> Error {
        let message = format!(
            "cannot write {}: {why}; existing = 'append' writes behind what is there, existing = 'replace' drops it",
            shown(&self.place)
        );
        Error::new(ErrorKind::Invalid, message)
    }

    fn unavailable(&self, error: io::Error) -> Error {
        let message = format!("cannot write {}", shown(&self.place));
        Error::new(ErrorKind::Unavailable, message).with_source(error)
    }

    fn cut(&self, length: u64) -> Result<()> {
        self.output.cut(length).map_err(|e| self.unavailable(e))
    }

    fn note_tail(&mut self) -> Result<()> {
        let tail = tail(&self.output, self.done.length);
        self.done.tail = tail.map_err(|e| self.unavailable(e))?;
        Ok(())
    }

    /// Writes at the end, and is back when it is safe; after an error the file is as before, or will
    /// be made so.
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let length = self.done.length;
        let written = self
            .output
            .write_at(length, bytes)
            .and_then(|()| self.output.sync());
        if let Err(e) = written {
            // Where even that fails, it is tried again before anything else is written.
            let _ = self.output.cut(length);
            return Err(self.unavailable(e));
        }
        self.done.length += bytes.len() as u64;
        self.note_tail()
    }

    /// Goes on in a new file where that which was written has another name by now, or is gone.
    fn follow(&mut self) -> Result<()> {
        if self.place.id() == Some(self.done.id) {
            return Ok(());
        }
        let (output, id) = self.place.open().map_err(|e| match e.kind() {
            // What was there at the start may come back.
            ErrorKind::NotFound => Error::new(ErrorKind::Unavailable, e.to_string()),
            _ => e,
        })?;
        let left = self.done;
        self.output = output;
        self.done.id = id;
        if self.is_foreign {
            self.is_foreign = false;
            return self.begin();
        }
        self.go_on(&left, false)
    }

    /// The file must be as it was left a moment ago.
    fn check_place(&self) -> Result<()> {
        let length = self.output.len().map_err(|e| self.unavailable(e))?;
        let as_left = length == self.done.length || self.is_foreign;
        if as_left && self.place.id() == Some(self.done.id) {
            return Ok(());
        }
        let message = format!(
            "cannot write {}: somebody else changes it",
            shown(&self.place)
        );
        Err(Error::new(ErrorKind::Unavailable, message))
    }

    fn put(&mut self, record: &SinkRecord) -> Result<()> {
        match (&record.value, self.form.log) {
            (Some(value), false) => self.lines.extend_from_slice(value),
            (Some(value), true) => put_change("upsert", value, &mut self.lines),
            (None, true) => put_change(
                "delete",
                record.key.as_deref().unwrap_or_default(),
                &mut self.lines,
            ),
            (None, false) => {
                let message = format!(
                    "cannot write {}: a row cannot be deleted from a file",
                    shown(&self.place)
                );
                return Err(Error::new(ErrorKind::Invalid, message));
            }
        }
        self.lines.push(b'\n');
        Ok(())
    }

    fn first_lines(&self) -> Vec<u8> {
        if self.is_foreign {
            self.header_line()
        } else {
            Vec::new()
        }
    }
}

fn shown<P: Place>(place: &P) -> String {
    place.path().display().to_string()
}

/// Writes a JSON object with a member `op` before its own.
fn put_change(op: &str, object: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"op\":\"");
    out.extend_from_slice(op.as_bytes());
    out.push(b'"');
    match object.strip_prefix(b"{") {
        Some(members) if members != b"}" => {
            out.push(b',');
            out.extend_from_slice(members);
        }
        _ => out.push(b'}'),
    }
}

impl<P: Place> SinkWriter for FileWriter<P> {
    fn delivered(&mut self, recorded: u64) -> Result<u64> {
        self.done.count = self.done.count.max(recorded);
        if !self.is_foreign && self.place.id() == Some(self.done.id) {
            let length = self.output.len().map_err(|e| self.unavailable(e))?;
            if length > self.done.length {
                self.cut(self.done.length)?;
            }
        }
        Ok(self.done.count)
    }

    fn prepare(&mut self) -> Result<Option<Vec<u8>>> {
        self.follow()?;
        if !self.is_foreign {
            let left = self.done;
            self.go_on(&left, true)?;
        }
        Ok(self.is_unnoted.then(|| self.done.to_bytes()))
    }

    fn deliver(&mut self, first: u64, records: &[SinkRecord]) -> Result<Vec<u8>> {
        if first != self.done.count {
            let count = self.done.count;
            let message = format!(
                "cannot write {}: it has {count} records, and {first} comes next",
                shown(&self.place)
            );
            return Err(Error::new(ErrorKind::Invalid, message));
        }
        self.check_place()?;
        self.lines = self.first_lines();
        for record in records {
            self.put(record)?;
        }
        if self.is_foreign {
            self.recognize()?;
        }
        let lines = std::mem::take(&mut self.lines);
        self.write(&lines)?;
        self.done.count += records.len() as u64;
        self.is_unnoted = false;
        self.stats
            .count(records.len(), lines.len(), Clock::system().now());
        self.lines = lines;
        Ok(self.done.to_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::stamp::FileId;
    use std::path::Path;
    use std::sync::Mutex;

    /// A file on a disk that fills up.
    #[derive(Clone, Default)]
    struct Disk {
        inner: Arc<Mutex<(Vec<u8>, usize)>>,
    }

    impl Disk {
        fn room(&self, bytes: usize) {
            self.inner.lock().unwrap().1 = bytes;
        }

        fn text(&self) -> String {
            String::from_utf8(self.inner.lock().unwrap().0.clone()).unwrap()
        }
    }

    impl Output for Disk {
        fn len(&self) -> io::Result<u64> {
            Ok(self.inner.lock().unwrap().0.len() as u64)
        }

        fn read_at(&self, offset: u64, len: usize) -> io::Result<Vec<u8>> {
            let inner = self.inner.lock().unwrap();
            let bytes = inner.0.get(offset as usize..).unwrap_or_default();
            Ok(bytes[..len.min(bytes.len())].to_vec())
        }

        fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
            let mut inner = self.inner.lock().unwrap();
            let room = inner.1;
            inner.0.resize(offset as usize, 0);
            let fits = room.saturating_sub(offset as usize).min(bytes.len());
            inner.0.extend_from_slice(&bytes[..fits]);
            if fits == bytes.len() {
                Ok(())
            } else {
                Err(io::ErrorKind::StorageFull.into())
            }
        }

        fn cut(&self, len: u64) -> io::Result<()> {
            self.inner.lock().unwrap().0.truncate(len as usize);
            Ok(())
        }

        fn sync(&self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Place for Disk {
        type Output = Disk;

        fn open(&self) -> Result<(Disk, FileId)> {
            Ok((self.clone(), FileId::default()))
        }

        fn id(&self) -> Option<FileId> {
            Some(FileId::default())
        }

        fn path(&self) -> &Path {
            Path::new("/disk")
        }
    }

    fn records(range: std::ops::Range<u64>) -> Vec<SinkRecord> {
        let record = |n: u64| SinkRecord {
            key: None,
            value: Some(format!("row {n}").into_bytes()),
            timestamp: 0,
            headers: Default::default(),
        };
        range.map(record).collect()
    }

    fn writer(disk: &Disk, memo: Option<Vec<u8>>) -> FileWriter<Disk> {
        let form = LineForm {
            header: Some(b"text".to_vec()),
            existing: Existing::Refuse,
            log: false,
        };
        let start = SinkStart {
            name: "s".to_owned(),
            memo,
            stats: Stats::new(),
        };
        FileWriter::open(disk.clone(), form, start).unwrap()
    }

    #[test]
    fn a_full_disk_loses_and_doubles_nothing() {
        let disk = Disk::default();
        disk.room(25);
        let mut sink = writer(&disk, None);
        assert_eq!(sink.delivered(0).unwrap(), 0);
        sink.deliver(0, &records(0..2)).unwrap();
        for _ in 0..3 {
            let error = sink.deliver(2, &records(2..5)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unavailable);
            assert!(
                error.to_string().starts_with("cannot write /disk: "),
                "{error}"
            );
            assert_eq!(sink.delivered(2).unwrap(), 2);
            assert_eq!(disk.text(), "text\nrow 0\nrow 1\n");
        }
        disk.room(1000);
        sink.deliver(2, &records(2..5)).unwrap();
        assert_eq!(disk.text(), "text\nrow 0\nrow 1\nrow 2\nrow 3\nrow 4\n");
    }

    #[test]
    fn a_crash_anywhere_loses_and_doubles_nothing() {
        for cut in 0..40 {
            let disk = Disk::default();
            disk.room(1000);
            let mut sink = writer(&disk, None);
            let first = sink.deliver(0, &records(0..2)).unwrap();
            sink.deliver(2, &records(2..4)).unwrap();
            drop(sink);
            disk.inner.lock().unwrap().0.truncate(cut);
            // The state may know of nothing, or of the first delivery where that is safe.
            let memos = if cut >= 17 {
                vec![None, Some(first)]
            } else {
                vec![None]
            };
            for memo in memos {
                let recorded = if memo.is_some() { 2 } else { 0 };
                let mut sink = writer(&disk, memo);
                assert_eq!(sink.delivered(recorded).unwrap(), recorded);
                sink.deliver(recorded, &records(recorded..5)).unwrap();
                assert_eq!(
                    disk.text(),
                    "text\nrow 0\nrow 1\nrow 2\nrow 3\nrow 4\n",
                    "{cut}"
                );
            }
        }
    }

    #[test]
    fn changes_are_json_with_an_operation() {
        let mut out = Vec::new();
        put_change("upsert", b"{\"a\":1}", &mut out);
        put_change("delete", b"{}", &mut out);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "{\"op\":\"upsert\",\"a\":1}{\"op\":\"delete\"}"
        );
    }
}
