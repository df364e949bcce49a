//! Expressions, calls and windows.

use ferrisstreams_sql_frontend::ast::{
    Argument, Between, BinaryOp, Call, Case, Cast, CastForm, Current, Expr, ExprKind, Frame,
    FrameBound, FrameExclude, FrameUnit, Ident, IsTest, Lambda, Like, LikeForm, LogicalOp,
    MapEntry, Name, NullTreatment, Over, Quantified, Quantifier, StructEntry, Substring, Trim,
    TrimSide, TypedLiteral, UnaryOp, WhenBranch, WindowSpec,
};
use ferrisstreams_sql_frontend::span::NodeSpan;

use super::names::{ident, interval, label, literal, name, text};
use super::queries::{order_item, query};
use super::tape::Tape;
use super::types::{data_type, of_string};

pub fn expr(tape: &mut Tape) -> Expr {
    Expr::new(tape.deeper(nested, flat))
}

pub fn exprs(tape: &mut Tape, min: usize) -> Vec<Expr> {
    tape.some(min, expr)
}

fn boxed(tape: &mut Tape) -> Box<Expr> {
    Box::new(expr(tape))
}

fn flat(tape: &mut Tape) -> ExprKind {
    match tape.below(5) {
        0 | 1 => ExprKind::Column(name(tape)),
        2 => ExprKind::Literal(literal(tape)),
        3 => ExprKind::Interval(interval(tape)),
        _ => match tape.below(3) {
            0 => ExprKind::Current(tape.pick(&[
                Current::Date,
                Current::Time,
                Current::Timestamp,
                Current::LocalTime,
                Current::LocalTimestamp,
            ])),
            _ => ExprKind::Typed(Box::new(TypedLiteral {
                data_type: of_string(tape),
                text: text(tape),
            })),
        },
    }
}

fn nested(tape: &mut Tape) -> ExprKind {
    match tape.below(30) {
        0 | 1 => flat(tape),
        2 => ExprKind::Unary {
            op: tape.pick(&[UnaryOp::Minus, UnaryOp::Plus, UnaryOp::Not]),
            operand: boxed(tape),
        },
        3..=6 => ExprKind::Binary {
            op: binary_op(tape),
            left: boxed(tape),
            right: boxed(tape),
        },
        7 | 8 => ExprKind::Logical {
            op: tape.pick(&[LogicalOp::And, LogicalOp::Or]),
            operands: exprs(tape, 2),
        },
        9 => ExprKind::Is {
            operand: boxed(tape),
            test: tape.pick(&[IsTest::Null, IsTest::True, IsTest::False, IsTest::Unknown]),
            negated: tape.coin(),
        },
        10 => ExprKind::DistinctFrom {
            left: boxed(tape),
            right: boxed(tape),
            negated: tape.coin(),
        },
        11 => ExprKind::Between(Box::new(Between {
            operand: expr(tape),
            low: expr(tape),
            high: expr(tape),
            negated: tape.coin(),
            symmetric: tape.coin(),
        })),
        12 => in_list(tape),
        13 => ExprKind::InQuery {
            operand: boxed(tape),
            query: Box::new(query(tape)),
            negated: tape.coin(),
        },
        14 => ExprKind::Like(Box::new(Like {
            form: tape.pick(&[LikeForm::Like, LikeForm::ILike, LikeForm::SimilarTo]),
            operand: expr(tape),
            pattern: expr(tape),
            escape: tape.maybe(expr),
            negated: tape.coin(),
        })),
        15 => ExprKind::Quantified(Box::new(Quantified {
            left: expr(tape),
            op: comparison(tape),
            quantifier: tape.pick(&[Quantifier::Any, Quantifier::All]),
            right: expr(tape),
        })),
        16 => ExprKind::Case(Box::new(Case {
            operand: tape.maybe(expr),
            branches: tape.some(1, |tape| WhenBranch {
                condition: expr(tape),
                result: expr(tape),
            }),
            otherwise: tape.maybe(expr),
        })),
        17 | 18 => ExprKind::Cast(Box::new(Cast {
            form: tape.pick(&[CastForm::DoubleColon, CastForm::Cast, CastForm::TryCast]),
            operand: expr(tape),
            data_type: data_type(tape),
        })),
        19 => ExprKind::Subscript {
            operand: boxed(tape),
            index: boxed(tape),
        },
        20 => ExprKind::Field {
            operand: boxed(tape),
            field: label(tape),
        },
        21 | 22 => ExprKind::Call(Box::new(call(tape))),
        23 => ExprKind::Query(Box::new(query(tape))),
        24 => ExprKind::AtTimeZone {
            operand: boxed(tape),
            zone: boxed(tape),
        },
        25 => ExprKind::Row(exprs(tape, 0)),
        _ => special(tape),
    }
}

