//! Makes a stream of a table: each change is a record with the new row, or none where it went away.

use std::marker::PhantomData;

use crate::error::Result;
use crate::processor::{Context, Processor};
use crate::record::{Change, Data, Record};
use crate::run::Run;

pub(crate) struct ToStream<K, V>(PhantomData<fn(K, V)>);

impl<K, V> ToStream<K, V> {
    pub(crate) fn new() -> Self {
        ToStream(PhantomData)
    }
}

impl<K: Data, V: Data> Processor for ToStream<K, V> {
    fn process(&mut self, _port: u8, run: Run, cx: &mut Context<'_>) -> Result<()> {
        let records: Vec<Record<K, Change<V>>> = run.take();
        let mut out = Vec::with_capacity(records.len());
        for record in records {
            out.push(record.map_value(|change| change.new));
        }
        cx.forward(out);
        Ok(())
    }
}
