//! Gathers the records of a stream by key: one row a key, kept in a store.
//!
//! Records with a null key are dropped. The row's time is the greatest timestamp that it was made of.

use std::marker::PhantomData;
use std::sync::Arc;

use super::aggregator::{Aggregator, LentMultisets, Multisets};
use super::change::differences;
use super::exchange::Lanes;
use crate::cluster::partition_of;
use crate::codec::{Key, SharedCodec, travelling};
use crate::error::{Error, Result};
use crate::graph::NodeEnv;
use crate::prefetch::AHEAD;
use crate::processor::{Context, Processor, StoreId};
use crate::record::{Change, Data, Record};
use crate::run::Run;
use crate::stamped::Stamped;
use crate::store::{Commit, KeyValueStore, Target};
use crate::time::Timestamp;

/// The stores of an aggregation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AggregateStores {
    /// A row a key.
    pub(crate) rows: StoreId,
    /// What grows with a key, where the aggregator keeps such.
    pub(crate) multisets: Option<StoreId>,
}

pub(crate) struct Aggregate<K: Data, V: Data, G: Aggregator<K, V>> {
    stores: AggregateStores,
    aggregator: Arc<G>,
    send_old: bool,
    forwards: bool,
    building: bool,
    seed: Option<Seed<K, G::State>>,
    types: PhantomData<fn(K, V)>,
}

/// A row that is there from the start, in the lane that its key belongs to.
pub(crate) struct Seed<K, A> {
    key: K,
    state: A,
    /// By whose bytes of the key the lane is known.
    codec: SharedCodec<K>,
    /// True where lanes are the partitions of topics.
    over_topics: bool,
}

impl<K: Key, A> Seed<K, A> {
    pub(crate) fn new((key, state): (K, A), codec: &SharedCodec<K>, env: &NodeEnv) -> Self {
        Seed {
            key,
            state,
            codec: if env.over_topics {
                travelling(codec)
            } else {
                codec.clone()
            },
            over_topics: env.over_topics,
        }
    }

    fn lane(&self, lanes: u16) -> Result<u16> {
        if !self.over_topics {
            return Lanes::new(self.codec.clone()).of(&self.key, lanes);
        }
        let mut bytes = Vec::new();
        self.codec.encode_payload(&self.key, &mut bytes)?;
        Ok(partition_of(&bytes, u32::from(lanes)) as u16)
    }
}

impl<K: Data, V: Data, G: Aggregator<K, V>> Aggregate<K, V, G> {
    pub(crate) fn new(
        stores: AggregateStores,
        aggregator: Arc<G>,
        seed: Option<Seed<K, G::State>>,
        env: &NodeEnv,
    ) -> Self {
        Aggregate {
            stores,
            aggregator,
            seed,
            send_old: env.send_old,
            forwards: env.has_children,
            building: false,
            types: PhantomData,
        }
    }
}

impl<K: Key, V: Data, G: Aggregator<K, V>> Aggregate<K, V, G> {
    /// Gathers a record; what is sent on, and with which time, where anything is.
    #[inline]
    fn add(
        &self,
        store: &mut KeyValueStore<K, Stamped<G::State>>,
        sets: &mut Multisets<'_, K>,
        record: &Record<K, V>,
        failures: &mut Vec<(u32, String)>,
    ) -> Result<Option<(Change<G::State>, Timestamp)>> {
        let aggregator = &*self.aggregator;
        let mut add = |row: &mut Option<Stamped<G::State>>| {
            let (key, value) = (&record.key, &record.value);
            let is_added = match row {
                Some(row) => {
                    let is_added = aggregator.add_in_place(key, value, &mut row.value, sets)?;
                    row.timestamp = row.timestamp.max(record.timestamp);
                    is_added
                }
                None => false,
            };
            if !is_added {
                change(row, record.timestamp, |state| {
                    aggregator.add(key, value, state, sets)
                })?;
            }
            let failure = row.as_ref().and_then(|row| aggregator.failure(&row.value));
            failures.extend(failure.map(|message| (record.cause.get(), message)));
            Ok(())
        };
        if self.building {
            store.update_building(&record.key, add)??;
            return Ok(None);
        }
        let (send_old, forwards) = (self.send_old, self.forwards);
        if !forwards {
            store.update(&record.key, add)??;
            return Ok(None);
        }
        let (change, timestamp) = store.update(&record.key, |row| -> Result<_> {
            let old = if send_old { value(row) } else { None };
            add(row)?;
            let timestamp = row.as_ref().map_or(record.timestamp, |row| row.timestamp);
            let new = value(row);
            Ok((Change { old, new }, timestamp))
        })??;
        Ok((!change.is_nothing()).then_some((change, timestamp)))
    }

    /// Gathers the records of a run, of which nothing is sent on.
    fn gather(
        &self,
        store: &mut KeyValueStore<K, Stamped<G::State>>,
        sets: &mut Multisets<'_, K>,
        records: &[Record<K, V>],
        failures: &mut Vec<(u32, String)>,
    ) -> Result<u64> {
        let mut dropped = 0;
        for some in records.chunks(AHEAD) {
            store.prefetch(some.iter().map(|record| &record.key));
            for record in some {
                if record.key.is_null() {
                    dropped += 1;
                } else {
                    self.add(store, sets, record, failures)?;
                }
            }
        }
        Ok(dropped)
    }

