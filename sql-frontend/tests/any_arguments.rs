//! No function panics, whatever it is given, and what it gives lies in the range of its type.

mod support;

use ferrisstreams_sql_frontend::compiler::Compiled;
use ferrisstreams_sql_frontend::functions::{self, ArgumentType, Resolved};
use ferrisstreams_sql_frontend::plan::{Scalar, ScalarKind};
use ferrisstreams_topology::data::{DataType, RowLayout, Value, datetime, decimal};

use support::call::{cast_to, evaluate};
use support::random::{Dice, TYPES};

/// Texts that mean something to some function.
const WORDS: [&str; 24] = [
    "",
    "day",
    "MONTHS",
    "epoch",
    "second",
    "hex",
    "base64",
    "utf8",
    "UTC",
    "+02:00",
    "yyyy-MM-dd",
    "HH:mm:ss.SSSX",
    "YYYY-MM-DD HH24:MI",
    "a(b",
    "(a)|b",
    "$1",
    "gi",
    "X",
    "LITTLE_ENDIAN",
    "%41",
    "http://a:b@c:1/d?e=f#g",
    "2024-02-29",
    "ä",
    "\u{1f600}%",
];

fn value(dice: &mut Dice, data_type: DataType) -> Value {
    match data_type {
        DataType::Varchar { .. } if dice.below(3) > 0 => {
            Value::Text(dice.one_of(&WORDS).to_owned())
        }
        DataType::BigInt | DataType::Int if dice.below(3) > 0 => {
            Value::Integer(dice.below(70) as i64 - 4)
        }
        DataType::Time => Value::Time(dice.below(86_400) as i64 * 1_000_000),
        DataType::TimestampTz => match dice.value(DataType::Timestamp) {
            Value::Timestamp(time) => Value::TimestampTz(time),
            other => other,
        },
        DataType::Real => match dice.value(DataType::Double) {
            Value::Double(number) => Value::Real(number as f32),
            other => other,
        },
        other => dice.value(other),
    }
}

/// A call of random arguments: of literals and columns, which say the same.
fn call(resolved: &Resolved, types: &[DataType], values: &[Value], dice: &mut Dice) -> Scalar {
    let arguments = types.iter().enumerate().map(|(at, data_type)| {
        let scalar = match dice.below(2) {
            0 => Scalar::literal(values[at].clone(), *data_type, Default::default()),
            _ => Scalar::column(at, *data_type, true, Default::default()),
        };
        cast_to(scalar, resolved.arguments[at], false)
    });
    Scalar {
        kind: ScalarKind::Call {
            function: resolved.function.clone(),
            arguments: arguments.collect(),
        },
        data_type: resolved.result,
        nullable: true,
        span: Default::default(),
    }
}

fn run(scalar: &Scalar, types: &[DataType], values: &[Value]) {
    let layout = RowLayout::of(types.iter().map(|data_type| data_type.physical()));
    let mut rows = ferrisstreams_topology::data::RowBuffer::new();
    let mut writer = rows.begin(&layout);
    for (column, value) in values.iter().enumerate() {
        value.write(&mut writer, column);
    }
    let row = writer.finish();
    let shown = evaluate(scalar, rows.get(row), &layout);
    if shown.starts_with("error: ") {
        return;
    }
    let code = Compiled::new(scalar, &layout);
    let result = RowLayout::of([scalar.data_type.physical()]);
    let mut out = ferrisstreams_topology::data::RowBuffer::new();
    let mut writer = out.begin(&result);
    code.write(rows.get(row), &mut Default::default(), &mut writer, 0);
    let span = writer.finish();
    let value = Value::read(out.get(span), result.slot(0), scalar.data_type);
    check(&value, scalar);
}

fn check(value: &Value, scalar: &Scalar) {
    let dates = datetime::MIN_DATE..=datetime::MAX_DATE;
    let is_time = |micros: i64| dates.contains(&(micros.div_euclid(86_400_000_000) as i32));
    let fits = match (value, scalar.data_type) {
        (Value::Integer(value), data_type) => data_type.holds_integer(*value),
        (Value::Decimal { unscaled, .. }, DataType::Decimal { precision, .. }) => {
            decimal::fits(*unscaled, precision)
        }
        (Value::Date(date), _) => dates.contains(date),
        (Value::Time(time), _) => (0..86_400_000_000).contains(time),
        (Value::Timestamp(time) | Value::TimestampTz(time), _) => is_time(*time),
        _ => true,
    };
    assert!(fits, "{value} of {scalar:?}");
}

#[test]
fn any_arguments_are_borne() {
    let more = [DataType::Time, DataType::TimestampTz, DataType::Real];
    let all: Vec<DataType> = TYPES.iter().chain(&more).copied().collect();
    let mut dice = Dice::new(1);
    let mut called = 0;
    let names: Vec<&str> = functions::names()
        .chain(["||", "+", "-", "*", "/"])
        .collect();
    for name in names {
        for _ in 0..3000 {
            // Most functions take text, integers and times.
            let types: Vec<DataType> = (0..dice.below(6))
                .map(|_| match dice.below(2) {
                    0 => dice.one_of(&[DataType::TEXT, DataType::BigInt, DataType::Timestamp]),
                    _ => dice.one_of(&all),
                })
                .collect();
            let resolved = match (name.len(), &types[..]) {
                (1, [left, right]) => functions::lookup_operator(name, *left, *right),
                (1, _) => None,
                _ => {
                    let known: Vec<_> = types
                        .iter()
                        .map(|known| ArgumentType::Known(*known))
                        .collect();
                    functions::lookup(name, &known).ok()
                }
            };
            let Some(resolved) = resolved else { continue };
            called += 1;
            let values: Vec<Value> = types.iter().map(|known| value(&mut dice, *known)).collect();
            let scalar = call(&resolved, &types, &values, &mut dice);
            run(&scalar, &types, &values);
        }
    }
    assert!(called > 20_000, "only {called} calls were made");
}
