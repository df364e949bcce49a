//! Where a topology begins.

use std::any::{Any, TypeId};
use std::cell::{RefCell, RefMut};
use std::rc::Rc;
use std::sync::Arc;

use super::options::{Consumed, Materialized};
use super::{KStream, KTable};
use crate::codec::{Key, SharedCodec, nullable};
use crate::connector::Sink;
use crate::error::Result;
use crate::graph::{
    GraphBuilder, NodeId, NodeSpec, OldValues, OnRewrite, SourceSpec, StoreSpec, TableSpec,
    Topology,
};
use crate::operators::pass::Pass;
use crate::operators::source::TypedDecoder;
use crate::operators::to_table::ToTable;
use crate::policy::ErrorPolicy;
use crate::processor::StoreId;
use crate::query::TableHandle;
use crate::record::Data;
use crate::stamped::{Stamped, stamped};
use crate::store::{AnyStore, KeyValueStore, StoreFormat};
use crate::view::{SharedView, StoreView};

/// The graph that handles add to.
#[derive(Clone)]
pub(crate) struct Shared(Rc<RefCell<GraphBuilder>>);

impl Shared {
    pub(crate) fn borrow(&self) -> RefMut<'_, GraphBuilder> {
        self.0.borrow_mut()
    }

    pub(crate) fn is(&self, other: &Shared) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

/// Collects the steps of a topology.
///
/// Streams and tables begin here, and every step on them adds to the graph. [`build`] ends it.
///
/// ```
/// use ferrisstreams_topology::dsl::{Consumed, Materialized, Produced, StreamsBuilder};
///
/// let builder = StreamsBuilder::new();
/// let words = builder.stream::<String, String>("words", Consumed::plain());
/// let counts = words.group_by_key().count(Materialized::named("counts"));
/// counts.to_stream().to("totals", Produced::json());
/// let topology = builder.build()?;
/// assert_eq!(topology.tables(), ["counts"]);
/// # Ok::<(), ferrisstreams_topology::Error>(())
/// ```
///
/// [`build`]: StreamsBuilder::build
pub struct StreamsBuilder {
    graph: Shared,
}

impl Default for StreamsBuilder {
    fn default() -> Self {
        StreamsBuilder::new()
    }
}

impl StreamsBuilder {
    /// A topology without steps.
    pub fn new() -> Self {
        StreamsBuilder {
            graph: Shared(Rc::new(RefCell::new(GraphBuilder::new()))),
        }
    }

    /// Has the steps that are added from now on belong to a query of this name, with a policy of its
    /// own for records that fail.
    ///
    /// A query that fails or panics is stopped with those that depend on it; the others go on.
    pub fn query(&self, name: &str, on_error: ErrorPolicy) {
        self.graph.borrow().set_query(name, on_error);
    }

    /// Has the dead letters of this name go to a sink: those of sources whose policy names it. Each is
    /// the raw record, with headers that [`DeadLetter`](crate::DeadLetter) reads.
    pub fn dead_letters(&self, name: &str, sink: Arc<dyn Sink>) {
        self.graph.borrow().sink(name, Some(sink));
    }

    /// The records of a source as a stream. The name is that of the topic, or what the source is
    /// fed under.
    pub fn stream<K: Data, V: Data>(&self, name: &str, consumed: Consumed<K, V>) -> KStream<K, V> {
        let make = consumed.make_decoder();
        let values = consumed.value.clone();
        let node = self.source(name, consumed, false, move || TypedDecoder(make()));
        KStream::new(self.graph.clone(), node, None).with_values(values)
    }

    /// The records of a source as a table: each is the new row of its key, and one without a value
    /// removes it.
    pub fn table<K: Key, V: Data>(
        &self,
        name: &str,
        consumed: Consumed<K, V>,
        materialized: Materialized<K, V>,
    ) -> KTable<K, V> {
        let Some((key, value)) = consumed.key.clone().zip(consumed.value.clone()) else {
            self.graph.borrow().mistake(format!(
                "table {name} is read with a decoder of batches; read it as a stream and call to_table"
            ));
            return self
                .stream(name, consumed)
                .map_values(|_, v| Some(v.clone()))
                .to_table(materialized);
        };
        let mut nullable_values = Consumed::with(key, nullable(value));
        nullable_values.source = consumed.source.clone();
        nullable_values.policy = consumed.policy.clone();
        nullable_values.load_first = consumed.load_first;
        if let Some(extract) = consumed.extract.clone() {
            nullable_values.extract =
                Some(Arc::new(
                    move |key: &K, value: &Option<V>, time| match value {
                        Some(value) => extract(key, value, time),
                        None => time,
                    },
                ));
        }
        let make = nullable_values.make_decoder();
        let values = nullable_values.value.clone();
        let bootstrap = nullable_values.load_first;
        let node = self.source(name, nullable_values, bootstrap, move || {
            TypedDecoder(make())
        });
        KStream::<K, Option<V>>::new(self.graph.clone(), node, None)
            .with_values(values)
            .to_table(materialized)
    }