/// A list of one query in parentheses is that query.
fn in_list(tape: &mut Tape) -> ExprKind {
    let (operand, list, negated) = (boxed(tape), exprs(tape, 1), tape.coin());
    match list.as_slice() {
        [
            Expr {
                kind: ExprKind::Query(query),
                ..
            },
        ] => ExprKind::InQuery {
            operand,
            query: query.clone(),
            negated,
        },
        _ => ExprKind::InList {
            operand,
            list,
            negated,
        },
    }
}

/// The forms with a syntax of their own.
fn special(tape: &mut Tape) -> ExprKind {
    match tape.below(8) {
        0 => ExprKind::Array(exprs(tape, 0)),
        1 => ExprKind::Map(tape.some(0, |tape| MapEntry {
            key: expr(tape),
            value: expr(tape),
        })),
        2 => ExprKind::Struct(tape.some(0, |tape| StructEntry {
            name: ident(tape),
            value: expr(tape),
        })),
        3 => ExprKind::Exists(Box::new(query(tape))),
        4 => ExprKind::Extract {
            field: Ident::new(tape.pick(&["YEAR", "epoch"])),
            operand: boxed(tape),
        },
        5 => ExprKind::Position {
            needle: boxed(tape),
            haystack: boxed(tape),
        },
        6 => {
            let start = tape.maybe(expr);
            let length = if start.is_none() {
                Some(expr(tape))
            } else {
                tape.maybe(expr)
            };
            ExprKind::Substring(Box::new(Substring {
                operand: expr(tape),
                start,
                length,
            }))
        }
        _ => ExprKind::Trim(Box::new(Trim {
            side: tape
                .maybe(|tape| tape.pick(&[TrimSide::Both, TrimSide::Leading, TrimSide::Trailing])),
            characters: tape.maybe(expr),
            operand: expr(tape),
        })),
    }
}

fn comparison(tape: &mut Tape) -> BinaryOp {
    tape.pick(&[
        BinaryOp::Equal,
        BinaryOp::NotEqual,
        BinaryOp::Less,
        BinaryOp::LessOrEqual,
        BinaryOp::Greater,
        BinaryOp::GreaterOrEqual,
    ])
}

fn binary_op(tape: &mut Tape) -> BinaryOp {
    let arithmetic = [
        BinaryOp::Add,
        BinaryOp::Subtract,
        BinaryOp::Multiply,
        BinaryOp::Divide,
        BinaryOp::Modulo,
        BinaryOp::Concat,
    ];
    if tape.coin() {
        comparison(tape)
    } else {
        tape.pick(&arithmetic)
    }
}

fn call(tape: &mut Tape) -> Call {
    let names = [
        "f", "COUNT", "any", "left", "cube", "if", "date", "replace", "s.f",
    ];
    let parts = tape.pick(&names).split('.').map(Ident::new).collect();
    let name = Name {
        parts,
        span: NodeSpan::default(),
    };
    if tape.rarely(5) {
        return Call::new(name, vec![Argument::Star]);
    }
    let mut call = Call::new(name, tape.some(0, argument));
    if !call.arguments.is_empty() {
        call.distinct = tape.rarely(4);
        call.order_by = tape.some(0, order_item);
    }
    if tape.rarely(4) {
        call.within_group = tape.some(1, order_item);
        call.nulls = tape.maybe(|tape| tape.pick(&[NullTreatment::Ignore, NullTreatment::Respect]));
        call.filter = tape.maybe(expr);
        call.over = tape.maybe(over);
    }
    call
}

fn argument(tape: &mut Tape) -> Argument {
    match tape.rarely(4) {
        false => Argument::Expr(expr(tape)),
        true => Argument::Lambda(Lambda {
            parameters: tape.some(1, ident),
            body: boxed(tape),
            span: NodeSpan::default(),
        }),
    }
}

fn over(tape: &mut Tape) -> Over {
    if tape.coin() {
        Over::Window(window(tape))
    } else {
        Over::Name(ident(tape))
    }
}

pub fn window(tape: &mut Tape) -> WindowSpec {
    WindowSpec {
        base: tape.maybe(|tape| Ident::new(tape.pick(&["w", "x"]))),
        partition_by: exprs(tape, 0),
        order_by: tape.some(0, order_item),
        frame: tape.maybe(|tape| Frame {
            unit: tape.pick(&[FrameUnit::Rows, FrameUnit::Range, FrameUnit::Groups]),
            start: bound(tape),
            end: tape.maybe(bound),
            exclude: tape.maybe(|tape| {
                tape.pick(&[
                    FrameExclude::CurrentRow,
                    FrameExclude::Group,
                    FrameExclude::Ties,
                    FrameExclude::NoOthers,
                ])
            }),
        }),
        span: NodeSpan::default(),
    }
}

fn bound(tape: &mut Tape) -> FrameBound {
    match tape.below(5) {
        0 => FrameBound::CurrentRow,
        1 => FrameBound::UnboundedPreceding,
        2 => FrameBound::UnboundedFollowing,
        3 => FrameBound::Preceding(boxed(tape)),
        _ => FrameBound::Following(boxed(tape)),
    }
}
