//! Joins each record of a stream with all rows of an index that stand under its key.

use std::marker::PhantomData;
use std::ops::ControlFlow;
use std::sync::Arc;

use super::bag::Bag;
use super::run_joiner::RunJoiner;
use crate::codec::Key;
use crate::error::Result;
use crate::processor::{Context, Processor, StoreId};
use crate::record::{Data, Record};
use crate::run::Run;
use crate::store::Target;

/// The functions of a join: the index's key of a record, none for null; and what joins a record with a
/// row, or with none.
pub(crate) struct StreamIndexJoin<K, V, X, TK, T, K2, R, F, J> {
    pub(crate) index: StoreId,
    pub(crate) key: Arc<F>,
    pub(crate) join: J,
    /// True where a record that finds nothing is joined with none.
    pub(crate) left: bool,
    pub(crate) types: PhantomData<fn(K, V, X, TK, T) -> (K2, R)>,
}

impl<K, V, X, TK, T, K2, R, F, J> Processor for StreamIndexJoin<K, V, X, TK, T, K2, R, F, J>
where
    K: Data,
    V: Data,
    X: Key,
    TK: Key,
    T: Data,
    K2: Data,
    R: Data,
    F: Fn(&K, &V) -> Option<X> + Send + Sync,
    J: RunJoiner<K, V, T, K2, R>,
{
    fn process(&mut self, _port: u8, run: Run, cx: &mut Context<'_>) -> Result<()> {
        let records: Vec<Record<K, V>> = run.take();
        let mut made: Vec<Record<K, J::Made>> = Vec::with_capacity(records.len());
        let (join, mut missing) = (&mut self.join, 0);
        for record in records {
            let before = made.len();
            let mut found = false;
            if let Some(key) = (self.key)(&record.key, &record.value) {
                let store = cx.stores.bucket::<X, TK, Bag<T>>(self.index);
                store.scan(Target::Current, &key, &mut |_, versions| {
                    if let Some(row) = versions.row() {
                        let joined = join.join(&record.key, &record.value, Some(&row.value));
                        if let Some(joined) = joined {
                            found = true;
                            made.push(record.derive(record.key.clone(), joined));
                        }
                    }
                    Ok(ControlFlow::Continue(()))
                })?;
            }
            if !found {
                missing += 1;
                cx.tell(
                    record.cause.get(),
                    "no row in the table for a record of the stream",
                );
                debug_assert_eq!(made.len(), before);
                if self.left
                    && let Some(joined) = join.join(&record.key, &record.value, None)
                {
                    made.push(record.with_value(joined));
                }
            }
        }
        cx.stats().count_missing(missing);
        cx.forward(self.join.finish(made));
        Ok(())
    }
}
