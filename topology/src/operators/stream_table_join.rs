//! Joins each record of a stream with the row of a table that has its key, as the table stands then.
//!
//! Changes of the table send nothing. A record that finds no row is left out by an inner join, and
//! joined with none by a left join; either way it is counted and told.

use std::marker::PhantomData;
use std::sync::Arc;

use super::run_joiner::RunJoiner;
use crate::codec::Key;
use crate::error::{Error, Result};
use crate::prefetch::AHEAD;
use crate::processor::{Context, Processor};
use crate::record::{Data, Record};
use crate::run::Run;
use crate::view::SharedView;

/// The functions of a join: the table's key of a record, none for null; and what joins.
pub(crate) struct StreamTableJoin<K, V, TK: Data, T: Data, K2, R, F, J> {
    pub(crate) table: SharedView<TK, T>,
    pub(crate) key: Arc<F>,
    pub(crate) join: J,
    /// True where a record without a row takes part.
    pub(crate) left: bool,
    pub(crate) types: PhantomData<fn(K, V) -> (K2, R)>,
}

impl<K, V, TK, T, K2, R, F, J> Processor for StreamTableJoin<K, V, TK, T, K2, R, F, J>
where
    K: Data,
    V: Data,
    TK: Key,
    T: Data,
    K2: Data,
    R: Data,
    F: Fn(&K, &V) -> Option<TK> + Send + Sync,
    J: RunJoiner<K, V, T, K2, R>,
{
    fn process(&mut self, _port: u8, run: Run, cx: &mut Context<'_>) -> Result<()> {
        let records: Vec<Record<K, V>> = run.take();
        let mut made = Vec::with_capacity(records.len());
        let (mut missing, mut dropped) = (0, 0);
        let mut records = records.into_iter();
        let mut keys: Vec<Option<TK>> = Vec::with_capacity(AHEAD);
        while let ahead @ [_, ..] = records.as_slice() {
            let ahead = ahead.iter().take(AHEAD);
            keys.clear();
            keys.extend(ahead.map(|record| (self.key)(&record.key, &record.value)));
            self.table.prefetch(cx.stores, &keys);
            let mut keys = keys.iter();
            // From within, records are not moved once more on their way out of the iterator.
            records.by_ref().take(AHEAD).try_for_each(|record| {
                let key = keys.next().expect("a key for each record").as_ref();
                if key.is_none() && !self.left {
                    dropped += 1;
                    return Ok(());
                }
                let (mut is_found, mut joined) = (false, None);
                let mut join = |row: Option<&T>| {
                    is_found = row.is_some();
                    if is_found || self.left {
                        joined = self.join.join(&record.key, &record.value, row);
                    }
                };
                match key {
                    None => join(None),
                    Some(key) => self.table.look_up(cx.stores, key, &mut join)?,
                }
                if !is_found {
                    missing += 1;
                    cx.tell(
                        record.cause.get(),
                        "no row in the table for a record of the stream",
                    );
                }
                made.extend(joined.map(|joined| record.with_value(joined)));
                Ok::<_, Error>(())
            })?;
        }
        cx.stats().count_missing(missing);
        cx.count_dropped(dropped);
        cx.forward(self.join.finish(made));
        Ok(())
    }
}
