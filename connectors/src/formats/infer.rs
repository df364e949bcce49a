//! Columns found out from the first records of a source.

use ferrisstreams_topology::connector::{ConnectorError, ConnectorErrorKind};
use ferrisstreams_topology::data::{DataType, Field, Schema};

use super::cell::{Cell, Form};
use super::column::undouble;
use super::csv::CsvReader;
use super::escape::unescape;
use super::format::{Csv, Format};
use super::guess::Guess;
use super::json::members;
use super::names::identifier;

/// The most records, and bytes, of a sample.
const MOST: (usize, usize) = (10_000, 1 << 20);

/// The first records of a source, from which its columns are found out: at most 10,000 records or
/// 1 MB.
pub struct Sample {
    form: SampleForm,
    columns: Vec<(String, Guess)>,
    records: usize,
    bytes: usize,
    /// Records that could be read.
    readable: usize,
    /// What is wrong with the first that could not.
    fault: Option<String>,
}

enum SampleForm {
    Csv(Csv, Option<CsvReader>),
    Json,
}

impl Sample {
    /// A sample of values in a format; `header` names the fields of CSV lines, which are `column1`
    /// and so on without it.
    ///
    /// # Errors
    ///
    /// Where nothing can be found out about columns in this format, or two fields have one name.
    pub fn new(format: &Format, header: Option<Vec<String>>) -> Result<Sample, ConnectorError> {
        let form = match format {
            Format::Csv(csv) => {
                let places = |names: &Vec<String>| (0..names.len()).collect();
                let reader = header
                    .as_ref()
                    .map(|names| CsvReader::new(csv, names.len(), places(names)));
                SampleForm::Csv(csv.clone(), reader)
            }
            Format::Json(_) => SampleForm::Json,
            Format::Kafka | Format::Text | Format::None => {
                let message = format!("the format {} does not tell of columns", format.name());
                let error = ConnectorError::new(ConnectorErrorKind::Unreadable, message);
                return Err(
                    error.help("declare them: CREATE STREAM name (column TYPE, ...) FROM ...")
                );
            }
        };
        let columns: Vec<(String, Guess)> = header
            .into_iter()
            .flatten()
            .map(|name| (name, Guess::default()))
            .collect();
        check_names(&columns)?;
        Ok(Sample {
            form,
            columns,
            records: 0,
            bytes: 0,
            readable: 0,
            fault: None,
        })
    }

    /// Adds a record; the answer is whether more are wanted. What cannot be read does not count.
    pub fn add(&mut self, record: &[u8]) -> bool {
        if !self.is_full() {
            self.records += 1;
            self.bytes += record.len();
            let added = match &mut self.form {
                SampleForm::Csv(csv, reader) => add_line(&mut self.columns, csv, reader, record),
                SampleForm::Json => add_object(&mut self.columns, record),
            };
            match added {
                Ok(()) => self.readable += 1,
                Err(e) => {
                    self.fault.get_or_insert_with(|| e.to_string());
                }
            }
        }
        !self.is_full()
    }

    fn is_full(&self) -> bool {
        self.records >= MOST.0 || self.bytes >= MOST.1
    }

    /// The columns. `uri` is what is sampled, without secrets, and `word` is STREAM or TABLE, for the
    /// statement that an error shows.
    ///
    /// # Errors
    ///
    /// Where no record could be read: the error shows the CREATE statement to write.
    pub fn columns(self, uri: &str, word: &str) -> Result<Schema, ConnectorError> {
        if self.readable > 0 && !self.columns.is_empty() {
            let field = |(name, guess): (String, Guess)| Field::new(name, guess.data_type());
            return Ok(self.columns.into_iter().map(field).collect());
        }
        let message = match self.fault {
            Some(fault) => format!("no record of {uri} could be read: {fault}"),
            None if self.records > 0 => format!("the records of {uri} have no columns"),
            None => format!("{uri} has no records to find out its columns from"),
        };
        let columns = match &self.columns[..] {
            [] => "column TYPE, ...".to_owned(),
            columns => {
                let declared: Vec<String> = columns
                    .iter()
                    .map(|(name, _)| format!("{} {}", identifier(name), DataType::TEXT))
                    .collect();
                declared.join(", ")
            }
        };
        Err(
            ConnectorError::new(ConnectorErrorKind::Unreadable, message).help(format!(
                "declare them: CREATE {word} name ({columns}) FROM {uri}"
            )),
        )
    }
}

