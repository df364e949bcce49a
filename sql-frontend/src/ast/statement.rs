//! Statements.

use super::data_type::DataType;
use super::expression::Expr;
use super::name::{Ident, Name, NameOrUri, Uri};
use super::property::{Property, PropertyName, PropertyValue};
use super::query::Query;
use crate::span::NodeSpan;

/// A statement and where it stands, without its semicolon.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Statement {
    /// Which statement.
    pub kind: StatementKind,
    /// Where it stands.
    pub span: NodeSpan,
}

/// The statements of the language.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum StatementKind {
    /// `SELECT ...`, `VALUES ...`
    Query(Box<Query>),
    /// `CREATE STREAM orders (...) FROM kafka://orders WITH (...)`
    CreateSource(Box<CreateSource>),
    /// `CREATE TABLE spent AS SELECT ...`
    CreateDerived(Box<CreateDerived>),
    /// `CREATE CONNECTION crm WITH (...)`
    CreateConnection(CreateConnection),
    /// `CREATE TYPE address AS STRUCT<...>`
    CreateType(CreateType),
    /// `INSERT INTO spent SELECT ...`
    Insert(Box<Insert>),
    /// `DROP TABLE spent`
    Drop(DropStatement),
    /// `SHOW TABLES`
    Show(Show),
    /// `DESCRIBE spent`
    Describe(Describe),
    /// `EXPLAIN (PLAN) SELECT ...`
    Explain(Explain),
    /// `SET 'property' = 'value'`
    Set {
        /// Which property.
        name: PropertyName,
        /// Its value.
        value: PropertyValue,
    },
    /// `UNSET 'property'`
    Unset(PropertyName),
    /// `PAUSE`, `RESUME`, `TERMINATE` of one query or all.
    Control(Control),
}

/// What CREATE and OR REPLACE, IF NOT EXISTS say about a name that is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct CreateMode {
    /// `OR REPLACE`
    pub or_replace: bool,
    /// `IF NOT EXISTS`
    pub if_not_exists: bool,
}

/// The word that a relation is created or dropped by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RelationWord {
    /// `STREAM`
    Stream,
    /// `TABLE`
    Table,
    /// `MATERIALIZED VIEW`, another word for a derived table.
    MaterializedView,
    /// `VIEW`
    View,
}

/// A stream or table over a source.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CreateSource {
    /// What if the name is taken.
    pub mode: CreateMode,
    /// Stream or table.
    pub word: RelationWord,
    /// `CREATE SOURCE ...`: a table that is read only, and queried as it is.
    pub read_only: bool,
    /// Its name.
    pub name: Name,
    /// Its columns; none where they are to be inferred.
    pub columns: Vec<ColumnDef>,
    /// `PRIMARY KEY (a, b)` of the whole table.
    pub primary_key: Option<PrimaryKey>,
    /// `WATERMARK FOR ts AS ...`
    pub watermark: Option<Watermark>,
    /// Where its records come from; else the properties say.
    pub from: Option<Uri>,
    /// `WITH (...)`
    pub properties: Vec<Property>,
}

/// A column of a source.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ColumnDef {
    /// Its name.
    pub name: Ident,
    /// Its type.
    pub data_type: DataType,
    /// What else is said of it, in order.
    pub constraints: Vec<ColumnConstraint>,
    /// Where it stands.
    pub span: NodeSpan,
}

/// What is said of a column besides its type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ColumnConstraint {
    /// What is said.
    pub kind: ColumnConstraintKind,
    /// Where it stands.
    pub span: NodeSpan,
}

/// What can be said of a column.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ColumnConstraintKind {
    /// `KEY`: part of a stream's key.
    Key,
    /// `PRIMARY KEY`: part of a table's key.
    PrimaryKey,
    /// `NOT NULL`
    NotNull,
    /// `NULL`
    Null,
    /// `HEADERS`: all headers of the record.
    Headers,
    /// `HEADER('name')`: one header of the record.
    Header(String),
}

/// `PRIMARY KEY (a, b)`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PrimaryKey {
    /// The columns in order, at least one.
    pub columns: Vec<Ident>,
    /// Where it stands.
    pub span: NodeSpan,
}

