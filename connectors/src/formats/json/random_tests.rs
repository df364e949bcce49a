//! Lines of every kind, read one after another by one reader, against serde_json.

use std::borrow::Cow;

use proptest::prelude::*;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::super::cell::{Cell, Form};
use super::JsonReader;

/// The columns that are wanted.
const WANTED: [&str; 4] = ["id", "name", "price", "Id"];

/// Keys of lines, some of them wanted, some but for case, one with an escape.
const KEYS: [&str; 10] = [
    "id",
    "ID",
    "name",
    "price",
    "Price",
    "n\\u0061me",
    "other",
    "tags",
    "a much longer key",
    "",
];

/// Numbers that look random, and are the same for the same seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
        ((self.0 >> 33) as usize) % limit
    }

    fn one_in(&mut self, limit: usize) -> bool {
        self.below(limit) == 0
    }

    fn of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len())]
    }

    fn text(&mut self) -> String {
        let usual = self.one_in(3);
        let len = if usual { 8 } else { self.below(24) };
        (0..len)
            .map(|_| match self.below(if usual { 8 } else { 10 }) {
                0..4 => self.of(&["a", "z", "~", "}"]),
                4..6 => self.of(&["0", "9", ":", "[", "A", ","]),
                6..8 => self.of(&[" ", "!", "#", "/"]),
                8 => self.of(&[
                    "é",
                    "日",
                    "\\n",
                    "\\\"",
                    "\\\\",
                    "\\u00e9",
                    "\\ud83d\\ude00",
                ]),
                _ => self.of(&[
                    "x", "x", "x", "x", "x", "x", "\"", "\\ud800", "\\q", "\t", "\u{1}",
                ]),
            })
            .collect()
    }

    fn digits(&mut self, len: usize) -> String {
        (0..len)
            .map(|_| char::from(b'0' + self.below(10) as u8))
            .collect()
    }

    /// A value of one of five kinds; now and then one of another, or none.
    fn value(&mut self, kind: usize) -> String {
        let kind = if self.one_in(40) { self.below(7) } else { kind };
        let len = 1 + self.below(4);
        match kind {
            0 => format!("\"{}\"", self.text()),
            1 => format!("{}{}", self.of(&["", "", "-", "7"]), self.digits(len)),
            2 => format!("{}.{}", self.digits(len), self.digits(2)),
            3 => self.of(&["true", "false", "null", "null"]).to_owned(),
            4 => format!(
                "{}{}{}",
                self.digits(1),
                self.of(&["e", "E+", "e-"]),
                self.digits(1)
            ),
            5 => self
                .of(&[
                    "{}",
                    "[]",
                    "[1,{\"id\":2}]",
                    "{\"name\":\"}\"}",
                    "[\"]\",[[]]]",
                    "{\"a\" : [ ]}",
                ])
                .to_owned(),
            _ => self
                .of(&[
                    "nul", "01", "1.", "-", "'a'", "[1,]", "{", "\"", "", "tru e", "+1",
                ])
                .to_owned(),
        }
    }

    fn blank(&mut self) -> &'static str {
        if self.one_in(60) {
            self.of(&[" ", "  ", "\t", "\r"])
        } else {
            ""
        }
    }

    /// A line with members of these keys and kinds.
    fn line(&mut self, members: &[(usize, usize)]) -> Vec<u8> {
        let mut line = format!("{}{{", self.blank());
        for (index, (key, kind)) in members.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            let value = self.value(*kind);
            let (before, behind, end) = (self.blank(), self.blank(), self.blank());
            line.push_str(&format!(
                "{comma}{before}\"{}\":{behind}{value}{end}",
                KEYS[*key]
            ));
        }
        line.push('}');
        line.push_str(self.blank());
        let mut line = line.into_bytes();
        if self.one_in(20) {
            self.spoil(&mut line);
        }
        line
    }

    fn spoil(&mut self, line: &mut Vec<u8>) {
        let at = self.below(line.len());
        match self.below(4) {
            0 => line.truncate(at),
            1 => line[at] = self.below(256) as u8,
            2 => line.insert(at, [0xff, b'"', b'}', b'0'][self.below(4)]),
            _ => drop(line.remove(at)),
        }
    }

    /// Keys and the kinds of their values.
    fn members(&mut self) -> Vec<(usize, usize)> {
        let count = self.below(7);
        (0..count)
            .map(|_| (self.below(KEYS.len()), self.below(6)))
            .collect()
    }
}

/// Lines most of which look like the one before.
fn lines(seed: u64) -> Vec<Vec<u8>> {
    let mut dice = Dice(seed);
    let mut members = dice.members();
    let mut lines = Vec::new();
    for _ in 0..60 {
        match dice.below(24) {
            0 => members = dice.members(),
            1 if !members.is_empty() => {
                let at = dice.below(members.len());
                let member = members.remove(at);
                if dice.one_in(2) {
                    members.insert(dice.below(members.len() + 1), member);
                }
            }
            2 => lines.push(
                dice.of(&["null", "[]", "{}", "{}x", "", "1", "{,}"])
                    .as_bytes()
                    .to_vec(),
            ),
            _ => {}
        }
        lines.push(dice.line(&members));
    }
    lines
}

/// The members of an object, in order.
struct Members<'a>(Vec<(Cow<'a, str>, &'a str)>);

