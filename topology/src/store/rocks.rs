//! RocksDB: one database per process, one column family per store.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use rocksdb::{
    BlockBasedIndexType, BlockBasedOptions, BoundColumnFamily, Cache, ColumnFamilyDescriptor,
    DBCompressionType, DBRawIteratorWithThreadMode, DBWithThreadMode, IngestExternalFileOptions,
    MultiThreaded, Options, ReadOptions, SnapshotWithThreadMode, SstFileWriter, WriteBatch,
    WriteBufferManager, WriteOptions,
};
use self_cell::self_cell;

use super::FamilyWrites;
use super::bytes::{ByteState, Family, ReadBytes, Visit};
use crate::error::{Error, ErrorKind, Result};

type Database = DBWithThreadMode<MultiThreaded>;

/// State on disk.
pub(crate) struct RocksBytes {
    db: Arc<Database>,
    options: Options,
    families: Mutex<BTreeSet<Family>>,
    /// Numbers the files that are taken in.
    files: AtomicU64,
    /// The families that take files in.
    filled: Mutex<BTreeSet<Family>>,
}

/// From how many files on that are not in order yet a family is put in order: usually, and where files are
/// taken in, so that the same rows are not rewritten over and over.
const FILES: i32 = 4;
const FILES_WHILE_FILLED: i32 = 32;
/// From how many on writing is slowed down, and stopped. It is to be more than what is left of taking files in.
const TOO_MANY: (i32, i32) = (48, 64);

/// What the names of files begin with that are to be taken in.
const FILE: &str = "taken-";

fn failed(doing: &str, e: rocksdb::Error) -> Error {
    let kind = match e.kind() {
        rocksdb::ErrorKind::Corruption => ErrorKind::State,
        _ => ErrorKind::Storage,
    };
    Error::new(kind, doing).with_source(e)
}

impl RocksBytes {
    /// Opens or makes the database in `dir`, for at most `memory` bytes of its own: a third of it may
    /// hold what was written last, and the rest caches blocks.
    pub(crate) fn open(dir: &Path, memory: usize) -> Result<Self> {
        // What is written counts among what is cached.
        let cache = Cache::new_lru_cache(memory);
        let buffers = WriteBufferManager::new_write_buffer_manager_with_cache(
            memory / 3,
            false,
            cache.clone(),
        );
        let mut options = Options::default();
        options.create_if_missing(true);
        options.create_missing_column_families(true);
        options.set_write_buffer_manager(&buffers);
        options.set_max_background_jobs(2);
        options.set_keep_log_file_num(2);
        options.set_max_total_wal_size(256 << 20);
        options.set_max_open_files(256);
        let family_options = family_options(&cache, memory);
        let names = match Database::list_cf(&options, dir) {
            Ok(names) => names,
            Err(_) if !dir.join("CURRENT").exists() => vec!["default".to_owned()],
            Err(e) => return Err(failed("cannot open the state", e)),
        };
        let families = names
            .iter()
            .map(|name| ColumnFamilyDescriptor::new(name, family_options.clone()));
        let db = Database::open_cf_descriptors(&options, dir, families).map_err(not_opened)?;
        RocksBytes::clean_up(dir);
        let known = names
            .iter()
            .filter(|name| *name != rocksdb::DEFAULT_COLUMN_FAMILY_NAME)
            .map(|name| Family::new(name))
            .collect();
        Ok(RocksBytes {
            db: Arc::new(db),
            options: family_options,
            families: Mutex::new(known),
            files: AtomicU64::new(0),
            filled: Mutex::default(),
        })
    }

    /// Removes files that the last process has not come to take in.
    fn clean_up(dir: &Path) {
        let Ok(entries) = std::fs::read_dir(dir) else {
            return;
        };
        for entry in entries.flatten() {
            if entry.file_name().to_string_lossy().starts_with(FILE) {
                // What stays takes room and does nothing else.
                let _ = std::fs::remove_file(entry.path());
            }
        }
    }

    /// Says from how many files on a family is put in order.
    fn order_from(&self, family: &Family, files: i32) -> Result<()> {
        let handle = self.family(family)?;
        let option = ("level0_file_num_compaction_trigger", &*files.to_string());
        let set = self.db.set_options_cf(&handle, &[option]);
        set.map_err(|e| failed("cannot set up a store", e))
    }

    /// Writes a file of rows.
    fn write_file(&self, path: &Path, writes: &FamilyWrites) -> Result<(), rocksdb::Error> {
        let mut file = SstFileWriter::create(&self.options);
        file.open(path)?;
        for (key, value) in writes.last_of_each() {
            match value {
                Some(value) => file.put(key, value)?,
                None => file.delete(key)?,
            }
        }
        file.finish()
    }

    fn known(&self) -> MutexGuard<'_, BTreeSet<Family>> {
        self.families.lock().expect("no panic while locked")
    }

    fn family(&self, family: &Family) -> Result<Arc<BoundColumnFamily<'_>>> {
        handle(&self.db, family)
    }
}

