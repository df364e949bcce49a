//! Joins two tables row by row, where their keys are equal.
//!
//! The result is a function of the present rows: each side's change looks up the other side. Its
//! time is the later of the two rows'.
//!
//! Where one change reaches both sides, as in a join of a table with itself, the other side may have
//! changed already when the first is heard. What the former result was can then only be known by
//! having kept it.

use std::collections::HashSet;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::codec::Key;
use crate::error::Result;
use crate::processor::{Context, Processor, StoreId};
use crate::record::{Change, Data, Record};
use crate::run::Run;
use crate::stamped::Stamped;
use crate::store::KeyValueStore;
use crate::view::SharedView;

/// The left table comes in through port 0, the right one through port 1. The function joins what
/// there is of both; it gives none where the kind of the join has no row.
pub(crate) struct TableTableJoin<K: Data, L: Data, R: Data, O, F> {
    pub(crate) left: SharedView<K, L>,
    pub(crate) right: SharedView<K, R>,
    pub(crate) join: Arc<F>,
    /// Where results are kept, if one change may reach both sides.
    pub(crate) results: Option<StoreId>,
    /// Keys whose row was taken back before the side that sees it go was heard.
    pub(crate) told: HashSet<K>,
    pub(crate) types: PhantomData<fn() -> O>,
}

impl<K, L, R, O, F> TableTableJoin<K, L, R, O, F>
where
    K: Key,
    L: Data,
    R: Data,
    O: Data,
    F: Fn(&K, Option<&L>, Option<&R>) -> Option<O> + Send + Sync,
{
    fn left_changed(
        &self,
        record: Record<K, Change<L>>,
        cx: &mut Context<'_>,
    ) -> Result<Record<K, Change<O>>> {
        let row = self.right.get(cx.stores, &record.key)?;
        let timestamp = row
            .as_ref()
            .map_or(record.timestamp, |row| row.timestamp.max(record.timestamp));
        let other = row.as_ref().map(|row| &row.value);
        let join = |side: &Option<L>| (self.join)(&record.key, side.as_ref(), other);
        let change = Change {
            old: join(&record.value.old),
            new: join(&record.value.new),
        };
        Ok(record.with_value(change).at(timestamp))
    }

    fn right_changed(
        &self,
        record: Record<K, Change<R>>,
        cx: &mut Context<'_>,
    ) -> Result<Record<K, Change<O>>> {
        let row = self.left.get(cx.stores, &record.key)?;
        let timestamp = row
            .as_ref()
            .map_or(record.timestamp, |row| row.timestamp.max(record.timestamp));
        let other = row.as_ref().map(|row| &row.value);
        let join = |side: &Option<R>| (self.join)(&record.key, other, side.as_ref());
        let change = Change {
            old: join(&record.value.old),
            new: join(&record.value.new),
        };
        Ok(record.with_value(change).at(timestamp))
    }

    /// Puts the former result in place of what the present rows say it was; none where there is
    /// nothing to send.
    ///
    /// A side sends what it sees to have changed, even if the other side sent the same before. A row
    /// that is gone although the side sees nothing change is taken back all the same, once.
    fn correct(
        &mut self,
        mut record: Record<K, Change<O>>,
        results: &mut KeyValueStore<K, Stamped<O>>,
    ) -> Result<Option<Record<K, Change<O>>>> {
        let seen = !record.value.is_nothing();
        let timestamp = record.timestamp;
        let row = record
            .value
            .new
            .clone()
            .map(|value| Stamped { value, timestamp });
        record.value.old = results.put(&record.key, row)?.map(|row| row.value);
        let told = self.told.remove(&record.key);
        let changed = !record.value.is_nothing();
        if changed && !seen {
            self.told.insert(record.key.clone());
        }
        Ok((changed || (seen && !told)).then_some(record))
    }
}

impl<K, L, R, O, F> Processor for TableTableJoin<K, L, R, O, F>
where
    K: Key,
    L: Data,
    R: Data,
    O: Data,
    F: Fn(&K, Option<&L>, Option<&R>) -> Option<O> + Send + Sync,
{
    fn process(&mut self, port: u8, run: Run, cx: &mut Context<'_>) -> Result<()> {
        let mut out = Vec::with_capacity(run.len());
        if port == 0 {
            for record in run.take::<K, Change<L>>() {
                out.push(self.left_changed(record, cx)?);
            }
        } else {
            for record in run.take::<K, Change<R>>() {
                out.push(self.right_changed(record, cx)?);
            }
        }
        match self.results {
            Some(results) => {
                let store = cx.stores.key_value::<K, Stamped<O>>(results);
                let mut sent = Vec::with_capacity(out.len());
                for record in out {
                    sent.extend(self.correct(record, store)?);
                }
                out = sent;
            }
            None => out.retain(|record| !record.value.is_nothing()),
        }
        cx.forward(out);
        Ok(())
    }
}
