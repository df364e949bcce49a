//! The members of an object, by a parser that reads everything.

use std::borrow::Cow;

use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::super::cell::{Cell, Form};
use super::super::fault::{bad_record, excerpt};
use super::value::value;
use ferrisstreams_topology::{Error, Result};

/// The members of the object that `text` is, in order, each with its place in the text.
pub(in super::super) fn members(text: &[u8]) -> Result<Vec<(Cow<'_, str>, Cell)>> {
    let mut parser = serde_json::Deserializer::from_slice(text);
    let members = (&mut parser).deserialize_map(Members { text });
    members
        .and_then(|members| parser.end().map(|()| members))
        .map_err(|e| told(text, &e))
}

/// Why a text is no object.
#[cold]
fn told(text: &[u8], error: &serde_json::Error) -> Error {
    let shown = excerpt(text);
    match serde_json::from_slice::<IgnoredAny>(text) {
        Ok(_) if !text.trim_ascii_start().starts_with(b"{") => {
            bad_record(format!("an object is expected, not `{shown}`"))
        }
        _ => {
            // Records have no lines, so the place in the line is enough.
            let message = error.to_string();
            let message = message.split(" at line ").next().unwrap_or_default();
            bad_record(format!(
                "not JSON: {message} at byte {}: `{shown}`",
                error.column()
            ))
        }
    }
}

struct Members<'a> {
    text: &'a [u8],
}

impl<'a> Visitor<'a> for Members<'a> {
    type Value = Vec<(Cow<'a, str>, Cell)>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(Key(key)) = map.next_key()? {
            let raw: &RawValue = map.next_value()?;
            // The value is a part of the text: how far it stands from the start is its place.
            let start = raw.get().as_ptr().addr() - self.text.as_ptr().addr();
            let cell = value(self.text, start).map(|(cell, _)| cell);
            // A string may have an escape that stands for no character, which is told if it is read.
            let end = start + raw.get().len();
            members.push((key, cell.unwrap_or(Cell::new(start, end, Form::Escaped))));
        }
        Ok(members)
    }
}

/// A key, borrowed where it has no escapes.
struct Key<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> serde::Deserialize<'de> for Key<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;
        impl<'de> Visitor<'de> for KeyVisitor {
            type Value = Cow<'de, str>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a key")
            }

            fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Self::Value, E> {
                Ok(Cow::Borrowed(key))
            }

            fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
                Ok(Cow::Owned(key.to_owned()))
            }
        }
        deserializer.deserialize_str(KeyVisitor).map(Key)
    }
}
