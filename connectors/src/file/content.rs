//! One content of a file, as far as it was read.
//!
//! A content is held by the open file, so that it can be read to its end though the path leads to
//! another file by now.

use std::fs::File;
use std::io;
use std::path::Path;
use std::time::Instant;

use ferrisstreams_topology::connector::{Offsets, RawBatch, Times};
use ferrisstreams_topology::record::Headers;
use ferrisstreams_topology::time::Timestamp;

use super::check::{Care, Check, Places, Verdict, read_at};
use super::chunk::{Chunk, Records, Wanted};
use super::framing::Framing;
use super::mark::{Mark, Trace};
use super::options::{FileOptions, HeaderLine, OTHER_HEADER, Rewrite};
use super::position::Position;
use super::stamp::Stamp;
use super::stands::Stand;

/// Up to this size all that was read is compared at once when a file has grown. Of larger ones the
/// start and what stands right before the place are, and everything by and by.
const SMALL: u64 = 16 << 20;

/// How much of a larger file is compared at once.
const STEP: usize = 4 << 20;

/// Comparing all that was read takes at most one part in so many of the time.
const SHARE: u32 = 20;

/// How much of a line that is too long is skipped at once.
const SKIP: usize = 4 << 20;

/// How long a record is thought to be before any was seen.
const USUAL: usize = 64;

/// The longest header that is looked for again.
const LONGEST_HEADER: usize = 1 << 20;

pub(super) struct Content {
    file: Option<File>,
    /// A file that may be the one that was read.
    spare: Option<File>,
    generation: u32,
    /// The number of bytes of earlier contents that count as lines before this one's.
    base: i64,
    known: Known,
    /// How the file looked when it was last compared.
    stamp: Stamp,
    /// How it looked when it was last known for certain to hold what was read.
    certain: Stamp,
    /// True where it may have been written since then without looking otherwise.
    is_suspect: bool,
    /// When all that was read may be compared again, or more of it.
    next_check: Option<Instant>,
    /// The comparison of all that was read that is under way, and how the file looked when it began.
    audit: Option<(Stamp, Check)>,
    /// True where a comparison of a large file has found other bytes, which is not to be forgotten while
    /// another one is under way.
    is_contradicted: bool,
    /// How many bytes are there.
    size: u64,
    /// With so many bytes there is no whole record to be read.
    stuck: Option<(u64, bool)>,
    /// Where reading stands within a line that is left out.
    skipping: Option<Trace>,
    header_due: bool,
    /// What marks records below another header than the expected one.
    other_header: Option<(String, Headers)>,
    usual: usize,
    /// Nothing behind is read.
    stop: Option<u64>,
    /// True where what was read as a line turned out not to be one.
    altered: bool,
}

/// What is known of the bytes before the place.
enum Known {
    Read(Trace),
    /// They were read by an earlier reader, and have not been compared yet.
    Stored(Places),
}

/// What reading found.
pub(super) enum Found {
    Records(Records),
    Nothing,
    /// Nothing yet, but it is worth going on.
    Busy,
}

/// What became of records that were read.
pub(super) struct Taken {
    pub(super) batch: RawBatch,
    /// The number of bytes that were left out.
    pub(super) lost: u64,
}

impl Content {
    /// A file that is read from its start.
    pub(super) fn begin(
        file: File,
        generation: u32,
        base: i64,
        options: &FileOptions,
    ) -> io::Result<Self> {
        let stamp = Stamp::of(&file.metadata()?);
        Ok(Content {
            known: Known::Read(Trace::new()),
            file: Some(file),
            size: stamp.size,
            ..Content::new(stamp, generation, base, options)
        })
    }

    /// What an earlier reader read; `spare` is a file that may still be the one, though no path leads
    /// to it.
    pub(super) fn stored(position: &Position, spare: Option<File>, options: &FileOptions) -> Self {
        Content {
            spare,
            known: Known::Stored(position.places),
            size: position.stamp.size,
            ..Content::new(position.stamp, position.generation, position.base, options)
        }
    }

    fn new(stamp: Stamp, generation: u32, base: i64, options: &FileOptions) -> Self {
        Content {
            file: None,
            spare: None,
            generation,
            base,
            known: Known::Read(Trace::new()),
            stamp,
            certain: stamp,
            is_suspect: false,
            next_check: None,
            audit: None,
            is_contradicted: false,
            size: 0,
            stuck: None,
            skipping: None,
            header_due: options.header != HeaderLine::None,
            other_header: None,
            usual: USUAL,
            stop: None,
            altered: false,
        }
    }

    /// Nothing is read behind the end as it is now.
    pub(super) fn stop_here(&mut self) {
        self.stop = Some(self.size);
    }

