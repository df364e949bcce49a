//! The time of the day.

use std::time::{SystemTime, UNIX_EPOCH};

use ferrisstreams_topology::time::Timestamp;

/// Milliseconds since the epoch.
pub(crate) fn now() -> Timestamp {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |elapsed| elapsed.as_millis() as Timestamp)
}