fn not_opened(e: rocksdb::Error) -> Error {
    let said = e.to_string();
    let by = if said.contains("lock hold by current process") {
        "this process already"
    } else if said.contains("While lock file") {
        "another process"
    } else {
        return failed("cannot open the state", e);
    };
    Error::new(ErrorKind::State, format!("it is in use by {by}")).with_source(e)
}

fn family_options(cache: &Cache, memory: usize) -> Options {
    let mut table = BlockBasedOptions::default();
    table.set_block_cache(cache);
    table.set_bloom_filter(10.0, false);
    // Filters and indexes are read a part at a time: the whole of a large file's would push all else
    // out of a small cache, for each key that is looked up.
    table.set_index_type(BlockBasedIndexType::TwoLevelIndexSearch);
    table.set_partition_filters(true);
    table.set_metadata_block_size(4 << 10);
    table.set_cache_index_and_filter_blocks(true);
    table.set_pin_l0_filter_and_index_blocks_in_cache(true);
    table.set_pin_top_level_index_and_filter(true);
    table.set_block_size(8 << 10);
    table.set_format_version(6);
    let mut options = Options::default();
    options.set_block_based_table_factory(&table);
    options.set_compression_type(DBCompressionType::Lz4);
    options.set_level_compaction_dynamic_level_bytes(true);
    options.set_write_buffer_size((memory / 8).clamp(1 << 20, 64 << 20));
    options.set_max_write_buffer_number(3);
    options.set_level_zero_file_num_compaction_trigger(FILES);
    options.set_level_zero_slowdown_writes_trigger(TOO_MANY.0);
    options.set_level_zero_stop_writes_trigger(TOO_MANY.1);
    options
}

fn handle<'a>(db: &'a Database, family: &Family) -> Result<Arc<BoundColumnFamily<'a>>> {
    db.cf_handle(family.name())
        .ok_or_else(|| Error::state(format!("the state has no family {family}")))
}

fn walk<'a, D: rocksdb::DBAccess>(
    mut at: DBRawIteratorWithThreadMode<'a, D>,
    from: &[u8],
    visit: &mut Visit<'_>,
) -> Result<()> {
    at.seek(from);
    while let Some((key, value)) = at.item() {
        if let ControlFlow::Break(()) = visit(key, value)? {
            return Ok(());
        }
        at.next();
    }
    at.status().map_err(|e| failed("cannot read the state", e))
}

fn range(to: &[u8]) -> ReadOptions {
    let mut options = ReadOptions::default();
    if !to.is_empty() {
        options.set_iterate_upper_bound(to);
    }
    options
}

impl ReadBytes for RocksBytes {
    fn get(&self, family: &Family, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.db
            .get_cf(&self.family(family)?, key)
            .map_err(|e| failed("cannot read the state", e))
    }

    fn scan(&self, family: &Family, from: &[u8], to: &[u8], visit: &mut Visit<'_>) -> Result<()> {
        let at = self
            .db
            .raw_iterator_cf_opt(&self.family(family)?, range(to));
        walk(at, from, visit)
    }
}

impl ByteState for RocksBytes {
    fn create(&self, family: &Family) -> Result<()> {
        if self.db.cf_handle(family.name()).is_some() {
            return Ok(());
        }
        self.db
            .create_cf(family.name(), &self.options)
            .map_err(|e| failed("cannot make a store", e))?;
        self.known().insert(family.clone());
        Ok(())
    }

    fn remove(&self, family: &Family) -> Result<()> {
        if self.db.cf_handle(family.name()).is_none() {
            return Ok(());
        }
        self.db
            .drop_cf(family.name())
            .map_err(|e| failed("cannot drop a store", e))?;
        self.known().remove(family);
        Ok(())
    }

    fn families(&self) -> Vec<Family> {
        self.known().iter().cloned().collect()
    }

    fn write(&self, writes: Vec<FamilyWrites>, sync: bool) -> Result<()> {
        // A batch that grows step by step is copied each time, and is there twice while it is.
        let mut batch = WriteBatch::with_capacity_bytes(batch_bytes(&writes));
        // What has been copied goes before the database makes room for it once more.
        for part in writes {
            let family = self.family(&part.family)?;
            for (from, to) in &part.cleared {
                batch.delete_range_cf(&family, from, to);
            }
            for (key, value) in part.iter() {
                match value {
                    Some(value) => batch.put_cf(&family, key, value),
                    None => batch.delete_cf(&family, key),
                }
            }
        }
        let mut options = WriteOptions::default();
        options.set_sync(sync);
        self.db
            .write_opt(batch, &options)
            .map_err(|e| failed("cannot write the state", e))
    }

