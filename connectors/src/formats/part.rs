//! One part of a record, its key or its value: where its fields stand.

use ferrisstreams_topology::Result;
use ferrisstreams_topology::connector::{ConnectorError, ConnectorErrorKind};
use ferrisstreams_topology::data::{DataType, Schema};

use super::cell::{Cell, Form};
use super::csv::CsvReader;
use super::format::Format;
use super::json::JsonReader;
use super::places::places;

/// What a part of a record holds, and how.
#[derive(Debug, Clone)]
pub(super) struct PartForm {
    format: Format,
    schema: Schema,
    /// The columns that it holds.
    columns: Vec<usize>,
    /// The names of the fields of CSV lines, where they are not those of the columns.
    fields: Option<Vec<String>>,
}

impl PartForm {
    /// # Errors
    ///
    /// Where the format cannot hold such columns.
    pub(super) fn new(
        format: &Format,
        schema: &Schema,
        columns: Vec<usize>,
        fields: Option<Vec<String>>,
        part: &str,
    ) -> Result<Self, ConnectorError> {
        match format {
            Format::Csv(_) | Format::Json(_) => {}
            Format::None if columns.is_empty() => {}
            Format::Kafka | Format::Text if columns.len() == 1 => {}
            Format::None => {
                let name = &schema.fields()[columns[0]].name;
                let message = format!("column `{name}` stands in the {part}, and there is none");
                return Err(
                    ConnectorError::new(ConnectorErrorKind::NotSupported, message)
                        .help(format!("{part}_format = 'json' says that there is")),
                );
            }
            Format::Kafka | Format::Text => {
                let (name, count) = (format.name(), columns.len());
                let message =
                    format!("the format {name} holds one column, and the {part} has {count}");
                return Err(
                    ConnectorError::new(ConnectorErrorKind::NotSupported, message)
                        .help("the formats json and csv hold any number of columns"),
                );
            }
        }
        if *format == Format::Kafka {
            check_primitive(schema, columns[0])?;
        }
        let form = PartForm {
            format: format.clone(),
            schema: schema.clone(),
            columns,
            fields,
        };
        if let Some(fields) = &form.fields {
            places(&form.schema, &form.columns, fields)?;
        }
        Ok(form)
    }

    /// The columns that it holds.
    pub(super) fn columns(&self) -> &[usize] {
        &self.columns
    }

    /// True where there is nothing to be read.
    pub(super) fn is_none(&self) -> bool {
        self.format == Format::None
    }

    /// A reader of the columns at `wanted`, whose cells are in that order.
    pub(super) fn reader(&self, wanted: &[usize]) -> Part {
        let place = |column: &usize| {
            let place = self.columns.iter().position(|own| own == column);
            place.expect("a part is asked for columns that it holds")
        };
        match &self.format {
            Format::Csv(csv) => {
                let (count, places) = match &self.fields {
                    Some(fields) => {
                        let places = places(&self.schema, wanted, fields);
                        (
                            fields.len(),
                            places.expect("checked when the form was made"),
                        )
                    }
                    None => (self.columns.len(), wanted.iter().map(place).collect()),
                };
                Part::Csv(CsvReader::new(csv, count, places))
            }
            Format::Json(json) => {
                let name = |column: &usize| self.schema.fields()[*column].name.clone();
                let wrapped = json.wrapped || self.columns.len() != 1;
                Part::Json(Box::new(JsonReader::new(
                    wanted.iter().map(name).collect(),
                    wrapped,
                )))
            }
            Format::Kafka => Part::Whole(Form::Binary),
            Format::Text => Part::Whole(Form::Text),
            Format::None => Part::Whole(Form::Null),
        }
    }
}

/// Kafka has serializers for some types only.
fn check_primitive(schema: &Schema, column: usize) -> Result<(), ConnectorError> {
    let field = &schema.fields()[column];
    match field.data_type {
        DataType::Boolean
        | DataType::SmallInt
        | DataType::Int
        | DataType::BigInt
        | DataType::Real
        | DataType::Double
        | DataType::Varchar { .. }
        | DataType::Bytes => Ok(()),
        other => {
            let message = format!(
                "the format kafka has no form for column `{}` of type {other}",
                field.name
            );
            Err(ConnectorError::new(ConnectorErrorKind::NotSupported, message)
                .help("it has one for BOOLEAN, SMALLINT, INT, BIGINT, REAL, DOUBLE, VARCHAR and BYTES"))
        }
    }
}

/// Finds the fields of one part of records.
pub(super) enum Part {
    /// A CSV line.
    Csv(CsvReader),
    /// JSON.
    Json(Box<JsonReader>),
    /// One value that is all there is.
    Whole(Form),
}

impl Part {
    /// Finds the fields; false where the part says that it is none.
    #[inline]
    pub(super) fn scan(&mut self, bytes: &[u8]) -> Result<bool> {
        match self {
            Part::Csv(reader) => reader.scan(bytes).map(|()| true),
            Part::Json(reader) => reader.scan(bytes),
            Part::Whole(_) => Ok(true),
        }
    }

    /// The field of the wanted column `index`.
    #[inline(always)]
    pub(super) fn cell(&self, index: usize, bytes: &[u8]) -> Cell {
        match self {
            Part::Csv(reader) => reader.cell(index, bytes),
            Part::Json(reader) => reader.cell(index),
            Part::Whole(form) => Cell::new(0, bytes.len(), *form),
        }
    }
}
