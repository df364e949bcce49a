//! Gathers the rows of a table by a key of their own: a row that changes is taken back and added.
//!
//! Where old and new row belong to one group, the group changes once. Changes may come through an
//! exchange, so that those of one row may arrive in either order; what an aggregator keeps must not
//! depend on it.

use std::marker::PhantomData;
use std::sync::Arc;

use super::aggregate::{AggregateStores, Seed, change, plant, tell, value};
use super::aggregator::{Aggregator, LentMultisets};
use crate::codec::Key;
use crate::error::Result;
use crate::graph::NodeEnv;
use crate::processor::{Context, Processor};
use crate::record::{Change, Data, Record};
use crate::run::Run;
use crate::stamped::Stamped;
use crate::store::Target;

pub(crate) struct TableAggregate<K: Data, V: Data, G: Aggregator<K, V>> {
    stores: AggregateStores,
    aggregator: Arc<G>,
    send_old: bool,
    forwards: bool,
    seed: Option<Seed<K, G::State>>,
    types: PhantomData<fn(K, V)>,
}

impl<K: Data, V: Data, G: Aggregator<K, V>> TableAggregate<K, V, G> {
    pub(crate) fn new(
        stores: AggregateStores,
        aggregator: Arc<G>,
        seed: Option<Seed<K, G::State>>,
        env: &NodeEnv,
    ) -> Self {
        TableAggregate {
            seed,
            stores,
            aggregator,
            send_old: env.send_old,
            forwards: env.has_children,
            types: PhantomData,
        }
    }
}

impl<K: Key, V: Data, G: Aggregator<K, V>> Processor for TableAggregate<K, V, G> {
    fn start(&mut self, cx: &mut Context<'_>) -> Result<()> {
        plant(&self.seed, self.stores.rows, cx)
    }

    fn process(&mut self, _port: u8, run: Run, cx: &mut Context<'_>) -> Result<()> {
        let records: Vec<Record<K, Change<V>>> = run.take();
        let mut out = Vec::with_capacity(if self.forwards { records.len() } else { 0 });
        let mut failures = Vec::new();
        let mut lent = LentMultisets::lend(self.stores.multisets, cx.stores);
        let mut sets = lent.of(Target::Current);
        let store = cx
            .stores
            .key_value::<K, Stamped<G::State>>(self.stores.rows);
        let aggregator = &*self.aggregator;
        let (send_old, forwards) = (self.send_old, self.forwards);
        for record in records {
            let sent = store.update(&record.key, |row| -> Result<_> {
                let old = if send_old { value(row) } else { None };
                change(row, record.timestamp, |state| -> Result<()> {
                    if let Some(old) = &record.value.old {
                        aggregator.subtract(&record.key, old, state, &mut sets)?;
                    }
                    if let Some(new) = &record.value.new {
                        aggregator.add(&record.key, new, state, &mut sets)?;
                    }
                    Ok(())
                })?;
                let failure = row.as_ref().and_then(|row| aggregator.failure(&row.value));
                failures.extend(failure.map(|message| (record.cause.get(), message)));
                let timestamp = row.as_ref().map_or(record.timestamp, |row| row.timestamp);
                let new = if forwards { value(row) } else { None };
                Ok((Change { old, new }, timestamp))
            })?;
            let (change, timestamp) = sent?;
            if forwards && !change.is_nothing() {
                out.push(record.with_value(change).at(timestamp));
            }
        }
        lent.give_back(cx.stores);
        tell(&failures, cx)?;
        cx.forward(out);
        Ok(())
    }
}
