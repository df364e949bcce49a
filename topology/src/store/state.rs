//! The state of a process: every store, and what the engine remembers, committed as one.

use std::any::Any;
use std::collections::HashMap;
use std::fmt;
#[cfg(feature = "rocksdb")]
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, RwLock};

use super::FamilyWrites;
use super::bytes::{ByteState, Family, MemoryBytes, NUM_KEYS, Part, ReadBytes, Visit};
use crate::error::{Error, ErrorKind, Result};

/// The version of everything that a state directory holds.
pub const STATE_FORMAT: u32 = 1;

/// Limits of a process's state.
#[derive(Debug, Clone)]
pub struct StateOptions {
    /// Bytes of memory for all state together: rows in memory, and the database's own buffers.
    pub memory: usize,
}

impl Default for StateOptions {
    fn default() -> Self {
        StateOptions { memory: 288 << 20 }
    }
}

/// How much of some memory rows may take: what they lack they have from the database, whose files are in the
/// system's cache as well.
fn rows_of(memory: usize) -> usize {
    memory / 9 * 7
}

/// The state of a process. Cheap to clone: clones are the same state.
///
/// It is in memory, and goes with the process, or in a directory that one process at a time owns.
#[derive(Clone)]
pub struct State {
    inner: Arc<Inner>,
    /// True once nothing is to be committed through this any more, nor through its clones.
    is_given_up: Arc<AtomicBool>,
}

struct Inner {
    bytes: Box<dyn ByteState>,
    tables: Mutex<HashMap<String, Arc<dyn FreezeTable>>>,
    /// Held for reading while a snapshot is taken, for writing while a commit is applied.
    commit: RwLock<()>,
    epoch: AtomicU64,
    options: StateOptions,
    /// True where rows are kept as bytes.
    as_bytes: bool,
    #[cfg(feature = "rocksdb")]
    dir: Option<PathBuf>,
}

/// A table in memory that can be seen as it is now, for ever.
pub(super) trait FreezeTable: Any + Send + Sync {
    fn freeze(&self) -> Arc<dyn Any + Send + Sync>;

    /// The number of rows.
    fn len(&self) -> usize;
}

/// What a commit applies.
#[derive(Default)]
pub(crate) struct Commit {
    pub(crate) writes: Vec<FamilyWrites>,
    pub(super) memory: Vec<Box<dyn FnOnce() + Send>>,
}

/// The family of what the engine remembers.
pub(crate) const META: &str = "meta";

/// From how many bytes on rows are handed over as a file.
const BULK: usize = 256 << 10;

/// The directory of the database in that of the state.
#[cfg(feature = "rocksdb")]
const DATABASE: &str = "rocksdb";

impl State {
    /// State in memory, which nothing outlives.
    pub fn in_memory(options: StateOptions) -> State {
        State::over(Box::new(MemoryBytes::default()), options, false)
    }

    /// The same with rows as bytes, so that a commit can be written elsewhere as well.
    pub(crate) fn bytes_in_memory(options: StateOptions) -> State {
        State::over(Box::new(MemoryBytes::default()), options, true)
    }

    /// The state in directory `dir`, made if it is not there.
    ///
    /// # Errors
    ///
    /// Where another process uses the directory, where it was written in another format, or where it
    /// cannot be read or written.
    #[cfg(feature = "rocksdb")]
    pub fn open(dir: impl AsRef<Path>, options: StateOptions) -> Result<State> {
        let dir = dir.as_ref();
        let said = || format!("cannot open the state directory {}", dir.display());
        std::fs::create_dir_all(dir)
            .map_err(|e| Error::new(ErrorKind::Storage, said()).with_source(e))?;
        let disk = super::rocks::RocksBytes::open(
            &dir.join(DATABASE),
            options.memory - rows_of(options.memory),
        )
        .map_err(|e| e.context(said()))?;
        let mut state = State::over(Box::new(disk), options, true);
        Arc::get_mut(&mut state.inner)
            .expect("nobody else has the state yet")
            .dir = Some(dir.to_owned());
        state.check_format().map_err(|e| e.context(said()))?;
        Ok(state)
    }

