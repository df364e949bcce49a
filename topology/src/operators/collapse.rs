//! Holds changes back until the commit, and then sends one a key: from what was committed to what is.

use std::collections::HashMap;

use crate::codec::Key;
use crate::error::Result;
use crate::processor::{Context, Processor};
use crate::record::{Change, Data, Headers, Record};
use crate::run::Run;
use crate::time::Timestamp;

/// Changes by key, in the order in which their keys first came.
pub(crate) struct Collapse<K, V> {
    places: HashMap<K, usize>,
    held: Vec<Held<K, V>>,
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
            places: HashMap::new(),
            held: Vec::new(),
            holds,
        }
    }

    fn hold(&mut self, record: Record<K, Change<V>>) {
        match self.places.get(&record.key) {
            Some(&at) => {
                let held = &mut self.held[at];
                held.change.new = record.value.new;
                held.timestamp = held.timestamp.max(record.timestamp);
                held.headers = record.headers;
            }
            None => {
                self.places.insert(record.key.clone(), self.held.len());
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

    fn flush(&mut self, cx: &mut Context<'_>) -> Result<()> {
        self.places.clear();
        let held = self.held.drain(..);
        let records = held
            .filter(|held| !held.change.is_nothing())
            .map(|held| {
                let mut record = Record::new(held.key, held.change, held.timestamp);
                record.headers = held.headers;
                record
            })
            .collect();
        cx.forward(records);
        Ok(())
    }
}
