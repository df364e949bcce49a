//! What an embedded topology counts.

use std::time::{Duration, Instant};

use crate::graph::Graph;
use crate::meter::{EVERY, Labels, NodeMetrics, RowsMetrics, describe};
use crate::store::State;

/// What an embedded topology counts.
pub(super) struct EmbeddedMetrics {
    nodes: Vec<NodeMetrics>,
    rows: RowsMetrics,
    told: Instant,
}

impl EmbeddedMetrics {
    /// Of a topology whose stores are open.
    pub(super) fn new(graph: &Graph, state: &State) -> Self {
        describe();
        let labels = Labels::new([("state", &*place(state))]);
        let nodes = graph.nodes.iter();
        EmbeddedMetrics {
            nodes: nodes.map(|node| NodeMetrics::new(&labels, node)).collect(),
            rows: RowsMetrics::new(&labels, graph, state),
            told: Instant::now(),
        }
    }

    /// How long it takes until something is to be told.
    pub(super) fn until_due(&self) -> Duration {
        EVERY.saturating_sub(self.told.elapsed())
    }

    /// Passes on what is known now, if it is time to.
    pub(super) fn tell_if_due(&mut self, state: &State) {
        if self.until_due().is_zero() {
            self.tell(state);
        }
    }

    /// Passes on what is known now.
    pub(super) fn tell(&mut self, state: &State) {
        self.told = Instant::now();
        self.nodes.iter_mut().for_each(NodeMetrics::tell);
        self.rows.tell(state);
    }
}

/// Where the rows are.
fn place(state: &State) -> String {
    #[cfg(feature = "rocksdb")]
    if let Some(dir) = state.dir() {
        return dir.display().to_string();
    }
    debug_assert!(!state.is_durable());
    "memory".to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::{Embedded, EmbeddedOptions};
    use super::*;
    use crate::dsl::{Consumed, Grouped, Materialized, StreamsBuilder};
    use crate::meter::recorder::{Counted, record};
    use crate::record::Record;
    use crate::store::StateOptions;

    const MINUTE: Duration = Duration::from_secs(60);

    /// Feeds seven words to a topology that counts them; how many rows are told once they are there.
    fn run(state: State, rows: &str) -> f64 {
        let builder = StreamsBuilder::new();
        let words = builder.stream::<(), String>("metered-words", Consumed::plain());
        words
            .group_by(|_, word| word.clone(), Grouped::named("by-word"))
            .count(Materialized::named("metered-counts"));
        let topology = builder.build().unwrap();
        let place = place(&state);
        let mut app = Embedded::new(&topology, state, EmbeddedOptions::default()).unwrap();
        let words = app.input::<(), String>("metered-words").unwrap();
        app.start().unwrap();
        for n in 0..100 {
            let record = Record::new((), format!("w{}", n % 7), n);
            words.send(record).unwrap();
        }
        let rows = format!("{rows} store=metered-counts");
        let deadline = Instant::now() + MINUTE;
        let told = loop {
            let told = Counted::by(&place).find(&rows).unwrap_or(0.0);
            if told >= 7.0 {
                break told;
            }
            assert!(Instant::now() < deadline, "never told: {rows}");
            std::thread::sleep(Duration::from_millis(20));
        };
        app.close(MINUTE).unwrap();
        let counted = Counted::by(&place);
        assert_eq!(counted.of(&rows), 0.0, "the topology has ended");
        told
    }

    #[test]
    fn rows_in_memory_are_told() {
        record();
        let state = State::in_memory(StateOptions::default());
        assert_eq!(run(state, "store_num_keys"), 7.0);
        let counted = Counted::by("memory");
        let processed = "processor_node_process_total node=metered-words";
        assert_eq!(counted.of(processed), 100.0);
    }

    #[cfg(feature = "rocksdb")]
    #[test]
    fn rows_on_disk_are_told() {
        record();
        let dir = tempfile::tempdir().unwrap();
        let state = State::open(dir.path(), StateOptions::default()).unwrap();
        assert!(run(state, "store_estimate_num_keys") >= 7.0);
        let name = dir.path().display().to_string();
        let processed = "processor_node_process_total node=metered-words";
        assert_eq!(Counted::by(&name).of(processed), 100.0);
    }
}
