//! Expressions.
//!
//! Precedence is in the shape of the tree; parentheses are not kept. Whether a name is a column and
//! a call an aggregate is for the binder to say.

use super::call::Call;
use super::data_type::DataType;
use super::literal::{IntervalLiteral, Literal};
use super::name::{Ident, Name};
use super::query::Query;
use crate::span::NodeSpan;

/// An expression and where it stands, its parentheses included.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Expr {
    /// Which expression.
    pub kind: ExprKind,
    /// Where it stands.
    pub span: NodeSpan,
}

/// The forms of expressions.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ExprKind {
    /// `12`, `1.50`, `'text'`, `TRUE`, `NULL`.
    Literal(Literal),
    /// `DATE '2024-01-31'`: a type, and a string to be read as a value of it.
    Typed(Box<TypedLiteral>),
    /// `INTERVAL '1' DAY`.
    Interval(IntervalLiteral),
    /// `amount`, `o.amount`: a column, or a field of one, as the binder finds.
    Column(Name),
    /// `CURRENT_TIMESTAMP`, `CURRENT_DATE`, and the like.
    Current(Current),
    /// `-x`, `+x`, `NOT x`.
    Unary {
        /// The operator.
        op: UnaryOp,
        /// What it is applied to.
        operand: Box<Expr>,
    },
    /// `a + b`, `a = b`, `a || b`.
    Binary {
        /// The operator.
        op: BinaryOp,
        /// The left operand.
        left: Box<Expr>,
        /// The right operand.
        right: Box<Expr>,
    },
    /// `a AND b AND c`, `a OR b OR c`: a chain of one operator, at least two operands.
    Logical {
        /// The operator.
        op: LogicalOp,
        /// The operands from left to right.
        operands: Vec<Expr>,
    },
    /// `x IS [NOT] NULL | TRUE | FALSE | UNKNOWN`.
    Is {
        /// What is tested.
        operand: Box<Expr>,
        /// For what.
        test: IsTest,
        /// Whether with NOT.
        negated: bool,
    },
    /// `a IS [NOT] DISTINCT FROM b`.
    DistinctFrom {
        /// The left operand.
        left: Box<Expr>,
        /// The right operand.
        right: Box<Expr>,
        /// Whether with NOT.
        negated: bool,
    },
    /// `x [NOT] BETWEEN [SYMMETRIC] low AND high`.
    Between(Box<Between>),
    /// `x [NOT] IN (a, b)`.
    InList {
        /// What is looked for.
        operand: Box<Expr>,
        /// Where, at least one expression.
        list: Vec<Expr>,
        /// Whether with NOT.
        negated: bool,
    },
    /// `x [NOT] IN (SELECT ...)`.
    InQuery {
        /// What is looked for.
        operand: Box<Expr>,
        /// Where.
        query: Box<Query>,
        /// Whether with NOT.
        negated: bool,
    },
    /// `x [NOT] LIKE pattern [ESCAPE e]`.
    Like(Box<Like>),
    /// `x = ANY (SELECT ...)`, `x < ALL (array)`.
    Quantified(Box<Quantified>),
    /// `CASE ... END`.
    Case(Box<Case>),
    /// `CAST(x AS t)`, `TRY_CAST(x AS t)`, `x::t`.
    Cast(Box<Cast>),
    /// `EXTRACT(field FROM x)`.
    Extract {
        /// Which part: `YEAR`, `EPOCH`, a word or a string.
        field: Ident,
        /// Of what.
        operand: Box<Expr>,
    },
    /// `POSITION(needle IN haystack)`.
    Position {
        /// What is looked for.
        needle: Box<Expr>,
        /// Where.
        haystack: Box<Expr>,
    },
    /// `SUBSTRING(x FROM a FOR b)`.
    Substring(Box<Substring>),
    /// `TRIM(BOTH c FROM x)`.
    Trim(Box<Trim>),
    /// `x AT TIME ZONE z`.
    AtTimeZone {
        /// A time.
        operand: Box<Expr>,
        /// The zone.
        zone: Box<Expr>,
    },
    /// `a[i]`, `m['k']`.
    Subscript {
        /// An array or a map.
        operand: Box<Expr>,
        /// The place or the key.
        index: Box<Expr>,
    },
    /// `s->f`, `(s).f`.
    Field {
        /// A struct.
        operand: Box<Expr>,
        /// Its field.
        field: Ident,
    },
    /// `f(x)`, `COUNT(*)`, `SUM(x) FILTER (WHERE y) OVER (...)`.
    Call(Box<Call>),
    /// `EXISTS (SELECT ...)`.
    Exists(Box<Query>),
    /// `(SELECT ...)` as a value.
    Query(Box<Query>),
    /// `(a, b)`, `ROW(a)`.
    Row(Vec<Expr>),
    /// `ARRAY[a, b]`.
    Array(Vec<Expr>),
    /// `MAP(k := v, ...)`.
    Map(Vec<MapEntry>),
    /// `STRUCT(f := v, ...)`.
    Struct(Vec<StructEntry>),
}

