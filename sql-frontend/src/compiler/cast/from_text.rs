//! Text read as a value of a type, with white space around it or without.

use ferrisstreams_topology::data::decimal::{self, DecimalType};
use ferrisstreams_topology::data::{DataType, ParseError, Physical, datetime, text};

use super::Cast;
use crate::compiler::code::Code;
use crate::compiler::node::{Fixed, Node};
use crate::compiler::text::TextNode;

pub(super) fn cast(cast: Cast, input: TextNode) -> Code {
    match cast.to {
        DataType::Boolean => Code::Bool(parse(cast, input, text::parse_bool)),
        DataType::TinyInt | DataType::SmallInt | DataType::Int | DataType::BigInt => {
            Code::Int(parse(cast, input, move |text| {
                text::parse_integer(text, cast.to)
            }))
        }
        DataType::Decimal { precision, scale } => {
            let to = DecimalType::new(precision, scale);
            if cast.to.physical() == Physical::I128 {
                return Code::Wide(parse(cast, input, move |text| {
                    decimal::parse_rounded(text, to)
                }));
            }
            Code::Int(parse(cast, input, move |text| {
                let unscaled = decimal::parse_rounded(text, to)?;
                i64::try_from(unscaled).map_err(|_| ParseError::OutOfRange)
            }))
        }
        DataType::Real => Code::Float(parse(cast, input, |text| {
            text::parse_f32(text).map(f64::from)
        })),
        DataType::Double => Code::Float(parse(cast, input, text::parse_f64)),
        DataType::Date => Code::Int(parse(cast, input, |text| {
            datetime::parse_date(text).map(i64::from)
        })),
        DataType::Time => Code::Int(parse(cast, input, datetime::parse_time)),
        DataType::Timestamp => Code::Int(parse(cast, input, datetime::parse_timestamp)),
        DataType::TimestampTz => Code::Int(parse(cast, input, datetime::parse_timestamptz)),
        DataType::Interval => Code::Interval(parse(cast, input, datetime::parse_interval)),
        DataType::Bytes => Code::Text(bytes(cast, input)),
        DataType::Varchar { .. } => unreachable!("text is no other type than text"),
    }
}

fn parse<T: Fixed>(
    cast: Cast,
    input: TextNode,
    parse: impl Fn(&[u8]) -> Result<T, ParseError> + Send + Sync + 'static,
) -> Node<T> {
    Node::code(move |row, eval| {
        let piece = input.get(row, eval)?;
        let text = piece.bytes(&eval.scratch);
        match parse(text.trim_ascii()) {
            Ok(value) => Some(value),
            Err(error) => {
                let shown = shown(text);
                cast.failed(shown, &error.to_string(), eval)
            }
        }
    })
}

/// The start of a text that cannot be read, for the message.
#[cold]
fn shown(text: &[u8]) -> String {
    const MOST: usize = 40;
    let text = String::from_utf8_lossy(text);
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("'{}...'", &text[..end]),
        None => format!("'{text}'"),
    }
}

fn bytes(cast: Cast, input: TextNode) -> TextNode {
    TextNode::made(move |row, eval| {
        let piece = input.get(row, eval)?;
        let written = eval.write(|scratch, out| text::parse_bytes(piece.bytes(scratch), out));
        match written {
            Ok(place) => Some(place),
            Err(error) => {
                let shown = shown(piece.bytes(&eval.scratch));
                cast.failed(shown, &error.to_string(), eval)
            }
        }
    })
}
