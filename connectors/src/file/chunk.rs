//! Reading whole records from a place in a file.

use std::fs::File;
use std::io;

use ferrisstreams_topology::connector::Span;

use super::check::fill_at;
use super::framing::Framing;

/// The most that is read at once where records are of usual size.
const LARGEST: usize = 1 << 20;

/// The least that is read at once.
const SMALLEST: usize = 4 << 10;

const MARK_OF_UTF8: &[u8] = b"\xef\xbb\xbf";

/// What to read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    pub(super) framing: Framing,
    /// Where to begin; a record begins there.
    pub(super) offset: u64,
    /// How many bytes may be read from there on.
    pub(super) room: u64,
    /// How many bytes are known to be there.
    pub(super) known: u64,
    /// The most records.
    pub(super) limit: usize,
    /// How long a record usually is.
    pub(super) usual: usize,
    /// The longest record.
    pub(super) longest: usize,
    /// True where the first record is a header.
    pub(super) header: bool,
    /// True where the end of the bytes ends a record.
    pub(super) closed: bool,
}

/// What was read.
#[derive(Debug)]
pub(super) enum Chunk {
    /// Whole records, or at least the end of something that is none.
    Records(Records),
    /// There is no whole record yet, though that many bytes are there.
    Unfinished(u64),
    /// There is a line that is longer than records may be.
    TooLong,
}

/// Whole records and the bytes that they are in.
#[derive(Debug)]
pub(super) struct Records {
    /// All bytes from where reading began to behind the last record.
    pub(super) bytes: Vec<u8>,
    pub(super) records: Vec<Span>,
    /// The record that is a header.
    pub(super) header: Option<Span>,
    /// The number of bytes of lines that were left out as they are too long.
    pub(super) left_out: u64,
}

impl Wanted {
    /// Reads records from a file.
    pub(super) fn read(&self, file: &File) -> io::Result<Chunk> {
        let mut bytes: Vec<u8> = Vec::new();
        let mut want = self.usual.saturating_mul(self.limit) / 8 * 9;
        want = want
            .clamp(SMALLEST, LARGEST)
            .min(self.known.max(SMALLEST as u64) as usize);
        loop {
            want = want.min(usize::try_from(self.room).unwrap_or(usize::MAX));
            bytes.reserve_exact(want - bytes.len());
            let at = self.offset + bytes.len() as u64;
            let ended = fill_at(file, at, &mut bytes)? || bytes.len() as u64 >= self.room;
            if let Some(end) = self.whole(&bytes, ended && self.closed) {
                return Ok(Chunk::Records(self.cut(bytes, end)));
            }
            if ended {
                return Ok(Chunk::Unfinished(bytes.len() as u64));
            }
            if bytes.len() > self.enough() {
                return Ok(self.too_long(bytes));
            }
            want = bytes.len().saturating_mul(4).min(self.enough() + 1);
        }
    }

    /// So many bytes hold the longest record and its line end.
    fn enough(&self) -> usize {
        self.longest.saturating_add(2)
    }

    /// Where the file's first record begins.
    fn skip(&self, bytes: &[u8]) -> usize {
        if self.offset == 0 && bytes.starts_with(MARK_OF_UTF8) {
            MARK_OF_UTF8.len()
        } else {
            0
        }
    }

    /// The records in `bytes`, if there is anything whole.
    fn whole(&self, bytes: &[u8], closed: bool) -> Option<Whole> {
        let start = self.skip(bytes);
        let mut whole = Whole {
            records: Vec::with_capacity(self.limit.min(bytes.len() / self.usual.max(1) + 1)),
            header: None,
            end: start,
        };
        if self.header {
            let mut header = Vec::new();
            whole.end = self.framing.split(bytes, start, 1, closed, &mut header);
            whole.header = Some(header.pop()?);
        }
        let (from, limit) = (whole.end, self.limit);
        whole.end = self
            .framing
            .split(bytes, from, limit, closed, &mut whole.records);
        if whole.end > start {
            return Some(whole);
        }
        if !closed || bytes.len() == start {
            return None;
        }
        // A quote that is never closed hides what stands behind it: the line is taken as it is.
        self.line(bytes, start, closed)
    }

    fn line(&self, bytes: &[u8], start: usize, closed: bool) -> Option<Whole> {
        let (record, end) = Framing::first_line(bytes, start, closed)?;
        Some(Whole {
            records: if self.header {
                Vec::new()
            } else {
                vec![record]
            },
            header: self.header.then_some(record),
            end,
        })
    }

    fn too_long(&self, bytes: Vec<u8>) -> Chunk {
        match self.line(&bytes, self.skip(&bytes), false) {
            Some(line) if matches!(self.framing, Framing::Quoted { .. }) => {
                Chunk::Records(self.cut(bytes, line))
            }
            _ => Chunk::TooLong,
        }
    }

