//! Maps or leaves out the rows of a table: both halves of each change.

use std::marker::PhantomData;
use std::sync::Arc;

use crate::error::Result;
use crate::processor::{Context, Processor};
use crate::record::{Change, Data, Record};
use crate::run::Run;

/// A step whose function makes a row of a row, or none.
pub(crate) struct TableMap<K, V, W, F> {
    map: Arc<F>,
    types: PhantomData<fn(K, V) -> W>,
}

impl<K, V, W, F> TableMap<K, V, W, F> {
    pub(crate) fn new(map: Arc<F>) -> Self {
        TableMap {
            map,
            types: PhantomData,
        }
    }
}

/// Tells what failed in making a row.
pub type Report<'a> = dyn FnMut(&str) + 'a;

impl<K: Data, V: Data, W: Data, F> Processor for TableMap<K, V, W, F>
where
    F: Fn(&K, V, &mut Report<'_>) -> Option<W> + Send + Sync,
{
    fn process(&mut self, _port: u8, run: Run, cx: &mut Context<'_>) -> Result<()> {
        let records: Vec<Record<K, Change<V>>> = run.take();
        let mut out = Vec::with_capacity(records.len());
        let mut failed = None;
        for record in records {
            let cause = record.derive((), ());
            // What failed for an old row was told when it was new.
            let old = record.value.old;
            let old = old.and_then(|old| (self.map)(&record.key, old, &mut |_| ()));
            let new = record.value.new.and_then(|new| {
                (self.map)(&record.key, new, &mut |message| {
                    failed = Some((record.cause.get(), message.to_owned()));
                })
            });
            let change = Change { old, new };
            if !change.is_nothing() {
                out.push(cause.with(record.key, change));
            }
            if let Some((cause, message)) = failed.take() {
                cx.failed(cause, &message)?;
            }
        }
        cx.forward(out);
        Ok(())
    }
}