    fn take_file(&self, writes: &FamilyWrites) -> Result<bool> {
        let is_first = {
            let mut filled = self.filled.lock().expect("no panic while locked");
            filled.insert(writes.family.clone())
        };
        if is_first {
            self.order_from(&writes.family, FILES_WHILE_FILLED)?;
        }
        let number = self.files.fetch_add(1, Ordering::Relaxed);
        let path = self.db.path().join(format!("{FILE}{number}.sst"));
        let family = self.family(&writes.family)?;
        let mut options = IngestExternalFileOptions::default();
        options.set_move_files(true);
        let taken = self.write_file(&path, writes).and_then(|()| {
            let files = vec![&path];
            self.db
                .ingest_external_file_cf_opts(&family, &options, files)
        });
        if taken.is_err() {
            // It may not even be there.
            let _ = std::fs::remove_file(&path);
        }
        taken.map_err(|e| failed("cannot write the state", e))?;
        Ok(true)
    }

    fn end_files(&self, family: &Family) -> Result<()> {
        let mut filled = self.filled.lock().expect("no panic while locked");
        if filled.remove(family) {
            self.order_from(family, FILES)?;
        }
        Ok(())
    }

    fn property(&self, family: &Family, name: &str) -> Option<u64> {
        let family = self.db.cf_handle(family.name())?;
        let found = self.db.property_int_value_cf(&family, name);
        // It is told again soon, and nothing depends on it.
        found.ok().flatten()
    }

    fn snapshot(&self) -> Box<dyn ReadBytes> {
        Box::new(OwnedSnapshot::new(self.db.clone(), |db| db.snapshot()))
    }
}

/// About how long a batch of these writes is.
fn batch_bytes(writes: &[FamilyWrites]) -> usize {
    const HEADER: usize = 12;
    // What it is, its family, and the lengths of key and value.
    const EACH: usize = 10;
    let bytes = |part: &FamilyWrites| {
        let cleared = part.cleared.iter();
        let cleared: usize = cleared.map(|(from, to)| EACH + from.len() + to.len()).sum();
        part.size() + part.len() * EACH + cleared
    };
    HEADER + writes.iter().map(bytes).sum::<usize>()
}

type Snapshot<'a> = SnapshotWithThreadMode<'a, Database>;

self_cell!(
    struct OwnedSnapshot {
        owner: Arc<Database>,

        #[covariant]
        dependent: Snapshot,
    }
);

impl ReadBytes for OwnedSnapshot {
    fn get(&self, family: &Family, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.borrow_dependent()
            .get_cf(&handle(self.borrow_owner(), family)?, key)
            .map_err(|e| failed("cannot read the state", e))
    }

    fn scan(&self, family: &Family, from: &[u8], to: &[u8], visit: &mut Visit<'_>) -> Result<()> {
        let family = handle(self.borrow_owner(), family)?;
        let at = self
            .borrow_dependent()
            .raw_iterator_cf_opt(&family, range(to));
        walk(at, from, visit)
    }
}

impl Drop for RocksBytes {
    fn drop(&mut self) {
        // Threads that compact in the background would otherwise hold up the end of the process.
        self.db.cancel_all_background_work(true);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use rand::rngs::StdRng;
    use rand::{Rng, SeedableRng};

    use super::*;

    #[test]
    fn files_are_taken_in_over_what_is_there() {
        let dir = tempfile::tempdir().unwrap();
        let family = Family::new("store:t");
        let mut model: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
        let mut random = StdRng::seed_from_u64(7);
        // What a process that was killed had not come to take in.
        std::fs::write(dir.path().join("taken-3.sst"), "half a file").unwrap();
        for _ in 0..2 {
            let state = RocksBytes::open(dir.path(), 8 << 20).unwrap();
            state.create(&family).unwrap();
            let mut is_file = false;
            for _ in 0..40 {
                let mut writes = FamilyWrites::new(family.clone());
                for _ in 0..random.random_range(1..300) {
                    let key = [0, 0, 0, random.random_range(0..200_u8)];
                    let value: Option<[u8; 4]> = random.random_bool(0.7).then(|| random.random());
                    writes.put(&[&key], value.as_ref().map(|value| &value[..]));
                    match value {
                        Some(value) => model.insert(key.to_vec(), value.to_vec()),
                        None => model.remove(&key[..]),
                    };
                }
                writes.sort();
                is_file = !is_file;
                if is_file {
                    assert!(state.take_file(&writes).unwrap());
                } else {
                    state.write(vec![writes], false).unwrap();
                    state.end_files(&family).unwrap();
                }
                let mut found = BTreeMap::new();
                let mut note = |key: &[u8], value: &[u8]| {
                    found.insert(key.to_vec(), value.to_vec());
                    Ok(ControlFlow::Continue(()))
                };
                state.scan(&family, &[], &[], &mut note).unwrap();
                assert_eq!(found, model);
            }
            drop(state);
            let files = std::fs::read_dir(dir.path()).unwrap().flatten();
            let names = files.map(|file| file.file_name().to_string_lossy().into_owned());
            assert!(names.into_iter().all(|name| !name.starts_with(FILE)));
        }
    }
}
