//! Noticing that files change.
//!
//! One thread looks at all files of all readers from time to time, since not every file system tells
//! of changes; where the system tells, readers hear of it at once. What has changed is for the
//! readers to find out: they are told where to look.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, Weak};
use std::time::{Duration, Instant};

use ferrisstreams_topology::connector::Waker;
use notify::event::ModifyKind;
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};

use super::pattern::{Listing, Target};
use super::stamp::{FileId, Stamp};

/// Looking at the files takes at most one part in so many of the time.
const SHARE: u32 = 20;

/// Watches files for readers. Cheap to clone; clones share one thread.
#[derive(Clone, Default)]
pub struct Watch {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    nudged: Condvar,
}

#[derive(Default)]
struct State {
    subscribers: Vec<Arc<Subscriber>>,
    running: bool,
    /// True where the thread should look at what it has to do again.
    nudge: bool,
}

/// Where a reader should look.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// Files that changed.
    pub(super) files: BTreeMap<PathBuf, Change>,
    /// True where files came or went.
    pub(super) listing: bool,
}

/// How a file changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Change {
    /// It was seen to be shorter than before.
    pub(super) shorter: bool,
    /// The system said that it was written, though it may look as before: clocks of file systems are
    /// coarse.
    pub(super) written: bool,
}

/// A reader's share of a [`Watch`]; dropped, it ends.
pub(super) struct Subscription {
    shared: Arc<Shared>,
    subscriber: Arc<Subscriber>,
}

struct Subscriber {
    target: Target,
    waker: Waker,
    poll_interval: Duration,
    /// How the files looked, locked while they are looked at: of two who look at once neither puts an
    /// older sight over a newer one. Taken before `seen`.
    stamps: Mutex<BTreeMap<PathBuf, Option<Stamp>>>,
    seen: Mutex<Seen>,
}

struct Seen {
    changes: Changes,
    next_look: Instant,
    /// When the reader wants to be woken.
    alarm: Option<Instant>,
}

impl Watch {
    /// Watches the files of `target`, beginning with how they are now.
    pub(super) fn subscribe(
        &self,
        target: &Target,
        poll_interval: Duration,
        waker: &Waker,
    ) -> Subscription {
        let subscriber = Arc::new(Subscriber {
            target: target.clone(),
            waker: waker.clone(),
            poll_interval,
            stamps: Mutex::default(),
            seen: Mutex::new(Seen {
                changes: Changes::default(),
                next_look: Instant::now(),
                alarm: None,
            }),
        });
        subscriber.look();
        let mut state = self.shared.lock();
        state.subscribers.push(subscriber.clone());
        let start = !std::mem::replace(&mut state.running, true);
        drop(state);
        if start {
            Shared::start(&self.shared);
        }
        self.shared.nudge();
        Subscription {
            shared: self.shared.clone(),
            subscriber,
        }
    }
}

impl Subscription {
    /// What has changed since this was last asked.
    pub(super) fn take(&self) -> Changes {
        std::mem::take(&mut self.subscriber.lock().changes)
    }

    /// Wakes the reader at a time, or earlier.
    pub(super) fn wake_at(&self, at: Instant) {
        let mut seen = self.subscriber.lock();
        if seen.alarm.is_none_or(|alarm| at < alarm) {
            seen.alarm = Some(at);
            drop(seen);
            self.shared.nudge();
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state
            .subscribers
            .retain(|other| !Arc::ptr_eq(other, &self.subscriber));
        drop(state);
        self.shared.nudge();
    }
}

impl Subscriber {
    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().expect("no panic while locked")
    }

