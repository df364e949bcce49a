//! Opening the sources of tasks that are taken over, beside the threads that process records.

use super::position;
use super::reading::Reading;
use crate::connector::{SourceStart, Waker};
use crate::error::{Error, ErrorKind, Result};
use crate::streams::env::Env;

/// Opens the sources that tasks of a number read, where the state says that reading goes on; its rows are
/// up to date.
///
/// # Errors
///
/// Of kind [`Unavailable`](ErrorKind::Unavailable) where something is not there that may come, such as a
/// file: nothing is read until then. Any other where a source cannot be read.
pub(in crate::streams) fn open(env: &Env, lane: u16, waker: &Waker) -> Result<Vec<Reading>> {
    if let Some(missing) = env.topics.locals.missing() {
        return Err(Error::new(ErrorKind::Unavailable, missing));
    }
    let mut readings = Vec::new();
    for of in env.topics.locals.of_lane(lane) {
        let begun = position::read(&env.state, lane, &of.name)?;
        let tokens = begun.iter();
        let positions = tokens.map(|(partition, at)| (*partition, at.token.clone()));
        let reader = of.source.open(SourceStart {
            positions: positions.collect(),
            bounded: false,
            waker: waker.clone(),
            stats: of.stats.clone(),
        });
        let reader = reader.map_err(|e| e.context(format!("source {}", of.name)))?;
        readings.push(Reading::new(of, reader, begun));
    }
    Ok(readings)
}
