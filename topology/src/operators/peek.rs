//! Shows each record to a function, and passes it on or ends there.

use std::marker::PhantomData;
use std::sync::Arc;

use crate::error::Result;
use crate::processor::{Context, Processor};
use crate::record::{Data, Record};
use crate::run::Run;

pub(crate) struct Peek<K, V, F> {
    look: Arc<F>,
    types: PhantomData<fn(K, V)>,
}

impl<K, V, F> Peek<K, V, F> {
    pub(crate) fn new(look: Arc<F>) -> Self {
        Peek {
            look,
            types: PhantomData,
        }
    }
}

impl<K: Data, V: Data, F> Processor for Peek<K, V, F>
where
    F: Fn(&K, &V) + Send + Sync,
{
    fn process(&mut self, _port: u8, run: Run, cx: &mut Context<'_>) -> Result<()> {
        let records: Vec<Record<K, V>> = run.take();
        for record in &records {
            (self.look)(&record.key, &record.value);
        }
        cx.forward(records);
        Ok(())
    }
}
