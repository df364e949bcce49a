//! Which column the keys of records hold, found out from a sample.

use ferrisstreams_topology::codec::SharedCodec;
use ferrisstreams_topology::connector::{ConnectorError, RawBatch, RawRecord, RecordDecoder};
use ferrisstreams_topology::data::{Row, Schema};

use crate::formats::{Format, Json, RowSpecification, encoder, rows};

/// How many records are compared.
const ENOUGH: usize = 1_000;

/// A column, and the format in which keys hold it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KeyColumn {
    pub(super) column: usize,
    pub(super) format: Format,
}

/// A column that may be the key.
struct Candidate {
    key: KeyColumn,
    codec: SharedCodec<Row>,
}

/// The column that all keys of a sample equal; none where there is none, or no record has a key.
///
/// `format` is that of keys where it is known; otherwise all are tried.
///
/// # Errors
///
/// Where values cannot be read in that format at all.
pub(super) fn key_column(
    batches: &[RawBatch],
    schema: &Schema,
    value: &Format,
    format: Option<&Format>,
) -> Result<Option<KeyColumn>, ConnectorError> {
    let mut candidates = candidates(schema, format);
    let specification = RowSpecification::values(schema.clone(), value.clone());
    let all: Vec<usize> = (0..schema.len()).collect();
    let mut decoder = rows(specification)?.decoder(&all, None);
    let mut compared = 0;
    for batch in batches {
        for at in 0..batch.len() {
            if compared == ENOUGH || candidates.is_empty() {
                break;
            }
            let (Some(key), Some(value)) = (batch.key(at), batch.value(at)) else {
                continue;
            };
            let Some(row) = row(&mut *decoder, value) else {
                continue;
            };
            compared += 1;
            candidates.retain(|candidate| candidate.holds(&row, key));
        }
    }
    let found = candidates.into_iter().next().map(|candidate| candidate.key);
    Ok(found.filter(|_| compared > 0))
}

fn candidates(schema: &Schema, format: Option<&Format>) -> Vec<Candidate> {
    let all = [
        Format::Kafka,
        Format::Text,
        Format::Json(Json { wrapped: false }),
    ];
    let formats: Vec<Format> = format.map_or(all.to_vec(), |format| vec![format.clone()]);
    let mut candidates = Vec::new();
    for format in formats {
        for column in 0..schema.len() {
            // A format that cannot hold the column does not hold it.
            if let Ok(codec) = encoder(&format, schema, &[column]) {
                let key = KeyColumn {
                    column,
                    format: format.clone(),
                };
                candidates.push(Candidate { key, codec });
            }
        }
    }
    candidates
}

impl Candidate {
    fn holds(&self, row: &Row, key: &[u8]) -> bool {
        let mut bytes = Vec::with_capacity(key.len());
        matches!(self.codec.encode_payload(row, &mut bytes), Ok(true)) && bytes == key
    }
}

/// The row that a value holds, if it can be read.
fn row(decoder: &mut dyn RecordDecoder<(), Row>, value: &[u8]) -> Option<Row> {
    let mut batch = RawBatch::empty(0, 0);
    batch.push(RawRecord {
        value: Some(value),
        ..RawRecord::default()
    });
    let (mut rows, mut bad) = (Vec::new(), Vec::new());
    decoder.decode(&batch, &mut rows, &mut bad);
    rows.pop().map(|record| record.value)
}
