//! Zones: UTC, and offsets from it.

use ferrisstreams_topology::data::datetime::read_offset;

use crate::functions::argument::Failure;

/// How many microseconds a zone is ahead of UTC.
///
/// # Errors
///
/// For the name of any zone but UTC: their rules are not known here.
pub(in crate::functions) fn offset_of(zone: &str) -> Result<i64, Failure> {
    let zone = zone.trim();
    let is_utc = ["UTC", "GMT", "Z", "Etc/UTC"]
        .iter()
        .any(|name| name.eq_ignore_ascii_case(zone));
    if is_utc {
        return Ok(0);
    }
    let bare = ["UTC", "GMT"]
        .iter()
        .find_map(|name| zone.strip_prefix(name))
        .unwrap_or(zone);
    match read_offset(bare.as_bytes()) {
        Some((offset, length)) if length == bare.len() => Ok(offset),
        _ => Err(format!(
            "the zone '{zone}' is not known; there are UTC and offsets such as +02:00"
        )
        .into()),
    }
}