impl<'de: 'a, 'a> serde::Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visit;
        impl<'de> Visitor<'de> for Visit {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((key, value)) = map.next_entry::<String, &RawValue>()? {
                    members.push((Cow::Owned(key), value.get()));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Visit)
    }
}

impl Members<'_> {
    /// The value of a column: of the last member of just this name, or else of one that is this
    /// column's but for case.
    fn value(&self, column: &str) -> Option<&str> {
        let is_others =
            |key: &str| WANTED.contains(&key) || first_but_for_case(key) != Some(column);
        let exact = self.0.iter().rev().find(|(key, _)| key == column);
        let found = exact.or_else(|| self.0.iter().rev().find(|(key, _)| !is_others(key)));
        found.map(|(_, value)| *value)
    }
}

fn first_but_for_case(key: &str) -> Option<&'static str> {
    WANTED
        .into_iter()
        .find(|column| column.eq_ignore_ascii_case(key))
}

/// A cell as it stands in the text.
fn shown(cell: Cell, text: &[u8]) -> String {
    let value = String::from_utf8_lossy(cell.of(text));
    match cell.form {
        // One with an escape that stands for no character has its quotes with it.
        Form::Escaped if value.starts_with('"') => value.into_owned(),
        Form::String | Form::Escaped => format!("\"{value}\""),
        _ => value.into_owned(),
    }
}

fn check(reader: &mut JsonReader, line: &[u8]) -> Result<(), TestCaseError> {
    let text = String::from_utf8_lossy(line);
    // Bytes that are no UTF-8 are found where a column is written, or a line is looked at closely.
    let may_fail = text.as_bytes() != line;
    let scanned = reader.scan(line);
    if text.trim_ascii() == "null" {
        prop_assert_eq!(scanned.ok(), Some(false));
        return Ok(());
    }
    let expected: Option<Members<'_>> = serde_json::from_str(&text).ok();
    prop_assert!(
        scanned.is_ok() == expected.is_some() || may_fail,
        "{} {:?}",
        text,
        scanned
    );
    let (Ok(_), Some(members)) = (scanned, expected) else {
        return Ok(());
    };
    for (index, column) in WANTED.into_iter().enumerate() {
        let cell = reader.cell(index);
        let found = (cell != Cell::NULL).then(|| shown(cell, line));
        prop_assert_eq!(
            found.as_deref(),
            members.value(column),
            "{} of {}",
            column,
            text
        );
        let is_form = match cell.form {
            Form::Escaped => shown(cell, line).contains('\\'),
            Form::String => !shown(cell, line).contains('\\'),
            Form::Integer => shown(cell, line).parse::<i128>().is_ok(),
            Form::Number => shown(cell, line).contains(['.', 'e', 'E']),
            Form::Null => found.is_none() || found.as_deref() == Some("null"),
            Form::True => found.as_deref() == Some("true"),
            Form::False => found.as_deref() == Some("false"),
            Form::Object => shown(cell, line).starts_with('{'),
            Form::Array => shown(cell, line).starts_with('['),
            _ => false,
        };
        prop_assert!(is_form, "{:?} of {}", cell, text);
    }
    Ok(())
}

fn reader() -> JsonReader {
    JsonReader::new(WANTED.map(str::to_owned).to_vec(), true)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn lines_are_read_as_by_serde_json(seed: u64) {
        let mut reader = reader();
        for line in lines(seed) {
            check(&mut reader, &line)?;
        }
    }
}

/// Whatever byte of a line is another than in those before it.
#[test]
fn every_byte_of_a_usual_line_is_looked_at() {
    let line =
        br#"{"id":105,"other":"x y", "price":-12.50,"ok":true,"tags":[1],"name":"abc","a":1e5}"#;
    for at in 0..line.len() {
        let mut reader = reader();
        for byte in 0..=u8::MAX {
            check(&mut reader, line).expect("as serde_json does");
            let mut other = line.to_vec();
            other[at] = byte;
            check(&mut reader, &other).expect("as serde_json does");
        }
    }
}

/// Values whose length differs from line to line do not keep the rest from being read by its shape.
#[test]
fn what_is_alike_is_read_by_its_shape() {
    let mut reader = reader();
    for at in 0..2_000_u64 {
        let name = "n".repeat((at % 13) as usize);
        let line = format!(
            r#"{{"id":{at},"other":"0123-ab","name":"{name}","price":{}.{:02},"ok":true}}"#,
            at * at % 1_000,
            at % 100
        );
        check(&mut reader, line.as_bytes()).expect("as serde_json does");
    }
    assert!(reader.usual() > 1_900, "{}", reader.usual());
}

/// Lines that have nothing in common are scanned, and shapes given up for a while.
#[test]
fn what_differs_each_time_is_scanned() {
    let mut reader = reader();
    for at in 0..4_000 {
        let (first, second) = if at % 2 == 0 {
            ("id", "name")
        } else {
            ("name", "id")
        };
        let line = format!(r#"{{"{first}":{at},"{second}":null}}"#);
        check(&mut reader, line.as_bytes()).expect("as serde_json does");
    }
    assert!(reader.usual() < 100, "{}", reader.usual());
    for at in 0..4_000 {
        let line = format!(r#"{{"id":{},"name":"abc"}}"#, 1_000 + at);
        check(&mut reader, line.as_bytes()).expect("as serde_json does");
    }
    assert!(reader.usual() > 2_000, "{}", reader.usual());
}
