//! Joins of runs of records with rows of a table: what the results of a run share is made once.

use std::sync::Arc;

use crate::record::{Data, Record};

/// Joins the records of a run with rows of a table.
///
/// What it makes of a run must be what it would make of the run's records one by one.
pub trait RunJoiner<K, V, T, K2, R>: Send + 'static {
    /// What stands for a result until the run ends.
    type Made;

    /// Joins a record with a row, or with none where there is none; none leaves the record out.
    fn join(&mut self, key: &K, value: &V, row: Option<&T>) -> Option<Self::Made>;

    /// The results of a run, in their order, each [`with`](Record::with) a new key and value.
    fn finish(&mut self, made: Vec<Record<K, Self::Made>>) -> Vec<Record<K2, R>>;
}

/// Joins each record by a function.
pub(crate) struct JoinEach<J>(pub(crate) Arc<J>);

impl<K, V, T, R, J> RunJoiner<K, V, T, K, R> for JoinEach<J>
where
    K: Data,
    R: Data,
    J: Fn(&K, &V, Option<&T>) -> Option<R> + Send + Sync + 'static,
{
    type Made = R;

    #[inline]
    fn join(&mut self, key: &K, value: &V, row: Option<&T>) -> Option<R> {
        (self.0)(key, value, row)
    }

    fn finish(&mut self, made: Vec<Record<K, R>>) -> Vec<Record<K, R>> {
        made
    }
}
