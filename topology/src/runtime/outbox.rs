//! Output on its way: written with the commit, delivered afterwards, in order.
//!
//! Every record for a sink has a number, counted since ever. A commit writes the records that it
//! makes; what the sink has by then is removed again by a later commit, which also holds what the
//! sink wants to be reminded of.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use crate::connector::SinkRecord;
use crate::error::{Error, Result};
use crate::record::{Header, Headers};
use crate::store::{Commit, Family, FamilyWrites, State};

const OUTBOX: &str = "outbox";

/// The version of records in the outbox.
const FORMAT: u8 = 1;

/// What a sink has, and how to remind it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Delivered {
    /// The number of records that the sink has.
    pub(crate) count: u64,
    /// What the sink returned when it last took records.
    pub(crate) memo: Option<Vec<u8>>,
}

fn family() -> Family {
    Family::new(OUTBOX)
}

fn record_key(sink: &str, number: u64) -> Vec<u8> {
    [sink.as_bytes(), &[0], &number.to_be_bytes()].concat()
}

fn delivered_key(sink: &str) -> String {
    format!("delivered/{sink}")
}

/// Has the state be able to hold output.
pub(crate) fn prepare(state: &State) -> Result<()> {
    state.create_family(&family())
}

/// Adds records for a sink to a commit, the first of them with number `first`.
pub(crate) fn write(commit: &mut Commit, sink: &str, first: u64, records: &[SinkRecord]) {
    let mut writes = FamilyWrites::new(family());
    for (at, record) in records.iter().enumerate() {
        let written: Result<(), std::convert::Infallible> = writes.push(
            |out| {
                out.extend_from_slice(&record_key(sink, first + at as u64));
                Ok(())
            },
            |out| {
                encode(record, out);
                Ok(true)
            },
        );
        match written {
            Ok(()) => {}
        }
    }
    commit.push(writes);
}

/// Has a commit remember what a sink has, and remove that from the outbox.
pub(crate) fn write_delivered(commit: &mut Commit, sink: &str, delivered: &Delivered) {
    let mut bytes = delivered.count.to_be_bytes().to_vec();
    if let Some(memo) = &delivered.memo {
        bytes.push(1);
        bytes.extend_from_slice(memo);
    }
    commit.put_meta(&delivered_key(sink), &bytes);
    let mut writes = FamilyWrites::new(family());
    writes.clear(record_key(sink, 0), record_key(sink, delivered.count));
    commit.push(writes);
}

/// What the state says that a sink has.
pub(crate) fn read_delivered(state: &State, sink: &str) -> Result<Delivered> {
    let Some(bytes) = state.meta(&delivered_key(sink))? else {
        return Ok(Delivered::default());
    };
    let (count, rest) = bytes
        .split_first_chunk()
        .ok_or_else(|| Error::state(format!("what sink {sink} has is cut off in the state")))?;
    Ok(Delivered {
        count: u64::from_be_bytes(*count),
        memo: rest.split_first().map(|(_, memo)| memo.to_vec()),
    })
}

/// The records of a sink that are in the state, and the number of the first.
pub(crate) fn read(state: &State, sink: &str) -> Result<(u64, Vec<SinkRecord>)> {
    let mut first = None;
    let mut records = Vec::new();
    let (from, to) = (record_key(sink, 0), record_key(sink, u64::MAX));
    state.scan_family(&family(), &from, &to, &mut |key, value| {
        let number = key
            .last_chunk()
            .map_or(0, |bytes| u64::from_be_bytes(*bytes));
        first.get_or_insert(number);
        records.push(decode(value)?);
        Ok(ControlFlow::Continue(()))
    })?;
    Ok((first.unwrap_or(0), records))
}

/// The sinks of which the state knows anything.
pub(crate) fn sinks(state: &State) -> Result<BTreeSet<String>> {
    let known = state.meta_with_prefix(&delivered_key(""))?.into_iter();
    let mut sinks: BTreeSet<String> = known.map(|(name, _)| name).collect();
    let mut from = Vec::new();
    loop {
        let mut name = None;
        state.scan_family(&family(), &from, &[0xff], &mut |key, _| {
            name = key.split(|byte| *byte == 0).next().map(<[u8]>::to_vec);
            Ok(ControlFlow::Break(()))
        })?;
        let Some(name) = name else {
            return Ok(sinks);
        };
        sinks.insert(String::from_utf8_lossy(&name).into_owned());
        // Behind all records of this sink.
        from = [&name[..], &[1]].concat();
    }
}

