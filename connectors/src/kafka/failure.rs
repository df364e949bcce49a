//! Errors of connecting as errors of the engine.

use ferrisstreams_topology::connector::{ConnectorError, ConnectorErrorKind};
use ferrisstreams_topology::{Error, ErrorKind};

/// The same in the words of the engine, with what to do about it.
pub(super) fn engine_error(e: ConnectorError) -> Error {
    let kind = match e.kind {
        ConnectorErrorKind::NotFound => ErrorKind::NotFound,
        ConnectorErrorKind::Unreadable | ConnectorErrorKind::Unreachable => ErrorKind::Unavailable,
        _ => ErrorKind::Invalid,
    };
    match e.help {
        Some(help) => Error::new(kind, format!("{} ({help})", e.message)),
        None => Error::new(kind, e.message),
    }
}
