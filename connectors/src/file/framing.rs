//! Where records begin and end in the bytes of a file.

use ferrisstreams_topology::connector::Span;
use memchr::{memchr, memchr_iter, memchr2};

/// How a file is split into records.
///
/// Line ends are `\n` or `\r\n`, and are not part of the record. Empty lines are no records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Framing {
    /// Each line is a record.
    Lines,
    /// Each line is a record, but a field that begins with a quote may hold line ends; quotes in it
    /// are doubled.
    Quoted {
        /// What stands between fields.
        delimiter: u8,
        /// What stands around fields that need it.
        quote: u8,
    },
}

impl Framing {
    /// Finds whole records from `from` on, until there are `limit`, and says where the last ends.
    ///
    /// With `closed` the end of the bytes ends a record too.
    pub(super) fn split(
        self,
        bytes: &[u8],
        from: usize,
        limit: usize,
        closed: bool,
        records: &mut Vec<Span>,
    ) -> usize {
        let end = match self {
            Framing::Quoted { delimiter, quote } if memchr(quote, &bytes[from..]).is_some() => {
                let quoting = Quoting { delimiter, quote };
                return quoted(bytes, from, limit, closed, quoting, records);
            }
            _ => lines(bytes, from, limit, records),
        };
        if closed && records.len() < limit && end < bytes.len() {
            push(bytes, end, bytes.len(), records);
            return bytes.len();
        }
        end
    }

    /// The bytes of the record in the first line, whatever its quotes say, and where it ends.
    pub(super) fn first_line(bytes: &[u8], from: usize, closed: bool) -> Option<(Span, usize)> {
        let end = match memchr(b'\n', &bytes[from..]) {
            Some(at) => from + at,
            None if closed => bytes.len(),
            None => return None,
        };
        let next = (end + 1).min(bytes.len());
        Some((Span::new(from, without_return(bytes, from, end)), next))
    }
}

#[derive(Clone, Copy)]
struct Quoting {
    delimiter: u8,
    quote: u8,
}

#[inline]
fn without_return(bytes: &[u8], start: usize, end: usize) -> usize {
    if end > start && bytes[end - 1] == b'\r' {
        end - 1
    } else {
        end
    }
}

#[inline]
fn push(bytes: &[u8], start: usize, end: usize, records: &mut Vec<Span>) {
    let end = without_return(bytes, start, end);
    if end > start {
        records.push(Span::new(start, end));
    }
}

fn lines(bytes: &[u8], from: usize, limit: usize, records: &mut Vec<Span>) -> usize {
    let mut start = from;
    for at in memchr_iter(b'\n', &bytes[from..]) {
        if records.len() >= limit {
            break;
        }
        let end = from + at;
        push(bytes, start, end, records);
        start = end + 1;
    }
    start
}

fn quoted(
    bytes: &[u8],
    from: usize,
    limit: usize,
    closed: bool,
    quoting: Quoting,
    records: &mut Vec<Span>,
) -> usize {
    let mut start = from;
    while records.len() < limit && start < bytes.len() {
        let Some(end) = quoting.record_end(bytes, start, closed) else {
            break;
        };
        push(bytes, start, end, records);
        start = (end + 1).min(bytes.len());
    }
    start
}

impl Quoting {
    /// The line end that ends the record at `start`.
    fn record_end(self, bytes: &[u8], start: usize, closed: bool) -> Option<usize> {
        let mut at = start;
        loop {
            let Some(found) = memchr2(b'\n', self.quote, &bytes[at..]) else {
                return closed.then_some(bytes.len());
            };
            let found = at + found;
            if bytes[found] == b'\n' {
                return Some(found);
            }
            let opens = found == start || bytes[found - 1] == self.delimiter;
            at = if opens {
                self.behind_field(bytes, found + 1, closed)?
            } else {
                found + 1
            };
        }
    }

