//! Records in, rows out: scripts of what becomes of each.
//!
//! A script is a list of settings and records. `columns`, `options`, `key`, `record_key`, `key_in_value`,
//! `fields`, `inferred`, `read` and `table` set what their names say and hold until `reset`. `> text`
//! is a record, `x> 00ff` one in hexadecimal digits, `k> text` or `kx> 00ff` is the key of the next
//! record, and `null>` a record without a value. Behind each record stands what becomes of it. With
//! `UPDATE=1` in the environment the scripts are written anew.

mod support;

use std::fmt::Write;
use std::path::Path;

use ferrisstreams_connectors::formats::{
    FormatDefaults, FormatName, ReadOptions, RowSpecification, rows,
};
use support::{Pair, columns, decoded, decoded_table, options, schema};

#[derive(Default)]
struct Settings {
    columns: String,
    options: String,
    key: String,
    record_key: String,
    key_in_value: bool,
    fields: Option<String>,
    inferred: Option<String>,
    read: Option<String>,
    is_table: bool,
}

impl Settings {
    fn set(&mut self, name: &str, value: &str) {
        let value = value.to_owned();
        match name {
            "columns" => self.columns = value,
            "options" => self.options = value,
            "key" => self.key = value,
            "record_key" => self.record_key = value,
            "key_in_value" => self.key_in_value = true,
            "fields" => self.fields = Some(value),
            "inferred" => self.inferred = Some(value),
            "read" => self.read = Some(value),
            "table" => self.is_table = true,
            "reset" => *self = Settings::default(),
            other => panic!("no setting `{other}`"),
        }
    }

    fn results(&self, records: &[Pair<'_>]) -> Vec<String> {
        let schema = schema(&self.columns);
        let mut reader = options(&self.options);
        let defaults = FormatDefaults {
            value: None,
            key: Some(FormatName::Kafka),
        };
        let read = match ReadOptions::take(&mut reader, defaults) {
            Ok(read) => read,
            Err(e) => return vec![told(&e)],
        };
        let mut formats = read.formats;
        if self.record_key.is_empty() {
            formats.key = ferrisstreams_connectors::formats::Format::None;
        }
        let fields = self.fields.as_ref();
        let specification = RowSpecification {
            key: columns(&schema, &self.key),
            record_key: columns(&schema, &self.record_key),
            key_in_value: self.key_in_value,
            fields: fields.map(|names| {
                names
                    .split(',')
                    .map(|name| name.trim().to_owned())
                    .collect()
            }),
            timestamp: read.timestamp,
            inferred_from: self.inferred.clone(),
            formats,
            ..RowSpecification::values(
                schema.clone(),
                ferrisstreams_connectors::formats::Format::None,
            )
        };
        let key = specification.key.clone();
        let source = match rows(specification) {
            Ok(source) => source,
            Err(e) => return vec![told(&e)],
        };
        let projection = match &self.read {
            Some(names) => columns(&schema, names),
            None => (0..schema.len()).collect(),
        };
        if self.is_table {
            decoded_table(&*source, &schema, &key, &projection, records)
        } else {
            decoded(&*source, &schema, &projection, records)
        }
    }
}

fn told(error: &ferrisstreams_topology::connector::ConnectorError) -> String {
    let help = error.help.as_ref().map(|help| format!(" ({help})"));
    format!("mistake: {error}{}", help.unwrap_or_default())
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<char> = text.chars().filter(|c| !c.is_whitespace()).collect();
    let byte =
        |pair: &[char]| u8::from_str_radix(&pair.iter().collect::<String>(), 16).expect("hex");
    digits.chunks(2).map(byte).collect()
}

/// The script again, with what becomes of each record.
fn run(script: &str) -> String {
    let mut out = String::new();
    let mut settings = Settings::default();
    let mut key = None;
    for line in script.lines() {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let value = match word {
            "" | "#" => {
                writeln!(out, "{line}").expect("memory");
                continue;
            }
            "k>" | "kx>" => {
                key = Some(if word == "k>" {
                    rest.as_bytes().to_vec()
                } else {
                    hex(rest)
                });
                writeln!(out, "{line}").expect("memory");
                continue;
            }
            ">" => Some(rest.as_bytes().to_vec()),
            "x>" => Some(hex(rest)),
            "null>" => None,
            // What stood there before.
            "|" => continue,
            _ => {
                settings.set(word, rest);
                writeln!(out, "{line}").expect("memory");
                continue;
            }
        };
        writeln!(out, "{line}").expect("memory");
        let key = key.take();
        for result in settings.results(&[(key.as_deref(), value.as_deref())]) {
            writeln!(out, "| {result}").expect("memory");
        }
    }
    out
}

fn check(name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/scripts")
        .join(name);
    let script = std::fs::read_to_string(&path).expect("the script");
    let found = run(&script);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &found).expect("the script is written");
    }
    for (at, (expected, found)) in script.lines().zip(found.lines()).enumerate() {
        assert_eq!(expected, found, "{name}, line {}", at + 1);
    }
    assert_eq!(script.lines().count(), found.lines().count(), "{name}");
}

#[test]
fn csv() {
    check("csv.txt");
}

#[test]
fn json() {
    check("json.txt");
}

#[test]
fn keys() {
    check("keys.txt");
}

#[test]
fn timestamps() {
    check("timestamps.txt");
}
