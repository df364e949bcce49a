//! Keeps the records of a stream that a predicate holds for.

use std::marker::PhantomData;
use std::sync::Arc;

use crate::error::Result;
use crate::processor::{Context, Processor};
use crate::record::{Data, Record};
use crate::run::Run;

pub(crate) struct Filter<K, V, F> {
    predicate: Arc<F>,
    types: PhantomData<fn(K, V)>,
}

impl<K, V, F> Filter<K, V, F> {
    pub(crate) fn new(predicate: Arc<F>) -> Self {
        Filter {
            predicate,
            types: PhantomData,
        }
    }
}

impl<K: Data, V: Data, F> Processor for Filter<K, V, F>
where
    F: Fn(&K, &V) -> bool + Send + Sync,
{
    fn process(&mut self, _port: u8, run: Run, cx: &mut Context<'_>) -> Result<()> {
        let mut records: Vec<Record<K, V>> = run.take();
        records.retain(|record| (self.predicate)(&record.key, &record.value));
        cx.forward(records);
        Ok(())
    }
}
