//! Queries.

use ferrisstreams_sql_frontend::ast::{
    CommonTable, Direction, Distinct, Emit, EmitKind, Expr, ExprKind, GroupItem, NamedWindow,
    NullsOrder, OrderItem, Query, QueryBody, Select, SelectItem, SetOp, SetOperation, StreamWindow,
    StreamWindowKind, Values,
};
use ferrisstreams_sql_frontend::span::NodeSpan;

use super::expressions::{expr, exprs, window};
use super::names::{duration, ident, label, name};
use super::relations::from_item;
use super::tape::Tape;

pub fn query(tape: &mut Tape) -> Query {
    let mut query = plain(tape);
    tape.deeper(|tape| clauses(&mut query, tape), |_| {});
    // A query in parentheses alone is that query.
    match query {
        Query {
            body: QueryBody::Nested(inner),
            ref order_by,
            ref with,
            limit: None,
            offset: None,
            emit: None,
            ..
        } if order_by.is_empty() && with.is_empty() => *inner,
        query => query,
    }
}

fn plain(tape: &mut Tape) -> Query {
    Query {
        with: Vec::new(),
        body: body(tape),
        order_by: Vec::new(),
        emit: None,
        limit: None,
        offset: None,
        span: NodeSpan::default(),
    }
}

fn clauses(query: &mut Query, tape: &mut Tape) {
    if tape.rarely(6) {
        query.with = tape.some(1, |tape| CommonTable {
            name: ident(tape),
            columns: tape.some(0, ident),
            query: self::query(tape),
            span: NodeSpan::default(),
        });
    }
    if tape.rarely(4) {
        query.order_by = tape.some(1, order_item);
    }
    if tape.rarely(4) {
        let kind = tape.pick(&[EmitKind::Changes, EmitKind::Final]);
        query.emit = Some(Emit {
            kind,
            span: NodeSpan::default(),
        });
    }
    if tape.rarely(4) {
        query.limit = Some(expr(tape));
        query.offset = tape.maybe(expr);
    }
}

pub fn order_item(tape: &mut Tape) -> OrderItem {
    OrderItem {
        expr: expr(tape),
        direction: tape.maybe(|tape| tape.pick(&[Direction::Ascending, Direction::Descending])),
        nulls: tape.maybe(|tape| tape.pick(&[NullsOrder::First, NullsOrder::Last])),
    }
}

fn body(tape: &mut Tape) -> QueryBody {
    match tape.below(6) {
        4 => {
            let op = tape.pick(&[SetOp::Union, SetOp::Except, SetOp::Intersect]);
            tape.deeper(|tape| combination(op, tape), operand)
        }
        5 => tape.deeper(nested, operand),
        _ => operand(tape),
    }
}

fn operand(tape: &mut Tape) -> QueryBody {
    match tape.rarely(5) {
        true => QueryBody::Values(Values {
            rows: tape.some(1, |tape| exprs(tape, 1)),
            span: NodeSpan::default(),
        }),
        false => QueryBody::Select(Box::new(select(tape))),
    }
}

/// A query in parentheses that say something.
fn nested(tape: &mut Tape) -> QueryBody {
    let mut query = plain(tape);
    if !matches!(query.body, QueryBody::SetOperation(_)) {
        query.limit = Some(expr(tape));
    }
    QueryBody::Nested(Box::new(query))
}

fn side(tape: &mut Tape) -> QueryBody {
    if tape.rarely(4) {
        tape.deeper(nested, operand)
    } else {
        operand(tape)
    }
}

/// Left of UNION and EXCEPT any combination needs no parentheses, elsewhere only INTERSECT, and
/// right of that none.
fn combination(op: SetOp, tape: &mut Tape) -> QueryBody {
    let left_ops: &[SetOp] = match op {
        SetOp::Intersect => &[SetOp::Intersect],
        SetOp::Union | SetOp::Except => &[SetOp::Union, SetOp::Except, SetOp::Intersect],
    };
    let left = match tape.rarely(4) {
        true => {
            let op = tape.pick(left_ops);
            tape.deeper(|tape| combination(op, tape), side)
        }
        false => side(tape),
    };
    let right = match op != SetOp::Intersect && tape.rarely(4) {
        true => tape.deeper(|tape| combination(SetOp::Intersect, tape), side),
        false => side(tape),
    };
    let all = tape.coin();
    QueryBody::SetOperation(Box::new(SetOperation {
        op,
        all,
        left,
        right,
        span: NodeSpan::default(),
    }))
}

fn select(tape: &mut Tape) -> Select {
    let mut select = Select {
        distinct: None,
        items: tape.some(1, item),
        from: Vec::new(),
        window: None,
        filter: None,
        group_by: Vec::new(),
        partition_by: Vec::new(),
        having: None,
        named_windows: Vec::new(),
        span: NodeSpan::default(),
    };
    if tape.coin() {
        select.from = tape.some(1, from_item);
    }
    if tape.rarely(3) {
        select.distinct = tape.maybe(|tape| Distinct {
            on: exprs(tape, 0),
            span: NodeSpan::default(),
        });
        select.window = tape.maybe(stream_window);
        select.filter = tape.maybe(expr);
        select.group_by = tape.some(0, group_item);
        select.partition_by = exprs(tape, 0);
        select.having = tape.maybe(expr);
        select.named_windows = tape.some(0, |tape| NamedWindow {
            name: ident(tape),
            window: window(tape),
        });
    }
    select
}

fn item(tape: &mut Tape) -> SelectItem {
    match tape.below(8) {
        0 => SelectItem::Star(NodeSpan::default()),
        1 => SelectItem::QualifiedStar(name(tape)),
        2 => SelectItem::FieldStar(expr(tape)),
        _ => SelectItem::Expr {
            expr: expr(tape),
            alias: tape.maybe(label),
        },
    }
}

fn group_item(tape: &mut Tape) -> GroupItem {
    let sets = |tape: &mut Tape| tape.some(1, |tape| tape.some(0, not_a_row));
    match tape.below(6) {
        3 => GroupItem::Rollup(sets(tape)),
        4 => GroupItem::Cube(sets(tape)),
        5 => GroupItem::GroupingSets(sets(tape)),
        _ => GroupItem::Expr(not_a_row(tape)),
    }
}

/// Grouping by a row is grouping by its parts.
fn not_a_row(tape: &mut Tape) -> Expr {
    match expr(tape) {
        Expr {
            kind: ExprKind::Row(_),
            ..
        } => Expr::new(ExprKind::Column(name(tape))),
        other => other,
    }
}

fn stream_window(tape: &mut Tape) -> StreamWindow {
    let kind = match tape.below(3) {
        0 => StreamWindowKind::Tumbling {
            size: duration(tape),
        },
        1 => StreamWindowKind::Hopping {
            size: duration(tape),
            advance: duration(tape),
        },
        _ => StreamWindowKind::Session {
            gap: duration(tape),
        },
    };
    StreamWindow {
        name: tape.maybe(ident),
        kind,
        retention: tape.maybe(duration),
        grace: tape.maybe(duration),
        span: NodeSpan::default(),
    }
}
