//! How long expressions take for a row: `cargo test --release --test speed -- --ignored --nocapture`;
//! `ONLY=like` measures those whose name has that in it.

#![allow(clippy::print_stdout, reason = "its figures are its result")]

mod support;

use std::hint::black_box;
use std::time::Instant;

use ferrisstreams_sql_frontend::compiler::{Compiled, Eval, Projection};
use ferrisstreams_sql_frontend::functions::{self, ArgumentType};
use ferrisstreams_sql_frontend::plan::{ArithmeticOp, CompareOp, Scalar, ScalarKind};
use ferrisstreams_topology::data::{DataType, Field, RowBuffer, RowLayout, Schema, Value};

use support::call::{arithmetic, cast_to};

const MONEY: DataType = DataType::Decimal {
    precision: 10,
    scale: 2,
};
const ROWS: usize = 1000;
const ROUNDS: usize = 2000;

fn schema() -> Schema {
    Schema::new(vec![
        Field::new("id", DataType::BigInt),
        Field::new("customer", DataType::Int),
        Field::new("amount", MONEY),
        Field::new("status", DataType::TEXT),
        Field::new("note", DataType::TEXT),
        Field::new("ordered", DataType::Timestamp),
    ])
}

fn column(name: &str) -> Scalar {
    let schema = schema();
    let at = schema.index_of(name).expect("a column");
    Scalar::column(at, schema.data_type(at), true, Default::default())
}

fn literal(text: &str, data_type: DataType) -> Scalar {
    let value = Value::parse(text, data_type).expect("a literal");
    Scalar::literal(value, data_type, Default::default())
}

fn text(value: &str) -> Scalar {
    literal(value, DataType::TEXT)
}

fn compare(op: CompareOp, left: Scalar, right: Scalar) -> Scalar {
    let (left, right) = (Box::new(left), Box::new(right));
    Scalar::boolean(
        ScalarKind::Compare { op, left, right },
        true,
        Default::default(),
    )
}

fn and(operands: Vec<Scalar>) -> Scalar {
    Scalar::boolean(ScalarKind::And(operands), true, Default::default())
}

fn like(operand: Scalar, pattern: &str) -> Scalar {
    let kind = ScalarKind::Like {
        operand: Box::new(operand),
        pattern: Box::new(text(pattern)),
        escape: None,
        ignore_case: false,
        negated: false,
    };
    Scalar::boolean(kind, true, Default::default())
}

fn in_list(operand: Scalar, list: Vec<Scalar>) -> Scalar {
    let kind = ScalarKind::InList {
        operand: Box::new(operand),
        list,
        negated: false,
    };
    Scalar::boolean(kind, true, Default::default())
}

fn call(name: &str, arguments: Vec<Scalar>) -> Scalar {
    let types: Vec<ArgumentType> = arguments
        .iter()
        .map(|argument| ArgumentType::Known(argument.data_type))
        .collect();
    let resolved = functions::lookup(name, &types).expect("a function");
    let arguments = arguments
        .into_iter()
        .zip(&resolved.arguments)
        .map(|(argument, wanted)| cast_to(argument, *wanted, false))
        .collect();
    Scalar {
        kind: ScalarKind::Call {
            function: resolved.function,
            arguments,
        },
        data_type: resolved.result,
        nullable: true,
        span: Default::default(),
    }
}

fn rows(layout: &RowLayout) -> (RowBuffer, Vec<ferrisstreams_topology::data::RowSpan>) {
    let statuses = ["paid", "open", "shipped", "paid", "refunded"];
    let mut buffer = RowBuffer::new();
    let mut random = functions::Random::default();
    let spans = (0..ROWS).map(|at| {
        let mut writer = buffer.begin(layout);
        writer.set_integer(0, at as i64);
        writer.set_integer(1, (random.number() % 5000) as i64);
        writer.set_integer(2, (random.number() % 4000) as i64);
        writer.set_text(3, statuses[(random.number() % 5) as usize]);
        writer.set_text(4, "left at the door of the neighbour");
        writer.set_integer(5, 1_700_000_000_000_000 + at as i64);
        writer.finish()
    });
    let spans = spans.collect();
    (buffer, spans)
}

fn time(name: &str, mut work: impl FnMut(&[u8])) {
    if std::env::var("ONLY").is_ok_and(|only| !name.contains(&only)) {
        return;
    }
    let layout = RowLayout::new(&schema());
    let (buffer, spans) = rows(&layout);
    let mut best = f64::MAX;
    for _ in 0..5 {
        let start = Instant::now();
        for _ in 0..ROUNDS / 5 {
            for span in &spans {
                work(black_box(buffer.get(*span)));
            }
        }
        let each = start.elapsed().as_nanos() as f64 / (ROUNDS / 5 * ROWS) as f64;
        best = best.min(each);
    }
    println!("{best:7.1} ns  {name}");
}

