//! State that is built anew beside the present one, while its source is read again from the start.

use super::Task;
use crate::error::Result;
use crate::graph::{Graph, NodeId};
use crate::processor::StoreId;
use crate::run::Origin;
use crate::store::Commit;

/// The key under which the generations of a store are remembered.
pub(crate) fn generation_key(graph: &Graph, store: StoreId, lane: u16) -> String {
    format!("generation/{lane}/{}", graph.store(store).name)
}

impl Task {
    /// Begins to build the state of nodes anew: their source is read again from the start.
    pub(crate) fn begin_generation(&mut self, ids: &[NodeId], commit: &mut Commit) -> Result<()> {
        self.shared.working = true;
        for store in self.written_by(ids) {
            self.begin_store(store, commit)?;
        }
        for &id in ids {
            self.with_processor(id, &Origin::Engine, |processor, cx| {
                processor.begin_generation(cx, commit)
            })?;
        }
        self.shared.working = false;
        Ok(())
    }

    fn begin_store(&mut self, id: StoreId, commit: &mut Commit) -> Result<()> {
        let key = generation_key(&self.graph, id, self.lane);
        if let Some(store) = self.shared.stores.get(id) {
            let generations = store.begin_generation(commit)?;
            commit.put_meta(&key, &generations.to_bytes());
        }
        Ok(())
    }

    /// Puts the state that was built in place of the present one, and forwards how it differs.
    /// Everything must be committed.
    pub(crate) fn end_generation(&mut self, ids: &[NodeId], commit: &mut Commit) -> Result<()> {
        self.shared.working = true;
        for store in self.written_by(ids) {
            if let Some(store) = self.shared.stores.get(store) {
                store.switch_generation();
            }
        }
        for &id in ids {
            self.with_processor(id, &Origin::Engine, |processor, cx| {
                processor.end_generation(cx)
            })?;
        }
        for id in self.written_by(ids) {
            let key = generation_key(&self.graph, id, self.lane);
            if let Some(store) = self.shared.stores.get(id) {
                let generations = store.end_generation(commit);
                commit.put_meta(&key, &generations.to_bytes());
            }
        }
        self.shared.working = false;
        Ok(())
    }

    fn written_by(&self, ids: &[NodeId]) -> Vec<StoreId> {
        ids.iter()
            .flat_map(|id| self.graph.node(*id).writes.clone())
            .collect()
    }
}
