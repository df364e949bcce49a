//! Lets a new query read a table that is there already: first its rows, then its changes.

use std::marker::PhantomData;
use std::ops::ControlFlow;

use crate::error::Result;
use crate::processor::{Context, Processor};
use crate::record::{Change, Data, Record};
use crate::run::Run;
use crate::view::SharedView;

/// Shows all rows of the table as new when it first starts, and every change from then on.
pub(crate) struct Follow<K: Data, V: Data> {
    table: SharedView<K, V>,
    types: PhantomData<fn(K, V)>,
}

impl<K: Data, V: Data> Follow<K, V> {
    pub(crate) fn new(table: SharedView<K, V>) -> Self {
        Follow {
            table,
            types: PhantomData,
        }
    }
}

impl<K: Data, V: Data> Processor for Follow<K, V> {
    fn start(&mut self, cx: &mut Context<'_>) -> Result<()> {
        if !cx.node().first_start {
            return Ok(());
        }
        let mut rows = Vec::new();
        self.table.scan(cx.stores, &mut |key, row| {
            rows.push(Record::new(
                key.clone(),
                Change::insert(row.value),
                row.timestamp,
            ));
            Ok(ControlFlow::Continue(()))
        })?;
        cx.forward(rows);
        Ok(())
    }

    fn process(&mut self, _port: u8, run: Run, cx: &mut Context<'_>) -> Result<()> {
        cx.pass(run);
        Ok(())
    }
}
