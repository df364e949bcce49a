//! Joins two tables on any expression of either side, many rows to many.
//!
//! Both sides are kept by the value that they are joined on. A change of one side meets all rows of
//! the other under its value. A row that has no partner is joined with none where the kind of the
//! join keeps its side; whether it has one is found by looking.

use std::marker::PhantomData;
use std::ops::ControlFlow;
use std::sync::Arc;

use super::bag::{Bag, apply};
use super::index::Indexed;
use super::table_map::Report;
use crate::codec::{Key, SharedCodec};
use crate::error::Result;
use crate::processor::{Context, Processor, StoreId};
use crate::record::{Change, Data, Record};
use crate::run::Run;
use crate::stamped::Stamped;
use crate::store::Target;

/// Which sides keep rows that have no partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Keeps {
    pub(crate) left: bool,
    pub(crate) right: bool,
}

/// One side of a join: its store, and the codec of its rows.
pub(crate) struct Side<V: Data> {
    pub(crate) store: StoreId,
    pub(crate) values: SharedCodec<V>,
}

/// What must hold for a pair of rows; where that cannot be said it does not, and why is told.
pub type Matches<L, R> = Arc<dyn Fn(&L, &R, &mut Report<'_>) -> bool + Send + Sync>;

/// Makes something of what is there of both sides, at least one of which is.
pub type Combine<L, R, O> = Arc<dyn Fn(Option<&L>, Option<&R>) -> O + Send + Sync>;

/// The left table comes in through port 0, the right one through port 1, each keyed by the value
/// that it is joined on; a value of none has no partners.
pub(crate) struct JoinOn<J, LK, L: Data, RK, R: Data, OK, O> {
    pub(crate) left: Side<L>,
    pub(crate) right: Side<R>,
    pub(crate) keeps: Keeps,
    /// What must hold for two rows besides equality of their values.
    pub(crate) matches: Matches<L, R>,
    pub(crate) key: Combine<LK, RK, OK>,
    pub(crate) join: Combine<L, R, O>,
    pub(crate) value: PhantomData<fn(J)>,
}

/// The rows of the other side under a value.
type Partners<K, V> = Vec<(K, Stamped<V>)>;

fn partners<J: Key, K: Key, V: Data>(
    store: StoreId,
    value: &Option<J>,
    cx: &mut Context<'_>,
) -> Result<Partners<K, V>> {
    let mut rows = Vec::new();
    if value.is_some() {
        let store = cx.stores.bucket::<Option<J>, K, Bag<V>>(store);
        store.scan(Target::Current, value, &mut |key, versions| {
            if let Some(row) = versions.row() {
                rows.push((key.clone(), row.clone()));
            }
            Ok(ControlFlow::Continue(()))
        })?;
    }
    Ok(rows)
}

fn changed<J: Key, K: Key, V: Data>(
    side: &Side<V>,
    record: &Record<Option<J>, Indexed<K, V>>,
    cx: &mut Context<'_>,
) -> Result<Change<Stamped<V>>> {
    let (key, change) = &record.value;
    let store = cx.stores.bucket::<Option<J>, K, Bag<V>>(side.store);
    store.update(Target::Current, &record.key, key, |held| {
        apply(held, change.clone(), record.timestamp, &side.values)
    })?
}

fn failed(cause: u32, failures: &[String], cx: &mut Context<'_>) -> Result<()> {
    failures
        .iter()
        .try_for_each(|message| cx.failed(cause, message))
}

/// What a change of one side does, seen from that side, so that both are handled by one function.
struct Seen<'a, K, V, PK, PV> {
    /// The row that changed.
    key: &'a K,
    change: &'a Change<Stamped<V>>,
    /// The rows of the other side under its value.
    partners: &'a Partners<PK, PV>,
    /// Other rows of the changed side under its value, which may be partners too.
    others: &'a Partners<K, V>,
    /// Whether the changed side keeps rows without partner, and whether the other does.
    keeps: (bool, bool),
}

