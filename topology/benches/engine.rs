//! What the engine itself costs a record, without reading and decoding text: CPU time of the process.
//!
//! `cargo bench -p ferrisstreams-topology`

#![allow(clippy::print_stdout, reason = "a measurement prints what it measured")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ferrisstreams_topology::connector::{
    Offsets, Poll, RawBatch, RecordDecoder, Source, SourceDescription, SourceReader, SourceStart,
    Span, Times,
};
use ferrisstreams_topology::dsl::{Consumed, Grouped, Materialized, StreamsBuilder};
use ferrisstreams_topology::record::Record;
use ferrisstreams_topology::runtime::{Embedded, EmbeddedOptions};
use ferrisstreams_topology::store::{State, StateOptions};
use ferrisstreams_topology::{Error, Result};
use rustix::time::{ClockId, clock_gettime};

const RECORDS: usize = 20_000_000;
const KEYS: u64 = 1_000_000;

fn main() {
    let wanted = std::env::args()
        .skip(1)
        .find(|argument| !argument.starts_with('-'))
        .unwrap_or_default();
    let measure = |name: &str, work: &dyn Fn() -> f64| {
        if name.contains(&wanted) {
            let least = (0..3).map(|_| work()).fold(f64::MAX, f64::min);
            println!("{name}: {:.0} ns a record", least / RECORDS as f64);
        }
    };
    measure("filter, map, nothing", &filter);
    measure("count by key, 1 M keys, in memory", &|| {
        aggregate(State::in_memory(StateOptions::default()))
    });
    measure("count by key, 1 M keys, on disk", &|| {
        let dir = tempfile::tempdir().expect("a directory for the state");
        aggregate(State::open(dir.path(), StateOptions::default()).expect("a new state"))
    });
}

fn filter() -> f64 {
    let builder = StreamsBuilder::new();
    builder
        .stream::<(), u64>("numbers", consumed())
        .filter(|_, n| n % 3 != 0)
        .map_values(|_, n| n * 2)
        .for_each(|_, n| {
            std::hint::black_box(n);
        });
    run(builder, State::in_memory(StateOptions::default()))
}

fn aggregate(state: State) -> f64 {
    let builder = StreamsBuilder::new();
    builder
        .stream::<(), u64>("numbers", consumed())
        .group_by(|_, n| *n, Grouped::named("by-number"))
        .count(Materialized::named("counts"));
    run(builder, state)
}

fn run(builder: StreamsBuilder, state: State) -> f64 {
    let topology = builder.build().expect("a good topology");
    let options = EmbeddedOptions::default().bounded();
    let before = cpu_time();
    let mut engine = Embedded::new(&topology, state, options).expect("it can be opened");
    engine.start().expect("threads");
    engine.wait(None).expect("no failure");
    engine
        .close(Duration::from_secs(10))
        .expect("a last commit");
    cpu_time() - before
}

fn cpu_time() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}

fn consumed() -> Consumed<(), u64> {
    Consumed::decoder(|| -> Box<dyn RecordDecoder<(), u64>> { Box::new(Numbers) })
        .from(Arc::new(Counter))
}

/// Numbers in no order, eight bytes each.
struct Counter;

impl Source for Counter {
    fn describe(&self) -> SourceDescription {
        SourceDescription {
            connector: "counter".to_owned(),
            location: "counter".to_owned(),
            identity: "counter".to_owned(),
            rereadable: false,
        }
    }

    fn open(&self, _: SourceStart) -> Result<Box<dyn SourceReader>> {
        Ok(Box::new(CounterReader { next: 0 }))
    }
}

struct CounterReader {
    next: usize,
}

impl SourceReader for CounterReader {
    fn poll(&mut self, limit: usize) -> Result<Poll> {
        if self.next == RECORDS {
            return Ok(Poll::End);
        }
        let end = RECORDS.min(self.next + limit);
        let mut batch = RawBatch::empty(0, end as i64 * 8);
        for at in self.next..end {
            let number = ((at as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20) % KEYS;
            batch.bytes.extend_from_slice(&number.to_le_bytes());
            batch
                .values
                .push(Span::new((at - self.next) * 8, (at - self.next + 1) * 8));
        }
        batch.times = Times::Same(0);
        batch.offsets = Offsets::Bytes(self.next as i64 * 8);
        self.next = end;
        Ok(Poll::Records(batch))
    }

    fn is_behind(&self, _: u32) -> bool {
        self.next < RECORDS
    }

    fn position(&mut self, _: u32, offset: i64) -> Result<Vec<u8>> {
        Ok(offset.to_le_bytes().to_vec())
    }

    fn seek(&mut self, _: &BTreeMap<u32, Vec<u8>>) -> Result<()> {
        self.next = 0;
        Ok(())
    }
}

struct Numbers;

impl RecordDecoder<(), u64> for Numbers {
    fn decode(
        &mut self,
        batch: &RawBatch,
        records: &mut Vec<Record<(), u64>>,
        _: &mut Vec<(u32, Error)>,
    ) -> Option<Times> {
        records.reserve(batch.len());
        for (at, bytes) in batch.bytes.chunks_exact(8).enumerate() {
            let number = u64::from_le_bytes(bytes.try_into().expect("eight bytes"));
            records.push(Record::of_raw(at as u32, (), number, batch.times.at(at)));
        }
        None
    }
}