/// `WATERMARK FOR column AS expr`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Watermark {
    /// The column that carries the time.
    pub column: Ident,
    /// The time before which nothing is expected any more.
    pub expr: Expr,
    /// Where it stands.
    pub span: NodeSpan,
}

/// A stream or table that is kept from a query.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CreateDerived {
    /// What if the name is taken.
    pub mode: CreateMode,
    /// The word it was created by.
    pub word: RelationWord,
    /// Its name.
    pub name: Name,
    /// What its columns are called, if they are renamed.
    pub columns: Vec<Ident>,
    /// `WITH (...)`
    pub properties: Vec<Property>,
    /// What it holds.
    pub query: Query,
}

/// A named connection.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CreateConnection {
    /// What if the name is taken.
    pub mode: CreateMode,
    /// Its name.
    pub name: Ident,
    /// `WITH (...)`
    pub properties: Vec<Property>,
}

/// A named type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CreateType {
    /// What if the name is taken.
    pub mode: CreateMode,
    /// Its name.
    pub name: Name,
    /// What it stands for.
    pub data_type: DataType,
}

/// Rows, once or for ever, into a stream or a sink.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Insert {
    /// Into what.
    pub target: NameOrUri,
    /// Into which columns; none for all, in order.
    pub columns: Vec<Ident>,
    /// `WITH (...)`
    pub properties: Vec<Property>,
    /// The rows: a query, whose body is `VALUES` for rows written out.
    pub query: Query,
}

/// `DROP ... name`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DropStatement {
    /// What kind of thing.
    pub object: DropObject,
    /// Whether it is no error that there is none.
    pub if_exists: bool,
    /// Its name.
    pub name: Name,
    /// `DELETE TOPIC`: whether its Kafka topic goes too.
    pub delete_topic: bool,
}

/// What can be dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DropObject {
    /// `STREAM`, `TABLE`, `MATERIALIZED VIEW`, `VIEW`
    Relation(RelationWord),
    /// `CONNECTION`
    Connection,
    /// `TYPE`
    Type,
}

/// `SHOW what [EXTENDED]`; `LIST` is the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Show {
    /// What is listed.
    pub what: ShowWhat,
    /// Whether with more detail.
    pub extended: bool,
}

/// What can be listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ShowWhat {
    /// `ALL`: streams, tables and queries.
    All,
    /// `STREAMS`
    Streams,
    /// `TABLES`
    Tables,
    /// `QUERIES`
    Queries,
    /// `FUNCTIONS`
    Functions,
    /// `CONNECTIONS`
    Connections,
    /// `TYPES`
    Types,
    /// `TOPICS`
    Topics,
    /// `PROPERTIES`
    Properties,
}

/// `DESCRIBE target [EXTENDED]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Describe {
    /// What is described.
    pub target: DescribeTarget,
    /// Whether with more detail.
    pub extended: bool,
}

/// What can be described.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum DescribeTarget {
    /// A stream, table or source.
    Relation(NameOrUri),
    /// `FUNCTION f`
    Function(Name),
    /// `CONNECTION c`
    Connection(Name),
    /// `TYPE t`
    Type(Name),
}

/// `EXPLAIN [ANALYZE] [(stages)] target`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Explain {
    /// Whether with what is measured while it runs.
    pub analyze: bool,
    /// The stages that are asked for, in order; none for all.
    pub stages: Vec<ExplainStage>,
    /// What is explained.
    pub target: ExplainTarget,
}

/// The stages that a statement goes through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ExplainStage {
    /// `AST`: the statement as read.
    Ast,
    /// `PLAN`: names and types resolved.
    Plan,
    /// `OPTIMIZED`: the plan after the rules, and each rule that changed it.
    Optimized,
    /// `TOPOLOGY`: what runs.
    Topology,
}

/// What can be explained.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ExplainTarget {
    /// A query, CREATE or INSERT.
    Statement(Box<Statement>),
    /// A running query, stream or table by its name.
    Name(Name),
}

/// `PAUSE`, `RESUME`, `TERMINATE`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Control {
    /// What is done.
    pub action: ControlAction,
    /// To which query; none for all.
    pub query: Option<Name>,
}

/// What can be done to a running query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ControlAction {
    /// `PAUSE`
    Pause,
    /// `RESUME`
    Resume,
    /// `TERMINATE`
    Terminate,
}