    pub(super) fn is_stored(&self) -> bool {
        matches!(self.known, Known::Stored(_))
    }

    pub(super) fn stamp(&self) -> Stamp {
        self.stamp
    }

    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// How far the file was read.
    pub(super) fn offset(&self) -> u64 {
        match &self.known {
            Known::Read(trace) => trace.offset(),
            Known::Stored(places) => places.offset,
        }
    }

    /// The number of bytes that are there, or were, and are not read.
    pub(super) fn unread(&self) -> u64 {
        self.size.saturating_sub(self.offset())
    }

    /// The offset of the partition at which another content follows.
    pub(super) fn end(&self) -> i64 {
        self.base + self.offset() as i64
    }

    /// What is wrong with the header, if something is.
    pub(super) fn other_header(&self) -> Option<&str> {
        self.other_header.as_ref().map(|(message, _)| &message[..])
    }

    /// Where reading stands, and what is known of the bytes around.
    fn places(&self) -> Places {
        match &self.known {
            Known::Read(trace) => Places::at(trace.mark()),
            Known::Stored(places) => *places,
        }
    }

    /// The last marked place.
    pub(super) fn stand(&self) -> Stand {
        self.stand_at(self.places().before)
    }

    /// The places that are known of what an earlier reader read.
    pub(super) fn stands(&self) -> [Stand; 2] {
        let places = self.places();
        [self.stand_at(places.before), self.stand_at(places.behind)]
    }

    fn stand_at(&self, mark: Mark) -> Stand {
        Stand {
            stamp: self.certain,
            generation: self.generation,
            base: self.base,
            mark,
        }
    }

    /// What it takes to find out whether a file has this content. One that is large and has only grown
    /// since an earlier reader is taken to have it, where the rest can be compared `later`.
    pub(super) fn check(&self, stamp: Stamp, later: bool) -> Check {
        let grown = stamp.id == self.certain.id && stamp.size > self.certain.size;
        let likely = (stamp == self.certain || grown && later) && self.offset() > SMALL;
        let care = if self.is_stored() && likely {
            Care::Windows
        } else {
            Care::AllBytes
        };
        Check::new(self.places(), care)
    }

    /// True where a line that was read was not at its end, and goes on.
    pub(super) fn is_altered(&self) -> bool {
        self.altered
    }

    /// Goes on with a file that has this content, as was found with so much care.
    pub(super) fn adopt(
        &mut self,
        file: File,
        trace: Trace,
        care: Care,
        options: &FileOptions,
    ) -> io::Result<()> {
        let stamp = Stamp::of(&file.metadata()?);
        self.header_due &= trace.offset() == 0;
        if trace.offset() > 0 && self.is_stored() {
            self.other_header = stored_header(&file, options)?;
        }
        self.known = Known::Read(trace);
        self.file = Some(file);
        self.stamp = stamp;
        if care == Care::AllBytes || options.rewrite == Rewrite::Append {
            self.certain = stamp;
        }
        self.audit = None;
        self.is_contradicted = false;
        self.size = stamp.size;
        self.stuck = None;
        self.skipping = None;
        Ok(())
    }

    /// The file that was read, where it has another name than `path` or none by now.
    pub(super) fn find_renamed(&mut self, path: &Path) -> io::Result<Option<File>> {
        if let Some(file) = self.spare.take() {
            return Ok(Some(file));
        }
        let directory = path.parent().unwrap_or(Path::new("/"));
        let found = self
            .stamp
            .id
            .find_in(directory)
            .filter(|found| found != path);
        found.map(File::open).transpose()
    }

    /// The file, where it is open.
    pub(super) fn into_file(self) -> Option<File> {
        self.file
    }

    pub(super) fn is_open(&self) -> bool {
        self.file.is_some()
    }

    /// Opens the file again, if `path` still leads to it.
    pub(super) fn open(&mut self, path: &Path) -> io::Result<bool> {
        if self.file.is_none() {
            let file = File::open(path)?;
            if Stamp::of(&file.metadata()?).id == self.stamp.id {
                self.file = Some(file);
            }
        }
        Ok(self.file.is_some())
    }

    /// Closes the file, to open it again when it is needed.
    pub(super) fn close(&mut self) {
        self.file = None;
    }

    /// How the open file looks now.
    pub(super) fn look(&self) -> io::Result<Option<Stamp>> {
        let metadata = self.file.as_ref().map(File::metadata).transpose()?;
        Ok(metadata.map(|metadata| Stamp::of(&metadata)))
    }

    /// True where there may be something to read.
    pub(super) fn has_more(&self, last: bool) -> bool {
        let end = self.stop.map_or(self.size, |stop| stop.min(self.size));
        !self.is_stored() && end > self.offset() && self.stuck != Some((self.size, last))
    }

