//! Random records: the scanner of JSON against serde_json, and rows written and read back.

mod support;

use ferrisstreams_connectors::formats::{
    Csv, Format, Formats, Json, RowSpecification, encoder, rows,
};
use ferrisstreams_topology::codec::SharedCodec;
use ferrisstreams_topology::connector::RowFilter;
use ferrisstreams_topology::data::{
    DataType, Field, Interval, Row, RowBuffer, RowLayout, Schema, Value, datetime, decimal,
};
use proptest::prelude::*;
use support::{Pair, batch, decoded, shown};

const NAMES: [&str; 6] = ["id", "name", "Name", "price", "naïve key", "x"];

/// White space that may stand anywhere between tokens; mostly none.
fn blank() -> impl Strategy<Value = String> {
    prop_oneof![8 => Just(String::new()), 2 => "[ \t\r\n]{1,3}"]
}

/// A string of JSON, with escapes now and then.
fn json_string() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        6 => "[a-zA-Zäß😀 ,:{}\\[\\]]{0,12}",
        1 => "\\\\[\"\\\\/bfnrt]",
        1 => "\\\\u00[0-9a-f]{2}",
        1 => Just("\\ud83d\\ude00".to_owned()),
    ];
    prop::collection::vec(part, 0..3).prop_map(|parts| format!("\"{}\"", parts.concat()))
}

fn json_value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        4 => json_string(),
        4 => "-?(0|[1-9][0-9]{0,14})(\\.[0-9]{1,8})?([eE][+-]?[0-9])?",
        1 => Just("true".to_owned()),
        1 => Just("false".to_owned()),
        1 => Just("null".to_owned()),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4)
                .prop_map(|all| format!("[{}]", all.join(","))),
            prop::collection::vec((json_string(), inner), 0..4).prop_map(|all| {
                let members: Vec<String> = all.iter().map(|(k, v)| format!("{k}: {v}")).collect();
                format!("{{{}}}", members.join(" , "))
            }),
        ]
    })
}

fn json_key() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => prop::sample::select(&NAMES[..]).prop_map(|name| format!("\"{name}\"")),
        1 => Just("\"NAME\"".to_owned()),
        1 => Just("\"n\\u0061me\"".to_owned()),
        2 => json_string(),
    ]
}

fn json_object() -> impl Strategy<Value = String> {
    let member = (blank(), json_key(), blank(), blank(), json_value(), blank())
        .prop_map(|(a, key, b, c, value, d)| format!("{a}{key}{b}:{c}{value}{d}"));
    (blank(), prop::collection::vec(member, 0..7), blank())
        .prop_map(|(a, members, b)| format!("{a}{{{}}}{b}", members.join(",")))
}

/// Valid objects, and such that lost a piece or gained one.
fn json_text() -> impl Strategy<Value = Vec<u8>> {
    (
        json_object(),
        any::<prop::sample::Index>(),
        0..10u8,
        any::<u8>(),
    )
        .prop_map(|(text, at, what, byte)| {
            let mut bytes = text.into_bytes();
            let at = at.index(bytes.len());
            match what {
                0 => bytes.truncate(at),
                1 => drop(bytes.remove(at)),
                2 => bytes.insert(at, byte),
                3 => bytes[at] = byte,
                _ => {}
            }
            bytes
        })
}

/// What serde_json finds for a column: the raw text of the last member of just this name, or else of
/// the last that is equal but for case. The outer none is for a text that is no object.
fn expected(text: &[u8], column: &str) -> Option<Option<String>> {
    let text = std::str::from_utf8(text).ok()?;
    struct Members(Vec<(String, String)>);
    impl<'de> serde::Deserialize<'de> for Members {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct All;
            impl<'de> serde::de::Visitor<'de> for All {
                type Value = Members;
                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("an object")
                }
                fn visit_map<A: serde::de::MapAccess<'de>>(
                    self,
                    mut map: A,
                ) -> Result<Members, A::Error> {
                    let mut all = Vec::new();
                    while let Some(key) = map.next_key::<String>()? {
                        let raw: Box<serde_json::value::RawValue> = map.next_value()?;
                        all.push((key, raw.get().to_owned()));
                    }
                    Ok(Members(all))
                }
            }
            deserializer.deserialize_map(All)
        }
    }
    let Members(all) = serde_json::from_str(text).ok()?;
    let last = |is: &dyn Fn(&str) -> bool| {
        all.iter()
            .rev()
            .find(|(key, _)| is(key))
            .map(|(_, raw)| raw.clone())
    };
    // A key belongs to the column of its very name, where there is one.
    let others = |key: &str| {
        !NAMES.contains(&key)
            && NAMES.iter().find(|name| name.eq_ignore_ascii_case(key)) == Some(&column)
    };
    let raw = last(&|key| key == column).or_else(|| last(&others));
    Some(raw.filter(|raw| raw != "null"))
}

