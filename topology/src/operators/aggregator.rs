//! What an aggregation does with each record, and the multisets that it may keep.

use std::ops::ControlFlow;
use std::sync::Arc;

use crate::codec::{Key, SharedCodec, joined, plain};
use crate::error::Result;
use crate::processor::{StoreId, Stores};
use crate::record::Data;
use crate::store::{AnyStore, BucketFormat, BucketStore, Target};

/// Gathers values into a state, one a key.
///
/// What grows without limit with the values of a key, as the values that a retractable minimum must
/// remember, belongs in [`Multisets`] and not in the state.
pub trait Aggregator<K: Data, V: Data>: Send + Sync + 'static {
    /// What is kept for a key.
    type State: Data;

    /// Adds a value. A state of none means that the key has no row; leaving none removes it.
    ///
    /// # Errors
    ///
    /// Where the state cannot be read.
    fn add(
        &self,
        key: &K,
        value: &V,
        state: &mut Option<Self::State>,
        sets: &mut Multisets<'_, K>,
    ) -> Result<()>;

    /// Adds a value to a state where it stands, if this aggregator can and the state is kept whatever is added: true where
    /// it did. Otherwise, as where nothing else is said, nothing was done, and [`add`](Aggregator::add) is asked.
    ///
    /// # Errors
    ///
    /// Where the state cannot be read.
    #[inline]
    fn add_in_place(
        &self,
        _key: &K,
        _value: &V,
        _state: &mut Self::State,
        _sets: &mut Multisets<'_, K>,
    ) -> Result<bool> {
        Ok(false)
    }

    /// Takes a value back that was added before, or that will be: where changes come through an
    /// exchange, the two may arrive in either order.
    ///
    /// # Errors
    ///
    /// Where the state cannot be read.
    fn subtract(
        &self,
        key: &K,
        value: &V,
        state: &mut Option<Self::State>,
        sets: &mut Multisets<'_, K>,
    ) -> Result<()>;

    /// What is wrong with a state that a record has changed, as a sum that is larger than its type; it
    /// is counted as a failure of that record. The state is kept.
    fn failure(&self, _state: &Self::State) -> Option<String> {
        None
    }
}

impl<K: Data, V: Data, G: Aggregator<K, V>> Aggregator<K, V> for Arc<G> {
    type State = G::State;

    #[inline]
    fn add(
        &self,
        key: &K,
        value: &V,
        state: &mut Option<G::State>,
        sets: &mut Multisets<'_, K>,
    ) -> Result<()> {
        G::add(self, key, value, state, sets)
    }

    #[inline]
    fn add_in_place(
        &self,
        key: &K,
        value: &V,
        state: &mut G::State,
        sets: &mut Multisets<'_, K>,
    ) -> Result<bool> {
        G::add_in_place(self, key, value, state, sets)
    }

    #[inline]
    fn subtract(
        &self,
        key: &K,
        value: &V,
        state: &mut Option<G::State>,
        sets: &mut Multisets<'_, K>,
    ) -> Result<()> {
        G::subtract(self, key, value, state, sets)
    }

    #[inline]
    fn failure(&self, state: &G::State) -> Option<String> {
        G::failure(self, state)
    }
}

/// An aggregator made of two functions that know no multisets.
pub(crate) struct Functions<A, F, G> {
    add: F,
    subtract: G,
    state: std::marker::PhantomData<fn() -> A>,
}

impl<A, F, G> Functions<A, F, G> {
    pub(crate) fn new(add: F, subtract: G) -> Self {
        Functions {
            add,
            subtract,
            state: std::marker::PhantomData,
        }
    }
}

impl<K, V, A, F, G> Aggregator<K, V> for Functions<A, F, G>
where
    K: Data,
    V: Data,
    A: Data,
    F: Fn(&K, &V, Option<A>) -> Option<A> + Send + Sync + 'static,
    G: Fn(&K, &V, Option<A>) -> Option<A> + Send + Sync + 'static,
{
    type State = A;

    #[inline]
    fn add(
        &self,
        key: &K,
        value: &V,
        state: &mut Option<A>,
        _: &mut Multisets<'_, K>,
    ) -> Result<()> {
        *state = (self.add)(key, value, state.take());
        Ok(())
    }

    #[inline]
    fn subtract(
        &self,
        key: &K,
        value: &V,
        state: &mut Option<A>,
        _: &mut Multisets<'_, K>,
    ) -> Result<()> {
        *state = (self.subtract)(key, value, state.take());
        Ok(())
    }
}

type Sets<K> = BucketStore<(K, u16), Vec<u8>, i64>;

/// Numbered multisets of byte strings, of each key.
///
/// A count may be negative for a while, when a value is taken back before it was added; such a
/// value is not in the set.
pub struct Multisets<'a, K: Data> {
    store: Option<(&'a mut Sets<K>, Target)>,
}

/// The store of multisets, taken out of the others for a run.
pub(crate) struct LentMultisets {
    store: Option<(StoreId, Box<dyn AnyStore>)>,
}

impl LentMultisets {
    pub(crate) fn lend(id: Option<StoreId>, stores: &mut Stores) -> Self {
        LentMultisets {
            store: id.map(|id| (id, stores.lend(id))),
        }
    }

    pub(crate) fn of<K: Key>(&mut self, target: Target) -> Multisets<'_, K> {
        Multisets {
            store: self.store.as_mut().map(|(_, store)| {
                let sets = store
                    .as_any()
                    .downcast_mut()
                    .expect("a store has the types that it was declared with");
                (sets, target)
            }),
        }
    }

    pub(crate) fn give_back(self, stores: &mut Stores) {
        if let Some((id, store)) = self.store {
            stores.give_back(id, store);
        }
    }
}

impl<K: Key> Multisets<'_, K> {
    /// The form of the store.
    pub(crate) fn format(
        name: &str,
        key: SharedCodec<K>,
    ) -> Arc<BucketFormat<(K, u16), Vec<u8>, i64>> {
        Arc::new(BucketFormat::new(
            name,
            joined(key, u16::codec()),
            plain(),
            plain(),
        ))
    }

    fn store(&mut self) -> (&mut Sets<K>, Target) {
        let (store, target) = self
            .store
            .as_mut()
            .expect("an aggregation that uses multisets was declared with them");
        (store, *target)
    }

    /// Adds `weight` to the count of `value` in set `set` of `key`; the answer is the count before
    /// and after.
    ///
    /// # Errors
    ///
    /// Where the state cannot be read.
    pub fn add(&mut self, key: &K, set: u16, value: &[u8], weight: i64) -> Result<(i64, i64)> {
        let (store, target) = self.store();
        store.update(target, &(key.clone(), set), &value.to_vec(), |count| {
            let before = count.unwrap_or(0);
            let after = before + weight;
            *count = (after != 0).then_some(after);
            (before, after)
        })
    }

    /// The least value in set `set` of `key`, in the order of the bytes.
    ///
    /// # Errors
    ///
    /// Where the state cannot be read.
    pub fn first(&mut self, key: &K, set: u16) -> Result<Option<Vec<u8>>> {
        let (store, target) = self.store();
        let mut first = None;
        store.scan(target, &(key.clone(), set), &mut |value, count| {
            if *count <= 0 {
                return Ok(ControlFlow::Continue(()));
            }
            first = Some(value.clone());
            Ok(ControlFlow::Break(()))
        })?;
        Ok(first)
    }
}