/// The number of records in the state that a sink does not have, as far as the state knows.
pub(crate) fn waiting(state: &State, sink: &str) -> Result<u64> {
    let has = read_delivered(state, sink)?.count;
    let (from, to) = (record_key(sink, has), record_key(sink, u64::MAX));
    let mut count = 0;
    state.scan_family(&family(), &from, &to, &mut |_, _| {
        count += 1;
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(count)
}

/// Has a commit drop all that is known of a sink, and all that is on its way.
pub(crate) fn forget(sink: &str, commit: &mut Commit) {
    commit.remove_meta(&delivered_key(sink));
    let mut writes = FamilyWrites::new(family());
    writes.clear(record_key(sink, 0), record_key(sink, u64::MAX));
    commit.push(writes);
}

/// Has a commit forget how a sink stood in its former place; what is on its way goes to the new one.
pub(crate) fn move_on(state: &State, sink: &str, commit: &mut Commit) -> Result<()> {
    let count = read_delivered(state, sink)?.count;
    write_delivered(commit, sink, &Delivered { count, memo: None });
    Ok(())
}

fn put(bytes: Option<&[u8]>, out: &mut Vec<u8>) {
    let len = bytes.map_or(u32::MAX, |bytes| bytes.len() as u32);
    out.extend_from_slice(&len.to_le_bytes());
    out.extend_from_slice(bytes.unwrap_or_default());
}

fn encode(record: &SinkRecord, out: &mut Vec<u8>) {
    out.push(FORMAT);
    out.extend_from_slice(&record.timestamp.to_le_bytes());
    put(record.key.as_deref(), out);
    put(record.value.as_deref(), out);
    for header in record.headers.iter() {
        put(Some(header.name.as_bytes()), out);
        put(header.value.as_deref(), out);
    }
}

fn take<'a>(bytes: &mut &'a [u8]) -> Option<Option<&'a [u8]>> {
    let (len, rest) = bytes.split_first_chunk()?;
    let len = u32::from_le_bytes(*len);
    if len == u32::MAX {
        *bytes = rest;
        return Some(None);
    }
    let (head, rest) = rest.split_at_checked(len as usize)?;
    *bytes = rest;
    Some(Some(head))
}

fn decode(bytes: &[u8]) -> Result<SinkRecord> {
    match bytes.split_first() {
        Some((&FORMAT, rest)) => read_record(rest)
            .ok_or_else(|| Error::state("a record on its way to a sink is cut off")),
        Some((format, _)) => Err(Error::state(format!(
            "a record on its way to a sink was written in format {format}, and this program reads \
             format {FORMAT}"
        ))),
        None => Err(Error::state("a record on its way to a sink is empty")),
    }
}

fn read_record(bytes: &[u8]) -> Option<SinkRecord> {
    let (timestamp, mut rest) = bytes.split_first_chunk()?;
    let key = take(&mut rest)?.map(<[u8]>::to_vec);
    let value = take(&mut rest)?.map(<[u8]>::to_vec);
    let mut headers = Vec::new();
    while !rest.is_empty() {
        headers.push(Header {
            name: String::from_utf8(take(&mut rest)??.to_vec()).ok()?,
            value: take(&mut rest)?.map(<[u8]>::to_vec),
        });
    }
    Some(SinkRecord {
        key,
        value,
        timestamp: i64::from_le_bytes(*timestamp),
        headers: Headers::new(headers),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::StateOptions;

    fn record(n: u8) -> SinkRecord {
        SinkRecord {
            key: n.is_multiple_of(2).then(|| vec![n]),
            value: (!n.is_multiple_of(3)).then(|| vec![n; 3]),
            timestamp: i64::from(n),
            headers: Headers::default().with("n", [n]),
        }
    }

    #[test]
    fn what_a_sink_has_is_removed() {
        let state = State::in_memory(StateOptions::default());
        prepare(&state).unwrap();
        let mut commit = Commit::default();
        let records: Vec<SinkRecord> = (0..10).map(record).collect();
        write(&mut commit, "a", 5, &records);
        write(&mut commit, "ab", 0, &records[..1]);
        state.commit(commit, false).unwrap();
        assert_eq!(read(&state, "a").unwrap(), (5, records.clone()));
        assert_eq!(read_delivered(&state, "a").unwrap(), Delivered::default());

        let delivered = Delivered {
            count: 8,
            memo: Some(vec![7]),
        };
        let mut commit = Commit::default();
        write_delivered(&mut commit, "a", &delivered);
        state.commit(commit, false).unwrap();
        assert_eq!(read(&state, "a").unwrap(), (8, records[3..].to_vec()));
        assert_eq!(read(&state, "ab").unwrap(), (0, records[..1].to_vec()));
        assert_eq!(read_delivered(&state, "a").unwrap(), delivered);
        assert_eq!(waiting(&state, "a").unwrap(), 7);
        let both = BTreeSet::from(["a".to_owned(), "ab".to_owned()]);
        assert_eq!(sinks(&state).unwrap(), both);
        let mut commit = Commit::default();
        forget("a", &mut commit);
        state.commit(commit, false).unwrap();
        assert_eq!(read(&state, "a").unwrap(), (0, Vec::new()));
        assert_eq!(waiting(&state, "ab").unwrap(), 1);
        assert_eq!(sinks(&state).unwrap(), BTreeSet::from(["ab".to_owned()]));
        assert!(decode(&[FORMAT, 1, 2]).is_err());
        let e = decode(&[9]).unwrap_err().to_string();
        assert!(
            e.contains("in format 9, and this program reads format 1"),
            "{e}"
        );
        let mut bytes = Vec::new();
        encode(&records[2], &mut bytes);
        assert_eq!(decode(&bytes).unwrap(), records[2]);
    }
}