    fn cut(&self, mut bytes: Vec<u8>, whole: Whole) -> Records {
        bytes.truncate(whole.end);
        let mut records = whole.records;
        let mut left_out = 0;
        if bytes.len() > self.longest {
            records.retain(|record| {
                let len = record.of(&bytes).map_or(0, <[u8]>::len);
                let fits = len <= self.longest;
                left_out += if fits { 0 } else { len as u64 + 1 };
                fits
            });
        }
        Records {
            bytes,
            records,
            header: whole.header,
            left_out,
        }
    }
}

struct Whole {
    records: Vec<Span>,
    header: Option<Span>,
    end: usize,
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::FileExt;

    const CSV: Framing = Framing::Quoted {
        delimiter: b',',
        quote: b'"',
    };

    fn wanted(offset: u64) -> Wanted {
        Wanted {
            framing: CSV,
            offset,
            room: u64::MAX,
            known: 1 << 20,
            limit: 100,
            usual: 10,
            longest: 10_000,
            header: false,
            closed: false,
        }
    }

    fn file(text: &[u8]) -> File {
        let file = tempfile::tempfile().unwrap();
        file.write_all_at(text, 0).unwrap();
        file
    }

    fn read(wanted: Wanted, text: &[u8]) -> (Vec<String>, usize) {
        match wanted.read(&file(text)).unwrap() {
            Chunk::Records(found) => {
                let records = found
                    .records
                    .iter()
                    .map(|span| span.of(&found.bytes).unwrap());
                let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
                (records.map(text).collect(), found.bytes.len())
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn marks_and_headers_are_no_records() {
        let text = b"\xef\xbb\xbfa,b\r\n1,2\n3,4";
        let header = Wanted {
            header: true,
            ..wanted(0)
        };
        assert_eq!(read(header, text), (vec!["1,2".to_owned()], 12));
        assert_eq!(read(wanted(0), text).0, ["a,b", "1,2"]);
        assert_eq!(read(wanted(8), text).0, ["1,2"]);
        let Chunk::Records(found) = header.read(&file(text)).unwrap() else {
            panic!("no records");
        };
        assert_eq!(found.header.unwrap().of(&found.bytes), Some(&b"a,b"[..]));
        assert_eq!(read(header, b"\n\na,b\n").1, 6);
        for unfinished in [&b""[..], b"a,b", b"\xef\xbb\xbf", b"\"a\nb"] {
            let chunk = header.read(&file(unfinished)).unwrap();
            assert!(matches!(chunk, Chunk::Unfinished(n) if n == unfinished.len() as u64));
        }
    }

    #[test]
    fn long_records_are_read_with_larger_buffers() {
        let long = "x".repeat(9_999);
        let text = format!("{long}\nshort\n");
        assert_eq!(read(wanted(0), text.as_bytes()).0, [&long[..]]);
        let quoted = format!("\"{}\"\nshort\n", "x\n".repeat(4_000));
        assert_eq!(read(wanted(0), quoted.as_bytes()).0[1], "short");
    }

    #[test]
    fn what_is_too_long_is_told() {
        let text = format!("{}\nshort\n", "x".repeat(20_000));
        assert!(matches!(
            wanted(0).read(&file(text.as_bytes())).unwrap(),
            Chunk::TooLong
        ));
        let few = Wanted {
            longest: 10,
            ..wanted(0)
        };
        let Chunk::Records(found) = few.read(&file(b"12345678901\n1234567890\n")).unwrap() else {
            panic!("no records");
        };
        assert_eq!(
            (found.records.len(), found.left_out, found.bytes.len()),
            (1, 12, 23)
        );
    }

    #[test]
    fn a_quote_that_is_never_closed_hides_one_line_only() {
        let text = format!("a,\"b\n{}", "1,2\n".repeat(5_000));
        assert_eq!(
            read(wanted(0), text.as_bytes()),
            (vec!["a,\"b".to_owned()], 5)
        );
        let closed = Wanted {
            closed: true,
            ..wanted(0)
        };
        assert_eq!(read(closed, b"a,\"b\n1,2\n"), (vec!["a,\"b".to_owned()], 5));
        assert_eq!(
            read(closed, b"a,b\n1,2"),
            (vec!["a,b".to_owned(), "1,2".to_owned()], 7)
        );
    }

    #[test]
    fn reading_stops_where_there_is_no_more_room() {
        let few = Wanted {
            room: 5,
            ..wanted(0)
        };
        assert_eq!(
            read(few, b"a\nb\nc\nd\n"),
            (vec!["a".to_owned(), "b".to_owned()], 4)
        );
        let closed = Wanted {
            closed: true,
            ..few
        };
        assert_eq!(read(closed, b"a\nb\ncc\nd\n").0, ["a", "b", "c"]);
    }
}