/// The text that a VARCHAR column gets of a raw value.
fn as_text(raw: &str) -> String {
    serde_json::from_str::<String>(raw).unwrap_or_else(|_| raw.to_owned())
}

fn all_text() -> Schema {
    NAMES
        .iter()
        .map(|name| Field::new(*name, DataType::TEXT))
        .collect()
}

/// A byte that may end or begin something, or any.
fn any_byte_or_token() -> impl Strategy<Value = u8> {
    prop_oneof![
        prop::sample::select(&b"\"\\,:{}[]x0.\t\x1f \x7f\x80"[..]),
        any::<u8>()
    ]
}

/// The text with one byte changed, put in or taken out, or cut off.
fn mutated(mut bytes: Vec<u8>, at: usize, what: u8, byte: u8) -> Vec<u8> {
    match what {
        0 => bytes.truncate(at),
        1 => drop(bytes.remove(at)),
        2 => bytes.insert(at, byte),
        3 => bytes.insert(at, bytes[at]),
        _ => bytes[at] = byte,
    }
    bytes
}

/// An object of strings and numbers, and others with the same keys.
fn shape_and_others() -> impl Strategy<Value = (Vec<u8>, Vec<Vec<u8>>)> {
    let value = || {
        prop_oneof![
            3 => "\"[a-z é]{0,20}\"",
            1 => "[1-9][0-9]{0,7}",
            1 => "[1-9]\\.[0-9]{2}",
            1 => Just("null".to_owned()),
        ]
    };
    let keys = ["id", "name", "other", "price", "a longer key", "x"];
    let object = move |values: &Vec<String>| {
        let members: Vec<String> = keys
            .iter()
            .zip(values)
            .map(|(key, value)| format!("\"{key}\":{value}"))
            .collect();
        format!("{{{}}}", members.join(",")).into_bytes()
    };
    let values =
        move || prop::collection::vec(value(), keys.len()).prop_map(move |values| object(&values));
    (values(), prop::collection::vec(values(), 0..6))
}

