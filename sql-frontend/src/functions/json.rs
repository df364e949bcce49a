//! Text in JSON. Numbers keep the digits that they are written with.

use std::collections::BTreeMap;

use ferrisstreams_topology::data::DataType;
use serde_json::value::RawValue;

use super::argument::{Argument, Failure, Outcome, Returned};
use super::function::{Call, Function, PreparedBody};
use super::signature::{Entry, Gives, Parameter, TEXT, entry, form, prepared};
use super::text_form::write_text;

const ANY: Parameter = Parameter::Any;

pub(super) const FUNCTIONS: &[Entry] = &[
    entry(
        &["extractjsonfield"],
        "what stands at a path such as $.orders[0].id in JSON, as text; NULL if nothing does",
        &[prepared(
            &[TEXT, TEXT],
            Gives::Is(DataType::TEXT),
            prepare_field,
        )],
    ),
    entry(
        &["is_json_string"],
        "whether the text is JSON",
        &[form(&[TEXT], Gives::Is(DataType::Boolean), is_json).takes_null()],
    ),
    entry(
        &["json_array_length"],
        "the length of a JSON array; NULL for other JSON",
        &[form(&[TEXT], Gives::Is(DataType::Int), array_length)],
    ),
    entry(
        &["json_array_contains"],
        "whether a value stands in a JSON array",
        &[form(
            &[TEXT, ANY],
            Gives::Is(DataType::Boolean),
            array_contains,
        )],
    ),
    entry(
        &["to_json_string"],
        "the value as JSON",
        &[form(&[ANY], Gives::Is(DataType::TEXT), to_json).takes_null()],
    ),
];

/// The JSON that a text is.
fn json(text: &str) -> Result<&RawValue, Failure> {
    serde_json::from_str(text).map_err(|e| format!("the text cannot be read as JSON: {e}").into())
}

/// The items of an array; none for other JSON.
fn items(value: &RawValue) -> Option<Vec<&RawValue>> {
    // The text was checked already: what it begins with says what it is.
    value
        .get()
        .starts_with('[')
        .then(|| serde_json::from_str(value.get()).ok())?
}

fn member<'a>(value: &'a RawValue, name: &str) -> Option<&'a RawValue> {
    if !value.get().starts_with('{') {
        return None;
    }
    let members: BTreeMap<String, &RawValue> = serde_json::from_str(value.get()).ok()?;
    members.get(name).copied()
}

/// A step of a path.
enum Step {
    Member(String),
    Item(usize),
}

/// Reads a path: `$.name.other[0]['any name']`.
fn path(text: &str) -> Result<Vec<Step>, Failure> {
    let wrong = || Failure::from(format!("'{text}' cannot be read as a path in JSON"));
    let mut rest = text.strip_prefix('$').ok_or_else(wrong)?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if let Some(named) = rest.strip_prefix('.') {
            let end = named.find(['.', '[']).unwrap_or(named.len());
            let (name, after) = named.split_at(end);
            if name.is_empty() {
                return Err(wrong());
            }
            steps.push(Step::Member(name.to_owned()));
            rest = after;
        } else if let Some(quoted) = rest.strip_prefix("['") {
            let (name, after) = quoted.split_once("']").ok_or_else(wrong)?;
            steps.push(Step::Member(name.to_owned()));
            rest = after;
        } else {
            let number = rest.strip_prefix('[').ok_or_else(wrong)?;
            let (number, after) = number.split_once(']').ok_or_else(wrong)?;
            steps.push(Step::Item(number.parse().map_err(|_| wrong())?));
            rest = after;
        }
    }
    Ok(steps)
}

fn prepare_field(
    _: &Function,
    constants: &[Option<Argument<'_>>],
) -> Result<PreparedBody, Failure> {
    Ok(match constants[1] {
        Some(written) if !written.is_null() => {
            let steps = path(written.text())?;
            Box::new(move |call, arguments| field(call, arguments[0].text(), &steps))
        }
        _ => Box::new(|call, arguments| {
            field(call, arguments[0].text(), &path(arguments[1].text())?)
        }),
    })
}

fn field(call: &mut Call<'_>, text: &str, steps: &[Step]) -> Outcome {
    let mut value = json(text)?;
    for step in steps {
        let found = match step {
            Step::Member(name) => member(value, name),
            Step::Item(at) => items(value).and_then(|items| items.get(*at).copied()),
        };
        match found {
            Some(found) => value = found,
            None => return Ok(Returned::Null),
        }
    }
    match value.get() {
        "null" => return Ok(Returned::Null),
        quoted if quoted.starts_with('"') => {
            let text: String = serde_json::from_str(quoted)
                .map_err(|e| Failure::from(format!("a string cannot be read: {e}")))?;
            call.out.extend_from_slice(text.as_bytes());
        }
        other => call.out.extend_from_slice(other.as_bytes()),
    }
    Ok(Returned::Written)
}

fn is_json(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    let text = arguments[0];
    Ok(Returned::from(!text.is_null() && json(text.text()).is_ok()))
}

fn array_length(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    let items = items(json(arguments[0].text())?);
    Ok(items.map_or(
        Returned::Null,
        |items| Returned::Integer(items.len() as i64),
    ))
}

fn array_contains(call: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    let Some(items) = items(json(arguments[0].text())?) else {
        return Ok(Returned::from(false));
    };
    let mut wanted = Vec::new();
    write_json(&mut wanted, arguments[1], call.function.arguments[1]);
    // A string may be written in several ways, everything else in one.
    let is_wanted = |item: &&RawValue| match item.get().starts_with('"') {
        true => serde_json::from_str::<String>(item.get())
            .is_ok_and(|text| serde_json::to_vec(&text).is_ok_and(|written| written == wanted)),
        false => item.get().as_bytes() == wanted,
    };
    Ok(Returned::from(items.iter().any(is_wanted)))
}

fn to_json(call: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    write_json(call.out, arguments[0], call.function.arguments[0]);
    Ok(Returned::Written)
}

/// Appends a value as JSON: numbers and booleans as they are, all else as strings.
fn write_json(out: &mut Vec<u8>, value: Argument<'_>, data_type: DataType) {
    let is_plain = match value {
        Argument::Null => {
            out.extend_from_slice(b"null");
            return;
        }
        // JSON has no NaN and no infinity.
        Argument::Float(number) => number.is_finite(),
        _ => data_type.is_numeric() || data_type == DataType::Boolean,
    };
    let start = out.len();
    write_text(out, value, data_type);
    if is_plain {
        return;
    }
    let text = String::from_utf8_lossy(&out[start..]).into_owned();
    out.truncate(start);
    serde_json::to_writer(out, &text).expect("a string is written to memory");
}
