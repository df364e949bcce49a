//! Makes of each record of a stream another one, or several, or none.

use std::marker::PhantomData;
use std::sync::Arc;

use crate::error::Result;
use crate::processor::{Context, Processor};
use crate::record::{Data, Record};
use crate::run::Run;

/// A step whose function appends what a record becomes.
pub(crate) struct Map<K, V, K2, V2, F> {
    map: Arc<F>,
    types: PhantomData<fn(K, V) -> (K2, V2)>,
}

impl<K, V, K2, V2, F> Map<K, V, K2, V2, F> {
    pub(crate) fn new(map: Arc<F>) -> Self {
        Map {
            map,
            types: PhantomData,
        }
    }
}

impl<K: Data, V: Data, K2: Data, V2: Data, F> Processor for Map<K, V, K2, V2, F>
where
    F: Fn(Record<K, V>, &mut Vec<Record<K2, V2>>) + Send + Sync,
{
    fn process(&mut self, _port: u8, run: Run, cx: &mut Context<'_>) -> Result<()> {
        let records: Vec<Record<K, V>> = run.take();
        let mut mapped = Vec::with_capacity(records.len());
        for record in records {
            (self.map)(record, &mut mapped);
        }
        cx.forward(mapped);
        Ok(())
    }
}