    fn stamps(&self) -> MutexGuard<'_, BTreeMap<PathBuf, Option<Stamp>>> {
        self.stamps.lock().expect("no panic while locked")
    }

    /// Looks at all files; where some have changed the reader is woken.
    fn look(&self) -> Listing {
        let begun = Instant::now();
        let mut stamps = self.stamps();
        let listing = self.target.list().unwrap_or_default();
        let mut changed = false;
        for path in &listing.files {
            changed |= self.look_at(&mut stamps, path, false);
        }
        let before = stamps.len();
        stamps.retain(|path, _| listing.files.contains(path));
        let mut seen = self.lock();
        if stamps.len() < before {
            seen.changes.listing = true;
            changed = true;
        }
        let now = Instant::now();
        seen.next_look = now + self.poll_interval.max((now - begun) * SHARE);
        if changed {
            self.waker.wake();
        }
        listing
    }

    /// Looks at one file, which the system said was written or not; true where it has changed.
    fn look_at(
        &self,
        stamps: &mut BTreeMap<PathBuf, Option<Stamp>>,
        path: &Path,
        written: bool,
    ) -> bool {
        let stamp = std::fs::metadata(path)
            .ok()
            .map(|metadata| Stamp::of(&metadata));
        let before = stamps.insert(path.to_owned(), stamp);
        if before == Some(stamp) && !written {
            return false;
        }
        let shorter = match (before.flatten(), stamp) {
            (Some(before), Some(stamp)) => before.id == stamp.id && stamp.size < before.size,
            _ => false,
        };
        let mut seen = self.lock();
        seen.changes.listing |= before.is_none();
        let change = seen.changes.files.entry(path.to_owned()).or_default();
        change.shorter |= shorter;
        change.written |= written;
        true
    }

    /// Something happened to a file or directory.
    fn hear(&self, path: &Path, written: bool) {
        let mut stamps = self.stamps();
        if stamps.contains_key(path) {
            if self.look_at(&mut stamps, path, written) {
                self.waker.wake();
            }
        } else if matches!(self.target, Target::Files(_)) {
            self.lock().next_look = Instant::now();
        }
    }

    /// Does what is due, and says when it is to be called again.
    fn turn(&self, now: Instant, directories: &mut Directories) -> Instant {
        if self.lock().next_look <= now {
            directories.add(&self.look());
        }
        let mut seen = self.lock();
        if seen.alarm.is_some_and(|alarm| alarm <= now) {
            seen.alarm = None;
            self.waker.wake();
        }
        seen.alarm
            .map_or(seen.next_look, |alarm| alarm.min(seen.next_look))
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic while locked")
    }

    fn nudge(&self) {
        self.lock().nudge = true;
        self.nudged.notify_one();
    }

    fn start(shared: &Arc<Shared>) {
        let mine = shared.clone();
        let thread = std::thread::Builder::new().name("file-watch".to_owned());
        if let Err(e) = thread.spawn(move || mine.run()) {
            tracing::error!("files are not watched: cannot start a thread: {e}");
            shared.lock().running = false;
        }
    }

    fn run(self: Arc<Self>) {
        let mut directories = Directories::new(&self);
        let subscribers = self.lock().subscribers.clone();
        for subscriber in subscribers {
            directories.add(&subscriber.target.list().unwrap_or_default());
            // What happened before the system was asked to tell.
            subscriber.look();
        }
        loop {
            let subscribers = self.lock().subscribers.clone();
            let now = Instant::now();
            let next = subscribers
                .iter()
                .map(|one| one.turn(now, &mut directories))
                .min();
            let mut state = self.lock();
            if state.subscribers.is_empty() {
                state.running = false;
                return;
            }
            if !std::mem::take(&mut state.nudge) {
                let wait = next.map_or(Duration::ZERO, |next| next.saturating_duration_since(now));
                let (mut state, _) = self
                    .nudged
                    .wait_timeout(state, wait)
                    .expect("no panic while locked");
                state.nudge = false;
            }
        }
    }

    /// What the system tells.
    fn hear(&self, event: notify::Result<notify::Event>) {
        let subscribers = self.lock().subscribers.clone();
        let event = match event {
            Ok(event) if matches!(event.kind, EventKind::Access(_)) => return,
            Ok(event) if !event.need_rescan() => event,
            _ => {
                for subscriber in &subscribers {
                    subscriber.lock().next_look = Instant::now();
                }
                return self.nudge();
            }
        };
        let written = matches!(event.kind, EventKind::Modify(ModifyKind::Data(_)));
        for subscriber in &subscribers {
            for path in &event.paths {
                subscriber.hear(path, written);
            }
        }
        if subscribers
            .iter()
            .any(|one| matches!(one.target, Target::Files(_)))
        {
            self.nudge();
        }
    }
}

