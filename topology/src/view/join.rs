//! The rows of two views, joined by key as they are read.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::Arc;

use super::{Reader, SharedView, View, VisitRow};
use crate::codec::{Key, SharedCodec};
use crate::error::Result;
use crate::processor::{StoreId, Stores};
use crate::record::Data;
use crate::stamped::Stamped;

/// Joins what there is of both sides; none where the kind of the join has no row.
pub(crate) type JoinRows<L, R, O> = Arc<dyn Fn(Option<&L>, Option<&R>) -> Option<O> + Send + Sync>;

/// The join of two views by their keys.
pub(crate) struct JoinView<K: Data, L: Data, R: Data, O: Data> {
    pub(crate) left: SharedView<K, L>,
    pub(crate) right: SharedView<K, R>,
    pub(crate) join: JoinRows<L, R, O>,
    /// True where a right row without a left one is kept.
    pub(crate) keeps_right: bool,
    pub(crate) key: SharedCodec<K>,
}

/// Rows that only the right side has, in the order in which they were found.
type Lonely<K, O> = VecDeque<(Vec<u8>, K, Stamped<O>)>;

impl<K: Key, L: Data, R: Data, O: Data> JoinView<K, L, R, O> {
    fn row(&self, left: Option<Stamped<L>>, right: Option<Stamped<R>>) -> Option<Stamped<O>> {
        let times = [
            left.as_ref().map(|l| l.timestamp),
            right.as_ref().map(|r| r.timestamp),
        ];
        let timestamp = times.into_iter().flatten().max()?;
        let value = (self.join)(
            left.as_ref().map(|l| &l.value),
            right.as_ref().map(|r| &r.value),
        )?;
        Some(Stamped { value, timestamp })
    }

    fn bytes(&self, key: &K) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.key.encode(key, &mut bytes)?;
        Ok(bytes)
    }

    fn note(&self, key: &K, right: Stamped<R>, lonely: &mut Lonely<K, O>) -> Result<()> {
        if let Some(row) = self.row(None, Some(right)) {
            lonely.push_back((self.bytes(key)?, key.clone(), row));
        }
        Ok(())
    }

    /// Shows a row of the left side, and before it those of the right side whose keys are less.
    fn merge(
        &self,
        key: &K,
        row: Option<Stamped<O>>,
        lonely: &mut Lonely<K, O>,
        visit: &mut VisitRow<'_, K, O>,
    ) -> Result<ControlFlow<()>> {
        if !lonely.is_empty() {
            let bytes = self.bytes(key)?;
            while let Some((_, key, row)) = lonely.pop_front_if(|(other, ..)| *other < bytes) {
                if visit(&key, row)?.is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
        }
        match row {
            Some(row) => visit(key, row),
            None => Ok(ControlFlow::Continue(())),
        }
    }

    /// Shows what is left of the right side's rows, unless the reader has broken off.
    fn finish(broke: bool, lonely: Lonely<K, O>, visit: &mut VisitRow<'_, K, O>) -> Result<()> {
        if !broke {
            for (_, key, row) in lonely {
                if visit(&key, row)?.is_break() {
                    break;
                }
            }
        }
        Ok(())
    }
}

impl<K: Key, L: Data, R: Data, O: Data> View<K, O> for JoinView<K, L, R, O> {
    fn stores(&self) -> Vec<StoreId> {
        [self.left.stores(), self.right.stores()].concat()
    }

    fn get(&self, stores: &mut Stores, key: &K) -> Result<Option<Stamped<O>>> {
        let left = self.left.get(stores, key)?;
        let right = self.right.get(stores, key)?;
        Ok(self.row(left, right))
    }

    fn scan(&self, stores: &mut Stores, visit: &mut VisitRow<'_, K, O>) -> Result<()> {
        let (mut left, mut right) = (Vec::new(), Vec::new());
        self.left.scan(stores, &mut |key, row| {
            left.push((key.clone(), row));
            Ok(ControlFlow::Continue(()))
        })?;
        if self.keeps_right {
            self.right.scan(stores, &mut |key, row| {
                right.push((key.clone(), row));
                Ok(ControlFlow::Continue(()))
            })?;
        }
        let mut lonely = Lonely::new();
        for (key, row) in right {
            if self.left.get(stores, &key)?.is_none() {
                self.note(&key, row, &mut lonely)?;
            }
        }
        for (key, row) in left {
            let other = self.right.get(stores, &key)?;
            let row = self.row(Some(row), other);
            if self.merge(&key, row, &mut lonely, visit)?.is_break() {
                return Ok(());
            }
        }
        Self::finish(false, lonely, visit)
    }

    fn read(&self, reader: &Reader<'_>, key: &K) -> Result<Option<Stamped<O>>> {
        let left = self.left.read(reader, key)?;
        let right = self.right.read(reader, key)?;
        Ok(self.row(left, right))
    }

    fn read_range(
        &self,
        reader: &Reader<'_>,
        from: Option<&K>,
        to: Option<&K>,
        visit: &mut VisitRow<'_, K, O>,
    ) -> Result<()> {
        let mut lonely = Lonely::new();
        if self.keeps_right {
            self.right.read_range(reader, from, to, &mut |key, row| {
                if self.left.read(reader, key)?.is_none() {
                    self.note(key, row, &mut lonely)?;
                }
                Ok(ControlFlow::Continue(()))
            })?;
        }
        let mut broke = false;
        self.left.read_range(reader, from, to, &mut |key, row| {
            let row = self.row(Some(row), self.right.read(reader, key)?);
            let flow = self.merge(key, row, &mut lonely, visit)?;
            broke = flow.is_break();
            Ok(flow)
        })?;
        Self::finish(broke, lonely, visit)
    }
}
