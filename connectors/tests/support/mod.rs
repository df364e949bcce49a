//! What the tests of this package share: columns as text, and records decoded to text.

#![allow(dead_code, reason = "each test uses a part of it")]

use ferrisstreams_connectors::OptionReader;
use ferrisstreams_topology::connector::{Options, RawBatch, RawRecord, RowSource, Times};
use ferrisstreams_topology::data::{DataType, Field, RowLayout, Schema, Value};

/// A type by its SQL name.
pub fn data_type(text: &str) -> DataType {
    let (name, arguments) = match text.split_once('(') {
        Some((name, arguments)) => (name.trim(), arguments.trim_end_matches(')')),
        None => (text, ""),
    };
    let numbers: Vec<u32> = arguments
        .split(',')
        .filter_map(|number| number.trim().parse().ok())
        .collect();
    match name {
        "BOOLEAN" => DataType::Boolean,
        "TINYINT" => DataType::TinyInt,
        "SMALLINT" => DataType::SmallInt,
        "INT" => DataType::Int,
        "BIGINT" => DataType::BigInt,
        "REAL" => DataType::Real,
        "DOUBLE" => DataType::Double,
        "DECIMAL" => DataType::Decimal {
            precision: numbers[0] as u8,
            scale: numbers[1] as u8,
        },
        "VARCHAR" => DataType::Varchar {
            length: numbers.first().copied(),
        },
        "BYTES" => DataType::Bytes,
        "DATE" => DataType::Date,
        "TIME" => DataType::Time,
        "TIMESTAMP" => DataType::Timestamp,
        "TIMESTAMPTZ" => DataType::TimestampTz,
        "INTERVAL" => DataType::Interval,
        other => panic!("no type `{other}`"),
    }
}

/// Parts between commas that stand in no parentheses.
fn parts(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut depth = 0;
    for c in text.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        parts.last_mut().expect("one at least").push(c);
    }
    parts.iter().map(|part| part.trim().to_owned()).collect()
}

/// Columns as a CREATE statement has them.
pub fn schema(text: &str) -> Schema {
    let field = |text: &String| {
        let (text, nullable) = match text.strip_suffix(" NOT NULL") {
            Some(text) => (text, false),
            None => (&text[..], true),
        };
        let (name, kind) = text.split_once(' ').expect("a name and a type");
        let field = Field::new(name, data_type(kind.trim()));
        if nullable { field } else { field.not_null() }
    };
    parts(text).iter().map(field).collect()
}

/// The places of named columns.
pub fn columns(schema: &Schema, names: &str) -> Vec<usize> {
    let names = names
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty());
    names
        .map(|name| schema.index_of(name).expect("a column"))
        .collect()
}

/// Options written `name=value name='two words'`.
pub fn options(text: &str) -> OptionReader {
    let mut options = Options::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (name, tail) = rest.split_once('=').expect("name=value");
        let (value, tail) = match tail.strip_prefix('\'') {
            Some(quoted) => quoted.split_once('\'').expect("a closing quote"),
            None => tail.split_once(' ').unwrap_or((tail, "")),
        };
        options.insert(name.to_owned(), value.to_owned());
        rest = tail.trim_start();
    }
    OptionReader::new(&options)
}

/// A record of a key and a value.
pub type Pair<'a> = (Option<&'a [u8]>, Option<&'a [u8]>);

/// A batch of records, one a millisecond from 1 on.
pub fn batch(records: &[Pair<'_>]) -> RawBatch {
    let mut batch = RawBatch::empty(0, 0);
    for (at, (key, value)) in records.iter().enumerate() {
        batch.push(RawRecord {
            key: *key,
            value: *value,
            timestamp: at as i64 + 1,
            offset: at as i64,
            ..RawRecord::default()
        });
    }
    batch
}

/// A row as text: `1 | a | NULL`.
pub fn shown(row: &[u8], schema: &Schema) -> String {
    if schema.is_empty() {
        return "()".to_owned();
    }
    let values = Value::read_all(row, &RowLayout::new(schema), schema);
    let texts: Vec<String> = values
        .iter()
        .map(|value| value.to_string().replace('\n', "\\n"))
        .collect();
    texts.join(" | ")
}

fn time(times: &Option<Times>, index: usize) -> String {
    match times {
        Some(times) => format!(" @{}", times.at(index)),
        None => String::new(),
    }
}

/// What becomes of each record: a row, or what is wrong, or that it deletes; with its time where the
/// decoder reads that.
pub fn decoded(
    source: &dyn RowSource,
    schema: &Schema,
    projection: &[usize],
    records: &[Pair<'_>],
) -> Vec<String> {
    let batch = batch(records);
    let (mut rows, mut bad) = (Vec::new(), Vec::new());
    let times = source
        .decoder(projection, None)
        .decode(&batch, &mut rows, &mut bad);
    let schema = schema.project(projection);
    let mut lines: Vec<(u32, String)> = rows
        .iter()
        .zip(causes(&batch, &bad, source.deletes()))
        .map(|(record, index)| {
            (
                index,
                shown(record.value.bytes(), &schema) + &time(&times, index as usize),
            )
        })
        .collect();
    lines.extend(bad.iter().map(|(index, e)| (*index, format!("error: {e}"))));
    lines.sort_by_key(|(index, _)| *index);
    lines.into_iter().map(|(_, line)| line).collect()
}

/// The indices of records that became rows: all that are not bad and have a value, or need none.
fn causes(
    batch: &RawBatch,
    bad: &[(u32, ferrisstreams_topology::Error)],
    deletes: bool,
) -> Vec<u32> {
    (0..batch.len() as u32)
        .filter(|index| bad.iter().all(|(other, _)| other != index))
        .filter(|index| {
            let value = batch.value(*index as usize);
            !deletes || value.is_some_and(|value| value != b"null")
        })
        .collect()
}

/// The same for a table: `key => row`, or `key => deleted`.
pub fn decoded_table(
    source: &dyn RowSource,
    schema: &Schema,
    key: &[usize],
    projection: &[usize],
    records: &[Pair<'_>],
) -> Vec<String> {
    let batch = batch(records);
    let (mut rows, mut bad) = (Vec::new(), Vec::new());
    let times = source
        .table_decoder(projection)
        .decode(&batch, &mut rows, &mut bad);
    let (keys, schema) = (schema.project(key), schema.project(projection));
    let mut lines: Vec<(u32, String)> = rows
        .iter()
        .zip(causes(&batch, &bad, false))
        .map(|(record, index)| {
            let row = match &record.value {
                Some(row) => shown(row.bytes(), &schema),
                None => "deleted".to_owned(),
            };
            let key = shown(record.key.bytes(), &keys);
            (
                index,
                format!("{key} => {row}{}", time(&times, index as usize)),
            )
        })
        .collect();
    lines.extend(bad.iter().map(|(index, e)| (*index, format!("error: {e}"))));
    lines.sort_by_key(|(index, _)| *index);
    lines.into_iter().map(|(_, line)| line).collect()
}
