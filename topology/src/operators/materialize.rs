//! Keeps the rows of a table in a store of its own.

use std::marker::PhantomData;

use crate::codec::Key;
use crate::error::Result;
use crate::processor::{Context, Processor, StoreId};
use crate::record::{Change, Data, Record};
use crate::run::Run;
use crate::stamped::Stamped;

pub(crate) struct Materialize<K, V> {
    store: StoreId,
    types: PhantomData<fn(K, V)>,
}

impl<K, V> Materialize<K, V> {
    pub(crate) fn new(store: StoreId) -> Self {
        Materialize {
            store,
            types: PhantomData,
        }
    }
}

impl<K: Key, V: Data> Processor for Materialize<K, V> {
    fn process(&mut self, _port: u8, run: Run, cx: &mut Context<'_>) -> Result<()> {
        let records: Vec<Record<K, Change<V>>> = run.take();
        let store = cx.stores.key_value::<K, Stamped<V>>(self.store);
        for record in &records {
            let timestamp = record.timestamp;
            let row = record.value.new.clone();
            let row = row.map(|value| Stamped { value, timestamp });
            store.put(&record.key, row)?;
        }
        cx.forward(records);
        Ok(())
    }
}
