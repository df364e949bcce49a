//! Errors of connecting as errors of the engine.

use ferrisstreams_topology::connector::{ConnectorError, ConnectorErrorKind};
use ferrisstreams_topology::{Error, ErrorKind};
use rdkafka::error::RDKafkaErrorCode as Code;

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

/// A refusal in words; where a right to these operations is missing, with who can give it.
pub(super) fn in_words(code: Code, operations: &str) -> String {
    match place_of_right(code) {
        Some(place) => format!("{code}; kafka-acls can grant our user {operations} on {place}"),
        None => code.to_string(),
    }
}

/// What a missing right is about; none where it is not for want of one that brokers refuse.
fn place_of_right(code: Code) -> Option<&'static str> {
    Some(match code {
        Code::TopicAuthorizationFailed => "the topic",
        Code::GroupAuthorizationFailed => "the group",
        Code::TransactionalIdAuthorizationFailed => {
            "the transactional ids that begin with the application's id, or with the sink's \
             transactional_id_prefix"
        }
        Code::ClusterAuthorizationFailed => "the cluster",
        _ => return None,
    })
}

/// True where brokers refuse for want of a right.
pub(super) fn lacks_right(code: Code) -> bool {
    place_of_right(code).is_some()
}
