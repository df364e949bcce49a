//! CREATE in its forms.

use std::fmt::{self, Display, Formatter};

use super::list::{Clause, Commas, Listed, Maybe, when};
use super::literal::Quoted;
use crate::ast::property::Property;
use crate::ast::statement::{
    ColumnConstraint, ColumnConstraintKind, ColumnDef, CreateConnection, CreateDerived, CreateMode,
    CreateSource, CreateType, PrimaryKey, RelationWord, Watermark,
};

/// `CREATE OR REPLACE what IF NOT EXISTS `, with a space behind.
fn head(mode: CreateMode, what: &dyn Display, f: &mut Formatter<'_>) -> fmt::Result {
    let or_replace = when(mode.or_replace, "OR REPLACE ");
    let if_not_exists = when(mode.if_not_exists, "IF NOT EXISTS ");
    write!(f, "CREATE {or_replace}{what} {if_not_exists}")
}

/// ` WITH (...)`, and nothing where there is no property.
pub(super) struct With<'a>(pub &'a [Property]);

impl Display for With<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            [] => Ok(()),
            properties => write!(f, " WITH ({})", Commas(properties)),
        }
    }
}

impl Display for RelationWord {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            RelationWord::Stream => "STREAM",
            RelationWord::Table => "TABLE",
            RelationWord::MaterializedView => "MATERIALIZED VIEW",
            RelationWord::View => "VIEW",
        })
    }
}

impl Display for CreateSource {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let what = format!("{}{}", when(self.read_only, "SOURCE "), self.word);
        head(self.mode, &what, f)?;
        self.name.fmt(f)?;
        let mut elements: Vec<&dyn Display> = Vec::new();
        elements.extend(self.columns.iter().map(|column| column as &dyn Display));
        elements.extend(self.primary_key.iter().map(|key| key as &dyn Display));
        elements.extend(
            self.watermark
                .iter()
                .map(|watermark| watermark as &dyn Display),
        );
        write!(
            f,
            "{}{}{}",
            Listed(&elements),
            Maybe("FROM", &self.from),
            With(&self.properties)
        )
    }
}

impl Display for ColumnDef {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.data_type)?;
        for constraint in &self.constraints {
            write!(f, " {constraint}")?;
        }
        Ok(())
    }
}

impl Display for ColumnConstraint {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ColumnConstraintKind::Key => f.write_str("KEY"),
            ColumnConstraintKind::PrimaryKey => f.write_str("PRIMARY KEY"),
            ColumnConstraintKind::NotNull => f.write_str("NOT NULL"),
            ColumnConstraintKind::Null => f.write_str("NULL"),
            ColumnConstraintKind::Headers => f.write_str("HEADERS"),
            ColumnConstraintKind::Header(name) => write!(f, "HEADER({})", Quoted(name)),
        }
    }
}

impl Display for PrimaryKey {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "PRIMARY KEY ({})", Commas(&self.columns))
    }
}

impl Display for Watermark {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "WATERMARK FOR {} AS {}", self.column, self.expr)
    }
}

impl Display for CreateDerived {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        head(self.mode, &self.word, f)?;
        write!(
            f,
            "{}{}{}",
            self.name,
            Listed(&self.columns),
            With(&self.properties)
        )?;
        write!(f, "{}", Clause("AS", &[&self.query]))
    }
}

impl Display for CreateConnection {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        head(self.mode, &"CONNECTION", f)?;
        write!(f, "{}{}", self.name, With(&self.properties))
    }
}

impl Display for CreateType {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        head(self.mode, &"TYPE", f)?;
        write!(f, "{} AS {}", self.name, self.data_type)
    }
}
