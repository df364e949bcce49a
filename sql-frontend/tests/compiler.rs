//! Code gives what a slow evaluator over single values gives, for random expressions and rows.

mod support;

use ferrisstreams_sql_frontend::compiler::{Compiled, Eval, Projection, constant};
use ferrisstreams_sql_frontend::plan::{ArithmeticOp, Scalar, ScalarKind};
use ferrisstreams_topology::data::{DataType, Field, RowBuffer, RowLayout, Schema, Value};
use proptest::prelude::*;

use support::random::{Dice, TYPES};
use support::slow;

fn schema() -> Schema {
    let columns = TYPES.iter().flat_map(|data_type| [*data_type, *data_type]);
    columns
        .map(|data_type| Field::new("c", data_type))
        .collect()
}

/// Values as they are compared: NaN is equal to itself.
fn shown(value: &Value) -> String {
    format!("{value:?}")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn code_gives_what_slow_evaluation_gives(seed in any::<u64>(), depth in 1usize..5, kind in 0..TYPES.len()) {
        let mut dice = Dice::new(seed);
        let schema = schema();
        let layout = RowLayout::new(&schema);
        let scalar = dice.expression(TYPES[kind], depth);
        let values = |dice: &mut Dice| -> Vec<Value> {
            schema.fields().iter().map(|field| dice.value(field.data_type)).collect()
        };
        let result = Schema::new(vec![Field::new("c", scalar.data_type)]);
        let projection = Projection::new(std::slice::from_ref(&scalar), &layout, &result);
        let result = RowLayout::new(&result);
        let mut eval = Eval::default();
        for _ in 0..4 {
            let values = values(&mut dice);
            let mut rows = RowBuffer::new();
            let mut writer = rows.begin(&layout);
            for (column, value) in values.iter().enumerate() {
                value.write(&mut writer, column);
            }
            let row = writer.finish();
            let mut out = RowBuffer::new();
            let span = projection.project(rows.get(row), &mut eval, &mut out);
            let found = Value::read(out.get(span), result.slot(0), scalar.data_type);
            let failed = eval.take_failure();
            let (wanted, may_fail) = slow::evaluate(&scalar, &values);
            prop_assert_eq!(shown(&found), shown(&wanted), "{:#?} of {:?}", scalar, values);
            prop_assert!(may_fail || failed.is_none(), "{:?} of {:#?}", failed, scalar);
            if scalar.data_type == DataType::Boolean {
                let tested = Compiled::new(&scalar, &layout).test(rows.get(row), &mut eval);
                prop_assert_eq!(shown(&tested.map_or(Value::Null, Value::Boolean)), shown(&wanted));
                let _ = eval.take_failure();
            }
        }
    }
}

fn number(value: i64) -> Scalar {
    Scalar::literal(Value::Integer(value), DataType::BigInt, Default::default())
}

fn add(left: Scalar, right: Scalar) -> Scalar {
    support::call::arithmetic(ArithmeticOp::Add, &left, &right)
}

#[test]
fn deep_expressions_need_little_stack() {
    let run = || {
        let layout = RowLayout::of([DataType::BigInt.physical()]);
        let column = Scalar::column(0, DataType::BigInt, false, Default::default());
        let mut deep = column.clone();
        for _ in 0..1000 {
            deep = add(deep, number(1));
        }
        let text = support::call::cast_to(deep, DataType::TEXT, false);
        let code = Compiled::new(&text, &layout);
        let mut rows = RowBuffer::new();
        let mut writer = rows.begin(&layout);
        writer.set_integer(0, 7);
        let row = writer.finish();
        let result = RowLayout::of([DataType::TEXT.physical()]);
        let mut out = RowBuffer::new();
        let mut writer = out.begin(&result);
        code.write(rows.get(row), &mut Eval::default(), &mut writer, 0);
        let span = writer.finish();
        assert_eq!(result.slot(0).text(out.get(span)), Some("1007"));
    };
    let thread = std::thread::Builder::new().stack_size(2 << 20).spawn(run);
    thread
        .expect("a thread")
        .join()
        .expect("the stack was enough");
}

#[test]
fn constants_tell_why_they_fail() {
    let too_much = add(number(i64::MAX), number(1));
    let message = "out of range of BIGINT: 9223372036854775807 + 1".to_owned();
    assert_eq!(constant(&too_much), Err(message.clone()));
    // It fails for every row, and not when it is compiled.
    let code = Compiled::new(&too_much, &RowLayout::of([]));
    let mut eval = Eval::default();
    let layout = RowLayout::of([DataType::BigInt.physical()]);
    for _ in 0..2 {
        let mut rows = RowBuffer::new();
        let mut writer = rows.begin(&layout);
        code.write(&[], &mut eval, &mut writer, 0);
        let span = writer.finish();
        assert!(layout.slot(0).is_null(rows.get(span)));
        assert_eq!(eval.take_failure(), Some(message.clone()));
        assert_eq!(eval.take_failure(), None);
    }
}

#[test]
fn what_is_not_reached_does_not_fail() {
    let fails = || {
        let zero = support::call::arithmetic(ArithmeticOp::Divide, &number(1), &number(0));
        Scalar::boolean(
            ScalarKind::IsNull(Box::new(zero)),
            false,
            Default::default(),
        )
    };
    let truth =
        |value| Scalar::literal(Value::Boolean(value), DataType::Boolean, Default::default());
    for (kind, wanted) in [
        (ScalarKind::And(vec![truth(false), fails()]), false),
        (ScalarKind::Or(vec![truth(true), fails(), fails()]), true),
        (
            ScalarKind::Case {
                branches: vec![(truth(true), truth(false)), (fails(), fails())],
                otherwise: Some(Box::new(fails())),
            },
            false,
        ),
    ] {
        let scalar = Scalar::boolean(kind, true, Default::default());
        assert_eq!(constant(&scalar), Ok(Value::Boolean(wanted)));
    }
}

#[test]
fn now_is_what_was_set() {
    use ferrisstreams_sql_frontend::functions::lookup;
    let resolved = lookup("now", &[]).expect("a function");
    let scalar = Scalar {
        kind: ScalarKind::Call {
            function: resolved.function,
            arguments: Vec::new(),
        },
        data_type: resolved.result,
        nullable: false,
        span: Default::default(),
    };
    assert!(!scalar.is_constant());
    let layout = RowLayout::of([resolved.result.physical()]);
    let code = Compiled::new(&scalar, &RowLayout::of([]));
    let mut eval = Eval::default();
    for millis in [0, 1_700_000_000_123] {
        eval.set_now(millis);
        let mut rows = RowBuffer::new();
        let mut writer = rows.begin(&layout);
        code.write(&[], &mut eval, &mut writer, 0);
        let span = writer.finish();
        assert_eq!(layout.slot(0).i64(rows.get(span)), Some(millis * 1000));
    }
}
