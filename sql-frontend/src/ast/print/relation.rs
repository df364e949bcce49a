//! Relations and joins.

use std::fmt::{self, Display, Formatter};

use super::list::{Commas, Listed, when};
use crate::ast::relation::{
    FromItem, Join, JoinConstraint, JoinKind, Relation, RelationKind, TableAlias, TableArgument,
    TableArgumentValue, TableFunction, Within,
};

impl Display for FromItem {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.relation.fmt(f)?;
        for join in &self.joins {
            write!(f, " {join}")?;
        }
        Ok(())
    }
}

impl Display for Relation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            RelationKind::Name { name, as_of } => {
                name.fmt(f)?;
                if let Some(as_of) = as_of {
                    write!(f, " FOR SYSTEM_TIME AS OF {as_of}")?;
                }
            }
            RelationKind::Uri { uri, options } if options.is_empty() => uri.fmt(f)?,
            RelationKind::Uri { uri, options } => write!(f, "{uri} WITH ({})", Commas(options))?,
            RelationKind::Query { query, lateral } => {
                write!(f, "{}({query})", when(*lateral, "LATERAL "))?;
            }
            RelationKind::Function(function) => function.fmt(f)?,
            RelationKind::Join(item) => write!(f, "({item})")?,
        }
        match &self.alias {
            None => Ok(()),
            Some(alias) => write!(f, " AS {alias}"),
        }
    }
}

impl Display for TableAlias {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.name, Listed(&self.columns))
    }
}

impl Display for TableFunction {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let lateral = when(self.lateral, "LATERAL ");
        let ordinality = when(self.with_ordinality, " WITH ORDINALITY");
        write!(
            f,
            "{lateral}{}({}){ordinality}",
            self.name,
            Commas(&self.arguments)
        )
    }
}

impl Display for TableArgument {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.name {
            None => self.value.fmt(f),
            Some(name) => write!(f, "{name} => {}", self.value),
        }
    }
}

impl Display for TableArgumentValue {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            TableArgumentValue::Expr(expr) => expr.fmt(f),
            TableArgumentValue::Table(name) => write!(f, "TABLE {name}"),
            TableArgumentValue::Descriptor(columns) => {
                write!(f, "DESCRIPTOR({})", Commas(columns))
            }
        }
    }
}

impl Display for Join {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.constraint == JoinConstraint::Natural {
            f.write_str("NATURAL ")?;
        }
        write!(f, "{}JOIN {}", self.kind, self.relation)?;
        if let Some(within) = &self.within {
            write!(f, " {within}")?;
        }
        match &self.constraint {
            JoinConstraint::On(condition) => write!(f, " ON {condition}"),
            JoinConstraint::Using(columns) => write!(f, " USING ({})", Commas(columns)),
            JoinConstraint::Natural | JoinConstraint::None => Ok(()),
        }
    }
}

/// The words before JOIN, with a space behind.
impl Display for JoinKind {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            JoinKind::Inner => "",
            JoinKind::Left => "LEFT ",
            JoinKind::Right => "RIGHT ",
            JoinKind::Full => "FULL ",
            JoinKind::Cross => "CROSS ",
        })
    }
}

impl Display for Within {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.after {
            None => write!(f, "WITHIN {}", self.before)?,
            Some(after) => write!(f, "WITHIN ({}, {after})", self.before)?,
        }
        match &self.grace {
            None => Ok(()),
            Some(grace) => write!(f, " GRACE PERIOD {grace}"),
        }
    }
}
