//! Sends each record to the task that its key belongs to.

use std::hash::{BuildHasher, Hasher};

use foldhash::fast::FixedState;

use crate::codec::SharedCodec;
use crate::error::Result;
use crate::graph::NodeEnv;
use crate::processor::{Context, Departure, Processor};
use crate::record::{Data, Record};
use crate::run::{Origin, Run, Stamp};

/// The lane of a key: the same in every process that has as many lanes.
pub(crate) struct Lanes<K> {
    codec: SharedCodec<K>,
    bytes: Vec<u8>,
}

/// Must not change: rows of stores lie in the lanes that this gives.
const SEED: u64 = 0x6665_7272_6973;

impl<K: Data> Lanes<K> {
    pub(crate) fn new(codec: SharedCodec<K>) -> Self {
        Lanes {
            codec,
            bytes: Vec::new(),
        }
    }

    pub(crate) fn of(&mut self, key: &K, lanes: u16) -> Result<u16> {
        self.bytes.clear();
        self.codec.encode_payload(key, &mut self.bytes)?;
        let mut hasher = FixedState::with_seed(SEED).build_hasher();
        hasher.write(&self.bytes);
        Ok((hasher.finish() % u64::from(lanes)) as u16)
    }
}

pub(crate) struct Exchange<K, V> {
    lanes: Lanes<K>,
    /// True where records travel through topics, whose partitions say where they belong.
    over_topics: bool,
    drop_null_keys: Option<fn(&K) -> bool>,
    values: std::marker::PhantomData<fn(V)>,
}

impl<K: Data, V: Data> Exchange<K, V> {
    /// An exchange by `codec`'s bytes of the key. Records whose key is null, as `is_null` tells, are
    /// counted and dropped.
    pub(crate) fn new(
        codec: SharedCodec<K>,
        is_null: Option<fn(&K) -> bool>,
        env: &NodeEnv,
    ) -> Self {
        Exchange {
            lanes: Lanes::new(codec),
            over_topics: env.over_topics,
            drop_null_keys: is_null,
            values: std::marker::PhantomData,
        }
    }
}

impl<K: Data, V: Data> Processor for Exchange<K, V> {
    fn process(&mut self, _port: u8, run: Run, cx: &mut Context<'_>) -> Result<()> {
        let mut records: Vec<Record<K, V>> = run.take();
        if let Some(is_null) = self.drop_null_keys {
            let before = records.len();
            records.retain(|record| !is_null(&record.key));
            cx.count_dropped((before - records.len()) as u64);
        }
        let lanes = cx.node().lanes;
        if lanes == 1 {
            cx.forward(records);
            return Ok(());
        }
        if self.over_topics {
            if !records.is_empty() {
                cx.exits.exchange.push(Departure {
                    node: cx.node().index,
                    lane: cx.node().lane,
                    run: Run::new(records),
                    origin: Origin::Engine,
                });
            }
            return Ok(());
        }
        let mut parts: Vec<(Vec<Record<K, V>>, Vec<Stamp>)> = Vec::new();
        parts.resize_with(usize::from(lanes), Default::default);
        for record in records {
            let lane = self.lanes.of(&record.key, lanes)?;
            let stamp = cx.departure(record.cause.get());
            let part = &mut parts[usize::from(lane)];
            part.0.push(record);
            part.1.push(stamp);
        }
        let node = cx.node().index;
        for (lane, (records, stamps)) in parts.into_iter().enumerate() {
            if !records.is_empty() {
                cx.exits.exchange.push(Departure {
                    node,
                    lane: lane as u16,
                    run: Run::new(records),
                    origin: Origin::Exchange(stamps.into()),
                });
            }
        }
        Ok(())
    }
}
