//! What a record costs: SQL over files beside loops written by hand that do the same with the same libraries.
//!
//! All figures are CPU time of the process divided by the number of records, the least of three runs, and
//! everything is measured in one go, since figures of different runs of a shared machine do not compare.
//! `cargo bench -p ferrisstreams -- NAME` runs the measurements whose names contain NAME.

#![allow(clippy::print_stdout, reason = "a measurement prints what it measured")]

/// As the command `ferris` has it; the loops written by hand have it too.
#[path = "../../cli/src/allocator.rs"]
mod allocator;
mod support;

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use support::{Bench, run_sql};

/// Orders in a file of each format.
const ORDERS: usize = 10_000_000;
/// Distinct keys of the grouped orders and of the joined table.
const KEYS: usize = 1_000_000;

fn main() {
    allocator::set_up();
    let mut bench = Bench::from_args();
    let dir = tempfile::tempdir().expect("a directory for the inputs");
    let input = Inputs::new(dir.path());
    filters(&mut bench, &input);
    aggregates(&mut bench, &input);
    joins(&mut bench, &input);
    decimals(&mut bench, &input);
    bench.print();
}

/// Files that are made when they are first needed.
struct Inputs {
    dir: PathBuf,
}

impl Inputs {
    fn new(dir: &Path) -> Self {
        Inputs {
            dir: dir.to_owned(),
        }
    }

    fn file(&self, name: &str, write: impl FnOnce(&mut BufWriter<File>)) -> PathBuf {
        let path = self.dir.join(name);
        if !path.exists() {
            let mut out = BufWriter::new(File::create(&path).expect("a file for the input"));
            write(&mut out);
            out.flush().expect("the input is written");
        }
        path
    }

    /// Ten columns, seventy bytes a line.
    fn csv(&self) -> PathBuf {
        self.file("orders.csv", |out| {
            writeln!(
                out,
                "order_id,user_id,status,amount,quantity,product,region,channel,note,created"
            )
            .expect("written");
            for at in 0..ORDERS {
                let row = Order::new(at);
                writeln!(
                    out,
                    "{},{},{},{}.{:02},{},sku-{:04},eu,web,-,2026-11-01",
                    at,
                    row.user,
                    row.status,
                    row.cents / 100,
                    row.cents % 100,
                    at % 9,
                    at % 1_000
                )
                .expect("written");
            }
        })
    }

    /// Ten fields, 160 bytes a line.
    fn json(&self) -> PathBuf {
        self.file("orders.jsonl", |out| {
            for at in 0..ORDERS {
                let row = Order::new(at);
                writeln!(
                    out,
                    "{{\"order_id\":{},\"user_id\":{},\"status\":\"{}\",\"amount\":{}.{:02},\"quantity\":{},\"product\":\"sku-{:04}\",\"region\":\"eu\",\"channel\":\"web\",\"note\":\"-\",\"created\":\"2026-11-01\"}}",
                    at, row.user, row.status, row.cents / 100, row.cents % 100, at % 9, at % 1_000
                )
                .expect("written");
            }
        })
    }

    fn users(&self) -> PathBuf {
        self.file("users.csv", |out| {
            writeln!(out, "user_id,name,tier").expect("written");
            for at in 0..KEYS {
                writeln!(
                    out,
                    "{at},user {at},{}",
                    ["free", "basic", "premium"][at % 3]
                )
                .expect("written");
            }
        })
    }
}

struct Order {
    user: usize,
    status: &'static str,
    cents: usize,
}

impl Order {
    fn new(at: usize) -> Self {
        let mixed = at.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        Order {
            user: (mixed >> 20) % KEYS,
            status: ["paid", "open", "paid", "void"][mixed >> 13 & 3],
            cents: (mixed >> 7) % 100_000,
        }
    }
}

fn filters(bench: &mut Bench, input: &Inputs) {
    bench.compare(
        "csv: filter and project",
        ORDERS,
        || {
            run_sql(&format!(
                "INSERT INTO blackhole://none SELECT order_id, user_id, amount FROM file://{} WHERE status = 'paid' AND amount > 10.00;",
                input.csv().display()
            ));
        },
        || filter_csv_by_hand(&input.csv()),
    );
    bench.compare(
        "json: filter and project",
        ORDERS,
        || {
            run_sql(&format!(
                "INSERT INTO blackhole://none SELECT order_id, user_id, amount FROM file://{} WHERE status = 'paid' AND amount > 10.00;",
                input.json().display()
            ));
        },
        || filter_json_by_hand(&input.json()),
    );
}