    /// The file has grown, as far as can be told from its stamp: whether it begins as it did. Where
    /// that takes too long for now, `later` is told when to ask again.
    pub(super) fn still_holds(
        &mut self,
        stamp: Stamp,
        options: &FileOptions,
        now: Instant,
        later: &mut dyn FnMut(Instant),
    ) -> io::Result<bool> {
        let (Some(file), Known::Read(trace)) = (&self.file, &self.known) else {
            return Ok(false);
        };
        let same = |care| {
            let verdict = Check::new(Places::at(trace.mark()), care).run(file)?;
            Ok::<bool, io::Error>(matches!(verdict, Verdict::Same(_)))
        };
        if stamp.size < trace.offset() || !same(Care::Windows)? {
            return Ok(false);
        }
        let all = options.rewrite == Rewrite::Replace;
        match self.next_check {
            Some(next) if all && now < next => {}
            _ if all => {
                let begun = Instant::now();
                let compared = self.compare(stamp)?;
                if compared == Some(false) {
                    return Ok(false);
                }
                let pause = begun.elapsed() * SHARE;
                let next = match compared {
                    None => now + pause,
                    Some(_) => now + options.poll_interval.max(pause),
                };
                self.next_check = Some(next);
            }
            _ => (self.certain, self.is_suspect) = (stamp, false),
        }
        self.stamp = stamp;
        self.size = stamp.size;
        if let Some(next) = self.open_check() {
            later(next);
        }
        Ok(true)
    }

    /// True where a large file was found to hold other bytes than those that were read.
    pub(super) fn is_contradicted(&self) -> bool {
        self.is_contradicted
    }

    /// Compares all that was read, or of a large file some more of it; none where that was not all.
    ///
    /// A comparison that began before the file changed says nothing of that change: another one follows,
    /// as long as the file is in doubt.
    fn compare(&mut self, stamp: Stamp) -> io::Result<Option<bool>> {
        let (Some(file), Known::Read(trace)) = (&self.file, &self.known) else {
            return Ok(Some(false));
        };
        let (begun, mut check) = match self.audit.take() {
            Some(audit) => audit,
            None => {
                self.is_suspect = false;
                let all = Check::new(Places::at(trace.mark()), Care::AllBytes);
                (stamp, all)
            }
        };
        let budget = if trace.offset() <= SMALL {
            SMALL as usize
        } else {
            STEP
        };
        Ok(match check.advance(file, budget)? {
            None => {
                self.audit = Some((begun, check));
                None
            }
            Some(Verdict::Other) => {
                self.is_suspect = true;
                self.is_contradicted = self.offset() > SMALL;
                Some(false)
            }
            Some(Verdict::Same(_)) => {
                self.certain = begun;
                Some(true)
            }
        })
    }

    /// True where not all that was read was compared since the file changed, and may be now.
    pub(super) fn check_is_due(&self, now: Instant) -> bool {
        self.is_doubted() && self.next_check.is_none_or(|next| next <= now)
    }

    /// When all that was read is to be compared, if it is.
    pub(super) fn open_check(&self) -> Option<Instant> {
        self.next_check.filter(|_| self.is_doubted())
    }

    fn is_doubted(&self) -> bool {
        self.certain != self.stamp || self.is_suspect || self.audit.is_some()
    }

    /// The file was written, whatever it looks like.
    pub(super) fn suspect(&mut self) {
        self.is_suspect = true;
    }

    /// Reads records; `last` where the file will not grow any more.
    pub(super) fn read(
        &mut self,
        limit: usize,
        last: bool,
        options: &FileOptions,
    ) -> io::Result<Found> {
        let (Some(file), Known::Read(trace)) = (&self.file, &self.known) else {
            return Ok(Found::Nothing);
        };
        if self.skipping.is_some() {
            return self.skip(last);
        }
        let offset = trace.offset();
        if trace.last().is_some_and(|byte| byte != b'\n') && !ends_line(&read_at(file, offset, 1)?)
        {
            self.altered = true;
            self.skipping = Some(trace.clone());
            return Ok(Found::Busy);
        }
        let wanted = Wanted {
            framing: options.framing,
            offset,
            room: self
                .stop
                .map_or(u64::MAX, |stop| stop.saturating_sub(offset)),
            known: self.size.saturating_sub(offset),
            limit: limit.max(1),
            usual: self.usual,
            longest: options.max_record,
            header: self.header_due,
            closed: last,
        };
        match wanted.read(file)? {
            Chunk::Records(records) => Ok(Found::Records(records)),
            Chunk::Unfinished(bytes) => {
                self.size = self.size.max(offset + bytes);
                self.stuck = Some((self.size, last));
                Ok(Found::Nothing)
            }
            Chunk::TooLong => {
                self.skipping = Some(trace.clone());
                Ok(Found::Busy)
            }
        }
    }

