//! The short way to run a topology.

#[cfg(feature = "kafka")]
use std::sync::Arc;

#[cfg(feature = "kafka")]
use ferrisstreams_connectors::kafka::KafkaCluster;
use ferrisstreams_topology::runtime::{Embedded, EmbeddedOptions};
use ferrisstreams_topology::store::{State, StateOptions};
#[cfg(feature = "kafka")]
use ferrisstreams_topology::streams::{Application, StreamsConfig};
use ferrisstreams_topology::{Result, Topology};

/// Ways to run a topology.
#[derive(Debug, Clone, Copy)]
pub struct Streams;

impl Streams {
    /// A topology in this process, with its state in a directory, ready to be started.
    ///
    /// Sources and sinks that the topology does not bind are fed and taken by the program. For other
    /// numbers of threads or commits there is [`Embedded::new`].
    ///
    /// ```
    /// use ferrisstreams::prelude::*;
    ///
    /// let builder = StreamsBuilder::new();
    /// let words = builder.stream::<String, String>("words", Consumed::plain());
    /// words.group_by_key().count(Materialized::named("counts"));
    /// let topology = builder.build()?;
    ///
    /// let state = tempfile::tempdir().expect("a directory");
    /// let mut app = Streams::embedded(&topology, state.path())?;
    /// app.start()?;
    /// let words = app.input::<String, String>("words")?;
    /// words.send(Record::new("ferris".to_owned(), "hello".to_owned(), 0))?;
    /// words.end();
    /// app.wait(None)?;
    /// assert_eq!(app.table::<String, i64>("counts")?.get("ferris")?, Some(1));
    /// app.close(seconds(10))?;
    /// # Ok::<(), ferrisstreams::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As those of [`State::open`] and [`Embedded::new`].
    #[cfg(feature = "rocksdb")]
    pub fn embedded(topology: &Topology, dir: impl AsRef<std::path::Path>) -> Result<Embedded> {
        let state = State::open(dir, StateOptions::default())?;
        Embedded::new(topology, state, EmbeddedOptions::default())
    }

    /// A topology as an instance of an application on a Kafka cluster, ready to be started: all processes
    /// that run it under the same id share its work, and its state and output are committed in
    /// transactions.
    ///
    /// Sources and sinks are topics of their names.
    ///
    /// ```no_run
    /// use ferrisstreams::prelude::*;
    ///
    /// let builder = StreamsBuilder::new();
    /// let clicks = builder.stream::<String, String>("clicks", Consumed::plain());
    /// let counts = clicks.group_by_key().count(Materialized::named("counts"));
    /// counts.to_stream().to("totals", Produced::json());
    /// let topology = builder.build()?;
    ///
    /// let config = StreamsConfig::new("clicks-by-user")
    ///     .bootstrap_servers("localhost:9092")
    ///     .state_dir("state");
    /// let mut app = Streams::new(&topology, config)?;
    /// app.start()?;
    /// app.wait_until_running(seconds(30))?;
    /// println!("{:?}", app.table::<String, i64>("counts")?.get("alice")?);
    /// app.close()?;
    /// # Ok::<(), ferrisstreams::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Where a property of the clients is wrong, and as those of [`Application::new`].
    #[cfg(feature = "kafka")]
    #[expect(
        clippy::new_ret_no_self,
        reason = "it is where users of Kafka Streams look first"
    )]
    pub fn new(topology: &Topology, config: StreamsConfig) -> Result<Application> {
        let cluster = KafkaCluster::new(config.properties())?;
        Application::new(topology, Arc::new(cluster), config)
    }

    /// A topology in this process, with its state in memory, ready to be started.
    ///
    /// # Errors
    ///
    /// As those of [`Embedded::new`].
    pub fn in_memory(topology: &Topology) -> Result<Embedded> {
        let state = State::in_memory(StateOptions::default());
        Embedded::new(topology, state, EmbeddedOptions::default())
    }
}