/// Reads lines, splits them with the csv crate, and parses the same columns.
fn filter_csv_by_hand(path: &Path) -> u64 {
    let mut reader = csv::ReaderBuilder::new()
        .buffer_capacity(1 << 18)
        .from_path(path)
        .expect("the input");
    let mut record = csv::ByteRecord::new();
    let mut kept = 0_u64;
    while reader.read_byte_record(&mut record).expect("good lines") {
        let amount = cents(&record[3]);
        if &record[2] == b"paid" && amount > 1_000 {
            let row = (number(&record[0]), number(&record[1]), amount);
            kept = kept.wrapping_add(std::hint::black_box(row).0);
        }
    }
    kept
}

#[derive(serde::Deserialize)]
struct JsonOrder<'a> {
    order_id: u64,
    user_id: u64,
    #[serde(borrow)]
    status: &'a str,
    #[serde(borrow)]
    amount: &'a serde_json::value::RawValue,
}

fn filter_json_by_hand(path: &Path) -> u64 {
    let bytes = std::fs::read(path).expect("the input");
    let mut kept = 0_u64;
    let mut start = 0;
    for end in memchr::memchr_iter(b'\n', &bytes) {
        let order: JsonOrder<'_> = serde_json::from_slice(&bytes[start..end]).expect("good lines");
        start = end + 1;
        let amount = cents(order.amount.get().as_bytes());
        if order.status == "paid" && amount > 1_000 {
            let row = (order.order_id, order.user_id, amount);
            kept = kept.wrapping_add(std::hint::black_box(row).0);
        }
    }
    kept
}

fn number(text: &[u8]) -> u64 {
    text.iter()
        .fold(0, |n, digit| n * 10 + u64::from(digit - b'0'))
}

fn cents(text: &[u8]) -> u64 {
    text.iter()
        .filter(|byte| **byte != b'.')
        .fold(0, |n, digit| n * 10 + u64::from(digit - b'0'))
}

fn aggregates(bench: &mut Bench, input: &Inputs) {
    bench.compare(
        "csv: GROUP BY over 1 M keys in RocksDB",
        ORDERS,
        || {
            support::run_sql_on_disk(&format!(
                "CREATE TABLE spent AS SELECT user_id, COUNT(*) AS orders, SUM(amount) AS total, AVG(amount) AS mean FROM file://{} GROUP BY user_id;",
                input.csv().display()
            ));
        },
        || group_csv_by_hand(&input.csv()),
    );
}

/// The same in a hash map that nothing keeps.
fn group_csv_by_hand(path: &Path) -> u64 {
    let mut reader = csv::ReaderBuilder::new()
        .buffer_capacity(1 << 18)
        .from_path(path)
        .expect("the input");
    let mut record = csv::ByteRecord::new();
    let mut groups: HashMap<u64, (u64, i128), foldhash::fast::RandomState> = HashMap::default();
    while reader.read_byte_record(&mut record).expect("good lines") {
        let group = groups.entry(number(&record[1])).or_default();
        group.0 += 1;
        group.1 += i128::from(cents(&record[3]));
    }
    groups.values().map(|group| group.0).sum()
}

fn joins(bench: &mut Bench, input: &Inputs) {
    // What loading the table costs is measured by itself, and taken off.
    let table = format!(
        "CREATE STREAM orders FROM file://{};\nCREATE TABLE users (user_id BIGINT PRIMARY KEY, name VARCHAR, tier VARCHAR) FROM file://{};\n",
        input.csv().display(),
        input.users().display()
    );
    let load = format!(
        "CREATE TABLE users (user_id BIGINT PRIMARY KEY, name VARCHAR, tier VARCHAR) FROM file://{};\n",
        input.users().display()
    );
    bench.difference(
        "csv: stream-table join against 1 M rows",
        ORDERS,
        || {
            support::run_sql_on_disk(&format!(
                "{table}INSERT INTO blackhole://none SELECT o.order_id, o.amount, u.name, u.tier FROM orders o JOIN users u ON o.user_id = u.user_id;"
            ));
        },
        || {
            support::run_sql_on_disk(&load);
        },
    );
}

fn decimals(bench: &mut Bench, input: &Inputs) {
    let sum = |column: &str| {
        format!(
            "CREATE STREAM orders (order_id BIGINT, user_id BIGINT, status VARCHAR, amount DECIMAL(12, 2), quantity BIGINT) FROM file://{};\n\
             CREATE TABLE total AS SELECT status, SUM({column}) AS total FROM orders GROUP BY status;",
            input.csv().display()
        )
    };
    bench.compare(
        "csv: SUM of a decimal beside SUM of an integer",
        ORDERS,
        || run_sql(&sum("amount")),
        || {
            run_sql(&sum("user_id"));
            0
        },
    );
}