    /// True where a directory holds a state.
    #[cfg(feature = "rocksdb")]
    pub fn is_in(dir: &Path) -> bool {
        dir.join(DATABASE).is_dir()
    }

    pub(super) fn over(bytes: Box<dyn ByteState>, options: StateOptions, as_bytes: bool) -> State {
        State {
            inner: Arc::new(Inner {
                bytes,
                tables: Mutex::default(),
                commit: RwLock::new(()),
                epoch: AtomicU64::new(0),
                options,
                as_bytes,
                #[cfg(feature = "rocksdb")]
                dir: None,
            }),
            is_given_up: Arc::default(),
        }
    }

    #[cfg(feature = "rocksdb")]
    fn check_format(&self) -> Result<()> {
        self.inner.bytes.create(&Family::new(META))?;
        match self.meta("format")? {
            None if self.inner.bytes.families().len() > 1 => Err(Error::state(
                "it holds a database that does not say its format",
            )),
            None => {
                let mut commit = Commit::default();
                commit.put_meta("format", &STATE_FORMAT.to_be_bytes());
                self.commit(commit, true)
            }
            Some(bytes) if bytes == STATE_FORMAT.to_be_bytes() => {
                let epoch = self.meta("epoch")?.and_then(|b| b.try_into().ok());
                let epoch = epoch.map_or(0, u64::from_be_bytes);
                self.inner.epoch.store(epoch, Ordering::Release);
                Ok(())
            }
            Some(bytes) => {
                let found = bytes.try_into().map_or(0, u32::from_be_bytes);
                Err(Error::state(format!(
                    "it was written in format {found}, and this program reads format {STATE_FORMAT}"
                )))
            }
        }
    }

    /// True where state is on disk.
    pub fn is_durable(&self) -> bool {
        #[cfg(feature = "rocksdb")]
        return self.inner.dir.is_some();
        #[cfg(not(feature = "rocksdb"))]
        false
    }

    /// True where a commit has the rows of all stores as bytes.
    pub(crate) fn keeps_bytes(&self) -> bool {
        self.inner.as_bytes
    }

    /// The directory, where there is one.
    #[cfg(feature = "rocksdb")]
    pub fn dir(&self) -> Option<&Path> {
        self.inner.dir.as_deref()
    }

    /// The number of commits so far.
    pub fn epoch(&self) -> u64 {
        self.inner.epoch.load(Ordering::Acquire)
    }

    /// Bytes of memory that rows of stores may take.
    pub(crate) fn rows_budget(&self) -> usize {
        if self.is_durable() {
            rows_of(self.inner.options.memory)
        } else {
            usize::MAX
        }
    }

    pub(super) fn bytes(&self) -> &dyn ByteState {
        &*self.inner.bytes
    }

    /// The typed table in memory under `name`, made by `make` if it is not there.
    pub(super) fn table<T: FreezeTable>(
        &self,
        name: &str,
        make: impl FnOnce() -> T,
    ) -> Result<Arc<T>> {
        let mut tables = self.inner.tables.lock().expect("no panic while locked");
        let table = tables
            .entry(name.to_owned())
            .or_insert_with(|| Arc::new(make()))
            .clone();
        let any: Arc<dyn Any + Send + Sync> = table;
        any.downcast::<T>().map_err(|_| {
            Error::state(format!(
                "store {name} holds rows of other types than before"
            ))
        })
    }

    /// What the engine remembers under `key`.
    pub(crate) fn meta(&self, key: &str) -> Result<Option<Vec<u8>>> {
        self.inner.bytes.get(&Family::new(META), key.as_bytes())
    }

    /// All that the engine remembers under keys that begin with `prefix`, which the keys given lack.
    pub(crate) fn meta_with_prefix(&self, prefix: &str) -> Result<Vec<(String, Vec<u8>)>> {
        read_meta(&*self.inner.bytes, prefix)
    }

    /// The families of keys that there are.
    #[cfg(test)]
    pub(crate) fn families(&self) -> Vec<Family> {
        self.inner.bytes.families()
    }

    /// Makes a family of keys that is not a store, unless it is there.
    pub(crate) fn create_family(&self, family: &Family) -> Result<()> {
        self.inner.bytes.create(family)
    }

