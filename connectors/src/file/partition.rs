//! One file of a source: a partition of it.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use ferrisstreams_topology::connector::RawBatch;
use ferrisstreams_topology::time::Timestamp;

use super::check::Verdict;
use super::content::{Content, Found};
use super::doubt::Doubt;
use super::options::{FileOptions, Rewrite};
use super::position::Position;
use super::stamp::Stamp;
use super::stands::Stands;
use super::watch::Change;

/// How much is compared at once, so that others are not kept waiting.
const COMPARED: usize = 4 << 20;

/// What a partition may know of the moment at which it is asked.
pub(super) struct Moment {
    pub(super) options: Arc<FileOptions>,
    pub(super) now: Instant,
    pub(super) clock: SystemTime,
    /// The timestamp of records.
    pub(super) time: Timestamp,
    /// True where nothing is read that came after the start.
    pub(super) bounded: bool,
    /// When to ask again, at the latest.
    pub(super) alarm: Option<Instant>,
}

impl Moment {
    /// Asks again at a time, or earlier.
    fn wake_at(&mut self, at: Instant) {
        self.alarm = Some(self.alarm.map_or(at, |alarm| alarm.min(at)));
    }
}

/// What asking a partition gave.
pub(super) enum Turn {
    Records(RawBatch),
    /// Nothing for now.
    Nothing,
    /// Nothing yet, but it is to be asked again.
    Busy,
    /// The content is another.
    Replaced,
}

/// A file that is read.
pub(super) struct Partition {
    number: u32,
    path: PathBuf,
    content: Option<Content>,
    place: Place,
    stands: Stands,
    /// How many contents were read before.
    generation: u32,
    /// True where the file is to be looked at.
    dirty: bool,
    /// How it has changed since it was looked at.
    change: Change,
    /// True once everything was read that was there.
    pub(super) reached: bool,
    /// Why it cannot be read for now.
    pub(super) trouble: Option<String>,
    /// What was lost.
    pub(super) damage: Option<String>,
    /// The number of bytes that were lost and are not counted yet.
    pub(super) lost: u64,
}

/// What the path leads to.
#[expect(clippy::large_enum_variant, reason = "there is one for each file")]
enum Place {
    /// Nothing.
    Absent,
    /// The content that is read.
    Here,
    /// Maybe something else.
    Doubtful(Doubt),
}

