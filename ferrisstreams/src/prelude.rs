//! What most programs need: `use ferrisstreams::prelude::*;`

pub use ferrisstreams_topology::connector::{Sink, Source};
pub use ferrisstreams_topology::dsl::{
    Consumed, Grouped, Joined, KGroupedStream, KGroupedTable, KStream, KTable, Materialized,
    Produced, StreamsBuilder,
};
pub use ferrisstreams_topology::record::{Change, Headers, Record};
pub use ferrisstreams_topology::runtime::{Embedded, EmbeddedOptions, Outcome};
pub use ferrisstreams_topology::store::{State, StateOptions};
pub use ferrisstreams_topology::test_driver::TopologyTestDriver;
pub use ferrisstreams_topology::time::{Timestamp, hours, millis, minutes, seconds};
pub use ferrisstreams_topology::{ErrorPolicy, Topology};
pub use rust_decimal::Decimal;
pub use serde::{Deserialize, Serialize};

pub use crate::Streams;
pub use crate::application::{
    Application, ProcessingGuarantee, ProductionExceptionHandler, StreamThreadExceptionResponse,
    StreamsConfig, StreamsState,
};