    /// The value of a key of a family.
    pub(crate) fn get_of_family(&self, family: &Family, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.inner.bytes.get(family, key)
    }

    /// Shows the keys of a family, in order.
    pub(crate) fn scan_family(
        &self,
        family: &Family,
        from: &[u8],
        to: &[u8],
        visit: &mut Visit<'_>,
    ) -> Result<()> {
        self.inner.bytes.scan(family, from, to, visit)
    }

    /// A number that is known of a family without a look at its keys; see [`ByteState::property`].
    pub(crate) fn property(&self, family: &Family, name: &str) -> Option<u64> {
        if self.inner.as_bytes {
            return self.inner.bytes.property(family, name);
        }
        let store = store_of(family).filter(|_| name == NUM_KEYS)?;
        let tables = self.inner.tables.lock().expect("no panic while locked");
        u64::try_from(tables.get(store)?.len()).ok()
    }

    /// The same state for somebody who may lose the right to commit to it; see [`give_up`](State::give_up).
    pub(crate) fn lend(&self) -> State {
        State {
            inner: self.inner.clone(),
            is_given_up: Arc::default(),
        }
    }

    /// Has nothing committed any more through this and its clones. When it returns, what was committed before
    /// stands, and whoever has the state otherwise finds it changed by nobody else.
    pub(crate) fn give_up(&self) {
        let _applying = self.inner.commit.write().expect("no panic while locked");
        self.is_given_up.store(true, Ordering::Release);
    }

    /// Applies a commit, all of it or nothing. With `sync` it outlives a power cut.
    ///
    /// # Errors
    ///
    /// Where it cannot be written, and where the state was [given up](State::give_up).
    pub(crate) fn commit(&self, mut commit: Commit, sync: bool) -> Result<()> {
        for writes in &mut commit.writes {
            writes.sort();
        }
        let _applying = self.inner.commit.write().expect("no panic while locked");
        self.check_right()?;
        let epoch = self.epoch() + 1;
        commit.put_meta("epoch", &epoch.to_be_bytes());
        commit.meta().sort();
        self.inner.bytes.write(commit.writes, sync)?;
        for apply in commit.memory {
            apply();
        }
        self.inner.epoch.store(epoch, Ordering::Release);
        Ok(())
    }

    fn check_right(&self) -> Result<()> {
        if self.is_given_up.load(Ordering::Acquire) {
            let message = "others may have the state by now";
            return Err(Error::new(ErrorKind::Closed, message));
        }
        Ok(())
    }

    /// Applies a commit of rows that are known elsewhere as well, where there are many of them at less cost: what
    /// it has for stores may be there after a crash though the rest is not.
    pub(crate) fn commit_in_bulk(&self, mut commit: Commit) -> Result<()> {
        let mut left = Vec::new();
        for mut writes in std::mem::take(&mut commit.writes) {
            let may = writes.size() >= BULK && writes.cleared.is_empty();
            if may && writes.family.name() != META {
                writes.sort();
                let _applying = self.inner.commit.read().expect("no panic while locked");
                self.check_right()?;
                if self.inner.bytes.take_file(&writes)? {
                    continue;
                }
            }
            left.push(writes);
        }
        commit.writes = left;
        self.commit(commit, false)
    }

    /// Rows of a family come one by one again, and not [in bulk](State::commit_in_bulk).
    pub(crate) fn end_bulk(&self, family: &Family) -> Result<()> {
        self.inner.bytes.end_files(family)
    }

    /// All state as the last commit left it, for ever.
    pub(crate) fn snapshot(&self) -> StateSnapshot {
        let _reading = self.inner.commit.read().expect("no panic while locked");
        let tables = self.inner.tables.lock().expect("no panic while locked");
        StateSnapshot {
            bytes: self.inner.bytes.snapshot(),
            tables: tables
                .iter()
                .map(|(name, table)| (name.clone(), table.freeze()))
                .collect(),
            epoch: self.epoch(),
            as_bytes: self.keeps_bytes(),
        }
    }

    /// Forgets a store and all its rows.
    pub(crate) fn drop_store(&self, name: &str) -> Result<()> {
        let _applying = self.inner.commit.write().expect("no panic while locked");
        self.inner
            .tables
            .lock()
            .expect("no panic while locked")
            .remove(name);
        self.inner.bytes.remove(&store_family(name))
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State")
            .field("durable", &self.is_durable())
            .field("epoch", &self.epoch())
            .finish()
    }
}

