//! A worker goes back to the last commit, without the queries that failed.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Flow, Worker, open};
use crate::error::Result;
use crate::graph::NodeId;
use crate::runtime::shared::dependents;
use crate::store::Commit;

impl Worker {
    /// Goes back to the last commit, without the queries that failed.
    pub(super) fn recover(&mut self) -> Flow {
        if self.leads() {
            self.shared.office.clear();
            let graph = self.shared.graph.clone();
            self.shared.change(|status| {
                let failed: BTreeSet<&str> = status.failed.iter().map(|(q, _)| &q[..]).collect();
                status.disabled = Arc::new(dependents(&graph, &failed));
                status.fresh = false;
            });
        }
        self.meet();
        let disabled = self.shared.status().disabled.clone();
        self.pending = Commit::default();
        match self.reopen(&disabled) {
            Ok(()) => self.set.say_all(),
            Err(e) => self
                .shared
                .fatal(e.context("cannot go back to the last commit")),
        }
        self.meet();
        self.shared.soil();
        // Everything may have ended with the queries that failed.
        self.shared.request(self.rounds);
        Flow::On
    }

    fn reopen(&mut self, disabled: &Arc<BTreeSet<NodeId>>) -> Result<()> {
        self.set = open(self.index, &self.shared, disabled)?;
        let shared = self.shared.clone();
        self.readings.retain_mut(|reading| {
            let gone = reading.drop_nodes(disabled);
            if gone && reading.unknown {
                shared.became_known();
            }
            !gone
        });
        for reading in &mut self.readings {
            reading.seek(&shared.graph, &shared.state, &mut self.set)?;
        }
        Ok(())
    }
}
