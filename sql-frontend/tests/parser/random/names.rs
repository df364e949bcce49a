//! Names, URIs, literals and properties.

use ferrisstreams_sql_frontend::ast::{
    Duration, DurationKind, Ident, IntervalFields, IntervalLiteral, Literal, Name, NameOrUri,
    Property, PropertyName, PropertyValue, PropertyValueKind, TimeUnit, Uri,
};
use ferrisstreams_sql_frontend::span::NodeSpan;

use super::tape::Tape;

/// Words that are names without quotes, keywords among them.
const WORDS: &[&str] = &[
    "a",
    "b",
    "t",
    "orders",
    "userId",
    "_x1",
    "größe",
    "key",
    "value",
    "date",
    "timestamp",
    "window",
    "values",
    "interval",
    "array",
    "any",
    "row",
    "count",
    "partition",
    "rows",
    "emit",
    "describe",
    "first",
    "if",
    "plan",
    "function",
    "source",
    "lateral",
    "unnest",
    "within",
    "for",
    "top",
];

/// Names that need quotes.
const QUOTED: &[&str] = &[
    "a",
    "order",
    "select",
    "with space",
    "qu\"ote",
    "Ünï",
    "1st",
    "a.b",
    "`",
    "left",
];

/// Words that only stand without quotes where any word does.
const RESERVED: &[&str] = &["order", "select", "from", "end", "null"];

pub fn ident(tape: &mut Tape) -> Ident {
    match tape.rarely(5) {
        true => Ident::quoted(tape.pick(QUOTED)),
        false => Ident::new(tape.pick(WORDS)),
    }
}

/// What follows a dot, `->` or AS.
pub fn label(tape: &mut Tape) -> Ident {
    match tape.rarely(6) {
        true => Ident::new(tape.pick(RESERVED)),
        false => ident(tape),
    }
}

pub fn name(tape: &mut Tape) -> Name {
    let mut parts = vec![ident(tape)];
    while parts.len() < 3 && tape.rarely(4) {
        parts.push(label(tape));
    }
    Name {
        parts,
        span: NodeSpan::default(),
    }
}

pub fn uri(tape: &mut Tape) -> Uri {
    let texts = [
        "kafka://t",
        "file:///a/b.csv",
        "postgres://me:pw@h:1/s.t",
        "file:///a b.csv",
        "x+y://a,b;c)",
        "m://it's",
    ];
    Uri {
        text: tape.pick(&texts).to_owned(),
        span: NodeSpan::default(),
    }
}

pub fn name_or_uri(tape: &mut Tape) -> NameOrUri {
    match tape.rarely(3) {
        true => NameOrUri::Uri(uri(tape)),
        false => NameOrUri::Name(name(tape)),
    }
}

pub fn text(tape: &mut Tape) -> String {
    tape.pick(&[
        "",
        "x",
        "it's",
        "''",
        "a;b",
        "two\nlines",
        "--",
        "/*",
        "ünï",
        "1",
    ])
    .to_owned()
}

pub fn literal(tape: &mut Tape) -> Literal {
    match tape.below(6) {
        0 => Literal::Integer(
            tape.pick(&["1", "0", "007", "99999999999999999999"])
                .to_owned(),
        ),
        1 => Literal::String(text(tape)),
        2 => Literal::Null,
        3 => Literal::Boolean(tape.coin()),
        4 => Literal::Decimal(tape.pick(&["1.5", ".5", "2.", "0.10"]).to_owned()),
        _ => Literal::Float(tape.pick(&["1e5", "1.5E-3", ".5e+1"]).to_owned()),
    }
}

const UNITS: &[TimeUnit] = &[
    TimeUnit::Second,
    TimeUnit::Microsecond,
    TimeUnit::Millisecond,
    TimeUnit::Minute,
    TimeUnit::Hour,
    TimeUnit::Day,
    TimeUnit::Week,
    TimeUnit::Month,
    TimeUnit::Year,
];

pub fn interval(tape: &mut Tape) -> IntervalLiteral {
    let text = tape.pick(&["1", "1 day", "1-2", "-3", ""]).to_owned();
    let fields = tape.maybe(|tape| IntervalFields {
        from: tape.pick(UNITS),
        to: tape.maybe(|tape| tape.pick(UNITS)),
    });
    IntervalLiteral { text, fields }
}

pub fn duration(tape: &mut Tape) -> Duration {
    let kind = match tape.rarely(3) {
        true => DurationKind::Interval(interval(tape)),
        false => DurationKind::Units {
            amount: tape.pick(&["1", "0", "30"]).to_owned(),
            unit: tape.pick(UNITS),
        },
    };
    Duration {
        kind,
        span: NodeSpan::default(),
    }
}

pub fn property_name(tape: &mut Tape) -> PropertyName {
    let texts = [
        "kind",
        "format",
        "a.b.c",
        "from",
        "two words",
        "it's",
        "KAFKA_TOPIC",
        "1st",
        "",
    ];
    PropertyName {
        text: tape.pick(&texts).to_owned(),
        span: NodeSpan::default(),
    }
}

pub fn property_value(tape: &mut Tape) -> PropertyValue {
    let kind = match tape.below(3) {
        0 => PropertyValueKind::Literal(literal(tape)),
        1 => PropertyValueKind::Literal(Literal::Integer("-1".to_owned())),
        _ => PropertyValueKind::Word(Ident::new(tape.pick(WORDS))),
    };
    PropertyValue {
        kind,
        span: NodeSpan::default(),
    }
}

/// Properties, each with a name of its own.
pub fn properties(tape: &mut Tape, min: usize) -> Vec<Property> {
    let mut properties: Vec<Property> = Vec::new();
    for property in tape.some(min, |tape| Property {
        name: property_name(tape),
        value: property_value(tape),
        span: NodeSpan::default(),
    }) {
        if !properties
            .iter()
            .any(|other| other.name.is(&property.name.text))
        {
            properties.push(property);
        }
    }
    properties
}
