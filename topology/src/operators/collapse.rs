//! Holds changes back until the commit, and then sends one a key: from what was committed to what is.

use std::hash::BuildHasher;
use std::vec;

use foldhash::fast::RandomState;

use crate::codec::Key;
use crate::error::Result;
use crate::processor::{Context, Processor};
use crate::record::{Change, Data, Headers, Record};
use crate::run::Run;
use crate::store::Index;
use crate::time::Timestamp;

/// How many changes are sent at a time.
const PIECE: usize = 4_096;

/// For how many changes there is room from the start, if there were as many before.
const ROOM: usize = 16_384;

/// Changes by key, in the order in which their keys first came.
pub(crate) struct Collapse<K, V> {
    hasher: RandomState,
    places: Index,
    held: Vec<Held<K, V>>,
    /// What is being sent.
    leaving: vec::IntoIter<Held<K, V>>,
    holds: bool,
}

struct Held<K, V> {
    key: K,
    change: Change<V>,
    timestamp: Timestamp,
    headers: Headers,
}

impl<K: Key, V: Data> Collapse<K, V> {
    /// A step that holds changes back, or passes them on at once.
    pub(crate) fn new(holds: bool) -> Self {
        Collapse {
            hasher: RandomState::default(),
            places: Index::new(),
            held: Vec::new(),
            leaving: Vec::new().into_iter(),
            holds,
        }
    }

    fn hold(&mut self, record: Record<K, Change<V>>) {
        let hash = self.hasher.hash_one(&record.key);
        let held = &self.held;
        let is = |place: u32| held[place as usize].key == record.key;
        match self.places.find(hash, is) {
            Some(place) => {
                let held = &mut self.held[place as usize];
                held.change.new = record.value.new;
                held.timestamp = held.timestamp.max(record.timestamp);
                held.headers = record.headers;
            }
            None => {
                let place = u32::try_from(self.held.len());
                self.places.insert(
                    hash,
                    place.expect("less than 2^32 keys between two commits"),
                );
                self.held.push(Held {
                    key: record.key,
                    change: record.value,
                    timestamp: record.timestamp,
                    headers: record.headers,
                });
            }
        }
    }
}

impl<K: Key, V: Data> Processor for Collapse<K, V> {
    fn process(&mut self, _port: u8, run: Run, cx: &mut Context<'_>) -> Result<()> {
        let records: Vec<Record<K, Change<V>>> = run.take();
        if !self.holds {
            cx.forward(records);
            return Ok(());
        }
        for record in records {
            self.hold(record);
        }
        Ok(())
    }

    fn flush(&mut self, cx: &mut Context<'_>) -> Result<bool> {
        if self.leaving.len() == 0 && !self.held.is_empty() {
            // As many may come until the next commit, up to a point.
            let room = self.held.len().min(ROOM);
            self.places = Index::for_entries(room);
            let held = std::mem::replace(&mut self.held, Vec::with_capacity(room));
            self.leaving = held.into_iter();
        }
        let records: Vec<Record<K, Change<V>>> = self
            .leaving
            .by_ref()
            .take(PIECE)
            .filter(|held| !held.change.is_nothing())
            .map(|held| {
                let mut record = Record::new(held.key, held.change, held.timestamp);
                record.headers = held.headers;
                record
            })
            .collect();
        cx.forward(records);
        if self.leaving.len() == 0 {
            // The memory of what was sent is given back.
            self.leaving = Vec::new().into_iter();
        }
        Ok(self.leaving.len() > 0)
    }
}
