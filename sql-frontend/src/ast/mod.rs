//! The syntax tree: statements as plain data, each node with its place in the text.
//!
//! Trees compare without their places ([`NodeSpan`](crate::span::NodeSpan)). They know no catalog:
//! names are not looked up, types of expressions are not known. Printed (`Display`), a tree gives
//! SQL that parses to the same tree; [`dump()`] shows its shape.
//!
//! Expressions hold queries, and queries hold expressions: the files of this folder are one
//! recursive type told in parts, and so the one place where files name each other both ways.

mod name;
mod data_type;
mod literal;
mod call;
mod expression;
mod precedence;
mod relation;
mod query;
mod property;
mod statement;
mod print;
mod dump;

pub use call::{
    Argument, Call, Frame, FrameBound, FrameExclude, FrameUnit, Lambda, NullTreatment, Over,
    WindowSpec,
};
pub use data_type::{DataType, DecimalSize, FieldType, TypeKind};
pub use dump::dump;
pub use expression::{
    Between, BinaryOp, Case, Cast, CastForm, Current, Expr, ExprKind, IsTest, Like, LikeForm,
    LogicalOp, MapEntry, Quantified, Quantifier, StructEntry, Substring, Trim, TrimSide,
    TypedLiteral, UnaryOp, WhenBranch,
};
pub use literal::{Duration, DurationKind, IntervalFields, IntervalLiteral, Literal, TimeUnit};
pub use name::{Ident, Name, NameOrUri, Uri};
pub(crate) use precedence::Precedence;
pub use property::{Property, PropertyName, PropertyValue, PropertyValueKind};
pub use query::{
    CommonTable, Direction, Distinct, Emit, EmitKind, GroupItem, NamedWindow, NullsOrder,
    OrderItem, Query, QueryBody, Select, SelectItem, SetOp, SetOperation, StreamWindow,
    StreamWindowKind, Values,
};
pub use relation::{
    FromItem, Join, JoinConstraint, JoinKind, Relation, RelationKind, TableAlias, TableArgument,
    TableArgumentValue, TableFunction, Within,
};
pub use statement::{
    ColumnConstraint, ColumnConstraintKind, ColumnDef, Control, ControlAction, CreateConnection,
    CreateDerived, CreateMode, CreateSource, CreateType, Describe, DescribeTarget, DropObject,
    DropStatement, Explain, ExplainStage, ExplainTarget, Insert, PrimaryKey, RelationWord, Show,
    ShowWhat, Statement, StatementKind, Watermark,
};