impl Partition {
    pub(super) fn new(number: u32, path: PathBuf) -> Self {
        Partition {
            number,
            path,
            content: None,
            place: Place::Absent,
            stands: Stands::default(),
            generation: 0,
            dirty: true,
            change: Change::default(),
            reached: false,
            trouble: None,
            damage: None,
            lost: 0,
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The file has changed.
    pub(super) fn touch(&mut self, change: Change) {
        self.dirty = true;
        self.change.shorter |= change.shorter;
        self.change.written |= change.written;
    }

    /// Goes on at a stored position, or begins at the start.
    pub(super) fn seek(&mut self, position: Option<&Position>, options: &FileOptions) {
        let file = self.content.take().and_then(Content::into_file);
        self.restart();
        if let Some(position) = position {
            self.generation = position.generation;
            let content = Content::stored(position, file, options);
            for stand in content.stands() {
                self.stands.push(stand);
            }
            self.content = Some(content);
        }
    }

    /// Begins again at the start of the file as it is now.
    pub(super) fn restart(&mut self) {
        self.generation = self.generation.wrapping_add(1);
        self.content = None;
        self.place = Place::Absent;
        self.stands.clear();
        self.dirty = true;
        self.change = Change::default();
        self.reached = false;
        self.trouble = None;
        self.damage = None;
    }

    pub(super) fn is_absent(&self) -> bool {
        matches!(self.place, Place::Absent)
    }

    /// True where asking again may find more of what was there at the start.
    pub(super) fn is_waiting(&self) -> bool {
        self.trouble.is_some() || matches!(self.place, Place::Doubtful(_))
    }

    /// True where more is known to be there than was read.
    pub(super) fn is_behind(&self) -> bool {
        let more = self
            .content
            .as_ref()
            .is_some_and(|content| content.has_more(false));
        more || self.dirty && !self.reached
    }

    /// What is wrong with the file's header, if something is.
    pub(super) fn other_header(&self) -> Option<&str> {
        self.content.as_ref().and_then(Content::other_header)
    }

    /// How far the file was read, and how large it is.
    pub(super) fn progress(&self) -> (u64, u64) {
        let content = self.content.as_ref();
        content.map_or((0, 0), |content| {
            (content.offset(), content.size().max(content.offset()))
        })
    }

    pub(super) fn position(&self, offset: i64) -> Option<Position> {
        self.stands.position(&self.path, offset)
    }

    pub(super) fn committed(&mut self, offset: i64) {
        self.stands.forget_before(offset);
    }

    pub(super) fn has_open_file(&self) -> bool {
        self.content.as_ref().is_some_and(Content::is_open)
    }

    /// Closes the file where nothing is to be read of it, to open it again when something is.
    pub(super) fn close_idle(&mut self) {
        if let (Place::Here, Some(content)) = (&self.place, &mut self.content)
            && !content.has_more(false)
        {
            content.close();
        }
    }

    /// Reads records, or finds out what has become of the file.
    pub(super) fn turn(&mut self, limit: usize, moment: &mut Moment) -> Turn {
        match self.try_turn(limit, moment) {
            Ok(turn) => turn,
            Err(e) => {
                self.fail(&e, moment);
                Turn::Nothing
            }
        }
    }

    /// Looks at the file, if it has changed.
    pub(super) fn notice(&mut self, moment: &mut Moment) {
        if let Err(e) = self.try_notice(moment) {
            self.fail(&e, moment);
        }
    }

    fn fail(&mut self, error: &io::Error, moment: &mut Moment) {
        self.trouble = Some(format!("cannot read {}: {error}", self.path.display()));
        self.dirty = true;
        moment.wake_at(moment.now + moment.options.poll_interval);
    }

    fn try_notice(&mut self, moment: &mut Moment) -> io::Result<()> {
        let due = self
            .content
            .as_ref()
            .is_some_and(|c| c.check_is_due(moment.now));
        if self.dirty || due {
            self.look(moment)?;
            self.dirty = false;
            self.change = Change::default();
            self.trouble = None;
        }
        Ok(())
    }

    fn try_turn(&mut self, limit: usize, moment: &mut Moment) -> io::Result<Turn> {
        loop {
            self.try_notice(moment)?;
            match self.read(limit, moment)? {
                Turn::Nothing => {}
                turn => return Ok(turn),
            }
            let decided = match self.place {
                Place::Doubtful(_) => self.decide(moment)?,
                _ => Some(Turn::Nothing),
            };
            if let Some(turn) = decided {
                self.reached |= matches!(turn, Turn::Nothing) && !self.is_waiting();
                return Ok(turn);
            }
        }
    }

    /// Looks at what the path leads to.
    fn look(&mut self, moment: &mut Moment) -> io::Result<()> {
        let stamp = match std::fs::metadata(&self.path) {
            Ok(metadata) if metadata.is_dir() => {
                return Err(io::Error::new(
                    io::ErrorKind::IsADirectory,
                    "it is a directory",
                ));
            }
            Ok(metadata) => Stamp::of(&metadata),
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                self.place = Place::Absent;
                return self.find_renamed(moment);
            }
            Err(e) => return Err(e),
        };
        let Some(content) = &mut self.content else {
            return self.begin(0, moment);
        };
        let (at_once, before) = (content.is_stored(), content.stamp());
        let doubted = match &mut self.place {
            Place::Doubtful(doubt) => {
                doubt.look(stamp, moment.now);
                !doubt.is_mild || self.change.shorter
            }
            _ => false,
        };
        if doubted {
            return Ok(());
        }
        if self.is_same(stamp, moment)? {
            self.place = Place::Here;
        } else if !matches!(self.place, Place::Doubtful(_)) {
            let mut doubt = Doubt::new(stamp, at_once, moment.now);
            let content = self.content.as_ref();
            doubt.is_mild = before.id == stamp.id
                && before.size == stamp.size
                && !self.change.shorter
                && content.is_some_and(|content| !content.is_contradicted());
            self.place = Place::Doubtful(doubt);
            if !at_once {
                self.find_renamed(moment)?;
            }
        }
        Ok(())
    }

    /// True where the path surely leads to what is read.
    fn is_same(&mut self, stamp: Stamp, moment: &mut Moment) -> io::Result<bool> {
        let Some(content) = &mut self.content else {
            return Ok(false);
        };
        let before = content.stamp();
        if content.is_stored() || before.id != stamp.id || self.change.shorter {
            return Ok(false);
        }
        if self.change.written {
            content.suspect();
        }
        let unchanged = before == stamp;
        if unchanged && !content.check_is_due(moment.now) {
            if let Some(at) = content.open_check() {
                moment.wake_at(at);
            }
            return Ok(true);
        }
        if !unchanged && stamp.size <= before.size {
            return Ok(false);
        }
        content.open(&self.path)?;
        let (options, now) = (moment.options.clone(), moment.now);
        content.still_holds(stamp, &options, now, &mut |at| moment.wake_at(at))
    }

    /// Begins to read what the path leads to.
    fn begin(&mut self, base: i64, moment: &mut Moment) -> io::Result<()> {
        let file = File::open(&self.path)?;
        let mut content = Content::begin(file, self.generation, base, &moment.options)?;
        if moment.bounded {
            content.stop_here();
        }
        self.stands.push(content.stand());
        self.content = Some(content);
        self.place = Place::Here;
        Ok(())
    }

    /// Opens the file that was read so far where it has another name by now.
    fn find_renamed(&mut self, moment: &mut Moment) -> io::Result<()> {
        let Some(content) = self.content.as_mut().filter(|content| !content.is_open()) else {
            return Ok(());
        };
        let Some(file) = content.find_renamed(&self.path)? else {
            return Ok(());
        };
        let check = content.check(Stamp::of(&file.metadata()?), !moment.bounded);
        let care = check.care();
        if let Verdict::Same(trace) = check.run(&file)? {
            content.adopt(file, trace, care, &moment.options)?;
            if moment.bounded {
                content.stop_here();
            }
        }
        Ok(())
    }

    /// Reads on in the content, wherever the path leads.
    fn read(&mut self, limit: usize, moment: &mut Moment) -> io::Result<Turn> {
        let Some(content) = &mut self.content else {
            return Ok(Turn::Nothing);
        };
        let finishing = match &mut self.place {
            Place::Here => false,
            Place::Absent => {
                follow_open(content, moment)?;
                false
            }
            Place::Doubtful(doubt) if doubt.stamp.id == content.stamp().id => {
                return Ok(Turn::Nothing);
            }
            Place::Doubtful(doubt) => {
                if follow_open(content, moment)? {
                    doubt.stir(moment.now);
                }
                doubt.is_other
            }
        };
        let last = moment.bounded || finishing;
        if !content.has_more(last) {
            return Ok(Turn::Nothing);
        }
        if !content.is_open() {
            if !matches!(self.place, Place::Here) {
                return Ok(Turn::Nothing);
            }
            if !content.open(&self.path)? {
                self.dirty = true;
                return Ok(Turn::Busy);
            }
        }
        match content.read(limit, last, &moment.options)? {
            Found::Nothing => Ok(Turn::Nothing),
            Found::Busy => {
                let altered = content.is_altered() && moment.options.rewrite == Rewrite::Replace;
                if altered && matches!(self.place, Place::Here) {
                    let doubt = Doubt::new(content.stamp(), false, moment.now);
                    self.place = Place::Doubtful(doubt);
                }
                Ok(Turn::Busy)
            }
            Found::Records(found) => {
                if !self.read_is_sound(moment)? {
                    return Ok(Turn::Busy);
                }
                Ok(self.take(found, moment))
            }
        }
    }

    /// True where the bytes before those that were just read are still what they were; otherwise they
    /// may be anything.
    fn read_is_sound(&mut self, moment: &mut Moment) -> io::Result<bool> {
        let Some(content) = &mut self.content else {
            return Ok(false);
        };
        let Some(stamp) = content.look()? else {
            return Ok(false);
        };
        if stamp == content.stamp() {
            return Ok(true);
        }
        let (options, now) = (moment.options.clone(), moment.now);
        let grown = stamp.size > content.stamp().size;
        let is_mild = stamp.size == content.stamp().size;
        if grown && content.still_holds(stamp, &options, now, &mut |at| moment.wake_at(at))? {
            return Ok(true);
        }
        if matches!(self.place, Place::Here) {
            let mut doubt = Doubt::new(stamp, false, moment.now);
            doubt.is_mild = is_mild;
            self.place = Place::Doubtful(doubt);
            self.dirty = true;
        } else {
            self.give_up();
        }
        Ok(false)
    }

    /// What was not read of the content cannot be read any more.
    fn give_up(&mut self) {
        if let Some(content) = &mut self.content {
            let unread = content.unread();
            content.close();
            self.lose(unread, "the file was rewritten before they were read");
        }
    }

    fn lose(&mut self, bytes: u64, why: &str) {
        if bytes > 0 {
            self.lost += bytes;
            let path = self.path.display();
            self.damage = Some(format!("{bytes} bytes of {path} are lost: {why}"));
        }
    }

    fn take(&mut self, found: super::chunk::Records, moment: &Moment) -> Turn {
        let Some(content) = &mut self.content else {
            return Turn::Nothing;
        };
        let taken = content.take(found, self.number, moment.time, &moment.options);
        self.stands.push(content.stand());
        if taken.lost > 0 {
            let most = moment.options.max_record;
            self.lose(
                taken.lost,
                &format!("a line is longer than {most} bytes, or was written on"),
            );
        }
        Turn::Records(taken.batch)
    }

    /// Finds out whether the content is another; none where reading is to be tried again.
    fn decide(&mut self, moment: &mut Moment) -> io::Result<Option<Turn>> {
        let (Place::Doubtful(doubt), Some(content)) = (&mut self.place, &mut self.content) else {
            return Ok(None);
        };
        if !doubt.is_sought && content.is_stored() && doubt.stamp.id != content.stamp().id {
            // What was read before may have another name by now, and more lines.
            doubt.is_sought = true;
            self.find_renamed(moment)?;
            return Ok(None);
        }
        let rests_at = doubt.rests_at(moment.options.debounce, moment.now, moment.clock);
        let at_once = doubt.at_once && content.is_stored();
        if let Some(at) = rests_at.filter(|_| !at_once) {
            moment.wake_at(at);
            return Ok(Some(Turn::Nothing));
        }
        if doubt.is_other {
            return self.replace(moment);
        }
        let (file, mut check) = match doubt.check.take() {
            Some(check) => check,
            None => {
                let file = File::open(&self.path)?;
                let stamp = Stamp::of(&file.metadata()?);
                if stamp != doubt.stamp {
                    doubt.look(stamp, moment.now);
                    return Ok(None);
                }
                (file, content.check(stamp, !moment.bounded))
            }
        };
        let care = check.care();
        match check.advance(&file, COMPARED)? {
            None => {
                doubt.check = Some((file, check));
                Ok(Some(Turn::Busy))
            }
            Some(Verdict::Same(trace)) if !content.is_altered() => {
                content.adopt(file, trace, care, &moment.options)?;
                if moment.bounded {
                    content.stop_here();
                }
                self.place = Place::Here;
                // Between the look at the file and now it may have changed.
                self.dirty = true;
                Ok(None)
            }
            Some(_) if at_once => {
                doubt.at_once = false;
                Ok(None)
            }
            Some(_) => {
                doubt.is_other = true;
                Ok(None)
            }
        }
    }

    /// The content is another, and what could be read of the old one was.
    fn replace(&mut self, moment: &mut Moment) -> io::Result<Option<Turn>> {
        let Some(content) = &self.content else {
            return Ok(None);
        };
        let (unread, end) = (content.unread(), content.end());
        if moment.options.rewrite == Rewrite::Replace {
            self.lose(unread, "the file was rewritten before they were read");
            return Ok(Some(Turn::Replaced));
        }
        self.generation = self.generation.wrapping_add(1);
        self.begin(end, moment)?;
        self.lose(unread, "the file was rewritten before they were read");
        Ok(None)
    }
}

/// Looks how the file looks that a path no longer leads to, if it is open; true where it has grown.
fn follow_open(content: &mut Content, moment: &mut Moment) -> io::Result<bool> {
    let Some(stamp) = content.look()? else {
        return Ok(false);
    };
    moment.wake_at(moment.now + moment.options.poll_interval);
    let (options, now) = (moment.options.clone(), moment.now);
    Ok(stamp.size > content.size() && content.still_holds(stamp, &options, now, &mut |_| {})?)
}
