//! Makes of a run of records another run, in one call: for steps that share work between records.

use crate::error::Result;
use crate::processor::{Context, Processor};
use crate::record::{Data, Record};
use crate::run::Run;
use crate::time::Timestamp;

/// A stateless step that is given whole runs.
///
/// What it makes of a run must be what it would make of the run's records one by one. A record that
/// it makes must come from [`Record::derive`] or [`Record::with`] of the record that caused it, in
/// the order of the causes.
pub trait RunMapper<K, V, K2, V2>: Send {
    /// Appends what the records become to `out`.
    fn map_run(
        &mut self,
        records: Vec<Record<K, V>>,
        out: &mut Vec<Record<K2, V2>>,
        failures: &mut Failures<'_, '_>,
    );
}

/// Where a step reports what went wrong with a record, and asks about it.
pub struct Failures<'a, 'b> {
    cx: &'a mut Context<'b>,
    stop: Result<()>,
}

impl<'a, 'b> Failures<'a, 'b> {
    pub(crate) fn new(cx: &'a mut Context<'b>) -> Self {
        Failures { cx, stop: Ok(()) }
    }

    /// Reports that something failed for a record: it is counted, logged, and treated as the policy
    /// of the query says.
    pub fn report<K, V>(&mut self, record: &Record<K, V>, message: &str) {
        if self.stop.is_ok() {
            self.stop = self.cx.failed(record.cause.get(), message);
        }
    }

    /// True where the query is to stop, so that nothing more need be done.
    pub fn stopped(&self) -> bool {
        self.stop.is_err()
    }

    /// The wall clock, in milliseconds since the epoch.
    pub fn now(&self) -> Timestamp {
        self.cx.now
    }

    pub(crate) fn finish(self) -> Result<()> {
        self.stop
    }
}

pub(crate) struct MapRun<K, V, K2, V2>(pub(crate) Box<dyn RunMapper<K, V, K2, V2>>);

impl<K: Data, V: Data, K2: Data, V2: Data> Processor for MapRun<K, V, K2, V2> {
    fn process(&mut self, _port: u8, run: Run, cx: &mut Context<'_>) -> Result<()> {
        let records: Vec<Record<K, V>> = run.take();
        let mut out = Vec::with_capacity(records.len());
        let mut failures = Failures::new(cx);
        self.0.map_run(records, &mut out, &mut failures);
        failures.finish()?;
        cx.forward(out);
        Ok(())
    }
}
