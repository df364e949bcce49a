//! What stands after FROM.

use ferrisstreams_sql_frontend::ast::{
    FromItem, Ident, Join, JoinConstraint, JoinKind, Relation, RelationKind, TableAlias,
    TableArgument, TableArgumentValue, TableFunction, Within,
};
use ferrisstreams_sql_frontend::span::NodeSpan;

use super::expressions::expr;
use super::names::{duration, ident, name, properties, uri};
use super::queries::query;
use super::tape::Tape;

pub fn from_item(tape: &mut Tape) -> FromItem {
    let relation = relation(tape);
    let joins = if tape.rarely(3) {
        tape.some(1, join)
    } else {
        Vec::new()
    };
    FromItem { relation, joins }
}

fn relation(tape: &mut Tape) -> Relation {
    let kind = tape.deeper(nested, flat);
    let alias = tape.maybe(|tape| TableAlias {
        name: ident(tape),
        columns: tape.some(0, ident),
    });
    // Parentheses around one relation are kept where both have aliases.
    match (kind, alias) {
        (RelationKind::Join(item), alias) if item.joins.is_empty() => {
            match (&item.relation.alias, alias) {
                (Some(_), alias @ Some(_)) => made(RelationKind::Join(item), alias),
                (_, alias) => {
                    let alias = item.relation.alias.clone().or(alias);
                    Relation {
                        alias,
                        ..item.relation
                    }
                }
            }
        }
        (kind, alias) => made(kind, alias),
    }
}

fn made(kind: RelationKind, alias: Option<TableAlias>) -> Relation {
    Relation {
        kind,
        alias,
        span: NodeSpan::default(),
    }
}

fn flat(tape: &mut Tape) -> RelationKind {
    match tape.rarely(3) {
        true => RelationKind::Uri {
            uri: uri(tape),
            options: properties(tape, 0),
        },
        false => RelationKind::Name {
            name: name(tape),
            as_of: None,
        },
    }
}

fn nested(tape: &mut Tape) -> RelationKind {
    match tape.below(8) {
        4 => RelationKind::Query {
            query: Box::new(query(tape)),
            lateral: tape.rarely(3),
        },
        5 => RelationKind::Function(Box::new(TableFunction {
            name: Ident::new(tape.pick(&["f", "UNNEST", "tumble"])).into(),
            arguments: tape.some(0, argument),
            lateral: tape.rarely(3),
            with_ordinality: tape.rarely(3),
        })),
        6 => RelationKind::Join(Box::new(from_item(tape))),
        7 => RelationKind::Name {
            name: name(tape),
            as_of: Some(expr(tape)),
        },
        _ => flat(tape),
    }
}

fn argument(tape: &mut Tape) -> TableArgument {
    let value = match tape.below(4) {
        0 => TableArgumentValue::Table(name(tape)),
        1 => TableArgumentValue::Descriptor(tape.some(1, ident)),
        _ => TableArgumentValue::Expr(expr(tape)),
    };
    TableArgument {
        name: tape.maybe(ident),
        value,
    }
}

fn join(tape: &mut Tape) -> Join {
    let outer = [
        JoinKind::Inner,
        JoinKind::Left,
        JoinKind::Right,
        JoinKind::Full,
    ];
    let (kind, constraint) = match tape.below(4) {
        0 => (JoinKind::Cross, JoinConstraint::None),
        1 => (tape.pick(&outer), JoinConstraint::Natural),
        2 => (
            tape.pick(&outer),
            JoinConstraint::Using(tape.some(1, ident)),
        ),
        _ => (tape.pick(&outer), JoinConstraint::On(expr(tape))),
    };
    let within = if tape.rarely(4) {
        Some(Within {
            before: duration(tape),
            after: tape.maybe(duration),
            grace: tape.maybe(duration),
            span: NodeSpan::default(),
        })
    } else {
        None
    };
    Join {
        kind,
        relation: relation(tape),
        within,
        constraint,
        span: NodeSpan::default(),
    }
}
