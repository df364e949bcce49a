//! Adds the records of a stream to the changes of a table, each as a row that appeared.

use std::marker::PhantomData;

use crate::error::Result;
use crate::processor::{Context, Processor};
use crate::record::{Change, Data, Record};
use crate::run::Run;

/// A step with the changes at its first port and the records at its second.
pub(crate) struct WithRecords<K, V>(PhantomData<fn(K, V)>);

impl<K, V> WithRecords<K, V> {
    pub(crate) fn new() -> Self {
        WithRecords(PhantomData)
    }
}

impl<K: Data, V: Data> Processor for WithRecords<K, V> {
    fn process(&mut self, port: u8, run: Run, cx: &mut Context<'_>) -> Result<()> {
        if port == 0 {
            cx.pass(run);
            return Ok(());
        }
        let records: Vec<Record<K, V>> = run.take();
        let appeared = |record: Record<K, V>| record.map_value(Change::insert);
        cx.forward(records.into_iter().map(appeared).collect::<Vec<_>>());
        Ok(())
    }
}