fn check_names(columns: &[(String, Guess)]) -> Result<(), ConnectorError> {
    for (at, (name, _)) in columns.iter().enumerate() {
        let fault = if name.is_empty() {
            format!("field {} of the header has no name", at + 1)
        } else if columns[..at]
            .iter()
            .any(|(other, _)| other.eq_ignore_ascii_case(name))
        {
            format!("the header has two fields `{name}`")
        } else {
            continue;
        };
        return Err(ConnectorError::new(ConnectorErrorKind::Unreadable, fault)
            .help("header = 'false' names the columns by their places"));
    }
    Ok(())
}

/// Adds the fields of a CSV line.
fn add_line(
    columns: &mut Vec<(String, Guess)>,
    csv: &Csv,
    reader: &mut Option<CsvReader>,
    line: &[u8],
) -> ferrisstreams_topology::Result<()> {
    let reader = match reader {
        Some(reader) => reader,
        None => {
            let count = super::csv::csv_fields(csv, line).map_or(1, |fields| fields.len());
            columns.extend((1..=count).map(|at| (format!("column{at}"), Guess::default())));
            reader.insert(CsvReader::new(csv, count, (0..count).collect()))
        }
    };
    reader.scan(line)?;
    for (at, (_, guess)) in columns.iter_mut().enumerate() {
        add_cell(guess, line, reader.cell(at, line));
    }
    Ok(())
}

/// Adds the members of a JSON object.
fn add_object(
    columns: &mut Vec<(String, Guess)>,
    text: &[u8],
) -> ferrisstreams_topology::Result<()> {
    for (name, cell) in members(text)? {
        let known = columns
            .iter()
            .position(|(other, _)| other.eq_ignore_ascii_case(&name));
        let at = known.unwrap_or_else(|| {
            columns.push((name.into_owned(), Guess::default()));
            columns.len() - 1
        });
        add_cell(&mut columns[at].1, text, cell);
    }
    Ok(())
}

fn add_cell(guess: &mut Guess, record: &[u8], cell: Cell) {
    let bytes = cell.of(record);
    match cell.form {
        Form::Null => {}
        Form::Text => guess.add_text(bytes),
        Form::Integer | Form::Number => guess.add_number(bytes),
        Form::True | Form::False => guess.add(DataType::Boolean),
        Form::String => guess.add_string(bytes),
        Form::Doubled => {
            let mut text = Vec::new();
            undouble(bytes, &mut text);
            guess.add_text(&text);
        }
        Form::Escaped => {
            let mut text = Vec::new();
            // What is no text is told when the column is read.
            let _ = unescape(bytes, &mut text);
            guess.add_string(&text);
        }
        Form::Object | Form::Array | Form::Binary => guess.add(DataType::TEXT),
    }
}

#[cfg(test)]
mod tests {
    use super::super::format::Json;
    use super::*;

    fn csv(text: &str) -> Result<String, ConnectorError> {
        let mut lines = text.lines();
        let format = Format::Csv(Csv::default());
        let header = lines
            .next()
            .map(|line| line.split(',').map(str::to_owned).collect());
        let mut sample = Sample::new(&format, header)?;
        for line in lines {
            sample.add(line.as_bytes());
        }
        sample
            .columns("file:///a.csv", "STREAM")
            .map(|schema| schema.to_string())
    }

    fn json(lines: &[&str]) -> Result<String, ConnectorError> {
        let mut sample = Sample::new(&Format::Json(Json::default()), None)?;
        for line in lines {
            sample.add(line.as_bytes());
        }
        sample
            .columns("kafka://t", "STREAM")
            .map(|schema| schema.to_string())
    }

