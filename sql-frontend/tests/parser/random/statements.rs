//! Statements.

use ferrisstreams_sql_frontend::ast::{
    ColumnConstraint, ColumnConstraintKind, ColumnDef, Control, ControlAction, CreateConnection,
    CreateDerived, CreateMode, CreateSource, CreateType, Describe, DescribeTarget, DropObject,
    DropStatement, Explain, ExplainStage, ExplainTarget, Insert, PrimaryKey, RelationWord, Show,
    ShowWhat, Statement, StatementKind, Watermark,
};
use ferrisstreams_sql_frontend::span::NodeSpan;

use super::expressions::expr;
use super::names::{
    ident, name, name_or_uri, properties, property_name, property_value, text, uri,
};
use super::queries::query;
use super::tape::Tape;
use super::types::data_type;

pub fn statement(tape: &mut Tape) -> Statement {
    let kind = match tape.below(20) {
        0..=7 => StatementKind::Query(Box::new(query(tape))),
        8..=10 => create_source(tape),
        11 | 12 => create_derived(tape),
        13 => insert(tape),
        14 => {
            let statement = [create_source, create_derived, insert, |tape: &mut Tape| {
                StatementKind::Query(Box::new(query(tape)))
            }];
            let target = match tape.below(5) {
                4 => ExplainTarget::Name(name(tape)),
                which => {
                    let kind = statement[which](tape);
                    ExplainTarget::Statement(Box::new(Statement {
                        kind,
                        span: NodeSpan::default(),
                    }))
                }
            };
            StatementKind::Explain(Explain {
                analyze: tape.coin(),
                stages: stages(tape),
                target,
            })
        }
        15 => drop_statement(tape),
        16 => StatementKind::Set {
            name: property_name(tape),
            value: property_value(tape),
        },
        17 => describe(tape),
        18 => create_other(tape),
        _ => small(tape),
    };
    Statement {
        kind,
        span: NodeSpan::default(),
    }
}

fn mode(tape: &mut Tape) -> CreateMode {
    let or_replace = tape.rarely(3);
    CreateMode {
        or_replace,
        if_not_exists: !or_replace && tape.rarely(3),
    }
}

fn create_source(tape: &mut Tape) -> StatementKind {
    let from = tape.maybe(uri);
    let has_columns = tape.coin() || from.is_none();
    StatementKind::CreateSource(Box::new(CreateSource {
        mode: mode(tape),
        word: tape.pick(&[RelationWord::Stream, RelationWord::Table]),
        read_only: tape.rarely(4),
        name: name(tape),
        columns: if has_columns {
            tape.some(1, column)
        } else {
            Vec::new()
        },
        primary_key: tape
            .maybe(|tape| PrimaryKey {
                columns: tape.some(1, ident),
                span: NodeSpan::default(),
            })
            .filter(|_| has_columns),
        watermark: tape
            .maybe(|tape| Watermark {
                column: ident(tape),
                expr: expr(tape),
                span: NodeSpan::default(),
            })
            .filter(|_| has_columns),
        from,
        properties: properties(tape, 0),
    }))
}

fn column(tape: &mut Tape) -> ColumnDef {
    let key = [ColumnConstraintKind::Key, ColumnConstraintKind::PrimaryKey];
    let null = [ColumnConstraintKind::NotNull, ColumnConstraintKind::Null];
    let header = [
        ColumnConstraintKind::Headers,
        ColumnConstraintKind::Header(text(tape)),
    ];
    let mut constraints = Vec::new();
    for kinds in [&key, &null, &header] {
        if tape.rarely(3) {
            constraints.push(ColumnConstraint {
                kind: tape.pick(kinds),
                span: NodeSpan::default(),
            });
        }
    }
    ColumnDef {
        name: ident(tape),
        data_type: data_type(tape),
        constraints,
        span: NodeSpan::default(),
    }
}

fn create_derived(tape: &mut Tape) -> StatementKind {
    let words = [
        RelationWord::Table,
        RelationWord::Stream,
        RelationWord::MaterializedView,
        RelationWord::View,
    ];
    StatementKind::CreateDerived(Box::new(CreateDerived {
        mode: mode(tape),
        word: tape.pick(&words),
        name: name(tape),
        columns: tape.some(0, ident),
        properties: properties(tape, 0),
        query: query(tape),
    }))
}

fn create_other(tape: &mut Tape) -> StatementKind {
    match tape.coin() {
        true => StatementKind::CreateType(CreateType {
            mode: mode(tape),
            name: name(tape),
            data_type: data_type(tape),
        }),
        false => StatementKind::CreateConnection(CreateConnection {
            mode: mode(tape),
            name: ident(tape),
            properties: properties(tape, 1),
        }),
    }
}

fn insert(tape: &mut Tape) -> StatementKind {
    StatementKind::Insert(Box::new(Insert {
        target: name_or_uri(tape),
        columns: tape.some(0, ident),
        properties: properties(tape, 0),
        query: query(tape),
    }))
}

fn drop_statement(tape: &mut Tape) -> StatementKind {
    let object = tape.pick(&[
        DropObject::Relation(RelationWord::Table),
        DropObject::Relation(RelationWord::Stream),
        DropObject::Relation(RelationWord::MaterializedView),
        DropObject::Relation(RelationWord::View),
        DropObject::Connection,
        DropObject::Type,
    ]);
    StatementKind::Drop(DropStatement {
        object,
        if_exists: tape.coin(),
        name: name(tape),
        delete_topic: matches!(object, DropObject::Relation(_)) && tape.coin(),
    })
}

fn stages(tape: &mut Tape) -> Vec<ExplainStage> {
    let all = [
        ExplainStage::Topology,
        ExplainStage::Ast,
        ExplainStage::Plan,
        ExplainStage::Optimized,
    ];
    all.into_iter().filter(|_| tape.rarely(3)).collect()
}

fn describe(tape: &mut Tape) -> StatementKind {
    let target = match tape.below(4) {
        0 => DescribeTarget::Relation(name_or_uri(tape)),
        1 => DescribeTarget::Function(name(tape)),
        2 => DescribeTarget::Connection(name(tape)),
        _ => DescribeTarget::Type(name(tape)),
    };
    StatementKind::Describe(Describe {
        target,
        extended: tape.coin(),
    })
}

fn small(tape: &mut Tape) -> StatementKind {
    let what = [
        ShowWhat::All,
        ShowWhat::Streams,
        ShowWhat::Tables,
        ShowWhat::Queries,
        ShowWhat::Functions,
        ShowWhat::Connections,
        ShowWhat::Types,
        ShowWhat::Topics,
        ShowWhat::Properties,
    ];
    match tape.below(3) {
        0 => StatementKind::Show(Show {
            what: tape.pick(&what),
            extended: tape.coin(),
        }),
        1 => StatementKind::Unset(property_name(tape)),
        _ => StatementKind::Control(Control {
            action: tape.pick(&[
                ControlAction::Pause,
                ControlAction::Resume,
                ControlAction::Terminate,
            ]),
            query: tape.maybe(name),
        }),
    }
}