    /// The same, with what is sent on.
    fn gather_and_send(
        &self,
        store: &mut KeyValueStore<K, Stamped<G::State>>,
        sets: &mut Multisets<'_, K>,
        records: Vec<Record<K, V>>,
        failures: &mut Vec<(u32, String)>,
        out: &mut Vec<Record<K, Change<G::State>>>,
    ) -> Result<u64> {
        let mut dropped = 0;
        out.reserve(records.len());
        let mut records = records.into_iter();
        while let ahead @ [_, ..] = records.as_slice() {
            store.prefetch(ahead.iter().take(AHEAD).map(|record| &record.key));
            // From within, records are not moved once more on their way out of the iterator.
            records.by_ref().take(AHEAD).try_for_each(|record| {
                if record.key.is_null() {
                    dropped += 1;
                    return Ok(());
                }
                let sent = self.add(store, sets, &record, failures)?;
                out.extend(sent.map(|(change, at)| record.with_value(change).at(at)));
                Ok::<_, Error>(())
            })?;
        }
        Ok(dropped)
    }
}

/// Has the row of a seed be there.
pub(super) fn plant<K: Key, A: Data>(
    seed: &Option<Seed<K, A>>,
    store: StoreId,
    cx: &mut Context<'_>,
) -> Result<()> {
    let Some(seed) = seed else {
        return Ok(());
    };
    if seed.lane(cx.node().lanes)? != cx.node().lane {
        return Ok(());
    }
    let Seed { key, state, .. } = seed;
    let rows = cx.stores.key_value::<K, Stamped<A>>(store);
    if rows.get(key)?.is_none() {
        let row = Stamped {
            value: state.clone(),
            timestamp: 0,
        };
        rows.put(key, Some(row))?;
        cx.forward(vec![Record::new(
            key.clone(),
            Change::insert(state.clone()),
            0,
        )]);
    }
    Ok(())
}

/// Reports what is wrong with states, each by the record that changed it.
pub(super) fn tell(failures: &[(u32, String)], cx: &mut Context<'_>) -> Result<()> {
    failures
        .iter()
        .try_for_each(|(cause, message)| cx.failed(*cause, message))
}

pub(super) fn value<A: Clone>(row: &Option<Stamped<A>>) -> Option<A> {
    row.as_ref().map(|row| row.value.clone())
}

/// Has `f` change the value of a row, whose time becomes at least `timestamp`.
#[inline]
pub(super) fn change<A, R>(
    row: &mut Option<Stamped<A>>,
    timestamp: i64,
    f: impl FnOnce(&mut Option<A>) -> R,
) -> R {
    let (mut value, timestamp) = match row.take() {
        Some(row) => (Some(row.value), row.timestamp.max(timestamp)),
        None => (None, timestamp),
    };
    let result = f(&mut value);
    *row = value.map(|value| Stamped { value, timestamp });
    result
}

impl<K: Key, V: Data, G: Aggregator<K, V>> Processor for Aggregate<K, V, G> {
    fn start(&mut self, cx: &mut Context<'_>) -> Result<()> {
        let store = cx
            .stores
            .key_value::<K, Stamped<G::State>>(self.stores.rows);
        self.building = store.is_building();
        plant(&self.seed, self.stores.rows, cx)
    }

    fn process(&mut self, _port: u8, run: Run, cx: &mut Context<'_>) -> Result<()> {
        let records: Vec<Record<K, V>> = run.take();
        let mut out = Vec::new();
        let mut failures = Vec::new();
        let target = if self.building {
            Target::Building
        } else {
            Target::Current
        };
        let mut lent = LentMultisets::lend(self.stores.multisets, cx.stores);
        let mut sets = lent.of(target);
        let store = cx
            .stores
            .key_value::<K, Stamped<G::State>>(self.stores.rows);
        let dropped = if self.forwards && !self.building {
            self.gather_and_send(store, &mut sets, records, &mut failures, &mut out)?
        } else {
            // Records that stay where they are need not be moved.
            self.gather(store, &mut sets, &records, &mut failures)?
        };
        lent.give_back(cx.stores);
        cx.count_dropped(dropped);
        tell(&failures, cx)?;
        cx.forward(out);
        Ok(())
    }

    fn begin_generation(&mut self, cx: &mut Context<'_>, _commit: &mut Commit) -> Result<()> {
        self.building = true;
        if let Some(seed) = &self.seed
            && seed.lane(cx.node().lanes)? == cx.node().lane
        {
            let Seed { key, state, .. } = seed;
            let row = Stamped {
                value: state.clone(),
                timestamp: 0,
            };
            let store = cx
                .stores
                .key_value::<K, Stamped<G::State>>(self.stores.rows);
            store.put_building(key, Some(row))?;
        }
        Ok(())
    }

    fn end_generation(&mut self, cx: &mut Context<'_>) -> Result<()> {
        self.building = false;
        if self.forwards {
            differences::<K, G::State>(self.stores.rows, cx)?;
        }
        Ok(())
    }
}