/// Reads texts with one decoder, so that each is read with what was learned of those before, and
/// compares what comes out with what serde_json finds.
fn read_as_serde_json_reads(texts: &[Vec<u8>]) -> Result<(), TestCaseError> {
    let schema = all_text();
    let format = Format::Json(Json::default());
    let source = rows(RowSpecification::values(schema.clone(), format)).expect("rows");
    let records: Vec<Pair<'_>> = texts.iter().map(|text| (None, Some(&text[..]))).collect();
    let batch = batch(&records);
    let (mut found, mut bad) = (Vec::new(), Vec::new());
    let projection: Vec<usize> = (0..schema.len()).collect();
    source
        .decoder(&projection, None)
        .decode(&batch, &mut found, &mut bad);
    let mut found = found.into_iter();
    for (index, text) in texts.iter().enumerate() {
        let shown_text = String::from_utf8_lossy(text).into_owned();
        let wanted: Option<Vec<Option<String>>> =
            NAMES.iter().map(|name| expected(text, name)).collect();
        let fault = bad.iter().find(|(at, _)| *at == index as u32);
        let Some(wanted) = wanted else {
            // What is not UTF-8 counts only where it is read.
            let is_text = std::str::from_utf8(text).is_ok();
            prop_assert!(fault.is_some() || !is_text, "{} was read", shown_text);
            if fault.is_none() {
                found.next();
            }
            continue;
        };
        // Half a pair is no character, which counts where it is read.
        let is_no_text =
            |raw: &String| raw.starts_with('"') && serde_json::from_str::<String>(raw).is_err();
        if wanted.iter().flatten().any(is_no_text) {
            prop_assert!(fault.is_some(), "{} was read", shown_text);
            continue;
        }
        prop_assert!(fault.is_none(), "{}: {:?}", shown_text, fault);
        let row = found.next().expect("a row");
        let layout = RowLayout::new(&schema);
        let texts: Vec<Option<&str>> = layout
            .slots()
            .iter()
            .map(|slot| slot.text(row.value.bytes()))
            .collect();
        let wanted: Vec<Option<String>> = wanted
            .iter()
            .map(|raw| raw.as_deref().map(as_text))
            .collect();
        let wanted: Vec<Option<&str>> = wanted.iter().map(Option::as_deref).collect();
        prop_assert_eq!(texts, wanted, "{}", shown_text);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn objects_read_as_serde_json_reads_them(texts in prop::collection::vec(json_text(), 1..12)) {
        read_as_serde_json_reads(&texts)?;
    }

    #[test]
    fn objects_behind_many_of_their_shape_read_as_serde_json_reads_them(
        (shape, others) in shape_and_others(),
        mutations in prop::collection::vec(
            (any::<prop::sample::Index>(), 0..8u8, any_byte_or_token()),
            1..12,
        ),
    ) {
        let mut texts = vec![shape.clone(); 12];
        texts.extend(mutations.into_iter().map(|(at, what, byte)| {
            mutated(shape.clone(), at.index(shape.len()), what, byte)
        }));
        texts.extend(others);
        read_as_serde_json_reads(&texts)?;
    }

    #[test]
    fn any_bytes_are_a_row_or_a_bad_record(
        bytes in prop::collection::vec(any::<u8>(), 0..60),
        json in any::<bool>(),
    ) {
        let format = if json { Format::Json(Json::default()) } else { Format::Csv(Csv::default()) };
        let source = rows(RowSpecification::values(all_text(), format)).expect("rows");
        let lines = decoded(&*source, &all_text(), &[0, 3], &[(None, Some(&bytes))]);
        prop_assert_eq!(lines.len(), 1);
    }
}

/// A column of any type, and a value of it.
fn typed_value() -> impl Strategy<Value = (DataType, Value)> {
    let day = datetime::MICROS_PER_DAY;
    let timestamps = i64::from(datetime::MIN_DATE) * day..=i64::from(datetime::MAX_DATE) * day;
    let number = (1u8..=38).prop_flat_map(|precision| {
        (Just(precision), 0..=precision, any::<i128>()).prop_map(|(precision, scale, digits)| {
            let unscaled = digits % 10i128.pow(u32::from(precision));
            (
                DataType::Decimal { precision, scale },
                Value::Decimal { unscaled, scale },
            )
        })
    });
    prop_oneof![
        any::<bool>().prop_map(|v| (DataType::Boolean, Value::Boolean(v))),
        any::<i8>().prop_map(|v| (DataType::TinyInt, Value::Integer(v.into()))),
        any::<i16>().prop_map(|v| (DataType::SmallInt, Value::Integer(v.into()))),
        any::<i32>().prop_map(|v| (DataType::Int, Value::Integer(v.into()))),
        any::<i64>().prop_map(|v| (DataType::BigInt, Value::Integer(v))),
        any::<f32>().prop_map(|v| (DataType::Real, Value::Real(v))),
        any::<f64>().prop_map(|v| (DataType::Double, Value::Double(v))),
        number,
        any::<String>().prop_map(|v| (DataType::TEXT, Value::Text(v))),
        "[a\",;\n\r\\\\ -]{0,6}".prop_map(|v| (DataType::TEXT, Value::Text(v))),
        prop::collection::vec(any::<u8>(), 0..9).prop_map(|v| (DataType::Bytes, Value::Bytes(v))),
        (datetime::MIN_DATE..=datetime::MAX_DATE).prop_map(|v| (DataType::Date, Value::Date(v))),
        (0..day).prop_map(|v| (DataType::Time, Value::Time(v))),
        timestamps
            .clone()
            .prop_map(|v| (DataType::Timestamp, Value::Timestamp(v))),
        timestamps.prop_map(|v| (DataType::TimestampTz, Value::TimestampTz(v))),
        (-999_999..999_999i32, any::<i16>(), -day..day).prop_map(|(months, days, micros)| {
            let days = days.into();
            (
                DataType::Interval,
                Value::Interval(Interval {
                    months,
                    days,
                    micros,
                }),
            )
        }),
    ]
}

/// Columns and the values of a row, some of them NULL.
fn typed_row() -> impl Strategy<Value = Vec<(DataType, Value)>> {
    let column = (typed_value(), 0..6u8).prop_map(|((data_type, value), null)| {
        (data_type, if null == 0 { Value::Null } else { value })
    });
    prop::collection::vec(column, 1..7)
}

/// The columns, named by place, and the row.
fn row_of(columns: &[(DataType, Value)]) -> (Schema, Row) {
    let field = |(at, (data_type, _)): (usize, &(DataType, Value))| {
        Field::new(format!("c \"{at}\""), *data_type)
    };
    let schema: Schema = columns.iter().enumerate().map(field).collect();
    let layout = RowLayout::new(&schema);
    let mut buffer = RowBuffer::new();
    let mut writer = buffer.begin(&layout);
    for (at, (_, value)) in columns.iter().enumerate() {
        value.write(&mut writer, at);
    }
    let span = writer.finish();
    (schema, Row::from_bytes(buffer.get(span)))
}

fn payload(codec: &SharedCodec<Row>, row: &Row) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let is_there = codec
        .encode_payload(row, &mut out)
        .expect("a row that can be written");
    is_there.then_some(out)
}

