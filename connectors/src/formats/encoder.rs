//! From rows to the bytes of records.

use std::sync::Arc;

use ferrisstreams_topology::Result;
use ferrisstreams_topology::codec::{Codec, SharedCodec};
use ferrisstreams_topology::connector::ConnectorError;
use ferrisstreams_topology::data::{DataType, Row, RowLayout, Schema, Slot, write_column};

use super::fault::bad_record;
use super::format::{Csv, Format, Json};
use super::part::PartForm;

/// What writes the columns at `columns`, in that order, of rows of `schema`: a CSV line without its
/// end, a JSON object, or one column in another form.
///
/// NULL is the empty text or what `null` says in CSV, and `null` in JSON. A payload is null for
/// [`Format::None`], and for a single column that is NULL where it stands without an object around it.
/// Encoders do not decode.
///
/// # Errors
///
/// Where the format cannot hold such columns.
pub fn encoder(
    format: &Format,
    schema: &Schema,
    columns: &[usize],
) -> Result<SharedCodec<Row>, ConnectorError> {
    if *format != Format::None {
        PartForm::new(format, schema, columns.to_vec(), None, "record")?;
    }
    let layout = RowLayout::new(schema);
    let columns: Vec<Column> = columns
        .iter()
        .map(|&index| Column {
            slot: layout.slot(index),
            data_type: schema.data_type(index),
            name: schema.fields()[index].name.clone(),
        })
        .collect();
    Ok(match format {
        Format::Csv(csv) => Arc::new(CsvEncoder {
            csv: csv.clone(),
            columns,
        }),
        Format::Json(Json { wrapped: false }) if columns.len() == 1 => {
            Arc::new(BareEncoder(columns))
        }
        Format::Json(_) => Arc::new(JsonEncoder::new(columns)),
        Format::Kafka => Arc::new(KafkaEncoder(columns)),
        Format::Text => Arc::new(TextEncoder(columns)),
        Format::None => Arc::new(NoEncoder),
    })
}

/// The header of a CSV file with the columns at `columns`, without the line's end.
pub fn csv_header(csv: &Csv, schema: &Schema, columns: &[usize]) -> Vec<u8> {
    let mut line = Vec::new();
    for (at, index) in columns.iter().enumerate() {
        if at > 0 {
            line.push(csv.delimiter);
        }
        let start = line.len();
        line.extend_from_slice(schema.fields()[*index].name.as_bytes());
        quote_if_needed(&mut line, start, csv);
    }
    line
}

struct Column {
    slot: Slot,
    data_type: DataType,
    name: String,
}

impl Column {
    /// Appends the text of the column; false for NULL.
    #[inline]
    fn text(&self, row: &[u8], out: &mut Vec<u8>) -> bool {
        write_column(out, row, self.slot, self.data_type)
    }
}

/// An encoder has no way back.
macro_rules! encodes_only {
    ($name:literal) => {
        fn decode(&self, _bytes: &[u8]) -> Result<Row> {
            Err(bad_record(concat!(
                "an encoder of ",
                $name,
                " does not read rows"
            )))
        }

        fn name(&self) -> String {
            $name.to_owned()
        }
    };
}

struct CsvEncoder {
    csv: Csv,
    columns: Vec<Column>,
}

impl Codec<Row> for CsvEncoder {
    fn encode(&self, value: &Row, out: &mut Vec<u8>) -> Result<()> {
        let row = value.bytes();
        for (at, column) in self.columns.iter().enumerate() {
            if at > 0 {
                out.push(self.csv.delimiter);
            }
            let start = out.len();
            if column.text(row, out) {
                quote_if_needed(out, start, &self.csv);
            } else {
                out.extend_from_slice(self.csv.null.as_bytes());
            }
        }
        Ok(())
    }

    encodes_only!("csv");
}

/// Quotes the field that begins at `start` where it would not be read back as it is.
fn quote_if_needed(line: &mut Vec<u8>, start: usize, csv: &Csv) {
    let field = &line[start..];
    let is_special = |byte: &u8| *byte == csv.delimiter || matches!(byte, b'"' | b'\n' | b'\r');
    if field != csv.null.as_bytes() && !field.is_empty() && !field.iter().any(is_special) {
        return;
    }
    let text = line.split_off(start);
    line.push(b'"');
    for byte in text {
        line.push(byte);
        if byte == b'"' {
            line.push(b'"');
        }
    }
    line.push(b'"');
}

struct JsonEncoder {
    columns: Vec<Column>,
    /// What stands before each value: `{"a":`, `,"b":`.
    prefixes: Vec<Vec<u8>>,
}

impl JsonEncoder {
    fn new(columns: Vec<Column>) -> Self {
        let prefix = |(at, column): (usize, &Column)| {
            let mut prefix = vec![if at == 0 { b'{' } else { b',' }];
            write_string(column.name.as_bytes(), &mut prefix);
            prefix.push(b':');
            prefix
        };
        JsonEncoder {
            prefixes: columns.iter().enumerate().map(prefix).collect(),
            columns,
        }
    }
}

impl Codec<Row> for JsonEncoder {
    fn encode(&self, value: &Row, out: &mut Vec<u8>) -> Result<()> {
        if self.columns.is_empty() {
            out.push(b'{');
        }
        for (column, prefix) in self.columns.iter().zip(&self.prefixes) {
            out.extend_from_slice(prefix);
            write_json(column, value.bytes(), out);
        }
        out.push(b'}');
        Ok(())
    }