    #[test]
    fn columns_of_csv() {
        for (text, columns) in [
            ("id,name\n1,a\n2,b", "id BIGINT, name VARCHAR"),
            ("price\n1.5\n2\n0.125", "price DECIMAL(38, 3)"),
            ("price\n2\n1.50", "price DECIMAL(38, 2)"),
            ("n\n1e3\n5", "n DECIMAL(38, 0)"),
            ("n\n-0.5", "n DECIMAL(38, 1)"),
            ("ok\ntrue\nFALSE", "ok BOOLEAN"),
            ("ok\ntrue\n1", "ok VARCHAR"),
            ("d\n2024-01-31", "d DATE"),
            ("d\n2024-01-31\n2024-01-31 10:00:00", "d TIMESTAMP"),
            (
                "t\n2024-01-31 10:00:00\n2024-01-31T10:00:00Z",
                "t TIMESTAMPTZ",
            ),
            ("t\n2024-01-31 10:00\n5", "t VARCHAR"),
            ("zip\n01234\n56789", "zip VARCHAR"),
            ("big\n9223372036854775808", "big DECIMAL(38, 0)"),
            (
                "huge\n123456789012345678901234567890123456789",
                "huge VARCHAR",
            ),
            ("a,b\n,1\n,", "a VARCHAR, b BIGINT"),
            ("q\n\"12\"\n\"say \"\"x\"\"\"", "q VARCHAR"),
            ("q\n\"12\"", "q BIGINT"),
            ("q\n\"\"", "q VARCHAR"),
            ("n\nNaN", "n VARCHAR"),
            ("n\n+5", "n VARCHAR"),
            ("a,b\n1\n2,x\n3,y,z", "a BIGINT, b VARCHAR"),
        ] {
            assert_eq!(csv(text).as_deref(), Ok(columns), "{text}");
        }
    }

    #[test]
    fn columns_of_json() {
        for (lines, columns) in [
            (
                &[
                    r#"{"id":1,"price":1.50}"#,
                    r#"{"price":2,"Id":2,"note":null}"#,
                ][..],
                "id BIGINT, price DECIMAL(38, 2), note VARCHAR",
            ),
            (
                &[r#"{"a":true,"b":{"c":1},"d":[1]}"#],
                "a BOOLEAN, b VARCHAR, d VARCHAR",
            ),
            (
                &[r#"{"a":"12","b":"2024-01-31","c":"2024-01-31T00:00:00Z"}"#],
                "a VARCHAR, b DATE, c TIMESTAMPTZ",
            ),
            (&[r#"{"a":1}"#, r#"{"a":"x"}"#], "a VARCHAR"),
            (&["broken", r#"{"a":1e2}"#], "a DECIMAL(38, 0)"),
        ] {
            assert_eq!(json(lines).as_deref(), Ok(columns), "{lines:?}");
        }
    }

    #[test]
    fn a_sample_that_tells_nothing_shows_what_to_write() {
        let shown = |error: ConnectorError| {
            format!("{} ({})", error.message, error.help.unwrap_or_default())
        };
        assert_eq!(
            shown(csv("id,full name").expect_err("no rows")),
            "file:///a.csv has no records to find out its columns from \
             (declare them: CREATE STREAM name (id VARCHAR, \"full name\" VARCHAR) FROM file:///a.csv)"
        );
        assert_eq!(
            shown(json(&[]).expect_err("nothing")),
            "kafka://t has no records to find out its columns from \
             (declare them: CREATE STREAM name (column TYPE, ...) FROM kafka://t)"
        );
        assert_eq!(
            shown(json(&["[1]", "{"]).expect_err("nothing readable")),
            "no record of kafka://t could be read: an object is expected, not `[1]` \
             (declare them: CREATE STREAM name (column TYPE, ...) FROM kafka://t)"
        );
        assert_eq!(
            csv("a,A\n1,2").expect_err("twice").message,
            "the header has two fields `A`"
        );
        assert_eq!(
            csv("a,\n1,2").expect_err("no name").message,
            "field 2 of the header has no name"
        );
    }

    #[test]
    fn a_sample_ends() {
        let mut sample = Sample::new(&Format::Json(Json::default()), None).expect("json");
        let added = (0..).take_while(|_| sample.add(b"{\"a\":1}")).count();
        assert_eq!(added, MOST.0 - 1);
        let mut sample = Sample::new(&Format::Json(Json::default()), None).expect("json");
        let long = format!("{{\"a\":\"{}\"}}", "x".repeat(MOST.1 / 4));
        assert_eq!((0..).take_while(|_| sample.add(long.as_bytes())).count(), 3);
    }

    #[test]
    fn lines_without_a_header_name_columns_by_place() {
        let mut sample = Sample::new(&Format::Csv(Csv::default()), None).expect("csv");
        sample.add(b"1,a");
        sample.add(b"2,b");
        let schema = sample.columns("file:///a.csv", "STREAM").expect("columns");
        assert_eq!(schema.to_string(), "column1 BIGINT, column2 VARCHAR");
        assert!(Sample::new(&Format::Kafka, None).is_err());
    }
}
