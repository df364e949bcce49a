//! Statements, CREATE apart.

use std::fmt::{self, Display, Formatter};

use super::create::With;
use super::list::{Commas, Listed, when};
use crate::ast::statement::{
    Control, ControlAction, Describe, DescribeTarget, DropObject, DropStatement, Explain,
    ExplainStage, ExplainTarget, Insert, Show, ShowWhat, Statement, StatementKind,
};

/// The statement without a semicolon.
impl Display for Statement {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            StatementKind::Query(query) => query.fmt(f),
            StatementKind::CreateSource(create) => create.fmt(f),
            StatementKind::CreateDerived(create) => create.fmt(f),
            StatementKind::CreateConnection(create) => create.fmt(f),
            StatementKind::CreateType(create) => create.fmt(f),
            StatementKind::Insert(insert) => insert.fmt(f),
            StatementKind::Drop(drop) => drop.fmt(f),
            StatementKind::Show(show) => show.fmt(f),
            StatementKind::Describe(describe) => describe.fmt(f),
            StatementKind::Explain(explain) => explain.fmt(f),
            StatementKind::Set { name, value } => write!(f, "SET {name} = {value}"),
            StatementKind::Unset(name) => write!(f, "UNSET {name}"),
            StatementKind::Control(control) => control.fmt(f),
        }
    }
}

impl Display for Insert {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (columns, with) = (Listed(&self.columns), With(&self.properties));
        write!(
            f,
            "INSERT INTO {}{columns}{with} {}",
            self.target, self.query
        )
    }
}

impl Display for DropStatement {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let if_exists = when(self.if_exists, "IF EXISTS ");
        let delete_topic = when(self.delete_topic, " DELETE TOPIC");
        write!(
            f,
            "DROP {} {if_exists}{}{delete_topic}",
            self.object, self.name
        )
    }
}

impl Display for DropObject {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            DropObject::Relation(word) => word.fmt(f),
            DropObject::Connection => f.write_str("CONNECTION"),
            DropObject::Type => f.write_str("TYPE"),
        }
    }
}

impl Display for Show {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "SHOW {}{}", self.what, when(self.extended, " EXTENDED"))
    }
}

impl Display for ShowWhat {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ShowWhat::All => "ALL",
            ShowWhat::Streams => "STREAMS",
            ShowWhat::Tables => "TABLES",
            ShowWhat::Queries => "QUERIES",
            ShowWhat::Functions => "FUNCTIONS",
            ShowWhat::Connections => "CONNECTIONS",
            ShowWhat::Types => "TYPES",
            ShowWhat::Topics => "TOPICS",
            ShowWhat::Properties => "PROPERTIES",
        })
    }
}

impl Display for Describe {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.target {
            DescribeTarget::Relation(relation) => write!(f, "DESCRIBE {relation}")?,
            DescribeTarget::Function(name) => write!(f, "DESCRIBE FUNCTION {name}")?,
            DescribeTarget::Connection(name) => write!(f, "DESCRIBE CONNECTION {name}")?,
            DescribeTarget::Type(name) => write!(f, "DESCRIBE TYPE {name}")?,
        }
        f.write_str(when(self.extended, " EXTENDED"))
    }
}

impl Display for Explain {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let analyze = when(self.analyze, " ANALYZE");
        write!(f, "EXPLAIN{analyze}{} ", Listed(&self.stages))?;
        match &self.target {
            ExplainTarget::Statement(statement) => statement.fmt(f),
            ExplainTarget::Name(name) => name.fmt(f),
        }
    }
}

impl Display for ExplainStage {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ExplainStage::Ast => "AST",
            ExplainStage::Plan => "PLAN",
            ExplainStage::Optimized => "OPTIMIZED",
            ExplainStage::Topology => "TOPOLOGY",
        })
    }
}

impl Display for Control {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let action = match self.action {
            ControlAction::Pause => "PAUSE",
            ControlAction::Resume => "RESUME",
            ControlAction::Terminate => "TERMINATE",
        };
        match &self.query {
            None => write!(f, "{action} ALL"),
            Some(query) => write!(f, "{action} {}", Commas(std::slice::from_ref(query))),
        }
    }
}
