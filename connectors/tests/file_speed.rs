//! How fast lines are read and split: run with `--release -- --ignored --nocapture`.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it should be"
)]

mod file_support;

use std::io::Write;
use std::time::Instant;

use ferrisstreams_connectors::file::{FileOptions, Framing};
use ferrisstreams_topology::connector::Poll;
use file_support::{Folder, csv};

fn read(name: &str, lines: &[u8], options: &FileOptions) {
    let folder = Folder::new();
    let size = 512 << 20;
    let mut file = std::fs::File::create(folder.path("a")).unwrap();
    for _ in 0..size / lines.len() {
        file.write_all(lines).unwrap();
    }
    let mut best = f64::MAX;
    let (mut records, mut bytes) = (0, 0);
    for _ in 0..5 {
        let mut reading = folder.read_all("a", options);
        (records, bytes) = (0usize, 0usize);
        let begun = Instant::now();
        loop {
            match reading.reader.poll(16_384).unwrap() {
                Poll::Records(batch) => {
                    records += batch.len();
                    bytes += batch.bytes.len();
                }
                Poll::End => break,
                other => panic!("{other:?}"),
            }
        }
        best = best.min(begun.elapsed().as_secs_f64());
    }
    let (gb, ns) = (bytes as f64 / best / 1e9, best * 1e9 / records as f64);
    let told = format!(
        "{name}: {records} records of {} bytes, {gb:.2} GB/s, {ns:.1} ns a record\n",
        bytes / records
    );
    std::io::stderr().write_all(told.as_bytes()).unwrap();
}

#[test]
#[ignore = "it measures"]
fn lines_a_second() {
    let mut plain = Vec::new();
    let mut quoted = Vec::new();
    for n in 0..10_000 {
        writeln!(
            plain,
            "{n},customer-{n:06},2024-05-{:02},{}.{:02},EUR,some more text here",
            n % 28,
            n * 7,
            n % 100
        )
        .unwrap();
        writeln!(
            quoted,
            "{n},\"customer, {n:06}\",2024-05-{:02},{}.{:02},EUR,\"some text\"",
            n % 28,
            n * 7,
            n % 100
        )
        .unwrap();
    }
    let lines = FileOptions {
        framing: Framing::Lines,
        ..csv()
    };
    read("lines", &plain, &lines);
    read("csv without quotes", &plain, &csv());
    read("csv with quotes", &quoted, &csv());
}