    fn source<K: Data, V: Data>(
        &self,
        name: &str,
        consumed: Consumed<K, V>,
        bootstrap: bool,
        make: impl Fn() -> TypedDecoder<K, V> + Send + Sync + 'static,
    ) -> NodeId {
        let mut graph = self.graph.borrow();
        let node = graph.add(NodeSpec {
            name: name.to_owned(),
            label: "source",
            inputs: Vec::new(),
            make: Arc::new(|_| Box::new(Pass)),
        });
        let key_codec = consumed.key.as_ref().map(|codec| codec.name());
        let codecs = consumed
            .codecs()
            .map(|codecs| Arc::new(codecs) as Arc<dyn Any + Send + Sync>);
        let source = SourceSpec {
            binding: consumed.source,
            decoder: Arc::new(move || Box::new(make())),
            bootstrap: bootstrap || consumed.load_first,
            key_codec,
            types: TypeId::of::<(K, V)>(),
            codecs,
        };
        graph.set_source(node, source, consumed.policy);
        node
    }

    /// Ends the building.
    ///
    /// # Errors
    ///
    /// Where names stand twice, a join lacks what it needs, or there is nothing to run; all mistakes
    /// are told at once.
    pub fn build(self) -> Result<Topology> {
        // Handles may outlive the builder; the graph that they add to from now on is another one.
        std::mem::replace(&mut *self.graph.borrow(), GraphBuilder::new()).build()
    }
}

/// Adds a store of rows, and gives its place and a view of it.
pub(super) fn add_rows<K: Key, V: Data>(
    graph: &mut GraphBuilder,
    name: &str,
    key: &SharedCodec<K>,
    value: &SharedCodec<V>,
) -> (StoreId, SharedView<K, V>) {
    let format = Arc::new(StoreFormat::new(name, key.clone(), stamped(value.clone())));
    let fingerprint = format!("rows; key {}; value {}", key.name(), format.value.name());
    let made = format.clone();
    let id = graph.add_store(StoreSpec {
        name: name.into(),
        make: Arc::new(move |state, lane, generations| {
            let store: KeyValueStore<K, Stamped<V>> =
                KeyValueStore::open(state, made.clone(), lane, generations)?;
            Ok(Box::new(store) as Box<dyn AnyStore>)
        }),
        fingerprint,
    });
    (id, Arc::new(StoreView { id, format }))
}

/// Lets a table be read from outside under a name.
pub(super) fn register<K: Key, V: Data>(
    graph: &mut GraphBuilder,
    name: &str,
    view: &SharedView<K, V>,
    key: &SharedCodec<K>,
) {
    let handle = TableHandle {
        view: view.clone(),
        key: key.clone(),
    };
    graph.add_table(
        name,
        TableSpec {
            view: Arc::new(handle),
            types: std::any::type_name::<(K, V)>(),
        },
    );
}

/// Adds the step that makes a table of a stream that is where its keys belong.
pub(super) fn add_to_table<K: Key, V: Data>(
    shared: &Shared,
    from: NodeId,
    materialized: &Materialized<K, V>,
) -> (NodeId, SharedView<K, V>) {
    let mut graph = shared.borrow();
    let (store, view) = add_rows(
        &mut graph,
        &materialized.name,
        &materialized.key,
        &materialized.value,
    );
    let name = graph.derived_name(from, "to-table");
    let node = graph.add(NodeSpec {
        name,
        label: "to-table",
        inputs: vec![from],
        make: Arc::new(move |env| Box::new(ToTable::<K, V>::new(store, env))),
    });
    let spec = graph.node_mut(node);
    spec.writes = vec![store];
    spec.on_rewrite = OnRewrite::Rebuilds;
    spec.old_values = OldValues::Ignores;
    spec.sends_changes = true;
    spec.stateless = false;
    register(&mut graph, &materialized.name, &view, &materialized.key);
    (node, view)
}
