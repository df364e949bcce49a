//! Sends each record of a stream to the first branch whose predicate holds for it.

use std::sync::Arc;

use crate::error::Result;
use crate::processor::{Context, Processor};
use crate::record::{Data, Record};
use crate::run::Run;

/// The condition of a branch.
pub type Predicate<K, V> = Arc<dyn Fn(&K, &V) -> bool + Send + Sync>;

/// The branches' predicates; a record that none holds for goes to the child behind them.
pub(crate) struct Branch<K, V>(pub(crate) Vec<Predicate<K, V>>);

impl<K: Data, V: Data> Processor for Branch<K, V> {
    fn process(&mut self, _port: u8, run: Run, cx: &mut Context<'_>) -> Result<()> {
        let records: Vec<Record<K, V>> = run.take();
        let mut branches: Vec<Vec<Record<K, V>>> = Vec::new();
        branches.resize_with(self.0.len() + 1, Vec::new);
        for record in records {
            let holds = |predicate: &Predicate<K, V>| predicate(&record.key, &record.value);
            let branch = self.0.iter().position(holds).unwrap_or(self.0.len());
            branches[branch].push(record);
        }
        for (child, records) in branches.into_iter().enumerate() {
            cx.forward_to(child, records);
        }
        Ok(())
    }
}