impl<K: Key, V: Data, PK: Data, PV: Data> Seen<'_, K, V, PK, PV> {
    /// Tells each change of the result: the keys of both sides, and old and new pairs of rows. What
    /// fails for a pair is reported when it is new.
    fn each(
        &self,
        matches: impl Fn(&V, &PV, &mut Report<'_>) -> bool,
        report: &mut Report<'_>,
        mut tell: impl FnMut(Option<&K>, Option<&PK>, [Option<Pair<'_, V, PV>>; 2]),
    ) {
        let rows = [&self.change.old, &self.change.new];
        let mut matched = [false; 2];
        for (key, partner) in self.partners {
            let [old, new] = rows.map(Option::as_ref);
            let hits = [
                old.filter(|row| matches(&row.value, &partner.value, &mut |_| ())),
                new.filter(|row| matches(&row.value, &partner.value, report)),
            ];
            for (matched, hit) in matched.iter_mut().zip(&hits) {
                *matched |= hit.is_some();
            }
            tell(
                Some(self.key),
                Some(key),
                hits.map(|row| row.map(|row| (Some(row), Some(partner)))),
            );
            if self.keeps.1 && hits[0].is_some() != hits[1].is_some() {
                let alone = !self.others.iter().any(|(other, row)| {
                    other != self.key && matches(&row.value, &partner.value, &mut |_| ())
                });
                if alone {
                    let none =
                        |hit: Option<&Stamped<V>>| hit.is_none().then_some((None, Some(partner)));
                    tell(None, Some(key), hits.map(none));
                }
            }
        }
        if self.keeps.0 {
            let mut alone = [None, None];
            for ((alone, row), matched) in alone.iter_mut().zip(rows).zip(matched) {
                *alone = row
                    .as_ref()
                    .filter(|_| !matched)
                    .map(|row| (Some(row), None));
            }
            tell(Some(self.key), None, alone);
        }
    }
}

/// Rows of both sides that make a row of the result.
type Pair<'a, V, PV> = (Option<&'a Stamped<V>>, Option<&'a Stamped<PV>>);

impl<J, LK, L, RK, R, OK, O> JoinOn<J, LK, L, RK, R, OK, O>
where
    J: Key,
    LK: Key,
    L: Data,
    RK: Key,
    R: Data,
    OK: Key,
    O: Data,
{
    fn left_changed(
        &self,
        record: Record<Option<J>, Indexed<LK, L>>,
        out: &mut Vec<Record<OK, Change<O>>>,
        cx: &mut Context<'_>,
    ) -> Result<()> {
        let change = changed(&self.left, &record, cx)?;
        let others = self.others::<LK, L>(self.keeps.right, &self.left, &record.key, cx)?;
        let seen = Seen {
            key: &record.value.0,
            change: &change,
            partners: &partners::<J, RK, R>(self.right.store, &record.key, cx)?,
            others: &others,
            keeps: (self.keeps.left, self.keeps.right),
        };
        let mut failures = Vec::new();
        seen.each(
            |l, r, report| (self.matches)(l, r, report),
            &mut |message| failures.push(message.to_owned()),
            |l, r, pairs| self.push(&record, (l, r), pairs, out),
        );
        failed(record.cause.get(), &failures, cx)
    }

    fn right_changed(
        &self,
        record: Record<Option<J>, Indexed<RK, R>>,
        out: &mut Vec<Record<OK, Change<O>>>,
        cx: &mut Context<'_>,
    ) -> Result<()> {
        let change = changed(&self.right, &record, cx)?;
        let others = self.others::<RK, R>(self.keeps.left, &self.right, &record.key, cx)?;
        let seen = Seen {
            key: &record.value.0,
            change: &change,
            partners: &partners::<J, LK, L>(self.left.store, &record.key, cx)?,
            others: &others,
            keeps: (self.keeps.right, self.keeps.left),
        };
        let mut failures = Vec::new();
        seen.each(
            |r, l, report| (self.matches)(l, r, report),
            &mut |message| failures.push(message.to_owned()),
            |r, l, pairs| {
                let pairs = pairs.map(|pair| pair.map(|(right, left)| (left, right)));
                self.push(&record, (l, r), pairs, out);
            },
        );
        failed(record.cause.get(), &failures, cx)
    }

    /// The rows of the side that changed, where it matters whether there are others.
    fn others<K2: Key, V: Data>(
        &self,
        needed: bool,
        side: &Side<V>,
        value: &Option<J>,
        cx: &mut Context<'_>,
    ) -> Result<Partners<K2, V>> {
        if needed {
            partners::<J, K2, V>(side.store, value, cx)
        } else {
            Ok(Vec::new())
        }
    }

    fn push<X, Y>(
        &self,
        record: &Record<X, Y>,
        (left, right): (Option<&LK>, Option<&RK>),
        [old, new]: [Option<Pair<'_, L, R>>; 2],
        out: &mut Vec<Record<OK, Change<O>>>,
    ) {
        if old.is_none() && new.is_none() {
            return;
        }
        let time = |row: Option<i64>| row.unwrap_or(i64::MIN);
        let timestamp = [old, new]
            .iter()
            .flatten()
            .map(|(l, r)| time(l.map(|l| l.timestamp)).max(time(r.map(|r| r.timestamp))))
            .fold(record.timestamp, i64::max);
        let join = |pair: Option<Pair<'_, L, R>>| {
            pair.map(|(l, r)| (self.join)(l.map(|l| &l.value), r.map(|r| &r.value)))
        };
        let change = Change {
            old: join(old),
            new: join(new),
        };
        let key = (self.key)(left, right);
        out.push(record.derive(key, change).at(timestamp));
    }
}

impl<J, LK, L, RK, R, OK, O> Processor for JoinOn<J, LK, L, RK, R, OK, O>
where
    J: Key,
    LK: Key,
    L: Data,
    RK: Key,
    R: Data,
    OK: Key,
    O: Data,
{
    fn process(&mut self, port: u8, run: Run, cx: &mut Context<'_>) -> Result<()> {
        let mut out = Vec::with_capacity(run.len());
        if port == 0 {
            for record in run.take::<Option<J>, Indexed<LK, L>>() {
                self.left_changed(record, &mut out, cx)?;
            }
        } else {
            for record in run.take::<Option<J>, Indexed<RK, R>>() {
                self.right_changed(record, &mut out, cx)?;
            }
        }
        cx.forward(out);
        Ok(())
    }
}
