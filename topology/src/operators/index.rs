//! Keeps the rows of a table by another key than their own, so that a stream can look them up.

use crate::codec::{Key, SharedCodec};
use crate::error::Result;
use crate::processor::{Context, Processor, StoreId};
use crate::record::{Change, Data, Record};
use crate::run::Run;
use crate::store::Target;

use super::bag::{Bag, apply};

/// A row of a table under another key: its own key, and how it changed.
pub(crate) type Indexed<K, V> = (K, Change<V>);

pub(crate) struct Index<J, K, V> {
    store: StoreId,
    values: SharedCodec<V>,
    keys: std::marker::PhantomData<fn(J, K)>,
}

impl<J, K, V> Index<J, K, V> {
    pub(crate) fn new(store: StoreId, values: SharedCodec<V>) -> Self {
        Index {
            store,
            values,
            keys: std::marker::PhantomData,
        }
    }
}

impl<J: Key, K: Key, V: Data> Processor for Index<J, K, V> {
    fn process(&mut self, _port: u8, run: Run, cx: &mut Context<'_>) -> Result<()> {
        let records: Vec<Record<J, Indexed<K, V>>> = run.take();
        let store = cx.stores.bucket::<J, K, Bag<V>>(self.store);
        for record in records {
            let (key, change) = record.value;
            store.update(Target::Current, &record.key, &key, |held| {
                apply(held, change, record.timestamp, &self.values)
            })??;
        }
        Ok(())
    }
}