/// The directories that the system tells of.
struct Directories {
    watcher: Option<RecommendedWatcher>,
    known: BTreeMap<PathBuf, FileId>,
}

impl Directories {
    fn new(shared: &Arc<Shared>) -> Self {
        let shared: Weak<Shared> = Arc::downgrade(shared);
        let watcher = notify::recommended_watcher(move |event| {
            if let Some(shared) = shared.upgrade() {
                shared.hear(event);
            }
        });
        let watcher = watcher.inspect_err(|e| {
            tracing::warn!(
                "the system does not tell of changes of files, they are looked for: {e}"
            );
        });
        Directories {
            watcher: watcher.ok(),
            known: BTreeMap::new(),
        }
    }

    fn add(&mut self, listing: &Listing) {
        let Some(watcher) = &mut self.watcher else {
            return;
        };
        for directory in &listing.directories {
            let Ok(metadata) = std::fs::metadata(directory) else {
                self.known.remove(directory);
                continue;
            };
            let id = Stamp::of(&metadata).id;
            if self.known.get(directory) == Some(&id) {
                continue;
            }
            match watcher.watch(directory, RecursiveMode::NonRecursive) {
                Ok(()) => {
                    self.known.insert(directory.clone(), id);
                }
                Err(e) => {
                    tracing::debug!(?directory, "changes are looked for, not told: {e}");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    const LONG: Duration = Duration::from_secs(30);

    #[test]
    fn changes_are_told_at_once_though_nobody_looks() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        let waker = Waker::new();
        let watch = Watch::default();
        let subscription = watch.subscribe(&Target::of(&path), LONG * 100, &waker);
        assert!(subscription.take().listing);
        // The first write may come before the system was asked to tell; the thread looks again then.
        // The second lets nobody see an empty file: what is seen last before the third is not empty.
        let mut file = std::fs::File::create(&path).unwrap();
        for text in ["x", "yz"] {
            file.write_all(text.as_bytes()).unwrap();
            while !subscription.take().files.contains_key(&path) {
                assert!(waker.wait(LONG), "nobody said that the file changed");
            }
        }
        file.set_len(0).unwrap();
        loop {
            if subscription
                .take()
                .files
                .get(&path)
                .is_some_and(|change| change.shorter)
            {
                break;
            }
            assert!(waker.wait(LONG), "nobody said that the file is shorter");
        }
    }

    #[test]
    fn files_that_come_and_go_are_seen_by_looking() {
        let dir = tempfile::tempdir().unwrap();
        let waker = Waker::new();
        let watch = Watch::default();
        let target = Target::of(&dir.path().join("*/*.csv"));
        let subscription = watch.subscribe(&target, Duration::from_millis(5), &waker);
        std::fs::create_dir(dir.path().join("x")).unwrap();
        let path = dir.path().join("x/a.csv");
        std::fs::write(&path, "1").unwrap();
        let wait = |holds: &dyn Fn(&Changes) -> bool| {
            while !holds(&subscription.take()) {
                assert!(waker.wait(LONG), "nobody said that files changed");
            }
        };
        wait(&|changes| changes.listing && changes.files.contains_key(&path));
        std::fs::remove_file(&path).unwrap();
        wait(&|changes| changes.listing || changes.files.contains_key(&path));
    }

    #[test]
    fn readers_are_woken_when_they_want_to_be() {
        let dir = tempfile::tempdir().unwrap();
        let waker = Waker::new();
        let watch = Watch::default();
        let subscription = watch.subscribe(&Target::of(&dir.path().join("a")), LONG * 10, &waker);
        waker.wait(Duration::ZERO);
        let begun = Instant::now();
        subscription.wake_at(begun + Duration::from_secs(50));
        subscription.wake_at(begun + Duration::from_millis(20));
        assert!(waker.wait(LONG));
        assert!(begun.elapsed() >= Duration::from_millis(20));
        drop(subscription);
        assert!(watch.shared.lock().subscribers.is_empty());
    }
}
