//! Makes a table of a stream: each record is the new row of its key, and a record without a value
//! removes it.
//!
//! Records with a null key are dropped. A record that is older than the row replaces it all the same.

use std::marker::PhantomData;

use super::change::differences;
use crate::codec::Key;
use crate::error::Result;
use crate::graph::NodeEnv;
use crate::prefetch::AHEAD;
use crate::processor::{Context, Processor, StoreId};
use crate::record::{Change, Data, Record};
use crate::run::Run;
use crate::stamped::Stamped;
use crate::store::Commit;

pub(crate) struct ToTable<K, V> {
    store: StoreId,
    forwards: bool,
    building: bool,
    types: PhantomData<fn(K, V)>,
}

impl<K, V> ToTable<K, V> {
    pub(crate) fn new(store: StoreId, env: &NodeEnv) -> Self {
        ToTable {
            store,
            forwards: env.has_children,
            building: false,
            types: PhantomData,
        }
    }
}

impl<K: Key, V: Data> Processor for ToTable<K, V> {
    fn start(&mut self, cx: &mut Context<'_>) -> Result<()> {
        self.building = cx
            .stores
            .key_value::<K, Stamped<V>>(self.store)
            .is_building();
        Ok(())
    }

    fn process(&mut self, _port: u8, run: Run, cx: &mut Context<'_>) -> Result<()> {
        let records: Vec<Record<K, Option<V>>> = run.take();
        let mut out = Vec::with_capacity(if self.forwards { records.len() } else { 0 });
        let mut dropped = 0;
        let store = cx.stores.key_value::<K, Stamped<V>>(self.store);
        let mut records = records.into_iter();
        while let ahead @ [_, ..] = records.as_slice() {
            store.prefetch(ahead.iter().take(AHEAD).map(|record| &record.key));
            for record in records.by_ref().take(AHEAD) {
                if record.key.is_null() {
                    dropped += 1;
                    continue;
                }
                let timestamp = record.timestamp;
                let sent = record.derive((), record.value.clone());
                let row = record.value.map(|value| Stamped { value, timestamp });
                if self.building {
                    store.put_building(&record.key, row)?;
                    continue;
                }
                let old = store.put(&record.key, row)?;
                if self.forwards {
                    let change = Change {
                        old: old.map(|row| row.value),
                        new: sent.value.clone(),
                    };
                    if !change.is_nothing() {
                        out.push(sent.with(record.key, change));
                    }
                }
            }
        }
        cx.count_dropped(dropped);
        cx.forward(out);
        Ok(())
    }

    fn begin_generation(&mut self, _cx: &mut Context<'_>, _commit: &mut Commit) -> Result<()> {
        self.building = true;
        Ok(())
    }

    fn end_generation(&mut self, cx: &mut Context<'_>) -> Result<()> {
        self.building = false;
        if self.forwards {
            differences::<K, V>(self.store, cx)?;
        }
        Ok(())
    }
}
