//! How a row looks on a line.

use std::sync::Arc;

use ferrisstreams_topology::codec::{Codec, SharedCodec};
use ferrisstreams_topology::connector::ConnectorError;
use ferrisstreams_topology::data::{Row, RowLayout, Schema, write_column};
use ferrisstreams_topology::{Error, ErrorKind, Result};

use crate::formats::{Csv, Format, Json, csv_header, encoder};

/// The form of the lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LineForm {
    /// Values with bars between them, below a line of names.
    Table,
    /// CSV with a header.
    Csv,
    /// A JSON object a line.
    Json,
}

impl LineForm {
    /// The line above all others, if there is one.
    pub(super) fn header(self, schema: &Schema) -> Option<Vec<u8>> {
        let all: Vec<usize> = (0..schema.len()).collect();
        match self {
            LineForm::Json => None,
            LineForm::Csv => Some(csv_header(&Csv::default(), schema, &all)),
            LineForm::Table => {
                let names: Vec<&str> = schema
                    .fields()
                    .iter()
                    .map(|field| &field.name[..])
                    .collect();
                Some(names.join(" | ").into_bytes())
            }
        }
    }

    /// What writes rows of a schema.
    pub(super) fn codec(self, schema: &Schema) -> Result<SharedCodec<Row>, ConnectorError> {
        let all: Vec<usize> = (0..schema.len()).collect();
        match self {
            LineForm::Json => encoder(&Format::Json(Json::default()), schema, &all),
            LineForm::Csv => encoder(&Format::Csv(Csv::default()), schema, &all),
            LineForm::Table => Ok(Arc::new(Bars {
                layout: RowLayout::new(schema),
                schema: schema.clone(),
            })),
        }
    }

    /// The line that says that the row of a key went away.
    pub(super) fn deletion(self, key: &[u8], out: &mut Vec<u8>) {
        let (before, after): (&[u8], &[u8]) = match self {
            LineForm::Json => (b"{\"deleted\":", b"}"),
            LineForm::Table | LineForm::Csv => (b"deleted: ", b""),
        };
        out.extend_from_slice(before);
        out.extend_from_slice(key);
        out.extend_from_slice(after);
    }
}

/// Values with bars between them.
struct Bars {
    layout: RowLayout,
    schema: Schema,
}

impl Codec<Row> for Bars {
    fn encode(&self, value: &Row, out: &mut Vec<u8>) -> Result<()> {
        let fields = self.schema.fields().iter().zip(self.layout.slots());
        for (at, (field, slot)) in fields.enumerate() {
            if at > 0 {
                out.extend_from_slice(b" | ");
            }
            if !write_column(out, value.bytes(), *slot, field.data_type) {
                out.extend_from_slice(b"NULL");
            }
        }
        Ok(())
    }

    fn decode(&self, _bytes: &[u8]) -> Result<Row> {
        Err(Error::new(
            ErrorKind::BadRecord,
            "lines of the console are not read back",
        ))
    }

    fn name(&self) -> String {
        "console lines".to_owned()
    }
}