/// The row that is read back of a payload.
fn read_back(specification: RowSpecification, pair: Pair<'_>) -> Result<Row, String> {
    let schema = specification.schema.clone();
    let source = rows(specification).map_err(|e| e.to_string())?;
    let projection: Vec<usize> = (0..schema.len()).collect();
    let (mut found, mut bad) = (Vec::new(), Vec::new());
    let mut decoder = source.decoder(&projection, None);
    decoder.decode(&batch(&[pair]), &mut found, &mut bad);
    match (found.pop(), bad.pop()) {
        (Some(record), None) => Ok(record.value),
        (_, bad) => Err(format!("{bad:?}")),
    }
}

fn formats() -> impl Strategy<Value = Format> {
    let csv = (
        prop::sample::select(&b",;\t|"[..]),
        prop::sample::select(&["", "NULL", "-", "0"][..]),
    )
        .prop_map(|(delimiter, null)| {
            Format::Csv(Csv {
                delimiter,
                header: false,
                null: null.to_owned(),
            })
        });
    prop_oneof![Just(Format::Json(Json::default())), csv]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn rows_are_read_back_as_they_were_written(columns in typed_row(), format in formats()) {
        let (schema, row) = row_of(&columns);
        let all: Vec<usize> = (0..schema.len()).collect();
        let codec = encoder(&format, &schema, &all).expect("an encoder");
        let bytes = payload(&codec, &row);
        if let Format::Json(_) = format {
            let text = bytes.as_deref().expect("an object");
            prop_assert!(serde_json::from_slice::<serde_json::Value>(text).is_ok(), "{}", String::from_utf8_lossy(text));
        }
        let back = read_back(RowSpecification::values(schema.clone(), format), (None, bytes.as_deref()));
        let shown_bytes = String::from_utf8_lossy(bytes.as_deref().unwrap_or_default()).into_owned();
        prop_assert_eq!(back.map(|row| shown(row.bytes(), &schema)), Ok(shown(row.bytes(), &schema)), "{}", shown_bytes);
    }

    #[test]
    fn keys_are_read_back_as_they_were_written(
        column in typed_value(),
        format in prop::sample::select(vec![
            Format::Json(Json { wrapped: false }), Format::Kafka, Format::Text, Format::Csv(Csv::default()),
        ]),
    ) {
        let (schema, row) = row_of(&[column]);
        let Ok(codec) = encoder(&format, &schema, &[0]) else {
            // Kafka has serializers for some types only, and a source says so as well.
            prop_assert_eq!(format, Format::Kafka);
            return Ok(());
        };
        let bytes = payload(&codec, &row);
        let specification = RowSpecification {
            record_key: vec![0],
            formats: Formats { value: Format::None, key: format },
            ..RowSpecification::values(schema.clone(), Format::None)
        };
        let back = read_back(specification, (bytes.as_deref(), Some(b"")));
        prop_assert_eq!(back.map(|row| shown(row.bytes(), &schema)), Ok(shown(row.bytes(), &schema)));
    }
}

#[test]
fn decimals_never_pass_through_floating_point() {
    let data_type = DataType::Decimal {
        precision: 38,
        scale: 18,
    };
    let text = "12345678901234567890.123456789012345678";
    let schema = Schema::new(vec![Field::new("n", data_type)]);
    let source = rows(RowSpecification::values(
        schema.clone(),
        Format::Json(Json::default()),
    ))
    .expect("rows");
    let record = format!("{{\"n\":{text}}}");
    let lines = decoded(&*source, &schema, &[0], &[(None, Some(record.as_bytes()))]);
    assert_eq!(lines, [text]);
    assert!(decimal::parse(text.as_bytes()).is_ok());
}

