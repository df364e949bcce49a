//! Keeps the rows of a table whose changes come from more than one task.

use crate::codec::{Key, SharedCodec};
use crate::error::Result;
use crate::processor::{Context, Processor, StoreId};
use crate::record::{Change, Data, Record};
use crate::run::Run;
use crate::stamped::Stamped;

use super::bag::{Bag, apply};

pub(crate) struct Settle<K, V> {
    store: StoreId,
    values: SharedCodec<V>,
    keys: std::marker::PhantomData<fn(K)>,
}

impl<K, V> Settle<K, V> {
    pub(crate) fn new(store: StoreId, values: SharedCodec<V>) -> Self {
        Settle {
            store,
            values,
            keys: std::marker::PhantomData,
        }
    }
}

impl<K: Key, V: Data> Processor for Settle<K, V> {
    fn process(&mut self, _port: u8, run: Run, cx: &mut Context<'_>) -> Result<()> {
        let records: Vec<Record<K, Change<V>>> = run.take();
        let mut out = Vec::with_capacity(records.len());
        let store = cx.stores.key_value::<K, Stamped<Bag<V>>>(self.store);
        for record in records {
            let cause = record.derive((), ());
            let timestamp = record.timestamp;
            let change = record.value;
            let settled = store.update(&record.key, |held| {
                let mut bag = held.take().map(|row| row.value);
                let settled = apply(&mut bag, change, timestamp, &self.values);
                *held = bag.map(|value| {
                    let timestamp = value.row().map_or(timestamp, |row| row.timestamp);
                    Stamped { value, timestamp }
                });
                settled
            })??;
            let change = Change {
                old: settled.old.map(|row| row.value),
                new: settled.new.map(|row| row.value),
            };
            if !change.is_nothing() {
                out.push(cause.with(record.key, change));
            }
        }
        cx.forward(out);
        Ok(())
    }
}