/// The family of a store's rows.
pub(crate) fn store_family(name: &str) -> Family {
    Family::new(&format!("store:{name}"))
}

/// The store whose rows are in a family, if any is.
pub(crate) fn store_of(family: &Family) -> Option<&str> {
    family.name().strip_prefix("store:")
}

fn read_meta(bytes: &dyn ReadBytes, prefix: &str) -> Result<Vec<(String, Vec<u8>)>> {
    let mut found = Vec::new();
    let mut end = prefix.as_bytes().to_vec();
    super::bytes::increment(&mut end);
    bytes.scan(
        &Family::new(META),
        prefix.as_bytes(),
        &end,
        &mut |key, value| {
            let key = String::from_utf8_lossy(&key[prefix.len()..]).into_owned();
            found.push((key, value.to_vec()));
            Ok(std::ops::ControlFlow::Continue(()))
        },
    )?;
    Ok(found)
}

impl Commit {
    fn meta(&mut self) -> &mut FamilyWrites {
        let at = self
            .writes
            .iter()
            .position(|writes| writes.family.name() == META);
        let at = at.unwrap_or_else(|| {
            self.writes.push(FamilyWrites::new(Family::new(META)));
            self.writes.len() - 1
        });
        &mut self.writes[at]
    }

    /// Has the engine remember `value` under `key`. A key is written once a commit.
    pub(crate) fn put_meta(&mut self, key: &str, value: &[u8]) {
        self.write_meta(key, Some(value));
    }

    /// Has the engine forget `key`.
    pub(crate) fn remove_meta(&mut self, key: &str) {
        self.write_meta(key, None);
    }

    fn write_meta(&mut self, key: &str, value: Option<&[u8]>) {
        self.meta().put(&[key.as_bytes()], value);
    }

    /// Removes everything in a part of a store.
    pub(crate) fn clear_part(&mut self, family: &Family, part: Part) {
        let mut writes = FamilyWrites::new(family.clone());
        writes.cleared.push((part.bytes().to_vec(), part.end()));
        self.writes.push(writes);
    }

    /// Adds what another part of the process writes in the same commit.
    pub(crate) fn merge(&mut self, other: Commit) {
        for mut writes in other.writes {
            if writes.family.name() == META {
                self.meta().append(&mut writes);
            } else {
                self.writes.push(writes);
            }
        }
        self.memory.extend(other.memory);
    }

    /// Adds writes.
    pub(crate) fn push(&mut self, writes: FamilyWrites) {
        self.writes.push(writes);
    }

    /// True where nothing would change.
    pub(crate) fn is_empty(&self) -> bool {
        self.memory.is_empty() && self.writes.iter().all(FamilyWrites::is_empty)
    }
}

impl fmt::Debug for Commit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Commit")
            .field("writes", &self.writes)
            .finish()
    }
}

/// All state as one commit left it.
pub(crate) struct StateSnapshot {
    bytes: Box<dyn ReadBytes>,
    tables: HashMap<String, Arc<dyn Any + Send + Sync>>,
    epoch: u64,
    as_bytes: bool,
}

impl StateSnapshot {
    /// The number of the commit.
    pub(crate) fn epoch(&self) -> u64 {
        self.epoch
    }

    /// True where rows are bytes.
    pub(super) fn has_bytes(&self) -> bool {
        self.as_bytes
    }

    pub(super) fn get(&self, family: &Family, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.bytes.get(family, key)
    }

    pub(super) fn scan(
        &self,
        family: &Family,
        from: &[u8],
        to: &[u8],
        visit: &mut Visit<'_>,
    ) -> Result<()> {
        self.bytes.scan(family, from, to, visit)
    }

    pub(super) fn table<T: Any>(&self, name: &str) -> Option<&T> {
        self.tables.get(name)?.downcast_ref()
    }

    /// What the engine remembered under `key`.
    pub(crate) fn meta(&self, key: &str) -> Result<Option<Vec<u8>>> {
        self.bytes.get(&Family::new(META), key.as_bytes())
    }
}