fn predicate(name: &str, scalar: &Scalar) {
    let code = Compiled::new(scalar, &RowLayout::new(&schema()));
    let mut eval = Eval::default();
    time(name, |row| {
        black_box(code.test(row, &mut eval));
    });
}

fn projection(name: &str, scalars: &[Scalar]) {
    let fields = scalars
        .iter()
        .map(|scalar| Field::new("c", scalar.data_type))
        .collect();
    let code = Projection::new(scalars, &RowLayout::new(&schema()), &Schema::new(fields));
    let (mut eval, mut out) = (Eval::default(), RowBuffer::new());
    time(name, |row| {
        if out.len() > 1 << 16 {
            out.clear();
        }
        black_box(code.project(row, &mut eval, &mut out));
    });
}

#[test]
#[ignore = "a measurement"]
fn nanoseconds_a_row() {
    let amount = || {
        compare(
            CompareOp::Greater,
            column("amount"),
            literal("10.00", MONEY),
        )
    };
    let paid = || compare(CompareOp::Equal, column("status"), text("paid"));
    let is_null = ScalarKind::IsNull(Box::new(column("note")));
    let customers = (0..100)
        .map(|n| literal(&(n * 7).to_string(), DataType::Int))
        .collect();
    let wide = DataType::Decimal {
        precision: 21,
        scale: 2,
    };
    predicate("amount > 10.00", &amount());
    predicate(
        "amount > 10.00 AND status = 'paid'",
        &and(vec![amount(), paid()]),
    );
    predicate(
        "amount (widened to 21 digits) > 10.00",
        &compare(
            CompareOp::Greater,
            cast_to(column("amount"), wide, false),
            literal("10.00", wide),
        ),
    );
    predicate(
        "note IS NULL",
        &Scalar::boolean(is_null, false, Default::default()),
    );
    predicate(
        "status IN ('paid', 'open')",
        &in_list(column("status"), vec![text("paid"), text("open")]),
    );
    predicate(
        "customer IN (100 numbers)",
        &in_list(column("customer"), customers),
    );
    predicate("note LIKE 'left%'", &like(column("note"), "left%"));
    predicate(
        "note LIKE '%neighbour%'",
        &like(column("note"), "%neighbour%"),
    );
    predicate("note LIKE '%at%door%'", &like(column("note"), "%at%door%"));
    let copies = ["id", "customer", "amount", "status"].map(column);
    projection("id, customer, amount, status", &copies);
    let price = |op| {
        arithmetic(
            op,
            &column("amount"),
            &literal(
                "1.19",
                DataType::Decimal {
                    precision: 3,
                    scale: 2,
                },
            ),
        )
    };
    projection("amount * 1.19", &[price(ArithmeticOp::Multiply)]);
    projection("amount / 1.19", &[price(ArithmeticOp::Divide)]);
    projection("amount + 1.19", &[price(ArithmeticOp::Add)]);
    projection(
        "id + 1",
        &[arithmetic(
            ArithmeticOp::Add,
            &column("id"),
            &literal("1", DataType::BigInt),
        )],
    );
    projection("upper(status)", &[call("upper", vec![column("status")])]);
    projection(
        "substring(note, 6, 5)",
        &[call(
            "substring",
            vec![
                column("note"),
                literal("6", DataType::BigInt),
                literal("5", DataType::BigInt),
            ],
        )],
    );
    projection("length(note)", &[call("length", vec![column("note")])]);
    projection(
        "substring(note, 6)",
        &[call(
            "substring",
            vec![column("note"), literal("6", DataType::BigInt)],
        )],
    );
    projection(
        "left(note, 6)",
        &[call(
            "left",
            vec![column("note"), literal("6", DataType::BigInt)],
        )],
    );
    projection(
        "status || note",
        &[call("||", vec![column("status"), column("note")])],
    );
    projection(
        "cast(amount AS VARCHAR)",
        &[cast_to(column("amount"), DataType::TEXT, false)],
    );
    projection(
        "date_trunc('hour', ordered)",
        &[call("date_trunc", vec![text("hour"), column("ordered")])],
    );
    projection(
        "round(amount, 1)",
        &[call(
            "round",
            vec![column("amount"), literal("1", DataType::Int)],
        )],
    );
    projection(
        "coalesce(status, 'x')",
        &[call("coalesce", vec![column("status"), text("x")])],
    );
    let branches = vec![
        (amount(), literal("1", DataType::Int)),
        (paid(), literal("2", DataType::Int)),
    ];
    let case = Scalar {
        kind: ScalarKind::Case {
            branches,
            otherwise: Some(Box::new(literal("3", DataType::Int))),
        },
        data_type: DataType::Int,
        nullable: false,
        span: Default::default(),
    };
    projection("CASE of two branches", &[case]);
}