    /// Skips the rest of a line that is left out.
    fn skip(&mut self, last: bool) -> io::Result<Found> {
        let (Some(file), Some(place)) = (&self.file, &mut self.skipping) else {
            return Ok(Found::Nothing);
        };
        let room = self
            .stop
            .map_or(u64::MAX, |stop| stop.saturating_sub(place.offset()));
        let bytes = read_at(
            file,
            place.offset(),
            SKIP.min(usize::try_from(room).unwrap_or(SKIP)),
        )?;
        let end = memchr::memchr(b'\n', &bytes);
        place.advance(&bytes[..end.map_or(bytes.len(), |end| end + 1)]);
        let ended = bytes.len() < SKIP;
        if end.is_none() && !(ended && last) {
            if ended {
                self.size = self.size.max(place.offset());
                self.stuck = Some((self.size, last));
                return Ok(Found::Nothing);
            }
            return Ok(Found::Busy);
        }
        Ok(Found::Records(Records {
            bytes: Vec::new(),
            records: Vec::new(),
            header: None,
            left_out: 0,
        }))
    }

    /// Takes what was read as a batch, and stands behind it.
    pub(super) fn take(
        &mut self,
        found: Records,
        partition: u32,
        time: Timestamp,
        options: &FileOptions,
    ) -> Taken {
        let start = self.end();
        let before = self.offset();
        let skipped = self.skipping.take();
        let mut lost = found.left_out;
        if let Known::Read(trace) = &mut self.known {
            match skipped {
                Some(behind) => *trace = behind,
                None => trace.advance(&found.bytes),
            }
        }
        if found.bytes.is_empty() {
            lost += self.offset() - before;
        }
        if let Some(header) = found.header {
            self.header_due = false;
            self.other_header = other_header(header.of(&found.bytes), options);
        }
        let count = found.records.len();
        if let Some(usual) = found.bytes.len().checked_div(count) {
            self.usual = usual.max(1);
        }
        self.size = self.size.max(self.offset());
        let headers = match &self.other_header {
            Some((_, headers)) => vec![headers.clone(); count],
            None => Vec::new(),
        };
        let batch = RawBatch {
            partition,
            bytes: found.bytes,
            values: found.records,
            keys: Vec::new(),
            headers,
            times: Times::Same(time),
            offsets: Offsets::Bytes(start),
            end: self.end(),
        };
        Taken { batch, lost }
    }
}

fn ends_line(bytes: &[u8]) -> bool {
    matches!(bytes, [] | [b'\n' | b'\r'])
}

/// What is wrong with a header, in words and as it marks records.
fn other_header(found: Option<&[u8]>, options: &FileOptions) -> Option<(String, Headers)> {
    let HeaderLine::Expect(expected) = &options.header else {
        return None;
    };
    let found = found.unwrap_or_default();
    if found == expected {
        return None;
    }
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let message = format!("its header is `{}`, not `{}`", text(found), text(expected));
    let headers = Headers::default().with(OTHER_HEADER, message.clone());
    Some((message, headers))
}

/// What is wrong with the header of a file that was read beyond it, if something is.
fn stored_header(file: &File, options: &FileOptions) -> io::Result<Option<(String, Headers)>> {
    if !matches!(options.header, HeaderLine::Expect(_)) {
        return Ok(None);
    }
    let wanted = Wanted {
        framing: options.framing,
        offset: 0,
        room: u64::MAX,
        known: 0,
        limit: 1,
        usual: USUAL,
        longest: LONGEST_HEADER,
        header: true,
        closed: true,
    };
    Ok(match wanted.read(file)? {
        Chunk::Records(found) => {
            let header = found.header.and_then(|header| header.of(&found.bytes));
            other_header(header, options)
        }
        _ => None,
    })
}

/// Tells how the records of a file are split, where that makes other records of the same bytes.
pub(super) fn splitting(options: &FileOptions) -> String {
    let framing = match options.framing {
        Framing::Lines => "lines".to_owned(),
        Framing::Quoted { delimiter, quote } => format!("quoted-{delimiter}-{quote}"),
    };
    let header = match options.header {
        HeaderLine::None => "none",
        HeaderLine::Skip => "skip",
        HeaderLine::Expect(_) => "expect",
    };
    format!(
        "{framing},{header},{:?},{},{:?}",
        options.rewrite, options.max_record, options.first_time
    )
}