#[test]
fn a_filter_sees_the_row_and_keeps_the_times() {
    let schema = support::schema("id BIGINT, name VARCHAR");
    let layout = RowLayout::new(&schema.project(&[1]));
    let source = rows(RowSpecification::values(
        schema.clone(),
        Format::Csv(Csv::default()),
    ))
    .expect("rows");
    let wanted = RowFilter::new([1], move |row| layout.slot(0).text(row) == Some("b"));
    let batch = batch(&[
        (None, Some(b"1,a")),
        (None, Some(b"2,b")),
        (None, Some(b"3")),
    ]);
    let (mut found, mut bad) = (Vec::new(), Vec::new());
    let times = source
        .decoder(&[1], Some(wanted))
        .decode(&batch, &mut found, &mut bad);
    assert_eq!(times, None);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].timestamp, 2);
    assert_eq!(shown(found[0].value.bytes(), &schema.project(&[1])), "b");
    assert_eq!(bad.len(), 1);
    assert_eq!(bad[0].0, 2);
}

#[test]
fn a_record_that_is_not_wanted_is_bad_where_a_column_cannot_be_read() {
    let schema = support::schema(
        "id BIGINT NOT NULL, price DECIMAL(10, 2), name VARCHAR, at DATE, size DECIMAL(4, 1)",
    );
    let layout = RowLayout::new(&schema.project(&[2, 4]));
    let source = rows(RowSpecification::values(
        schema.clone(),
        Format::Json(Json::default()),
    ))
    .expect("rows");
    let wanted = RowFilter::new([2, 4], move |row| {
        layout.slot(0).text(row) == Some("b") && layout.slot(1).integer(row) == Some(15)
    });
    let lines = [
        r#"{"id":1,"price":1.25,"name":"b","at":"2026-01-01","size":1.5}"#,
        r#"{"id":2,"price":1.25,"name":"a","at":"2026-01-01","size":1.5}"#,
        r#"{"id":3,"price":1.25,"name":"a","at":"2026-01-99","size":1.5}"#,
        r#"{"id":4,"price":1.2x,"name":"a","at":"2026-01-01","size":1.5}"#,
        r#"{"id":5,"price":"no","name":"a","at":"2026-01-01","size":1.5}"#,
        r#"{"id":null,"price":1.25,"name":"a","at":"2026-01-01","size":1.5}"#,
        r#"{"id":99999999999999999999,"price":1.25,"name":"a","size":1.5}"#,
        r#"{"id":999999999999999999,"price":null,"name":"a","size":1.5}"#,
        r#"{"id":6,"price":1.255,"name":"a","at":null,"size":1.52}"#,
        r#"{"id":7,"price":1.255,"name":"b","at":null,"size":1.52}"#,
        r#"{"id":8,"name":"b","size":12345}"#,
    ];
    let pairs = lines.map(|line| (None, Some(line.as_bytes())));
    let batch = batch(&pairs);
    let (mut found, mut bad) = (Vec::new(), Vec::new());
    let mut decoder = source.decoder(&[0, 1, 3], Some(wanted));
    decoder.decode(&batch, &mut found, &mut bad);
    let shown: Vec<String> = found
        .iter()
        .map(|record| shown(record.value.bytes(), &schema.project(&[0, 1, 3])))
        .collect();
    assert_eq!(shown, ["1 | 1.25 | 2026-01-01", "7 | 1.26 | NULL"]);
    let bad: Vec<u32> = bad.iter().map(|(index, _)| *index).collect();
    assert_eq!(bad, [2, 3, 4, 5, 6, 10]);
    // Two prices and two sizes, wanted or not.
    assert_eq!(decoder.take_rounded(), 4);
    assert_eq!(decoder.take_rounded(), 0);
}

#[test]
fn deep_nesting_is_a_bad_record_or_text() {
    let schema = support::schema("a VARCHAR");
    let source = rows(RowSpecification::values(
        schema.clone(),
        Format::Json(Json::default()),
    ))
    .expect("rows");
    let open = format!("{{\"a\":{}", "[".repeat(10_000));
    let closed = format!("{open}{}}}", "]".repeat(10_000));
    let lines = decoded(
        &*source,
        &schema,
        &[0],
        &[
            (None, Some(open.as_bytes())),
            (None, Some(closed.as_bytes())),
        ],
    );
    assert!(lines[0].starts_with("error: not JSON: EOF"), "{}", lines[0]);
    assert_eq!(lines[1].len(), 20_000);
}