/// A string read as a value of a type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TypedLiteral {
    /// The type.
    pub data_type: DataType,
    /// The text of the value.
    pub text: String,
}

/// Values that the clock or the session gives, written without parentheses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Current {
    /// `CURRENT_DATE`.
    Date,
    /// `CURRENT_TIME`.
    Time,
    /// `CURRENT_TIMESTAMP`.
    Timestamp,
    /// `LOCALTIME`.
    LocalTime,
    /// `LOCALTIMESTAMP`.
    LocalTimestamp,
}

/// Operators before their operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UnaryOp {
    /// `-`
    Minus,
    /// `+`
    Plus,
    /// `NOT`
    Not,
}

/// Operators between two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BinaryOp {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Modulo,
    /// `||`
    Concat,
    /// `=`
    Equal,
    /// `<>`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

impl BinaryOp {
    /// Whether it compares, and so gives a boolean.
    pub const fn is_comparison(self) -> bool {
        matches!(
            self,
            BinaryOp::Equal
                | BinaryOp::NotEqual
                | BinaryOp::Less
                | BinaryOp::LessOrEqual
                | BinaryOp::Greater
                | BinaryOp::GreaterOrEqual
        )
    }
}

/// `AND` and `OR`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LogicalOp {
    /// `AND`
    And,
    /// `OR`
    Or,
}

/// What IS tests for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IsTest {
    /// `IS NULL`
    Null,
    /// `IS TRUE`
    True,
    /// `IS FALSE`
    False,
    /// `IS UNKNOWN`
    Unknown,
}

/// `operand [NOT] BETWEEN [SYMMETRIC] low AND high`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Between {
    /// What is compared.
    pub operand: Expr,
    /// One end.
    pub low: Expr,
    /// The other end.
    pub high: Expr,
    /// Whether with NOT.
    pub negated: bool,
    /// Whether the ends may stand in either order.
    pub symmetric: bool,
}

/// `operand [NOT] LIKE pattern [ESCAPE escape]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Like {
    /// Which matching.
    pub form: LikeForm,
    /// What is matched.
    pub operand: Expr,
    /// The pattern.
    pub pattern: Expr,
    /// The escape character, `\` if it is not given.
    pub escape: Option<Expr>,
    /// Whether with NOT.
    pub negated: bool,
}

/// How LIKE matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LikeForm {
    /// `LIKE`
    Like,
    /// `ILIKE`: without regard to case.
    ILike,
    /// `SIMILAR TO`: with the regular expressions of the SQL standard.
    SimilarTo,
}

/// `left op ANY | ALL (right)`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Quantified {
    /// The left operand.
    pub left: Expr,
    /// A comparison.
    pub op: BinaryOp,
    /// Whether one or all must compare so.
    pub quantifier: Quantifier,
    /// A query or an array.
    pub right: Expr,
}

/// How many must compare so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Quantifier {
    /// `ANY`, `SOME`
    Any,
    /// `ALL`
    All,
}

/// `CASE [operand] WHEN ... THEN ... [ELSE ...] END`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Case {
    /// What the branches are compared with, in the simple form.
    pub operand: Option<Expr>,
    /// The branches in order, at least one.
    pub branches: Vec<WhenBranch>,
    /// The value when no branch fits, NULL if it is not given.
    pub otherwise: Option<Expr>,
}

/// `WHEN condition THEN result`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WhenBranch {
    /// A condition, or in the simple form a value.
    pub condition: Expr,
    /// The value of the CASE when it fits.
    pub result: Expr,
}

/// A change of type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Cast {
    /// How it is written.
    pub form: CastForm,
    /// What is cast.
    pub operand: Expr,
    /// To which type.
    pub data_type: DataType,
}

/// How a cast is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CastForm {
    /// `CAST(x AS t)`
    Cast,
    /// `TRY_CAST(x AS t)`: NULL where the cast fails.
    TryCast,
    /// `x::t`
    DoubleColon,
}

/// `SUBSTRING(operand FROM start FOR length)`; at least one of the two is given.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Substring {
    /// Of what.
    pub operand: Expr,
    /// The first character, from 1.
    pub start: Option<Expr>,
    /// How many characters.
    pub length: Option<Expr>,
}

/// `TRIM(side characters FROM operand)`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Trim {
    /// Which end, both if it is not given.
    pub side: Option<TrimSide>,
    /// What is taken off, spaces if it is not given.
    pub characters: Option<Expr>,
    /// Of what.
    pub operand: Expr,
}

/// Which end TRIM trims.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TrimSide {
    /// `BOTH`
    Both,
    /// `LEADING`
    Leading,
    /// `TRAILING`
    Trailing,
}

/// An entry of a map constructor.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MapEntry {
    /// The key.
    pub key: Expr,
    /// The value.
    pub value: Expr,
}

/// An entry of a struct constructor.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StructEntry {
    /// The field.
    pub name: Ident,
    /// Its value.
    pub value: Expr,
}

impl Expr {
    /// An expression that stands nowhere.
    pub fn new(kind: ExprKind) -> Self {
        Expr {
            kind,
            span: NodeSpan::default(),
        }
    }
}
