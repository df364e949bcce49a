//! The port to the outside world: what sources and sinks are to the engine.
//!
//! The engine opens no file and no socket of its own but its state directory; everything else stands
//! behind the traits here.

mod place;
mod decode;
mod raw;
mod sink;
mod source;
mod stats;
mod relation;

pub use self::decode::RecordDecoder;
pub use self::place::TopicPlace;
pub use self::raw::{Offsets, RawBatch, RawRecord, Span, Times};
pub use self::relation::{
    ConnectorError, ConnectorErrorKind, Connectors, DeclaredColumn, Options, ResolvedSink,
    ResolvedSource, RowFilter, RowSource, SinkRequest, SourceKind, SourceRequest,
};
pub use self::sink::{Rewrite, Sink, SinkDescription, SinkRecord, SinkStart, SinkWriter};
pub use self::source::{Poll, Source, SourceDescription, SourceReader, SourceStart, Waker};
pub use self::stats::{Health, Stats};
