//! What stands after FROM: relations, their aliases, and joins.

use super::expression::Expr;
use super::literal::Duration;
use super::name::{Ident, Name, Uri};
use super::property::Property;
use super::query::Query;
use crate::span::NodeSpan;

/// A relation and those joined to it, from left to right.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FromItem {
    /// The first.
    pub relation: Relation,
    /// The others: each joins all that stands before it.
    pub joins: Vec<Join>,
}

/// A relation with its alias.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Relation {
    /// Which relation.
    pub kind: RelationKind,
    /// What it is called here.
    pub alias: Option<TableAlias>,
    /// Where it stands, the alias included.
    pub span: NodeSpan,
}

/// The forms of relations.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RelationKind {
    /// `orders`, `rates FOR SYSTEM_TIME AS OF o.ts`
    Name {
        /// A stream, a table, or a common table expression.
        name: Name,
        /// The time as of which a table is seen.
        as_of: Option<Expr>,
    },
    /// `kafka://orders WITH (format = 'json')`
    Uri {
        /// The source.
        uri: Uri,
        /// Its options.
        options: Vec<Property>,
    },
    /// `[LATERAL] (query)`
    Query {
        /// The query.
        query: Box<Query>,
        /// Whether it may name the relations before it.
        lateral: bool,
    },
    /// `[LATERAL] UNNEST(tags) [WITH ORDINALITY]`, `TUMBLE(TABLE orders, ...)`
    Function(Box<TableFunction>),
    /// `(a JOIN b ON ...)`: at least one join, or an alias of its own.
    Join(Box<FromItem>),
}

/// `alias (columns)`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TableAlias {
    /// The name.
    pub name: Ident,
    /// What the columns are called, if they are renamed.
    pub columns: Vec<Ident>,
}

/// A function that gives rows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TableFunction {
    /// The function.
    pub name: Name,
    /// The arguments in order.
    pub arguments: Vec<TableArgument>,
    /// Whether it may name the relations before it.
    pub lateral: bool,
    /// Whether a column counts its rows.
    pub with_ordinality: bool,
}

/// `[name =>] value`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TableArgument {
    /// The parameter, if it is named.
    pub name: Option<Ident>,
    /// The value.
    pub value: TableArgumentValue,
}

/// The value of an argument of a table function.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TableArgumentValue {
    /// An expression.
    Expr(Expr),
    /// `TABLE orders`
    Table(Name),
    /// `DESCRIPTOR(ts)`
    Descriptor(Vec<Ident>),
}

/// A join to what stands before it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Join {
    /// Which rows without a match are kept.
    pub kind: JoinKind,
    /// The relation that is joined.
    pub relation: Relation,
    /// `WITHIN ...`, between streams.
    pub within: Option<Within>,
    /// Which rows match.
    pub constraint: JoinConstraint,
    /// Where it stands, from its first word to its condition.
    pub span: NodeSpan,
}

/// Which rows without a match a join keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JoinKind {
    /// `[INNER] JOIN`: none.
    Inner,
    /// `LEFT JOIN`: those of the left.
    Left,
    /// `RIGHT JOIN`: those of the right.
    Right,
    /// `FULL JOIN`: those of both.
    Full,
    /// `CROSS JOIN`: every row matches every other.
    Cross,
}

/// Which rows of a join match.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum JoinConstraint {
    /// `ON condition`
    On(Expr),
    /// `USING (columns)`
    Using(Vec<Ident>),
    /// `NATURAL`: the columns of the same names.
    Natural,
    /// No condition; of CROSS alone.
    None,
}

/// `WITHIN 1 HOUR`, `WITHIN (before, after) GRACE PERIOD 1 MINUTE`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Within {
    /// How much earlier the right record may be, and without `after` how much later too.
    pub before: Duration,
    /// How much later the right record may be.
    pub after: Option<Duration>,
    /// How long after its end the window takes late records.
    pub grace: Option<Duration>,
    /// Where it stands.
    pub span: NodeSpan,
}