    /// Where a quoted field ends that has begun before `at`.
    fn behind_field(self, bytes: &[u8], mut at: usize, closed: bool) -> Option<usize> {
        loop {
            let found = at + memchr(self.quote, &bytes[at..])?;
            match bytes.get(found + 1) {
                Some(&next) if next == self.quote => at = found + 2,
                Some(_) => return Some(found + 1),
                None => return closed.then_some(found + 1),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CSV: Framing = Framing::Quoted {
        delimiter: b',',
        quote: b'"',
    };

    fn split(framing: Framing, text: &str, limit: usize, closed: bool) -> (Vec<&str>, &str) {
        let mut spans = Vec::new();
        let end = framing.split(text.as_bytes(), 0, limit, closed, &mut spans);
        let records = spans.iter().map(|span| span.of(text.as_bytes()).unwrap());
        let records = records
            .map(|bytes| std::str::from_utf8(bytes).unwrap())
            .collect();
        (records, &text[end..])
    }

    #[test]
    fn records_end_where_lines_do_unless_quoted() {
        let cases: &[(&str, &[&str], &str)] = &[
            ("", &[], ""),
            ("a\nb\n", &["a", "b"], ""),
            ("a\r\nb\r\n\r\n\nc", &["a", "b"], "c"),
            ("a,\"x\ny\"\nb\n", &["a,\"x\ny\"", "b"], ""),
            ("\"x\ny\",1\r\nb", &["\"x\ny\",1"], "b"),
            ("\"say \"\"hi\n\"\"\",1\n", &["\"say \"\"hi\n\"\"\",1"], ""),
            (
                "5\" disk,1\n6\" disk,2\n",
                &["5\" disk,1", "6\" disk,2"],
                "",
            ),
            ("a,\"\",\"\"\nb\n", &["a,\"\",\"\"", "b"], ""),
            ("a\n\"open\nb\n", &["a"], "\"open\nb\n"),
            ("a\n\"x\"", &["a"], "\"x\""),
        ];
        for (text, records, rest) in cases {
            assert_eq!(
                split(CSV, text, 100, false),
                (records.to_vec(), *rest),
                "{text:?}"
            );
        }
    }

    #[test]
    fn the_end_of_a_closed_file_ends_a_record() {
        let cases: &[(&str, &[&str], &str)] = &[
            ("a\nb", &["a", "b"], ""),
            ("a\nb\r", &["a", "b"], ""),
            ("a\n\"x\"", &["a", "\"x\""], ""),
            ("a,\"x\ny\"", &["a,\"x\ny\""], ""),
            ("a\n\"open\nb", &["a"], "\"open\nb"),
        ];
        for (text, records, rest) in cases {
            assert_eq!(
                split(CSV, text, 100, true),
                (records.to_vec(), *rest),
                "{text:?}"
            );
        }
        assert_eq!(
            split(Framing::Lines, "\"a\nb", 9, true),
            (vec!["\"a", "b"], "")
        );
    }

    #[test]
    fn the_limit_counts_records() {
        assert_eq!(
            split(Framing::Lines, "a\n\nb\nc", 1, true),
            (vec!["a"], "\nb\nc")
        );
        assert_eq!(
            split(Framing::Lines, "a\n\nb\nc", 2, true),
            (vec!["a", "b"], "c")
        );
        assert_eq!(
            split(CSV, "a\n\"b\"\nc\n", 2, false),
            (vec!["a", "\"b\""], "c\n")
        );
    }

    #[test]
    fn the_first_line_is_taken_whatever_its_quotes_say() {
        let (span, next) = Framing::first_line(b"\"a,b\r\nc", 0, false).unwrap();
        assert_eq!((span.of(b"\"a,b\r\nc"), next), (Some(&b"\"a,b"[..]), 6));
        assert!(Framing::first_line(b"abc", 0, false).is_none());
        assert_eq!(Framing::first_line(b"abc", 1, true).unwrap().1, 3);
    }

    #[test]
    fn cutting_the_bytes_anywhere_finds_the_same_records() {
        let text = "a,\"x\n\"\"y\"\r\n\n\"q\",5\" b\n\"\",\"\n\"\nlast,\"1\"\n";
        let (whole, rest) = split(CSV, text, 100, false);
        assert_eq!((whole.len(), rest), (4, ""));
        for cut in 0..text.len() {
            let (mut records, rest) = split(CSV, &text[..cut], 100, false);
            let (more, end) = split(CSV, &text[cut - rest.len()..], 100, false);
            records.extend(more);
            assert_eq!((records, end), (whole.clone(), ""), "cut at {cut}");
        }
    }
}