    encodes_only!("json");
}

/// Appends a column as JSON: numbers and booleans as such, anything else as a string.
#[inline]
fn write_json(column: &Column, row: &[u8], out: &mut Vec<u8>) {
    match column.data_type {
        DataType::TinyInt
        | DataType::SmallInt
        | DataType::Int
        | DataType::BigInt
        | DataType::Decimal { .. }
        | DataType::Boolean => {
            if !column.text(row, out) {
                out.extend_from_slice(b"null");
            }
        }
        DataType::Varchar { .. } => match column.slot.bytes(row) {
            Some(text) => write_string(text, out),
            None => out.extend_from_slice(b"null"),
        },
        DataType::Real | DataType::Double => write_float(column, row, out),
        _ => {
            // None of these texts has anything to escape but the backslash of bytes.
            let start = out.len();
            out.push(b'"');
            if !column.text(row, out) {
                out.truncate(start);
                out.extend_from_slice(b"null");
                return;
            }
            if column.data_type == DataType::Bytes {
                out.insert(start + 1, b'\\');
            }
            out.push(b'"');
        }
    }
}

/// What is no number in JSON is a string.
fn write_float(column: &Column, row: &[u8], out: &mut Vec<u8>) {
    match column.slot.float(row) {
        None => out.extend_from_slice(b"null"),
        Some(value) if value.is_finite() => {
            column.text(row, out);
        }
        Some(_) => {
            out.push(b'"');
            column.text(row, out);
            out.push(b'"');
        }
    }
}

/// Appends text as a string of JSON.
#[inline]
fn write_string(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    let mut rest = text;
    while let Some(at) = rest
        .iter()
        .position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20))
    {
        out.extend_from_slice(&rest[..at]);
        write_escape(rest[at], out);
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

fn write_escape(byte: u8, out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let letter = match byte {
        b'"' | b'\\' => byte,
        0x08 => b'b',
        0x0c => b'f',
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        _ => {
            let (high, low) = (usize::from(byte >> 4), usize::from(byte & 15));
            out.extend_from_slice(b"\\u00");
            out.extend_from_slice(&[DIGITS[high], DIGITS[low]]);
            return;
        }
    };
    out.extend_from_slice(&[b'\\', letter]);
}

/// One column as JSON without an object around it.
struct BareEncoder(Vec<Column>);

impl Codec<Row> for BareEncoder {
    fn encode(&self, value: &Row, out: &mut Vec<u8>) -> Result<()> {
        write_json(&self.0[0], value.bytes(), out);
        Ok(())
    }

    fn encode_payload(&self, value: &Row, out: &mut Vec<u8>) -> Result<bool> {
        if self.0[0].slot.is_null(value.bytes()) {
            return Ok(false);
        }
        self.encode(value, out).map(|()| true)
    }

    encodes_only!("json");
}

/// One column as Kafka's serializers for Java write it.
struct KafkaEncoder(Vec<Column>);

impl Codec<Row> for KafkaEncoder {
    fn encode(&self, value: &Row, out: &mut Vec<u8>) -> Result<()> {
        if self.encode_payload(value, out)? {
            Ok(())
        } else {
            Err(bad_record("the format kafka has no form for NULL"))
        }
    }

    fn encode_payload(&self, value: &Row, out: &mut Vec<u8>) -> Result<bool> {
        let (row, column) = (value.bytes(), &self.0[0]);
        if column.slot.is_null(row) {
            return Ok(false);
        }
        let integer = || column.slot.integer(row).unwrap_or_default();
        let float = || column.slot.float(row).unwrap_or_default();
        match column.data_type {
            DataType::SmallInt => out.extend_from_slice(&(integer() as i16).to_be_bytes()),
            DataType::Int => out.extend_from_slice(&(integer() as i32).to_be_bytes()),
            DataType::BigInt => out.extend_from_slice(&integer().to_be_bytes()),
            DataType::Real => out.extend_from_slice(&(float() as f32).to_be_bytes()),
            DataType::Double => out.extend_from_slice(&float().to_be_bytes()),
            DataType::Boolean => out.push(u8::from(column.slot.bool(row) == Some(true))),
            _ => out.extend_from_slice(column.slot.bytes(row).unwrap_or_default()),
        }
        Ok(true)
    }

    encodes_only!("kafka");
}

/// One column as its text.
struct TextEncoder(Vec<Column>);

impl Codec<Row> for TextEncoder {
    fn encode(&self, value: &Row, out: &mut Vec<u8>) -> Result<()> {
        self.0[0].text(value.bytes(), out);
        Ok(())
    }

    fn encode_payload(&self, value: &Row, out: &mut Vec<u8>) -> Result<bool> {
        Ok(self.0[0].text(value.bytes(), out))
    }

    encodes_only!("text");
}

/// Nothing.
struct NoEncoder;

impl Codec<Row> for NoEncoder {
    fn encode(&self, _value: &Row, _out: &mut Vec<u8>) -> Result<()> {
        Ok(())
    }

    fn encode_payload(&self, _value: &Row, _out: &mut Vec<u8>) -> Result<bool> {
        Ok(false)
    }

    encodes_only!("none");
}
